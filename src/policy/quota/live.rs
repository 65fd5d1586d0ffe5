//! What is reserved on this node at the moment, for renewing the leases.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::domain::limits::Party;

/// Every request takes part twice and its attempts too, on all threads: so it is spread over locks.
const SHARDS: usize = 16;

type Shard = HashMap<u128, Arc<[Party]>, RandomState>;

/// Reservations by id, with whom they count for.
#[derive(Debug, Default)]
pub(super) struct Live([Mutex<Shard>; SHARDS]);

// === impl Live ===

impl Live {
    pub(super) fn insert(&self, id: u128, parties: Arc<[Party]>) {
        self.shard(id).lock().insert(id, parties);
    }

    pub(super) fn remove(&self, id: u128) {
        self.shard(id).lock().remove(&id);
    }

    pub(super) fn all(&self) -> Vec<(u128, Arc<[Party]>)> {
        let mut all = Vec::new();
        for shard in &self.0 {
            let shard = shard.lock();
            all.extend(shard.iter().map(|(id, parties)| (*id, Arc::clone(parties))));
        }
        all
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().len()).sum()
    }

    /// The last bits of an id are random.
    fn shard(&self, id: u128) -> &Mutex<Shard> {
        &self.0[usize::try_from(id % SHARDS as u128).unwrap_or(0)]
    }
}
