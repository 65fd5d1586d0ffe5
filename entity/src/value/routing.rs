//! Routing columns of a provider.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// Replaces one model name by another before the request goes upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelRedirect {
    /// The name the client asks for, matched exactly.
    pub source: String,
    /// The name the provider is asked for.
    pub target: String,
}

/// A provider's redirects; the first match counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct ModelRedirects(pub Vec<ModelRedirect>);

/// Timeouts of one attempt, in milliseconds; 0 switches one off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct Timeouts {
    /// From connecting to a connection, TLS included. Default 10 s.
    pub connect_ms: u64,
    /// From the request's end to the first byte of a streamed answer. Default 120 s.
    pub first_byte_ms: u64,
    /// Between two chunks of a streamed answer. Default 120 s.
    pub idle_ms: u64,
    /// The whole attempt when the answer is not streamed. Default 600 s.
    pub total_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 10_000,
            first_byte_ms: 120_000,
            idle_ms: 120_000,
            total_ms: 600_000,
        }
    }
}
