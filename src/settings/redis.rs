//! Section `[redis]`.

use std::time::Duration;

use entity::value::Secret;

use super::reader::{Place, Reader};
use super::text;

/// Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// `url`, `REDIS_URL`: `redis://`, `rediss://` (TLS), and both with `-sentinel` or `-cluster`. Default none: one node, counters in
    /// its memory.
    pub url: Option<Secret>,
    /// `deadline_ms`, `REDIS_DEADLINE_MS`: the longest a request waits for one answer of Redis, in milliseconds, 1 to 10000. Default 20.
    pub deadline: Duration,
}

// === impl Redis ===

impl Redis {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        const SCHEMES: &[&str] = &[
            "redis",
            "rediss",
            "redis-sentinel",
            "rediss-sentinel",
            "redis-cluster",
            "rediss-cluster",
        ];
        Self {
            url: reader.read(
                Place::new("redis.url", "REDIS_URL"),
                text::secret_url(SCHEMES),
            ),
            deadline: reader
                .read(
                    Place::new("redis.deadline_ms", "REDIS_DEADLINE_MS"),
                    text::number(1..=10_000),
                )
                .map_or(Self::default().deadline, Duration::from_millis),
        }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: None,
            deadline: Duration::from_millis(20),
        }
    }
}
