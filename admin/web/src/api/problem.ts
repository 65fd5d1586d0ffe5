// What the API says when it refuses: RFC 9457 with a stable code and every mistake of the input.
import { defineMessages, messagesNow } from "@/lib/i18n";

import type { components } from "./schema";

export type ProblemDocument = components["schemas"]["Problem"];
export type Mistake = components["schemas"]["Mistake"];

const messages = defineMessages({
  en: {
    unreachable: "The gateway does not answer. Check that it runs, then try again.",
    stale: "Somebody else changed this in the meantime. Look at the new version and try again.",
    session: "The session is over. Log in again.",
    status: (status: number) => `The gateway answered ${status} without saying why.`,
  },
  zh: {
    unreachable: "网关没有响应。请确认它正在运行，然后重试。",
    stale: "在此期间已有人修改。请查看最新版本后重试。",
    session: "会话已结束，请重新登录。",
    status: (status) => `网关返回 ${status}，未说明原因。`,
  },
});

export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly status: number;
  readonly code: string;
  readonly mistakes: readonly Mistake[];

  constructor(status: number, document: Partial<ProblemDocument>) {
    super(document.detail ?? messagesNow(messages).status(status));
    this.status = status;
    this.code = document.code ?? "unknown";
    this.mistakes = document.errors ?? [];
  }
}

/** What to tell the reader about anything that was thrown. */
export function describe(error: unknown): string {
  const words = messagesNow(messages);
  if (error instanceof ProblemError) {
    if (error.status === 412) return words.stale;
    if (error.status === 401) return words.session;
    return error.message;
  }
  if (error instanceof TypeError) return words.unreachable;
  return error instanceof Error ? error.message : String(error);
}

/** The mistakes of a refused input by path, the first one of each. */
export function mistakesOf(error: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!(error instanceof ProblemError)) return found;
  for (const { path, message } of error.mistakes) if (!found.has(path)) found.set(path, message);
  return found;
}
