//! The means to break a connection off on purpose.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Breaks a connection off with a reset.
#[derive(Default)]
pub(super) struct Cut {
    reset: AtomicBool,
    now: Notify,
}

impl Cut {
    /// Ends the connection at once, with RST.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Release);
        self.now.notify_one();
    }

    /// Resolves when the connection is to end.
    pub(super) async fn ordered(&self) {
        self.now.notified().await;
    }

    /// Whether it is to end with RST.
    pub(super) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }
}
