//! The background task that has routing forget what the configuration no longer has.
//!
//! Breakers go by a provider's id and by the place of an address in its list. Those of a provider that is gone are forgotten, and those of
//! one whose addresses changed: an index then means another address, and what was wrong with the old ones says nothing about the
//! new. Conversations are forgotten with the provider they were with. A provider that is only left out, because something in its row
//! cannot be used, is still there and may come back as it was.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::runtime::Stop;
use crate::policy::routing::Routing;
use crate::store::snapshot::Snapshot;
use crate::store::watch::Watch;

/// How often it is looked without a change: a request that outlives its provider may fail, and be remembered, later.
const TICK: Duration = Duration::from_secs(1);

/// Keeps routing's memory to what is configured until told to stop.
pub async fn run(routing: Arc<Routing>, config: Arc<Watch>, mut stop: Stop) {
    let mut revisions = config.revisions();
    let mut before = config.current();
    loop {
        let now = config.current();
        forget(&routing, &before, &now);
        before = now;
        tokio::select! {
            // An error means that nobody is left who could say stop.
            _ = stop.wait_for(|stop| *stop) => return,
            // It cannot fail: the watch is here.
            _ = timeout(TICK, revisions.changed()) => {}
        }
    }
}

fn forget(routing: &Routing, before: &Arc<Snapshot>, now: &Arc<Snapshot>) {
    let there = ids(now);
    let mut stale = routing.breakers.providers();
    stale.retain(|id| !there.contains(id));
    if !Arc::ptr_eq(before, now) {
        for gone in ids(before).difference(&there) {
            routing.affinity.flush(Some(*gone));
        }
        stale.extend(moved(before, now));
    }
    if !stale.is_empty() {
        tracing::debug!(providers = ?stale, "breakers forgotten, the configuration changed");
        routing.breakers.forget(&stale);
    }
}

/// Every provider that there is, whether it can be used or not.
fn ids(snapshot: &Snapshot) -> HashSet<i64> {
    let left_out = snapshot.left_out.iter();
    let unusable = left_out.filter(|left_out| left_out.kind == "provider");
    let usable = snapshot.providers.iter().map(|provider| provider.id);
    usable.chain(unusable.map(|left_out| left_out.id)).collect()
}

/// Providers whose addresses are not what they were.
fn moved(before: &Snapshot, now: &Snapshot) -> Vec<i64> {
    let mut moved = Vec::new();
    for provider in &now.providers {
        let mut old = before.providers.iter();
        let old = old.find(|old| old.id == provider.id);
        if old.is_some_and(|old| old.endpoints != provider.endpoints) {
            moved.push(provider.id);
        }
    }
    moved
}

#[cfg(test)]
mod tests;
