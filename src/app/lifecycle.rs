//! From running to stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::proxy::{Live, Shutdown};

/// How long new requests are still served after the stop: load balancers need a moment to notice that readiness is gone.
const LAME_DUCK: Duration = Duration::from_secs(10);

/// How long requests that are cut may take to settle.
const CUT: Duration = Duration::from_secs(5);

/// Where a gateway is between running and stopped.
#[derive(Clone, Default)]
pub struct Lifecycle {
    stopping: Arc<AtomicBool>,
    shutdown: Shutdown,
}

// === impl Lifecycle ===

impl Lifecycle {
    /// Whether the stop has begun: readiness says no.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// What requests are asked, for the request path to look at.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// The stop begins.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Waits until nothing is under way, for `limit` at most; then cuts what still is. False when something was cut.
    pub async fn drained(&self, live: &Live, limit: Duration) -> bool {
        let refuse_later = async {
            tokio::time::sleep(LAME_DUCK.min(limit)).await;
            self.shutdown.refuse();
            std::future::pending::<()>().await;
        };
        let is_drained = tokio::select! {
            () = refuse_later => false,
            idle = tokio::time::timeout(limit, live.idle()) => idle.is_ok(),
        };
        if !is_drained {
            tracing::warn!(
                live = live.count(),
                "the drain time is over, cutting what is left"
            );
            self.shutdown.refuse();
            self.shutdown.cut();
            // They settle what they have used; who does not within the limit is dropped with the runtime, and settles then.
            let _ = tokio::time::timeout(CUT, live.idle()).await;
        }
        is_drained
    }
}
