//! Requests under way, by provider, and the most there may be.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::Mutex;

const SHARDS: usize = 16;

/// How many requests each provider has. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Inflight(Arc<[Mutex<HashMap<i64, u32>>; SHARDS]>);

/// One request under way, until this is dropped.
#[derive(Debug)]
#[must_use = "the request is counted as long as this lives"]
pub struct InflightGuard {
    counts: Inflight,
    provider: i64,
}

// === impl Inflight ===

impl Inflight {
    /// Counts a request, unless the provider has `max` already; 0 means any number.
    pub fn enter(&self, provider: i64, max: u32) -> Option<InflightGuard> {
        let mut counts = self.shard(provider).lock();
        match counts.entry(provider) {
            // One that is not there has none; those that have none are not there.
            Entry::Vacant(entry) => {
                entry.insert(1);
            }
            Entry::Occupied(mut entry) => {
                let count = entry.get_mut();
                if max > 0 && *count >= max {
                    return None;
                }
                *count = count.checked_add(1)?;
            }
        }
        drop(counts);
        Some(InflightGuard {
            counts: self.clone(),
            provider,
        })
    }

    /// Requests that a provider has now.
    #[must_use]
    pub fn count(&self, provider: i64) -> u32 {
        let counts = self.shard(provider).lock();
        counts.get(&provider).copied().unwrap_or(0)
    }

    fn shard(&self, provider: i64) -> &Mutex<HashMap<i64, u32>> {
        let index = usize::try_from(provider.rem_euclid(SHARDS as i64)).unwrap_or(0);
        &self.0[index]
    }
}

// === impl InflightGuard ===

impl Drop for InflightGuard {
    fn drop(&mut self) {
        let mut counts = self.counts.shard(self.provider).lock();
        if let Entry::Occupied(mut entry) = counts.entry(self.provider) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn so_many_and_no_more() {
        let inflight = Inflight::default();
        let first = inflight.enter(7, 2).unwrap();
        let second = inflight.enter(7, 2).unwrap();
        assert!(inflight.enter(7, 2).is_none());
        assert!(inflight.enter(23, 2).is_some(), "another of the same shard");
        assert_eq!(inflight.count(7), 2);
        drop(first);
        assert_eq!(inflight.count(7), 1);
        let third = inflight.enter(7, 2).unwrap();
        let any = inflight.enter(7, 0).unwrap();
        assert_eq!(inflight.count(7), 3);
        assert!(
            inflight.enter(7, 2).is_none(),
            "a limit may be lower than what runs"
        );
        drop((second, third, any));
        assert_eq!(inflight.count(7), 0);
        assert_eq!(inflight.count(-3), 0);
    }

    #[test]
    fn the_idle_take_no_room() {
        let inflight = Inflight::default();
        for provider in 0..10_000 {
            drop(inflight.enter(provider, 1).unwrap());
        }
        assert!(inflight.0.iter().all(|shard| shard.lock().is_empty()));
    }

    #[test]
    fn the_limit_holds_among_threads() {
        const MAX: u32 = 3;
        let inflight = Inflight::default();
        let running = [const { AtomicU32::new(0) }; 2];
        let refused = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8_usize {
                let (inflight, running, refused) = (&inflight, &running, &refused);
                scope.spawn(move || {
                    for round in 0..5_000_usize {
                        let provider = (thread + round) % 2;
                        let Some(guard) = inflight.enter(provider as i64, MAX) else {
                            refused.fetch_add(1, Ordering::Relaxed);
                            continue;
                        };
                        let now = running[provider].fetch_add(1, Ordering::SeqCst) + 1;
                        assert!(now <= MAX, "{now}");
                        std::thread::yield_now();
                        running[provider].fetch_sub(1, Ordering::SeqCst);
                        drop(guard);
                    }
                });
            }
        });
        assert_eq!(inflight.count(0) + inflight.count(1), 0);
        assert!(inflight.enter(0, MAX).is_some());
    }
}
