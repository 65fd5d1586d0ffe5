// There is no such page.
import { Link } from "@tanstack/react-router";
import { UnplugIcon } from "lucide-react";

import { Empty } from "@/components/empty";
import { Button } from "@/components/ui/button";
import { defineMessages, useMessages } from "@/lib/i18n";

const messages = defineMessages({
  en: { title: "Nothing is connected here", text: "There is no page at this address.", home: "To the start" },
  zh: { title: "此处没有页面", text: "该地址不存在任何页面。", home: "返回首页" },
});

export function NotFound() {
  const t = useMessages(messages);
  return (
    <Empty icon={UnplugIcon} title={t.title} text={t.text} isPage className="min-h-[60dvh]">
      <Button asChild>
        <Link to="/">{t.home}</Link>
      </Button>
    </Empty>
  );
}
