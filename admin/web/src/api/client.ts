// The one way to the API: typed by the gateway's own document, with the CSRF token, with refusals thrown as `ProblemError`.
import createClient from "openapi-fetch";

import { ProblemError } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

let csrfToken: string | null = null;
let onSessionOver: () => void = () => undefined;

/** What requests that change something must carry. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called when the API no longer knows the session. */
export function whenSessionIsOver(listener: () => void): void {
  onSessionOver = listener;
}

export const api = createClient<paths>({ credentials: "same-origin" });

api.use({
  onRequest({ request }) {
    if (csrfToken && !["GET", "HEAD"].includes(request.method)) request.headers.set("X-CSRF-Token", csrfToken);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && !schemaPath.startsWith("/api/v1/auth/")) onSessionOver();
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body, or a thrown `ProblemError`. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await whole(answer)).body;
}

/** The same with the version that `If-Match` takes. */
export async function versioned<T>(answer: Promise<Answer<T>>): Promise<{ value: T; etag: string }> {
  const { body, response } = await whole(answer);
  return { value: body, etag: response.headers.get("ETag") ?? "" };
}

async function whole<T>(answer: Promise<Answer<T>>): Promise<{ body: T; response: Response }> {
  const { data, error, response } = await answer;
  if (response.ok) return { body: data as T, response };
  const document = typeof error === "object" && error !== null ? error : {};
  throw new ProblemError(response.status, document);
}

/** Follows a list to its end. For lists that configuration bounds, not for logs. */
export async function everyPage<T>(
  page: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor?: string | null }>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const next = await page(cursor);
    items.push(...next.items);
    cursor = next.nextCursor ?? undefined;
  } while (cursor);
  return items;
}
