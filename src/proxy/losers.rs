//! An attempt that lost against another one of the same request, read on in a task of its own.
//!
//! Its usage is settled with the request it belongs to. How far it is read is bounded by whoever reads it.

use tokio::task::JoinHandle;

use super::report::Report;

/// One that lost. Dropping it ends it.
pub struct Loser(JoinHandle<Option<Report>>);

// === impl Loser ===

impl Loser {
    /// Reads one on; `reading` ends with how it went.
    pub fn new(reading: impl Future<Output = Option<Report>> + Send + 'static) -> Self {
        Self(tokio::spawn(reading))
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
