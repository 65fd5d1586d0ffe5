// What a page shows in place of itself when it fails.
import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { TriangleAlertIcon } from "lucide-react";

import { describe } from "@/api/problem";
import { Empty } from "@/components/empty";
import { Button } from "@/components/ui/button";
import { defineMessages, useMessages } from "@/lib/i18n";

const messages = defineMessages({
  en: { title: "This did not work", retry: "Try again" },
  zh: { title: "出现问题", retry: "重试" },
});

export function Failure({ error, reset }: ErrorComponentProps) {
  const t = useMessages(messages);
  const router = useRouter();
  const { reset: resetQueries } = useQueryErrorResetBoundary();
  const retry = () => {
    resetQueries();
    reset();
    void router.invalidate();
  };
  return (
    <Empty icon={TriangleAlertIcon} title={t.title} text={describe(error)} className="min-h-[60dvh]" role="alert">
      <Button onClick={retry}>{t.retry}</Button>
    </Empty>
  );
}
