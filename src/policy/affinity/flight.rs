//! The requests of each session that are under way.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Mark;

const SHARDS: usize = 16;

/// Counts of requests under way by session; a session without any has no entry.
#[derive(Debug, Default)]
pub(super) struct Flights {
    shards: [Mutex<HashMap<Mark, u32>>; SHARDS],
}

/// One request of a session, under way until this is dropped.
#[derive(Debug)]
#[must_use = "the request counts as over once this is dropped"]
pub struct Flight {
    counted: Option<(Arc<Flights>, Mark)>,
    is_alone: bool,
}

// === impl Flights ===

impl Flights {
    pub(super) fn begin(self: &Arc<Self>, session: Option<Mark>) -> Flight {
        let mut is_alone = true;
        if let Some(mark) = session {
            let mut shard = self.shard(mark).lock();
            let count = shard.entry(mark).or_default();
            is_alone = *count == 0;
            *count += 1;
        }
        Flight {
            counted: session.map(|mark| (self.clone(), mark)),
            is_alone,
        }
    }

    fn end(&self, mark: Mark) {
        let mut shard = self.shard(mark).lock();
        if let Some(count) = shard.get_mut(&mark) {
            *count -= 1;
            if *count == 0 {
                shard.remove(&mark);
            }
        }
    }

    fn shard(&self, mark: Mark) -> &Mutex<HashMap<Mark, u32>> {
        &self.shards[mark.hash as usize % SHARDS]
    }

    #[cfg(test)]
    pub(super) fn sessions(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}

// === impl Flight ===

impl Flight {
    /// Whether no other request of its session was under way when it began.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some((flights, mark)) = &self.counted {
            flights.end(*mark);
        }
    }
}
