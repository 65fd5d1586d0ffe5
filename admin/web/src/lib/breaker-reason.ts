// Why a breaker is open, in the reader's language. The gateway says it in English, in one of a few sentences; what is none of these stays
// as it is.
import { type Language, defineMessages } from "./i18n";

const words = defineMessages({
  en: {
    elsewhere: (why: string) => `open at another node: ${why}`,
    because: (why: string, of: string) => `${why} (${of})`,
    status: (fault: string, status: string) => `${fault}, status ${status}`,
    row: (count: string) => `${count} failures in a row`,
    share: (failures: string, requests: string) => `${failures} of the last minute's ${requests} requests failed`,
    asked: (seconds: string) => `it asked to be left alone for ${seconds} s`,
    trial: "a request on trial failed",
    advised: "another node had opened it and the first request here failed",
    faults: { client: "client", poison: "poison", key: "key", model: "model", endpoint: "endpoint", provider: "provider", network: "network", us: "us" },
  },
  zh: {
    elsewhere: (why) => `在其他节点断开：${why}`,
    because: (why, of) => `${why}（${of}）`,
    status: (fault, status) => `${fault}，状态码 ${status}`,
    row: (count) => `连续失败 ${count} 次`,
    share: (failures, requests) => `最近一分钟的 ${requests} 次请求中有 ${failures} 次失败`,
    asked: (seconds) => `要求暂停 ${seconds} 秒`,
    trial: "试探请求失败",
    advised: "其他节点已断开，本节点的首个请求也失败",
    faults: { client: "客户端", poison: "请求", key: "凭据", model: "模型", endpoint: "地址", provider: "供应商", network: "网络", us: "网关" },
  },
});

type Words = (typeof words)["en"];

const SENTENCES: readonly (readonly [RegExp, (t: Words, found: RegExpMatchArray) => string])[] = [
  [/^(\d+) failures in a row$/, (t, found) => t.row(found[1] ?? "")],
  [/^(\d+) of the last minute's (\d+) requests failed$/, (t, found) => t.share(found[1] ?? "", found[2] ?? "")],
  [/^it asked to be left alone for (\d+) s$/, (t, found) => t.asked(found[1] ?? "")],
  [/^a request on trial failed$/, (t) => t.trial],
  [/^another node had opened it and the first request here failed$/, (t) => t.advised],
];

/** Null for what is none of the sentences. */
export function breakerReason(reason: string, language: Language): string | null {
  const t = words[language];
  const elsewhere = reason.match(/^open at another node: (.*)$/)?.[1];
  if (elsewhere !== undefined) {
    const why = breakerReason(elsewhere, language);
    return why === null ? null : t.elsewhere(why);
  }
  const [, said = reason, fault, status] = reason.match(/^(.*) \(([a-z]+)(?:, status (\d+))?\)$/) ?? [];
  const whose = Object.entries(t.faults).find(([name]) => name === fault)?.[1];
  if (fault !== undefined && whose === undefined) return null;
  for (const [pattern, write] of SENTENCES) {
    const found = said.match(pattern);
    if (!found) continue;
    const why = write(t, found);
    return whose === undefined ? why : t.because(why, status === undefined ? whose : t.status(whose, status));
  }
  return null;
}
