//! Remembers that a provider's proxy failed, so that for a while nobody waits for it to fail again.

use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long a proxy that failed is not asked.
const PAUSE: Duration = Duration::from_secs(30);

/// Whether a provider is reached past its proxy.
#[derive(Debug)]
pub struct Bypass {
    provider: i64,
    /// Set while the proxy is known to fail: until when it is not asked.
    until: Mutex<Option<Instant>>,
}

// === impl Bypass ===

impl Bypass {
    /// The proxy is thought to work.
    pub fn of(provider: i64) -> Self {
        Self {
            provider,
            until: Mutex::new(None),
        }
    }

    /// Whether the proxy is not to be asked now.
    pub fn is_on(&self) -> bool {
        self.until
            .lock()
            .is_some_and(|until| Instant::now() < until)
    }

    /// The proxy failed. Said once, not for every request.
    pub fn begin(&self, why: &dyn fmt::Display) {
        let before = self.until.lock().replace(Instant::now() + PAUSE);
        if before.is_none() {
            tracing::warn!(
                provider = self.provider,
                %why,
                "the proxy fails, the provider is reached directly"
            );
        }
    }

    /// The proxy works.
    pub fn end(&self) {
        if self.until.lock().take().is_some() {
            tracing::info!(provider = self.provider, "the proxy works again");
        }
    }
}
