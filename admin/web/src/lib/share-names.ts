// How the members of a dimension are called: a key by its user too, clients by their products' names.
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

import type { ClientName, UsageDimension, UsageShare } from "@/api/usage";
import { keysQuery, usersQuery } from "@/api/users";

import { defineMessages, useMessages } from "./i18n";

export const dimensionWords = defineMessages({
  en: {
    by: "By",
    names: { user: "User", key: "Key", provider: "Provider", model: "Model", client: "Client" },
    plural: { user: "Users", key: "Keys", provider: "Providers", model: "Models", client: "Clients" },
    gone: (id: number) => `Deleted #${id}`,
    nobody: "No provider",
    noModel: "No model",
    otherClient: "Other clients",
    unknownClient: "Unknown client",
  },
  zh: {
    by: "按",
    names: { user: "用户", key: "密钥", provider: "供应商", model: "模型", client: "客户端" },
    plural: { user: "用户", key: "密钥", provider: "供应商", model: "模型", client: "客户端" },
    gone: (id) => `已删除 #${id}`,
    nobody: "无供应商",
    noModel: "无模型",
    otherClient: "其他客户端",
    unknownClient: "未知客户端",
  },
});

const CLIENTS: Partial<Record<ClientName, string>> = {
  "claude-code": "Claude Code",
  "codex-cli": "Codex",
  "gemini-cli": "Gemini CLI",
  opencode: "OpenCode",
  "anthropic-sdk": "Anthropic SDK",
  "openai-sdk": "OpenAI SDK",
  "google-sdk": "Google Gen AI SDK",
};

/** Gives the name of a share of the dimension. */
export function useShareName(dimension: UsageDimension): (share: Pick<UsageShare, "id" | "name">) => string {
  const t = useMessages(dimensionWords);
  const isKey = dimension === "key";
  const keys = useQuery({ ...keysQuery, enabled: isKey }).data;
  const users = useQuery({ ...usersQuery, enabled: isKey }).data;
  const owners = useMemo(() => {
    const names = new Map(users?.map(({ id, name }) => [id, name]));
    return new Map(keys?.map(({ id, userId }) => [id, names.get(userId)]));
  }, [keys, users]);
  return useCallback(
    ({ id, name }) => {
      if (dimension === "client") {
        if (name === "unknown" || !name) return t.unknownClient;
        return name === "other" ? t.otherClient : (CLIENTS[name as ClientName] ?? name);
      }
      if (dimension === "model") return name || t.noModel;
      if (id === null || id === undefined) return t.nobody;
      if (!name) return t.gone(id);
      const owner = isKey ? owners.get(id) : undefined;
      return owner ? `${owner} / ${name}` : name;
    },
    [dimension, isKey, owners, t],
  );
}

/** What tells a share from the others of its dimension. */
export function shareId({ id, name }: Pick<UsageShare, "id" | "name">): string {
  return id === null || id === undefined ? `=${name ?? ""}` : String(id);
}

/** The filter of the request log for a share. */
export function requestsOf(by: UsageDimension, { id, name }: Pick<UsageShare, "id" | "name">): { user?: number; key?: number; provider?: number; model?: string } | null {
  if (by === "model") return name ? { model: name } : null;
  if (by === "client" || id === null || id === undefined) return null;
  return { [by]: id };
}
