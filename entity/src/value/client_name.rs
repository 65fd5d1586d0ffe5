//! Which program called, coarsely.

use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};

/// The program that called, whatever its version: a closed set, because usage is summed up by it and anybody may call themselves anything.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
#[serde(rename_all = "kebab-case")]
pub enum ClientName {
    /// Claude Code on any surface.
    #[sea_orm(string_value = "claude-code")]
    ClaudeCode,
    /// Codex on any surface.
    #[sea_orm(string_value = "codex-cli")]
    CodexCli,
    /// The Gemini CLI.
    #[sea_orm(string_value = "gemini-cli")]
    GeminiCli,
    /// `OpenCode`.
    #[sea_orm(string_value = "opencode")]
    Opencode,
    /// A program that uses Anthropic's SDK.
    #[sea_orm(string_value = "anthropic-sdk")]
    AnthropicSdk,
    /// A program that uses `OpenAI`'s SDK.
    #[sea_orm(string_value = "openai-sdk")]
    OpenaiSdk,
    /// A program that uses Google's SDK.
    #[sea_orm(string_value = "google-sdk")]
    GoogleSdk,
    /// It said nothing of itself.
    #[default]
    #[sea_orm(string_value = "unknown")]
    Unknown,
    /// Any other program, and one that only a later version knows.
    #[sea_orm(string_value = "other")]
    #[serde(other)]
    Other,
}

// === impl ClientName ===

impl ClientName {
    /// The name, as stored and as shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::CodexCli => "codex-cli",
            Self::GeminiCli => "gemini-cli",
            Self::Opencode => "opencode",
            Self::AnthropicSdk => "anthropic-sdk",
            Self::OpenaiSdk => "openai-sdk",
            Self::GoogleSdk => "google-sdk",
            Self::Unknown => "unknown",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveEnum, Iterable};

    use super::*;

    #[test]
    fn a_name_is_the_same_everywhere() {
        for name in ClientName::iter() {
            assert_eq!(name.to_value(), name.as_str());
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
        let later: ClientName = serde_json::from_str("\"from-tomorrow\"").unwrap();
        assert_eq!(later, ClientName::Other);
    }
}
