// The shortest way to use the key: what each agent needs, to copy.
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { CodeBlock } from "@/components/code-block";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";
import { KEY_PLACE, type Program, snippetsFor } from "@/lib/setup";

import { messages } from "./messages";

const AGENTS = [
  { value: "claude", label: "Claude Code" },
  { value: "codex", label: "Codex" },
  { value: "gemini", label: "Gemini CLI" },
] as const satisfies readonly { value: Program; label: string }[];
type Agent = (typeof AGENTS)[number]["value"];

/** The first is installing and the last is trying: both are in the guide. */
const isConfiguration = (at: number, length: number) => at > 0 && at < length - 1;

export function SetupCard() {
  const t = useMessages(messages);
  const [agent, setAgent] = useState<Agent>("claude");
  const platform = /Win/.test(navigator.userAgent) ? "windows" : "unix";
  const snippets = snippetsFor(agent, { origin: window.location.origin, key: KEY_PLACE, platform });
  const shown = agent === "claude" ? snippets.slice(1, 2) : snippets.filter((_, at) => isConfiguration(at, snippets.length));
  return (
    <Card>
      <CardHeader title={t.setup}>
        <Button asChild look="ghost" size="small">
          <Link to="/usage-doc">{t.guide}</Link>
        </Button>
      </CardHeader>
      <div className="space-y-3 p-4">
        <Segmented label={t.setup} value={agent} options={AGENTS} onChange={setAgent} />
        {shown.map(({ title, text }) => (
          <CodeBlock key={title} title={title} text={text} />
        ))}
        <p className="text-xs text-pretty text-muted-foreground">{t.keyNote}</p>
      </div>
    </Card>
  );
}
