//! A provider as it is answered. Its credential is not in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{provider, value};
use poem_openapi::{Enum, Object};

use crate::{Admin, service::providers};

/// What a provider speaks and how it is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ProviderType", rename_all = "kebab-case")]
pub enum ProviderKind {
    /// Anthropic Messages.
    Claude,
    /// Anthropic Messages behind a relay that takes only `Authorization: Bearer`.
    ClaudeAuth,
    /// OpenAI Responses.
    Codex,
    /// OpenAI Chat Completions and the other OpenAI resources.
    OpenaiCompatible,
    /// Gemini API.
    Gemini,
    /// Code Assist, the Gemini CLI's backend.
    GeminiCli,
}

/// Replaces one model name by another before the request goes upstream.
#[derive(Debug, Clone, Object)]
pub struct ModelRedirect {
    /// The name the client asks for, matched exactly.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub source: String,
    /// The name the provider is asked for.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub target: String,
}

/// Timeouts of one attempt, in milliseconds; 0 switches one off.
#[derive(Debug, Clone, Object)]
#[oai(rename_all = "camelCase")]
pub struct Timeouts {
    /// From connecting to a connection, TLS included.
    pub connect_ms: u64,
    /// From the request's end to the first byte of a streamed answer.
    pub first_byte_ms: u64,
    /// Between two chunks of a streamed answer.
    pub idle_ms: u64,
    /// The whole attempt when the answer is not streamed.
    pub total_ms: u64,
}

/// An upstream that answers requests.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Provider {
    /// Id.
    pub id: i64,
    /// Unique.
    pub name: String,
    /// What it speaks.
    pub r#type: ProviderKind,
    /// Its address.
    pub url: String,
    /// Whether a credential is stored that this installation can open. The credential itself is write-only.
    pub api_key_set: bool,
    /// Free text.
    pub note: String,
    /// Switched on.
    pub is_enabled: bool,
    /// Share among providers of the same tier; 0 means never chosen.
    pub weight: i32,
    /// Tier: lower goes first.
    pub priority: i32,
    /// Tier per group, which wins over `priority`.
    pub group_priorities: BTreeMap<String, i32>,
    /// Groups it belongs to; empty means `default`.
    pub group_tags: Vec<String>,
    /// Models it may be asked for, matched exactly; empty means all.
    pub allowed_models: Vec<String>,
    /// Model names replaced on the way; the first match counts.
    pub model_redirects: Vec<ModelRedirect>,
    /// Tries at this provider in one request.
    pub max_attempts: i32,
    /// Timeouts of one attempt.
    pub timeouts: Timeouts,
    /// Headers added to every request.
    pub custom_headers: BTreeMap<String, String>,
    /// Whether the client's address is passed on.
    pub preserve_client_ip: bool,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of providers.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderList {
    /// The providers, oldest first.
    pub items: Vec<Provider>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

// === impl Provider ===

impl Provider {
    /// What is told of a stored provider.
    pub fn new(admin: &Admin, provider: provider::Model) -> Self {
        Self {
            api_key_set: providers::has_api_key(admin, &provider),
            id: provider.id,
            name: provider.name,
            r#type: provider.r#type.into(),
            url: provider.url,
            note: provider.note,
            is_enabled: provider.is_enabled,
            weight: provider.weight,
            priority: provider.priority,
            group_priorities: provider.group_priorities.0,
            group_tags: provider.group_tags.0,
            allowed_models: provider
                .allowed_models
                .0
                .into_iter()
                .map(|rule| rule.pattern)
                .collect(),
            model_redirects: provider
                .model_redirects
                .0
                .into_iter()
                .map(ModelRedirect::from)
                .collect(),
            max_attempts: provider.max_attempts,
            timeouts: provider.timeouts.into(),
            custom_headers: provider.custom_headers.0,
            preserve_client_ip: provider.preserve_client_ip,
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}

// === conversions ===

impl From<value::ProviderType> for ProviderKind {
    fn from(kind: value::ProviderType) -> Self {
        match kind {
            value::ProviderType::Claude => Self::Claude,
            value::ProviderType::ClaudeAuth => Self::ClaudeAuth,
            value::ProviderType::Codex => Self::Codex,
            value::ProviderType::OpenaiCompatible => Self::OpenaiCompatible,
            value::ProviderType::Gemini => Self::Gemini,
            value::ProviderType::GeminiCli => Self::GeminiCli,
        }
    }
}

impl From<ProviderKind> for value::ProviderType {
    fn from(kind: ProviderKind) -> Self {
        match kind {
            ProviderKind::Claude => Self::Claude,
            ProviderKind::ClaudeAuth => Self::ClaudeAuth,
            ProviderKind::Codex => Self::Codex,
            ProviderKind::OpenaiCompatible => Self::OpenaiCompatible,
            ProviderKind::Gemini => Self::Gemini,
            ProviderKind::GeminiCli => Self::GeminiCli,
        }
    }
}

impl From<value::ModelRedirect> for ModelRedirect {
    fn from(redirect: value::ModelRedirect) -> Self {
        Self {
            source: redirect.source,
            target: redirect.target,
        }
    }
}

impl From<ModelRedirect> for value::ModelRedirect {
    fn from(redirect: ModelRedirect) -> Self {
        Self {
            kind: value::MatchKind::Exact,
            source: redirect.source,
            target: redirect.target,
        }
    }
}

impl From<value::Timeouts> for Timeouts {
    fn from(timeouts: value::Timeouts) -> Self {
        Self {
            connect_ms: timeouts.connect_ms,
            first_byte_ms: timeouts.first_byte_ms,
            idle_ms: timeouts.idle_ms,
            total_ms: timeouts.total_ms,
        }
    }
}
