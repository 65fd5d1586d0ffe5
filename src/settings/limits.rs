//! Section `[limits]`: what holds for all callers.

use std::time::Duration;

use super::reader::{Place, Reader};
use super::text;

/// Limits on callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `enabled`, `ENABLE_RATE_LIMIT`: whether quotas are enforced at all. Default true.
    pub enabled: bool,
    /// `session_ttl`, `SESSION_TTL`: seconds a session lives after its last request, 1 to 604800. Default 300.
    pub session_ttl: Duration,
}

// === impl Limits ===

impl Limits {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            enabled: reader
                .read(
                    Place::new("limits.enabled", "ENABLE_RATE_LIMIT"),
                    text::flag,
                )
                .unwrap_or(default.enabled),
            session_ttl: reader
                .read(
                    Place::new("limits.session_ttl", "SESSION_TTL"),
                    text::seconds(1..=604_800),
                )
                .unwrap_or(default.session_ttl),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            session_ttl: Duration::from_secs(300),
        }
    }
}
