//! A provider as it is answered. Its credential is not in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{
    provider,
    value::{self, Secret},
};
use poem_openapi::{Enum, Object, types::ToJSON};
use serde_json::Value;

use super::parts::{ActiveTime, BreakerSettings, HealthCheck, ModelRedirect, Timeouts};
use crate::{
    Admin,
    api::{limits::Limits, name_rule::NameRule},
    service::{
        audit::{self, Pictured, Subject},
        providers,
    },
};

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
    /// Its main address.
    pub url: String,
    /// Further addresses that answer the same.
    pub endpoints: Vec<String>,
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
    /// Models it may be asked for; empty means all.
    pub allowed_models: Vec<NameRule>,
    /// Model names replaced on the way; the first match counts.
    pub model_redirects: Vec<ModelRedirect>,
    /// Clients it is for; empty means all.
    pub allowed_clients: Vec<String>,
    /// Clients it is not for, which wins.
    pub blocked_clients: Vec<String>,
    /// The hours in which it is used; null means always.
    #[oai(nullable)]
    pub active_time: Option<ActiveTime>,
    /// Factor on the prices of what it answers, a decimal.
    pub cost_multiplier: String,
    /// Tries at this provider in one request.
    pub max_attempts: i32,
    /// Timeouts of one attempt.
    pub timeouts: Timeouts,
    /// When its breaker opens and closes.
    pub breaker: BreakerSettings,
    /// How its addresses are checked while nobody asks.
    pub health_check: HealthCheck,
    /// Milliseconds without content after which a second attempt starts beside one at this provider; 0 means never.
    pub hedge_after_ms: i64,
    /// Requests it may have at once; 0 means any number.
    pub limit_concurrent_requests: i32,
    /// What it may be used for.
    #[oai(flatten)]
    pub limits: Limits,
    /// The proxy on the way to it, without its credentials; null when there is none, or none this installation can open. The
    /// whole address is write-only.
    #[oai(nullable)]
    pub proxy: Option<String>,
    /// Whether it is reached directly when the proxy cannot be.
    pub proxy_fallback_to_direct: bool,
    /// Headers added to every request. Where a value is likely a secret, a mark stands in its place that differs where secrets differ.
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
            proxy: providers::proxy(admin, &provider),
            custom_headers: providers::headers(admin, &provider),
            id: provider.id,
            name: provider.name,
            r#type: provider.r#type.into(),
            url: provider.url,
            endpoints: provider.endpoints.0,
            note: provider.note,
            is_enabled: provider.is_enabled,
            weight: provider.weight,
            priority: provider.priority,
            group_priorities: provider.group_priorities.0,
            group_tags: provider.group_tags.0,
            allowed_models: all(provider.allowed_models.0),
            model_redirects: all(provider.model_redirects.0),
            allowed_clients: provider.allowed_clients.0,
            blocked_clients: provider.blocked_clients.0,
            active_time: provider.active_time.map(ActiveTime::from),
            cost_multiplier: provider.cost_multiplier.to_string(),
            breaker: provider.breaker.into(),
            health_check: provider.health_check.into(),
            hedge_after_ms: provider.hedge_after_ms,
            limit_concurrent_requests: provider.max_concurrent,
            limits: provider.limits.into(),
            proxy_fallback_to_direct: provider.proxy_fallback_to_direct,
            max_attempts: provider.max_attempts,
            timeouts: provider.timeouts.into(),
            preserve_client_ip: provider.preserve_client_ip,
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}

/// What the audit shows: what is answered, with marks in the place of what is not.
impl Pictured for provider::Model {
    fn subject(&self) -> Subject {
        Subject::new("provider", self.id, self.name.as_str())
    }

    fn picture(&self, admin: &Admin) -> Value {
        let provider = Provider::new(admin, self.clone());
        let mut picture = provider.to_json().unwrap_or_default();
        let (key, proxy) = providers::secrets(admin, self);
        let mark = |secret: &Secret| Value::from(audit::mark(admin, Some(secret)));
        picture["apiKey"] = key.as_ref().map_or(Value::Null, mark);
        picture["proxyUrl"] = proxy.as_ref().map_or(Value::Null, mark);
        picture
    }
}

fn all<T, U: From<T>>(list: Vec<T>) -> Vec<U> {
    list.into_iter().map(U::from).collect()
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
