//! The bindings: where conversations are at home. Bounded, in shards whose locks are held for one look.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;
use parking_lot::Mutex;

use super::Mark;

const SHARDS: usize = 16;

/// What is remembered of a conversation's last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) provider: i64,
    /// Bytes of the prompt, as far as they are a prefix.
    pub(super) bytes: usize,
    /// When the provider last succeeded with it.
    pub(super) used: Instant,
    /// The session it belongs to, if the client names one.
    pub(super) session: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Table {
    shards: [Mutex<LruCache<Mark, Binding>>; SHARDS],
}

// === impl Binding ===

impl Binding {
    pub(super) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.used)
    }
}

// === impl Table ===

impl Table {
    pub(super) fn new(capacity: usize) -> Self {
        let each = NonZeroUsize::new(capacity.div_ceil(SHARDS)).unwrap_or(NonZeroUsize::MIN);
        Self {
            // Room is made as it is needed.
            shards: std::array::from_fn(|_| Mutex::new(LruCache::sparse(each))),
        }
    }

    /// A binding that has not rested for too long.
    pub(super) fn get(&self, mark: Mark, keep: Duration, now: Instant) -> Option<Binding> {
        let mut shard = self.shard(mark);
        let binding = *shard.get(&mark)?;
        if keep.is_zero() || binding.idle(now) > keep {
            shard.pop(&mark);
            return None;
        }
        Some(binding)
    }

    pub(super) fn put(&self, mark: Mark, binding: Binding) {
        self.shard(mark).put(mark, binding);
    }

    /// A binding to this provider was used again.
    pub(super) fn touch(&self, mark: Mark, provider: i64, now: Instant) {
        let mut shard = self.shard(mark);
        if shard.peek(&mark).is_some_and(|b| b.provider == provider)
            && let Some(binding) = shard.get_mut(&mark)
        {
            binding.used = now;
        }
    }

    /// Removes a binding if it is to this provider.
    pub(super) fn remove(&self, mark: Mark, provider: i64) {
        let mut shard = self.shard(mark);
        if shard.peek(&mark).is_some_and(|b| b.provider == provider) {
            shard.pop(&mark);
        }
    }

    pub(super) fn flush(&self, provider: Option<i64>) -> usize {
        let mut flushed = 0;
        for shard in &self.shards {
            let mut shard = shard.lock();
            let before = shard.len();
            shard.retain(|_, binding| provider.is_some_and(|id| binding.provider != id));
            flushed += before - shard.len();
        }
        flushed
    }

    /// Removes what belongs to a session of a key.
    pub(super) fn end_session(&self, key_id: i64, session: u64) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.retain(|mark, binding| mark.key_id != key_id || binding.session != Some(session));
        }
    }

    fn shard(&self, mark: Mark) -> parking_lot::MutexGuard<'_, LruCache<Mark, Binding>> {
        self.shards[mark.hash as usize % SHARDS].lock()
    }
}
