// Everything else the log has about a request; what can be filtered by is a link to that.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useNames } from "@/api/names";
import type { RequestDetail } from "@/api/requests";
import { useIsAdmin } from "@/api/session";
import { useFormat } from "@/lib/format";
import { useMessages } from "@/lib/i18n";

import type { RequestsSearch } from "../search";
import { drawerMessages } from "./messages";

export function Facts({ request }: { request: RequestDetail }) {
  const t = useMessages(drawerMessages);
  const format = useFormat();
  const names = useNames();
  const isAdmin = useIsAdmin();
  const { fields: f } = t;
  const code = (text: string | null | undefined) => text && <code className="font-mono text-xs break-all">{text}</code>;
  const link = (text: string | null | undefined, search: RequestsSearch) => text && <FilterLink text={text} search={search} />;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [f.id, code(request.id)],
    [f.created, format.exact(request.createdAt)],
    [f.user, isAdmin && request.userId ? link(names.user(request.userId), { user: request.userId }) : names.user(request.userId)],
    [f.key, request.keyId ? link(names.key(request.keyId), { key: request.keyId }) : undefined],
    [f.session, link(request.sessionId, { session: request.sessionId ?? "" })],
    [f.endpoint, code(request.endpoint)],
    [f.protocol, request.protocol],
    [f.requestedModel, link(request.requestedModel, { model: request.requestedModel ?? "" })],
    [f.model, request.model !== request.requestedModel && link(request.model, { model: request.model ?? "" })],
    [f.stream, request.isStream ? t.yes : t.no],
    [f.bytes, `${format.bytes(request.requestBytes)} / ${format.bytes(request.responseBytes)}`],
    [f.client, request.userAgent && <span translate="no">{request.userAgent}</span>],
    [f.address, code(request.clientIp)],
    [f.code, code(request.errorCode)],
  ];
  return (
    <dl className="divide-y text-[0.8125rem]">
      {facts.map(([label, value]) => value && (
        <div key={label} className="grid grid-cols-[8.5rem_minmax(0,1fr)] gap-3 py-1.5">
          <dt className="text-muted-foreground">{label}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function FilterLink({ text, search }: { text: string; search: RequestsSearch }) {
  const t = useMessages(drawerMessages);
  return (
    <Link to="/requests" search={search} title={t.filterBy(text)} className="text-accent underline-offset-4 hover:underline">
      {text}
    </Link>
  );
}
