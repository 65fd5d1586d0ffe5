// The shortest way to use the key: what each agent needs, to copy.
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { CodeBlock } from "@/components/code-block";
import { Button } from "@/components/ui/button";
import { Card, CardHeader } from "@/components/ui/card";
import { Segmented } from "@/components/ui/tabs";
import { useMessages } from "@/lib/i18n";
import { KEY_PLACE, platformHere, PROGRAM_NAMES, type Program, snippetsFor } from "@/lib/setup";

import { messages } from "./messages";

const AGENTS = ["claude", "codex", "gemini"] as const satisfies readonly Program[];
type Agent = (typeof AGENTS)[number];
const OPTIONS = AGENTS.map((value) => ({ value, label: PROGRAM_NAMES[value] }));

/** The first is installing and the last is trying: both are in the guide. */
const isConfiguration = (at: number, length: number) => at > 0 && at < length - 1;

export function SetupCard() {
  const t = useMessages(messages);
  const [agent, setAgent] = useState<Agent>("claude");
  const snippets = snippetsFor(agent, { origin: window.location.origin, key: KEY_PLACE, platform: platformHere() });
  const shown = agent === "claude" ? snippets.slice(1, 2) : snippets.filter((_, at) => isConfiguration(at, snippets.length));
  return (
    <Card>
      <CardHeader title={t.setup}>
        <Button asChild look="ghost" size="small">
          <Link to="/usage-doc">{t.guide}</Link>
        </Button>
      </CardHeader>
      <div className="space-y-3 p-4">
        <Segmented label={t.setup} value={agent} options={OPTIONS} onChange={setAgent} />
        {shown.map(({ title, text }) => (
          <CodeBlock key={title} isWrapped title={title} text={text} />
        ))}
        <p className="text-xs text-pretty text-muted-foreground">{t.keyNote}</p>
      </div>
    </Card>
  );
}
