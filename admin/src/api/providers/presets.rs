//! Well-known vendors and what to fill in for them. Their addresses are those the vendors publish; none is tried here.

use poem_openapi::Object;

use super::object::ProviderKind;

/// A well-known vendor's service.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderPreset {
    /// Id, stable.
    pub id: String,
    /// The vendor.
    pub vendor: String,
    /// The service, for people.
    pub name: String,
    /// What it speaks: the provider's `type`.
    pub r#type: ProviderKind,
    /// Its address: the provider's `url`. A word in capitals in it is to be replaced by one's own.
    pub url: String,
    /// Where credentials are to be had.
    pub key_url: String,
    /// What else is to be known.
    pub note: String,
}

/// Presets.
#[derive(Debug, Object)]
pub struct PresetList {
    /// All there are, by vendor.
    pub items: Vec<ProviderPreset>,
}

type Row = (
    &'static str,
    &'static str,
    &'static str,
    ProviderKind,
    &'static str,
    &'static str,
    &'static str,
);

use ProviderKind::{Claude, ClaudeAuth, Codex, Gemini, OpenaiCompatible as Chat};

const OPENAI_KEYS: &str = "https://platform.openai.com/api-keys";
const OPENROUTER_KEYS: &str = "https://openrouter.ai/settings/keys";
const DEEPSEEK_KEYS: &str = "https://platform.deepseek.com/api_keys";
const MOONSHOT_KEYS: &str = "https://platform.moonshot.ai/console/api-keys";
const MOONSHOT_CN_KEYS: &str = "https://platform.moonshot.cn/console/api-keys";
const ZHIPU_KEYS: &str = "https://open.bigmodel.cn/usercenter/apikeys";
const ZAI_KEYS: &str = "https://z.ai/manage-apikey/apikey-list";
const MINIMAX_KEYS: &str =
    "https://platform.minimax.io/user-center/basic-information/interface-key";
const MINIMAX_CN_KEYS: &str =
    "https://platform.minimaxi.com/user-center/basic-information/interface-key";
const QWEN_KEYS: &str = "https://bailian.console.aliyun.com/?tab=model#/api-key";
const SILICONFLOW_KEYS: &str = "https://cloud.siliconflow.cn/account/ak";

