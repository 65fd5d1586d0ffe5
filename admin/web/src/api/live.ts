// What is under way, as it happens: one stream of events for as long as the page is in sight.
import { useEffect, useRef, useState } from "react";

import type { Schemas } from "./client";

export type LiveRequest = Schemas["LiveRequest"];
type LiveEvent = Schemas["LiveEvent"];

export interface Live {
  /** How many are under way on the node that answers. */
  inFlight: number;
  /** The sessions they belong to. */
  sessions: ReadonlySet<string>;
}

/** A stream that was refused, because enough look on, is asked for again after this. */
const AGAIN_MS = 15_000;

/**
 * Null while it is not known. `onEnded` is told when requests are over. A page that is out of sight has no stream: a browser has only a few
 * connections to one origin, and many tabs would use them up.
 */
export function useLive(onEnded: () => void): Live | null {
  const [live, setLive] = useState<Live | null>(null);
  const tell = useRef(onEnded);
  useEffect(() => {
    tell.current = onEnded;
  });
  useEffect(() => {
    const requests = new Map<string, LiveRequest>();
    let source: EventSource | null = null;
    let timer: number | undefined;
    const take = ({ data }: MessageEvent<string>) => {
      const { kind, requests: news, ended, total } = JSON.parse(data) as LiveEvent;
      if (kind === "snapshot") requests.clear();
      for (const request of news) requests.set(request.id, request);
      for (const id of ended) requests.delete(id);
      const sessions = [...requests.values()].flatMap(({ sessionId }) => (sessionId ? [sessionId] : []));
      setLive({ inFlight: total, sessions: new Set(sessions) });
      if (ended.length > 0) tell.current();
    };
    const close = () => {
      window.clearTimeout(timer);
      source?.close();
      source = null;
      setLive(null);
    };
    const open = () => {
      close();
      source = new EventSource("/api/v1/live");
      source.addEventListener("snapshot", take);
      source.addEventListener("change", take);
      source.onerror = () => {
        setLive(null);
        // What only broke off connects again by itself.
        if (source?.readyState === EventSource.CLOSED) timer = window.setTimeout(open, AGAIN_MS);
      };
    };
    const follow = () => (document.hidden ? close() : open());
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      close();
    };
  }, []);
  return live;
}
