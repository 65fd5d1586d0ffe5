// Feeders that come together on one bus.
import { cn } from "@/lib/cn";

export function Logo({ className }: { className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 32 32" className={cn("size-6", className)}>
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <g fill="none" strokeWidth="2.4" strokeLinecap="round" className="stroke-accent-foreground">
        <path d="M7 8h4.5c3 0 3.5 8 6.5 8" />
        <path d="M7 16h18" />
        <path d="M7 24h4.5c3 0 3.5-8 6.5-8" />
      </g>
      <circle cx="25" cy="16" r="2.6" className="fill-accent-foreground" />
    </svg>
  );
}
