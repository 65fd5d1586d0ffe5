//! The wire protocols clients speak, and the operations of each that the gateway tells apart.

use entity::value::ProviderType;
use serde::Serialize;

/// A client protocol. It decides which provider types can serve a request and the shape of our own errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Anthropic Messages (`/v1/messages`), as Claude Code speaks it.
    Anthropic,
    /// OpenAI Responses (`/v1/responses`), as Codex speaks it.
    Responses,
    /// OpenAI Chat Completions and every other OpenAI resource.
    Openai,
    /// Gemini API (`/v1beta/models/...`).
    Gemini,
    /// Code Assist, the Gemini CLI's own backend (`/v1internal:...`).
    GeminiCli,
}

/// The three shapes in which clients expect an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `{"type":"error","error":{type,message},"request_id"}`
    Anthropic,
    /// `{"error":{message,type,param,code}}`
    Openai,
    /// `{"error":{code,message,status}}`
    Gemini,
}

/// What a request asks for, as far as routing, metering and replies differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A model generates content; its usage is metered.
    Generate,
    /// As `Generate`, and the path itself asks for a stream (Gemini's `:streamGenerateContent`).
    GenerateStream,
    /// Embeddings; input tokens are metered.
    Embed,
    /// Token counting: needs a model, costs nothing.
    CountTokens,
    /// `GET` of the model list, answered by us.
    ListModels,
    /// `GET` of one model, answered by us.
    GetModel,
    /// Any other resource: passed through, body untouched.
    Passthrough,
}

// === impl Protocol ===

impl Protocol {
    /// The stable name, as stored in the request log and used by the admin API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Responses => "responses",
            Self::Openai => "openai",
            Self::Gemini => "gemini",
            Self::GeminiCli => "gemini-cli",
        }
    }

    /// The shape of an error for clients of this protocol.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Anthropic => Dialect::Anthropic,
            Self::Responses | Self::Openai => Dialect::Openai,
            Self::Gemini | Self::GeminiCli => Dialect::Gemini,
        }
    }

    /// Whether a provider of this type speaks the protocol natively.
    pub fn is_spoken_by(self, provider: ProviderType) -> bool {
        match self {
            Self::Anthropic => matches!(provider, ProviderType::Claude | ProviderType::ClaudeAuth),
            Self::Responses => provider == ProviderType::Codex,
            Self::Openai => provider == ProviderType::OpenaiCompatible,
            Self::Gemini => provider == ProviderType::Gemini,
            Self::GeminiCli => provider == ProviderType::GeminiCli,
        }
    }
}

// === impl Operation ===

impl Operation {
    /// Whether the request must name a model to be routed.
    pub fn needs_model(self) -> bool {
        matches!(
            self,
            Self::Generate | Self::GenerateStream | Self::Embed | Self::CountTokens
        )
    }

    /// Whether the answer reports tokens that somebody pays for.
    pub fn is_metered(self) -> bool {
        matches!(self, Self::Generate | Self::GenerateStream | Self::Embed)
    }

    /// Whether limits hold for it: asking what there is, or how long a prompt is, is free.
    pub fn is_limited(self) -> bool {
        !matches!(self, Self::CountTokens | Self::ListModels | Self::GetModel)
    }
}
