//! Routing columns of a provider.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use super::MatchKind;

/// Replaces one model name by another before the request goes upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelRedirect {
    /// How `source` is held against the name the client asks for.
    #[serde(rename = "match", default)]
    pub kind: MatchKind,
    /// What the name the client asks for must match.
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
    /// From the request's end to the first content of a streamed answer. Default 300 s.
    pub first_content_ms: u64,
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
            first_content_ms: 300_000,
            idle_ms: 120_000,
            total_ms: 600_000,
        }
    }
}

/// When a provider's breaker opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct BreakerSettings {
    /// Failures in a row that open it; 0 switches the breaker off. Default 5.
    pub failure_threshold: u32,
    /// Share of failures among the last minute's requests that opens it, in percent, once there are twenty; 0 means never. Default 50.
    pub failure_percent: u32,
    /// How long it stays open the first time, in seconds; every time in a row twice as long, up to 16 times. Default 60.
    pub open_seconds: u32,
    /// Successes in a row that close it again. Default 2.
    pub half_open_successes: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            failure_percent: 50,
            open_seconds: 60,
            half_open_successes: 2,
        }
    }
}

/// How a provider's addresses are checked while nobody asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {
    /// What is done.
    pub kind: HealthCheckKind,
    /// The path an HTTP check asks for; any status below 500 is good. Default `/`.
    pub path: String,
    /// Seconds between two checks. Default 30.
    pub interval_seconds: u32,
}

/// What a check does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthCheckKind {
    /// Nothing: only requests tell.
    #[default]
    Off,
    /// Connects.
    Tcp,
    /// Asks for a page.
    Http,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            kind: HealthCheckKind::Off,
            path: "/".to_owned(),
            interval_seconds: 30,
        }
    }
}
