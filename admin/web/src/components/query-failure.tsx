// A question the gateway did not answer, and asking again.
import { TriangleAlertIcon } from "lucide-react";

import { describe } from "@/api/problem";
import { defineMessages, useMessages } from "@/lib/i18n";

import { Empty } from "./empty";
import { Button } from "./ui/button";

const messages = defineMessages({
  en: { title: "This could not be loaded", retry: "Try again" },
  zh: { title: "加载失败", retry: "重试" },
});

interface Props {
  query: { error: unknown; refetch: () => unknown };
}

export function QueryFailure({ query }: Props) {
  const t = useMessages(messages);
  return (
    <Empty role="alert" icon={TriangleAlertIcon} title={t.title} text={describe(query.error)}>
      <Button onClick={() => void query.refetch()}>{t.retry}</Button>
    </Empty>
  );
}
