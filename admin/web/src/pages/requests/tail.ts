// The live tail: asks for the newest requests every two seconds and puts them into what is loaded, at once while the reader is at the top, on
// demand while the reader is further down.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { type RequestFilter, type RequestPages, type RequestRow, mergeNewest, newestRequestsQuery, requestsQuery } from "@/api/requests";

const EVERY_MS = 2000;
/** How long a row that has just come is shown as new. */
const FRESH_MS = 2500;

export interface Tail {
  /** How many wait to be shown. */
  waiting: number;
  /** Shows them. */
  show: () => void;
  isFresh: (id: string) => boolean;
  setAtTop: (isAtTop: boolean) => void;
}

export function useTail(filter: RequestFilter, isOn: boolean): Tail {
  const queries = useQueryClient();
  const [waiting, setWaiting] = useState<readonly RequestRow[]>([]);
  const fresh = useRef(new Map<string, number>());
  const isAtTop = useRef(true);
  const key = requestsQuery(filter).queryKey;
  const keyText = JSON.stringify(key);
  const newest = useQuery({ ...newestRequestsQuery(filter), enabled: isOn, refetchInterval: EVERY_MS }).data;

  const merge = useCallback(
    (rows: readonly RequestRow[]) => {
      setWaiting([]);
      queries.setQueryData<RequestPages>(key, (pages) => pages && mergeNewest(pages, rows));
    },
    // eslint-disable-next-line -- the key by its content
    [queries, keyText],
  );

  useEffect(() => setWaiting([]), [keyText]);
  useEffect(() => {
    const pages = queries.getQueryData<RequestPages>(key);
    if (!newest || !pages) return;
    const known = new Set(pages.pages[0]?.items.map((row) => row.id));
    const unknown = newest.items.filter((row) => !known.has(row.id));
    if (unknown.length === 0) return;
    // None in common: more came than one answer holds. What is between is only found by beginning anew.
    if (known.size > 0 && unknown.length === newest.items.length && newest.nextCursor) {
      if (isAtTop.current) void queries.resetQueries({ queryKey: key });
      return;
    }
    const now = Date.now();
    for (const [id, at] of fresh.current) if (now - at > FRESH_MS) fresh.current.delete(id);
    for (const row of unknown) fresh.current.set(row.id, now);
    if (isAtTop.current) merge(unknown);
    else setWaiting(unknown);
    // eslint-disable-next-line -- the key by its content
  }, [newest, merge, queries, keyText]);

  return {
    waiting: waiting.length,
    show: useCallback(() => merge(waiting), [merge, waiting]),
    isFresh: useCallback((id: string) => Date.now() - (fresh.current.get(id) ?? 0) < FRESH_MS, []),
    setAtTop: useCallback((atTop: boolean) => {
      isAtTop.current = atTop;
    }, []),
  };
}
