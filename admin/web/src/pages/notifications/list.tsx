// The frame of the targets and of the rules: what is there, or why nothing is.
import type { UseQueryResult } from "@tanstack/react-query";
import { BellIcon, PlusIcon } from "lucide-react";
import type { ReactNode } from "react";

import { Empty } from "@/components/empty";
import { QueryFailure } from "@/components/query-failure";
import { TableSkeleton } from "@/components/table-skeleton";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";

interface Props<T> {
  query: UseQueryResult<readonly T[]>;
  words: { table: string; emptyTitle: string; emptyText: string; add: string };
  onAdd: () => void;
  row: (entry: T) => ReactNode;
}

export function List<T>({ query, words, onAdd, row }: Props<T>) {
  return (
    <Card className="overflow-hidden">
      {query.isError ? (
        <QueryFailure query={query} />
      ) : query.isPending ? (
        <TableSkeleton rowHeight={56} rows={4} />
      ) : query.data.length === 0 ? (
        <Empty icon={BellIcon} title={words.emptyTitle} text={words.emptyText}>
          <Button look="primary" onClick={onAdd}>
            <PlusIcon /> {words.add}
          </Button>
        </Empty>
      ) : (
        <ul aria-label={words.table} className="divide-y">
          {query.data.map(row)}
        </ul>
      )}
    </Card>
  );
}
