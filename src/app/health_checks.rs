//! The background task that keeps providers' addresses fresh and checked.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::runtime::Stop;
use crate::proxy::Upstreams;
use crate::store::snapshot::Snapshot;
use crate::store::watch::Watch;

/// How often it is looked at what is due.
const TICK: Duration = Duration::from_secs(1);
/// Endpoints tended at once.
const AT_ONCE: usize = 32;

/// Tends the endpoints of the current configuration until told to stop.
pub async fn run(upstreams: Arc<Upstreams>, config: Arc<Watch>, mut stop: Stop) {
    let mut jobs = JoinSet::new();
    let mut known: Option<Arc<Snapshot>> = None;
    loop {
        let snapshot = config.current();
        if !known.is_some_and(|known| Arc::ptr_eq(&known, &snapshot)) {
            upstreams.sync(&snapshot.providers);
        }
        let policy = snapshot.settings.egress_policy;
        known = Some(snapshot);
        while jobs.try_join_next().is_some() {}
        let room = AT_ONCE - jobs.len();
        for endpoint in upstreams.due().into_iter().take(room) {
            jobs.spawn(async move { endpoint.tend(policy).await });
        }
        tokio::select! {
            // An error means that nobody is left who could say stop. What runs ends with the set.
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}