#[rustfmt::skip]
const PRESETS: [Row; 24] = [
    ("anthropic", "Anthropic", "Claude API", Claude, "https://api.anthropic.com", "https://console.anthropic.com/settings/keys", ""),
    ("openai-responses", "OpenAI", "Responses API, for Codex", Codex, "https://api.openai.com/v1", OPENAI_KEYS, ""),
    ("openai-chat", "OpenAI", "Chat Completions API", Chat, "https://api.openai.com/v1", OPENAI_KEYS, ""),
    ("azure-responses", "Microsoft Azure", "Azure OpenAI, Responses API", Codex, "https://RESOURCE.openai.azure.com/openai/v1", "https://portal.azure.com", "Put your resource's name in the address. A model is called what its deployment is called: use model redirects."),
    ("azure-chat", "Microsoft Azure", "Azure OpenAI, Chat Completions API", Chat, "https://RESOURCE.openai.azure.com/openai/v1", "https://portal.azure.com", "Put your resource's name in the address. A model is called what its deployment is called: use model redirects."),
    ("gemini", "Google", "Gemini API", Gemini, "https://generativelanguage.googleapis.com", "https://aistudio.google.com/app/apikey", ""),
    ("openrouter-chat", "OpenRouter", "Chat Completions API", Chat, "https://openrouter.ai/api/v1", OPENROUTER_KEYS, "Models are named vendor/model."),
    ("openrouter-claude", "OpenRouter", "Messages API, for Claude Code", ClaudeAuth, "https://openrouter.ai/api", OPENROUTER_KEYS, "Models are named vendor/model: use model redirects."),
    ("deepseek-chat", "DeepSeek", "Chat Completions API", Chat, "https://api.deepseek.com", DEEPSEEK_KEYS, ""),
    ("deepseek-claude", "DeepSeek", "Messages API, for Claude Code", Claude, "https://api.deepseek.com/anthropic", DEEPSEEK_KEYS, "Redirect Claude's model names to DeepSeek's."),
    ("moonshot-chat", "Moonshot AI (Kimi)", "Chat Completions API", Chat, "https://api.moonshot.ai/v1", MOONSHOT_KEYS, ""),
    ("moonshot-claude", "Moonshot AI (Kimi)", "Messages API, for Claude Code", ClaudeAuth, "https://api.moonshot.ai/anthropic", MOONSHOT_KEYS, "Redirect Claude's model names to Kimi's."),
    ("moonshot-cn-chat", "Moonshot AI (Kimi)", "Chat Completions API, China", Chat, "https://api.moonshot.cn/v1", MOONSHOT_CN_KEYS, ""),
    ("moonshot-cn-claude", "Moonshot AI (Kimi)", "Messages API, for Claude Code, China", ClaudeAuth, "https://api.moonshot.cn/anthropic", MOONSHOT_CN_KEYS, "Redirect Claude's model names to Kimi's."),
    ("zhipu-chat", "Zhipu (GLM)", "Chat Completions API, China", Chat, "https://open.bigmodel.cn/api/paas/v4", ZHIPU_KEYS, ""),
    ("zhipu-claude", "Zhipu (GLM)", "Messages API, for Claude Code, China", ClaudeAuth, "https://open.bigmodel.cn/api/anthropic", ZHIPU_KEYS, "Redirect Claude's model names to GLM's."),
    ("zai-chat", "Zhipu (GLM)", "Chat Completions API, Z.ai", Chat, "https://api.z.ai/api/paas/v4", ZAI_KEYS, ""),
    ("zai-claude", "Zhipu (GLM)", "Messages API, for Claude Code, Z.ai", ClaudeAuth, "https://api.z.ai/api/anthropic", ZAI_KEYS, "Redirect Claude's model names to GLM's."),
    ("minimax-claude", "MiniMax", "Messages API, for Claude Code", ClaudeAuth, "https://api.minimax.io/anthropic", MINIMAX_KEYS, "Redirect Claude's model names to MiniMax's."),
    ("minimax-chat", "MiniMax", "Chat Completions API", Chat, "https://api.minimax.io/v1", MINIMAX_KEYS, ""),
    ("minimax-cn-claude", "MiniMax", "Messages API, for Claude Code, China", ClaudeAuth, "https://api.minimaxi.com/anthropic", MINIMAX_CN_KEYS, "Redirect Claude's model names to MiniMax's."),
    ("qwen-chat", "Alibaba Cloud (Qwen)", "DashScope, Chat Completions API", Chat, "https://dashscope.aliyuncs.com/compatible-mode/v1", QWEN_KEYS, "Outside China: https://dashscope-intl.aliyuncs.com/compatible-mode/v1."),
    ("qwen-claude", "Alibaba Cloud (Qwen)", "DashScope, Messages API, for Claude Code", ClaudeAuth, "https://dashscope.aliyuncs.com/apps/anthropic", QWEN_KEYS, "Outside China: https://dashscope-intl.aliyuncs.com/apps/anthropic. Redirect Claude's model names to Qwen's."),
    ("siliconflow-chat", "SiliconFlow", "Chat Completions API", Chat, "https://api.siliconflow.cn/v1", SILICONFLOW_KEYS, "Outside China: https://api.siliconflow.com/v1."),
];

/// All there are.
pub fn presets() -> PresetList {
    let items = PRESETS.into_iter();
    let items = items.map(
        |(id, vendor, name, kind, url, key_url, note)| ProviderPreset {
            id: id.to_owned(),
            vendor: vendor.to_owned(),
            name: name.to_owned(),
            r#type: kind,
            url: url.to_owned(),
            key_url: key_url.to_owned(),
            note: note.to_owned(),
        },
    );
    PresetList {
        items: items.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use entity::value::{EgressPolicy, check_url};

    use super::*;

    #[test]
    fn each_preset_can_be_a_provider() {
        let presets = presets().items;
        let ids: BTreeSet<_> = presets.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids.len(), presets.len());
        for preset in &presets {
            assert_eq!(check_url(&preset.url, EgressPolicy::PublicOnly), Ok(()));
            for url in [&preset.url, &preset.key_url] {
                assert!(url.starts_with("https://"), "{url}");
            }
        }
    }
}
