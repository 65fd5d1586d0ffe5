// The outline of a page while its code is on the way.
import { Skeleton } from "@/components/ui/skeleton";

export function PageSkeleton() {
  return (
    <div className="space-y-5 p-4 md:p-6" aria-busy>
      <Skeleton className="h-7 w-48" />
      <div className="space-y-2">
        {Array.from({ length: 10 }, (_, index) => (
          <Skeleton key={index} className="h-9 w-full rounded-md" />
        ))}
      </div>
    </div>
  );
}
