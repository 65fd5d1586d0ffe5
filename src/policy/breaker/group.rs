//! The breakers of one provider, behind one lock, so that an attempt enters all of its scopes or none.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::core::Core;
use super::scope::{Part, Scope};

/// The breakers of one provider.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// [`Cores::troubled`], to be read without the lock.
    troubled: AtomicUsize,
    cores: Mutex<Cores>,
}

/// Those of its scopes that ever failed.
#[derive(Debug, Default)]
pub(super) struct Cores {
    provider: Option<Core>,
    endpoints: BTreeMap<usize, Core>,
    models: HashMap<Arc<str>, Core>,
    /// How many are troubled.
    troubled: usize,
}

// === impl Group ===

impl Group {
    /// Whether any of them may keep a request from passing.
    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Acquire) > 0
    }

    /// `work` under the lock, which must be short.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Cores) -> R) -> R {
        let mut cores = self.cores.lock();
        let result = work(&mut cores);
        self.troubled.store(cores.troubled, Ordering::Release);
        result
    }
}

// === impl Cores ===

impl Cores {
    pub(super) fn get(&self, part: Part<'_>) -> Option<&Core> {
        match part {
            Part::Provider => self.provider.as_ref(),
            Part::Endpoint(index) => self.endpoints.get(&index),
            Part::Model(name) => self.models.get(name),
        }
    }

    /// `work` on one of them, if it is there.
    pub(super) fn touch<R>(
        &mut self,
        part: Part<'_>,
        work: impl FnOnce(&mut Core) -> R,
    ) -> Option<R> {
        let core = match part {
            Part::Provider => self.provider.as_mut(),
            Part::Endpoint(index) => self.endpoints.get_mut(&index),
            Part::Model(name) => self.models.get_mut(name),
        }?;
        let before = usize::from(core.is_troubled());
        let result = work(core);
        self.troubled = self.troubled + usize::from(core.is_troubled()) - before;
        Some(result)
    }

    /// Puts one in; what was there before must not be.
    pub(super) fn insert(&mut self, part: Part<'_>, core: Core) {
        self.remove(part);
        self.troubled += usize::from(core.is_troubled());
        match part {
            Part::Provider => self.provider = Some(core),
            Part::Endpoint(index) => {
                self.endpoints.insert(index, core);
            }
            Part::Model(name) => {
                self.models.insert(name.into(), core);
            }
        }
    }

    pub(super) fn remove(&mut self, part: Part<'_>) -> Option<Core> {
        let core = match part {
            Part::Provider => self.provider.take(),
            Part::Endpoint(index) => self.endpoints.remove(&index),
            Part::Model(name) => self.models.remove(name),
        }?;
        self.troubled -= usize::from(core.is_troubled());
        Some(core)
    }

    /// All of them, in order, models by name last.
    pub(super) fn all(&self) -> impl Iterator<Item = (Part<'_>, &Core)> {
        let provider = self.provider.iter().map(|core| (Part::Provider, core));
        let endpoints = self.endpoints.iter();
        let endpoints = endpoints.map(|(index, core)| (Part::Endpoint(*index), core));
        let models = self.models.iter();
        let models = models.map(|(name, core)| (Part::Model(name), core));
        provider.chain(endpoints).chain(models)
    }

    pub(super) fn scopes(&self, provider: i64) -> Vec<Scope> {
        self.all()
            .map(|(part, _)| Scope::new(provider, part))
            .collect()
    }
}
