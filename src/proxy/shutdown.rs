//! What a shutdown asks of requests: first that no new ones begin, at last that those under way end.

use std::sync::Arc;

use tokio::sync::watch;

/// Stages of a shutdown, as requests see them.
#[derive(Clone)]
pub struct Shutdown(Arc<watch::Sender<Stage>>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Serving,
    Refusing,
    Cutting,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Stage::Serving)))
    }
}

// === impl Shutdown ===

impl Shutdown {
    /// From now on new requests are refused.
    pub fn refuse(&self) {
        self.0.send_replace(Stage::Refusing);
    }

    /// From now on requests under way are cut.
    pub fn cut(&self) {
        self.0.send_replace(Stage::Cutting);
    }

    /// Whether new requests are refused.
    #[must_use]
    pub fn is_refusing(&self) -> bool {
        *self.0.borrow() >= Stage::Refusing
    }

    /// Resolves when requests under way are to end.
    pub fn cutting(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stage = self.0.subscribe();
        async move {
            // An error means that nobody is left who could say so.
            let _ = stage.wait_for(|stage| *stage == Stage::Cutting).await;
        }
    }
}
