// Looks at the request log after the real clients ran: each protocol they speak must have left answered rows with exact usage.
// GATEWAY and ADMIN_TOKEN say where and who.

const { GATEWAY, ADMIN_TOKEN } = process.env;
const PROTOCOLS = ["anthropic", "responses", "openai", "gemini"];
// One each of Claude Code, Codex and Gemini CLI, four of the SDKs: whoever is told that the budget is spent asks once.
const REFUSED = 7;
// Rows are written in batches behind the answers.
const PATIENCE_MS = 15_000;

async function rows() {
  const all = [];
  let cursor = "";
  do {
    const query = new URLSearchParams({ limit: "200", ...(cursor && { cursor }) });
    const answer = await fetch(`${GATEWAY}/api/v1/requests?${query}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`GET /api/v1/requests: ${answer.status} ${await answer.text()}`);
    const page = await answer.json();
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return all;
}

const isExact = (row) =>
  row.status === 200 && row.settledFrom === "terminal" && row.usage?.inputTokens > 0 && row.usage?.outputTokens > 0;

const deadline = Date.now() + PATIENCE_MS;
for (;;) {
  const all = await rows();
  const missing = PROTOCOLS.filter((protocol) => !all.some((row) => row.protocol === protocol && isExact(row)));
  const refused = all.filter((row) => row.errorCode === "usd_day");
  if (missing.length === 0 && refused.length === REFUSED) {
    const exact = all.filter(isExact).length;
    console.log(`clients: ${all.length} rows in the request log, usage exact in ${exact}, ${refused.length} over a budget`);
    break;
  }
  if (Date.now() > deadline) {
    const seen = all.map((row) => [row.protocol, row.endpoint, row.status, row.settledFrom, JSON.stringify(row.usage)].join(" "));
    const [wanted, found] = [missing.join(", ") || "nobody", refused.length];
    console.error(`no answered row with usage for: ${wanted}; ${found} refused of ${REFUSED}; rows:\n${seen.join("\n")}`);
    process.exitCode = 1;
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}
