//! Section `[redis]`.

use entity::value::Secret;

use super::reader::{Place, Reader};
use super::text;

/// Redis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redis {
    /// `url`, `REDIS_URL`: `redis://`, `rediss://` (TLS), and both with `-sentinel` or `-cluster`. Default none: one node, counters in
    /// its memory.
    pub url: Option<Secret>,
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
        }
    }
}
