//! What a provider speaks, and how it is authenticated.

use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};

/// Provider types, by the names the predecessor's users know.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))")]
#[serde(rename_all = "kebab-case")]
pub enum ProviderType {
    /// Anthropic Messages; the key goes as `x-api-key` (and as a bearer token, for relays).
    #[sea_orm(string_value = "claude")]
    Claude,
    /// Anthropic Messages behind a relay that takes only `Authorization: Bearer`.
    #[sea_orm(string_value = "claude-auth")]
    ClaudeAuth,
    /// OpenAI Responses.
    #[sea_orm(string_value = "codex")]
    Codex,
    /// OpenAI Chat Completions and the other OpenAI resources.
    #[sea_orm(string_value = "openai-compatible")]
    OpenaiCompatible,
    /// Gemini API.
    #[sea_orm(string_value = "gemini")]
    Gemini,
    /// Code Assist, the Gemini CLI's backend.
    #[sea_orm(string_value = "gemini-cli")]
    GeminiCli,
}
