//! The parts of a provider, as they are answered.

use entity::value;
use poem_openapi::{Enum, Object};

use crate::api::name_rule::MatchKind;

/// Replaces one model name by another before the request goes upstream.
#[derive(Debug, Clone, Object)]
pub struct ModelRedirect {
    /// How `source` is held against the name the client asks for.
    #[oai(rename = "match", default)]
    pub kind: MatchKind,
    /// What the name the client asks for must match.
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
    /// From the request's end to the first content of a streamed answer.
    pub first_content_ms: u64,
    /// Between two chunks of a streamed answer.
    pub idle_ms: u64,
    /// The whole attempt when the answer is not streamed.
    pub total_ms: u64,
}

/// From `start` to before `end`, every day, in the system's time zone; past midnight when `start` is the later one. Equal ends
/// are the whole day.
#[derive(Debug, Clone, Object)]
pub struct ActiveTime {
    /// The first minute in it, `HH:MM`.
    pub start: String,
    /// The first minute past it, `HH:MM`.
    pub end: String,
}

/// When a provider's breaker opens and closes.
#[derive(Debug, Clone, Object)]
#[oai(rename_all = "camelCase")]
pub struct BreakerSettings {
    /// Failures in a row that open it; 0 switches the breaker off.
    pub failure_threshold: u32,
    /// Share of failures among the last minute's requests that opens it, in percent, once there are twenty; 0 means never.
    pub failure_percent: u32,
    /// How long it stays open the first time, in seconds; every time in a row twice as long, up to 16 times.
    pub open_seconds: u32,
    /// Successes in a row that close it again.
    pub half_open_successes: u32,
}

/// How a provider's addresses are checked while nobody asks.
#[derive(Debug, Clone, Object)]
#[oai(rename_all = "camelCase")]
pub struct HealthCheck {
    /// What is done.
    pub kind: HealthCheckKind,
    /// The path an HTTP check asks for; any status below 500 is good.
    pub path: String,
    /// Seconds between two checks.
    pub interval_seconds: u32,
}

/// What a check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum HealthCheckKind {
    /// Nothing: only requests tell.
    Off,
    /// Connects.
    Tcp,
    /// Asks for a page.
    Http,
}

// === impl ActiveTime ===

impl ActiveTime {
    /// The hours, when both ends are times of day.
    pub fn read(&self) -> Option<value::ActiveTime> {
        Some(value::ActiveTime {
            start: self.start.parse().ok()?,
            end: self.end.parse().ok()?,
        })
    }
}

// === conversions ===

impl From<value::ModelRedirect> for ModelRedirect {
    fn from(redirect: value::ModelRedirect) -> Self {
        Self {
            kind: redirect.kind.into(),
            source: redirect.source,
            target: redirect.target,
        }
    }
}

impl From<ModelRedirect> for value::ModelRedirect {
    fn from(redirect: ModelRedirect) -> Self {
        Self {
            kind: redirect.kind.into(),
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
            first_content_ms: timeouts.first_content_ms,
            idle_ms: timeouts.idle_ms,
            total_ms: timeouts.total_ms,
        }
    }
}

impl From<value::ActiveTime> for ActiveTime {
    fn from(active: value::ActiveTime) -> Self {
        Self {
            start: active.start.to_string(),
            end: active.end.to_string(),
        }
    }
}

impl From<value::BreakerSettings> for BreakerSettings {
    fn from(breaker: value::BreakerSettings) -> Self {
        Self {
            failure_threshold: breaker.failure_threshold,
            failure_percent: breaker.failure_percent,
            open_seconds: breaker.open_seconds,
            half_open_successes: breaker.half_open_successes,
        }
    }
}

impl From<value::HealthCheck> for HealthCheck {
    fn from(check: value::HealthCheck) -> Self {
        Self {
            kind: check.kind.into(),
            path: check.path,
            interval_seconds: check.interval_seconds,
        }
    }
}

impl From<value::HealthCheckKind> for HealthCheckKind {
    fn from(kind: value::HealthCheckKind) -> Self {
        match kind {
            value::HealthCheckKind::Off => Self::Off,
            value::HealthCheckKind::Tcp => Self::Tcp,
            value::HealthCheckKind::Http => Self::Http,
        }
    }
}

impl From<HealthCheckKind> for value::HealthCheckKind {
    fn from(kind: HealthCheckKind) -> Self {
        match kind {
            HealthCheckKind::Off => Self::Off,
            HealthCheckKind::Tcp => Self::Tcp,
            HealthCheckKind::Http => Self::Http,
        }
    }
}
