//! From running to stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::proxy::Live;

/// How long new requests are still served after the stop: load balancers need a moment to notice that readiness is gone.
const LAME_DUCK: Duration = Duration::from_secs(10);

/// Where a gateway is between running and stopped.
#[derive(Clone, Default)]
pub struct Lifecycle {
    stopping: Arc<AtomicBool>,
    refusing: Arc<AtomicBool>,
}

// === impl Lifecycle ===

impl Lifecycle {
    /// Whether the stop has begun: readiness says no.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether new requests are refused, for the request path to look at.
    pub fn refusing(&self) -> Arc<AtomicBool> {
        self.refusing.clone()
    }

    /// The stop begins.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Waits until nothing is under way, for `limit` at most; false when something still is.
    pub async fn drained(&self, live: &Live, limit: Duration) -> bool {
        let refuse_later = async {
            tokio::time::sleep(LAME_DUCK.min(limit)).await;
            self.refusing.store(true, Ordering::Release);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = refuse_later => false,
            idle = tokio::time::timeout(limit, live.idle()) => idle.is_ok(),
        }
    }
}
