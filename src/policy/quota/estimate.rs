//! What a request may cost, as its predecessors did.
//!
//! An estimate is a maximum that fades: a dearer request raises it at once, a cheaper one lowers it by an eighth of the difference. Agents
//! send turns that grow slowly and now and then a small one, so the next turn rarely costs more than the dearest of the last few, and one
//! expensive turn is forgotten after a dozen cheap ones. It is kept by subject and model, because what one person's agent does
//! says little about another's.

use std::hash::BuildHasher;
use std::num::NonZeroUsize;

use foldhash::fast::RandomState;
use lru::LruCache;
use parking_lot::Mutex;

use crate::domain::limits::Subject;

/// Pairs that are remembered. Model names come from clients, so there must be an end to them.
const MOST: NonZeroUsize = NonZeroUsize::new(65_536).expect("it is not zero");
/// A cheaper request lowers the estimate by this part of the difference.
const FADE: i64 = 8;

/// A model, by a hash of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Model(u64);

/// The estimates of all subjects and models, in nano-USD.
#[derive(Debug)]
pub(super) struct Estimates {
    known: Mutex<LruCache<(Subject, Model), i64, RandomState>>,
    hasher: RandomState,
}

// === impl Estimates ===

impl Estimates {
    /// What the next request may cost, if one is known.
    pub(super) fn of(&self, subject: Subject, model: Model) -> Option<i64> {
        self.known.lock().get(&(subject, model)).copied()
    }

    /// The model of this name.
    pub(super) fn model(&self, name: &str) -> Model {
        Model(self.hasher.hash_one(name))
    }

    pub(super) fn learn(&self, subject: Subject, model: Model, cost: i64) {
        let mut known = self.known.lock();
        let estimate = known.get_or_insert_mut((subject, model), || cost);
        *estimate = cost.max(*estimate - (*estimate - cost) / FADE);
    }
}

impl Default for Estimates {
    fn default() -> Self {
        Self {
            known: Mutex::new(LruCache::with_hasher(MOST, RandomState::default())),
            hasher: RandomState::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_at_once_and_fades_slowly() {
        let estimates = Estimates::default();
        let key = Subject::Key(1);
        let [opus, haiku] = ["opus", "haiku"].map(|name| estimates.model(name));
        assert_eq!(estimates.of(key, opus), None);
        estimates.learn(key, opus, 100);
        assert_eq!(estimates.of(key, opus), Some(100));
        estimates.learn(key, opus, 900);
        assert_eq!(estimates.of(key, opus), Some(900));
        estimates.learn(key, opus, 100);
        assert_eq!(estimates.of(key, opus), Some(800));
        for _ in 0..40 {
            estimates.learn(key, opus, 100);
        }
        let faded = estimates.of(key, opus).unwrap();
        assert!((100..110).contains(&faded), "{faded}");
        assert_eq!(estimates.of(key, haiku), None);
        assert_eq!(estimates.of(Subject::User(1), opus), None);
    }

    #[test]
    fn it_remembers_so_many_and_no_more() {
        let estimates = Estimates::default();
        for model in 0..MOST.get() + 10 {
            let model = estimates.model(&model.to_string());
            estimates.learn(Subject::Key(1), model, 1);
        }
        assert_eq!(estimates.known.lock().len(), MOST.get());
        assert_eq!(estimates.of(Subject::Key(1), estimates.model("0")), None);
    }
}
