//! Changes of a provider's parts: each field by itself, by JSON merge.

use entity::value;
use poem_openapi::{Object, types::MaybeUndefined};

use super::parts::HealthCheckKind;
use crate::api::rules::merged;

/// Timeouts of one attempt, in milliseconds; 0 switches one off, null puts one back to its default.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct TimeoutsPatch {
    /// From connecting to a connection, TLS included. Default 10 s.
    #[oai(nullable, validator(maximum(value = "600000")))]
    pub connect_ms: MaybeUndefined<u64>,
    /// From the request's end to the first byte of a streamed answer. Default 120 s.
    #[oai(nullable, validator(maximum(value = "86400000")))]
    pub first_byte_ms: MaybeUndefined<u64>,
    /// From the request's end to the first content of a streamed answer. Default 300 s.
    #[oai(nullable, validator(maximum(value = "86400000")))]
    pub first_content_ms: MaybeUndefined<u64>,
    /// Between two chunks of a streamed answer. Default 120 s.
    #[oai(nullable, validator(maximum(value = "86400000")))]
    pub idle_ms: MaybeUndefined<u64>,
    /// The whole attempt when the answer is not streamed. Default 600 s.
    #[oai(nullable, validator(maximum(value = "86400000")))]
    pub total_ms: MaybeUndefined<u64>,
}

/// When a provider's breaker opens and closes; null puts a field back to its default.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct BreakerPatch {
    /// Failures in a row that open it; 0 switches the breaker off. Default 5.
    #[oai(nullable, validator(maximum(value = "1000")))]
    pub failure_threshold: MaybeUndefined<u32>,
    /// Share of failures among the last minute's requests that opens it, in percent, once there are twenty; 0 means never.
    /// Default 50.
    #[oai(nullable, validator(maximum(value = "100")))]
    pub failure_percent: MaybeUndefined<u32>,
    /// How long it stays open the first time, in seconds; every time in a row twice as long, up to 16 times. Default 60.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "86400")))]
    pub open_seconds: MaybeUndefined<u32>,
    /// Successes in a row that close it again. Default 2.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "100")))]
    pub half_open_successes: MaybeUndefined<u32>,
}

/// How a provider's addresses are checked while nobody asks; null puts a field back to its default.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct HealthCheckPatch {
    /// What is done. Default `off`.
    #[oai(nullable)]
    pub kind: MaybeUndefined<HealthCheckKind>,
    /// The path an HTTP check asks for; any status below 500 is good. Default `/`.
    #[oai(nullable, validator(min_length = 1, max_length = 1024))]
    pub path: MaybeUndefined<String>,
    /// Seconds between two checks. Default 30.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "86400")))]
    pub interval_seconds: MaybeUndefined<u32>,
}

// === impl TimeoutsPatch ===

impl TimeoutsPatch {
    /// What becomes of `current`.
    pub fn onto(self, current: value::Timeouts) -> value::Timeouts {
        let default = value::Timeouts::default();
        value::Timeouts {
            connect_ms: merged(self.connect_ms, current.connect_ms, default.connect_ms),
            first_byte_ms: merged(
                self.first_byte_ms,
                current.first_byte_ms,
                default.first_byte_ms,
            ),
            first_content_ms: merged(
                self.first_content_ms,
                current.first_content_ms,
                default.first_content_ms,
            ),
            idle_ms: merged(self.idle_ms, current.idle_ms, default.idle_ms),
            total_ms: merged(self.total_ms, current.total_ms, default.total_ms),
        }
    }
}

// === impl BreakerPatch ===

impl BreakerPatch {
    /// What becomes of `current`.
    pub fn onto(self, current: value::BreakerSettings) -> value::BreakerSettings {
        let default = value::BreakerSettings::default();
        value::BreakerSettings {
            failure_threshold: merged(
                self.failure_threshold,
                current.failure_threshold,
                default.failure_threshold,
            ),
            failure_percent: merged(
                self.failure_percent,
                current.failure_percent,
                default.failure_percent,
            ),
            open_seconds: merged(
                self.open_seconds,
                current.open_seconds,
                default.open_seconds,
            ),
            half_open_successes: merged(
                self.half_open_successes,
                current.half_open_successes,
                default.half_open_successes,
            ),
        }
    }
}

// === impl HealthCheckPatch ===

impl HealthCheckPatch {
    /// What becomes of `current`.
    pub fn onto(self, current: value::HealthCheck) -> value::HealthCheck {
        let default = value::HealthCheck::default();
        let kind = self.kind.map_value(value::HealthCheckKind::from);
        value::HealthCheck {
            kind: merged(kind, current.kind, default.kind),
            path: merged(self.path, current.path, default.path),
            interval_seconds: merged(
                self.interval_seconds,
                current.interval_seconds,
                default.interval_seconds,
            ),
        }
    }
}
