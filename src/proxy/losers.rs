//! An attempt that lost against another one of the same request.
//!
//! It goes on generating and charging whether anybody reads it or not, so it is read on in a task of its own, within the bounds of
//! every reading-on (`relay::drain`), and its usage is settled with the request it belongs to.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::attempt::Report;
use super::contender::Contender;
use super::parts::Parts;
use super::relay;

/// One that lost. Dropping it ends it.
pub struct Loser(JoinHandle<Option<Report>>);

// === impl Loser ===

impl Loser {
    /// Reads it on.
    pub fn drain(contender: Contender, parts: &Arc<Parts>) -> Self {
        let parts = parts.clone();
        Self(tokio::spawn(async move {
            if contender.held.is_whole {
                contender.running.finish().await
            } else {
                relay::drain(contender.running, &parts).await
            }
        }))
    }

    /// How it went.
    pub async fn report(mut self) -> Option<Report> {
        (&mut self.0).await.ok().flatten()
    }
}

impl Drop for Loser {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs what a request leaves behind, in a task of its own. It is bounded by the losers' own bounds.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
