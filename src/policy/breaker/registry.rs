//! Where the breakers are found: by provider, in a map that is copied when a provider fails for the first time and only read otherwise.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use entity::value::BreakerSettings;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::core::{Core, Sequence, Ticket, Turn};
use super::failure::Failure;
use super::group::{Cores, Group};
use super::scope::{Part, Scope, Target, Which};
use super::time::{Base, Ticks};

/// Models with a breaker, over all providers. Names come from clients, so there must be an end to them.
pub(super) const MOST_MODELS: usize = 4_096;
/// How many go at once when there are too many, so that looking for the oldest is rare.
const FORGET_AT_ONCE: usize = MOST_MODELS / 8;
/// Removals that are remembered until somebody takes them down. What is beyond stays in the table and goes at its next failure.
const MOST_REMOVED: usize = 4 * MOST_MODELS;

/// All breakers of a process.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) base: Base,
    pub(super) sequence: Sequence,
    pub(super) changed: Notify,
    groups: ArcSwap<HashMap<i64, Arc<Group>>>,
    /// Held while the map is copied.
    growing: Mutex<()>,
    models: AtomicUsize,
    dropped: Mutex<Dropped>,
}

/// What is gone and not yet taken down.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    pub(super) removed: Vec<Scope>,
    pub(super) resets: Vec<Which>,
}

/// A place in each of an attempt's scopes that needs one: a bit each, in the order of [`Target::parts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Places(u8);

/// How an attempt ended that has something to say.
#[derive(Debug)]
pub(super) enum Outcome {
    Success,
    Failure(Failure),
}

// === impl Places ===

impl Places {
    pub(super) fn has(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    fn take(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }
}

// === impl Registry ===

impl Registry {
    pub(super) fn new(at: Instant) -> Self {
        Self {
            base: Base::new(at),
            sequence: Sequence::default(),
            changed: Notify::new(),
            groups: ArcSwap::default(),
            growing: Mutex::default(),
            models: AtomicUsize::default(),
            dropped: Mutex::default(),
        }
    }

    /// The breakers of a provider that failed before.
    pub(super) fn group(&self, provider: i64) -> Option<Arc<Group>> {
        self.groups.load().get(&provider).cloned()
    }

    /// The breakers of a provider that may keep a request from passing.
    pub(super) fn troubled<R>(&self, provider: i64, work: impl FnOnce(&Group) -> R) -> Option<R> {
        let groups = self.groups.load();
        let group = groups.get(&provider)?;
        group.is_troubled().then(|| work(group))
    }

    /// Every provider's, by id.
    pub(super) fn groups(&self, which: Which) -> Vec<(i64, Arc<Group>)> {
        let groups = self.groups.load();
        let mut found: Vec<_> = groups
            .iter()
            .filter(|(provider, _)| which.has(**provider))
            .map(|(provider, group)| (*provider, Arc::clone(group)))
            .collect();
        found.sort_unstable_by_key(|(provider, _)| *provider);
        found
    }

    /// Takes a place in every scope that asks for one, or in none and answers nothing. With it comes the number of the moment.
    pub(super) fn enter(
        &self,
        target: &Target,
        settings: &BreakerSettings,
        now: Ticks,
        is_forced: bool,
    ) -> Option<(Places, u64)> {
        // Read first: what changes from here on is younger than the request. Under the lock it is exact.
        let admitted = self.sequence.now();
        let entered = self.troubled(target.provider, |group| {
            group.with(|cores| {
                if settings.failure_threshold == 0 {
                    self.switch_off(cores, target, now);
                }
                let admitted = self.sequence.now();
                let mut places = Places::default();
                for (index, part) in target.parts().into_iter().enumerate() {
                    let Some(core) = part.and_then(|part| cores.get(part)) else {
                        continue;
                    };
                    if core.admits(settings, now, is_forced)? {
                        places.take(index);
                    }
                }
                for (index, part) in target.parts().into_iter().enumerate() {
                    if let Some(part) = part.filter(|_| places.has(index)) {
                        cores.touch(part, |core| core.enter(&self.sequence, now));
                    }
                }
                Some((places, admitted))
            })
        });
        entered.unwrap_or(Some((Places::default(), admitted)))
    }

    /// Writes down how an attempt ended, and gives its places back.
    pub(super) fn settle(
        &self,
        target: &Target,
        places: Places,
        admitted: u64,
        settings: &BreakerSettings,
        outcome: Outcome,
        now: Ticks,
    ) {
        let Outcome::Failure(failure) = outcome else {
            return self.succeed(target, places, admitted, settings, now);
        };
        let rest = failure.rest();
        let blamed = target.blamed(failure.fault);
        let blamed = blamed.map(|part| rest.map_or(part, |_| Part::Provider));
        let Some(blamed) = blamed else {
            return self.leave(target, places, admitted);
        };
        let group = self.grown(target.provider);
        let before = self.sequence.now();
        let turn = group.with(|cores| {
            self.plant(cores, blamed, now);
            let mut turn = None;
            for (index, part) in target.parts().into_iter().enumerate() {
                let Some(part) = part else { continue };
                let ticket = Ticket {
                    admitted,
                    has_place: places.has(index),
                };
                cores.touch(part, |core| {
                    if part != blamed {
                        core.leave(ticket);
                    } else if let Some(rest) = rest {
                        let seen = failure.seen(now);
                        core.pause(ticket, seen, rest, settings, &self.sequence, now);
                    } else {
                        let seen = failure.seen(now);
                        turn = core.failure(ticket, seen, settings, &self.sequence, now);
                    }
                });
            }
            turn
        });
        self.tell(&Scope::new(target.provider, blamed), turn, before);
        self.forget_models();
    }

    /// `work` on a scope's breaker, made for it if it is not there.
    pub(super) fn on(&self, scope: &Scope, now: Ticks, work: impl FnOnce(&mut Core)) {
        self.grown(scope.provider()).with(|cores| {
            self.plant(cores, scope.part(), now);
            cores.touch(scope.part(), work);
        });
        self.forget_models();
    }

    /// Removes a provider's breakers, but for what is on trial.
    pub(super) fn clear(&self, provider: i64, now: Ticks) {
        let Some(group) = self.group(provider) else {
            return;
        };
        group.with(|cores| {
            for scope in cores.scopes(provider) {
                let part = scope.part();
                let is_tried = cores.get(part).is_some_and(Core::is_tried);
                if is_tried {
                    cores.touch(part, |core| core.blank(&self.sequence, now));
                    self.note(|dropped| dropped.removed.push(scope));
                } else {
                    self.uproot(cores, scope);
                }
            }
        });
        self.changed.notify_one();
    }

    /// Forgets a provider that is gone.
    pub(super) fn remove(&self, providers: &[i64]) {
        let growing = self.growing.lock();
        let mut groups = HashMap::clone(&self.groups.load());
        let gone: Vec<_> = providers
            .iter()
            .filter_map(|provider| Some((*provider, groups.remove(provider)?)))
            .collect();
        if gone.is_empty() {
            return;
        }
        self.groups.store(Arc::new(groups));
        drop(growing);
        for (provider, group) in gone {
            group.with(|cores| {
                for scope in cores.scopes(provider) {
                    self.uproot(cores, scope);
                }
            });
        }
        self.changed.notify_one();
    }

    pub(super) fn note(&self, work: impl FnOnce(&mut Dropped)) {
        let mut dropped = self.dropped.lock();
        work(&mut dropped);
        dropped.removed.truncate(MOST_REMOVED);
    }

    pub(super) fn take_dropped(&self) -> Dropped {
        std::mem::take(&mut self.dropped.lock())
    }

    /// Gives an attempt's places back.
    pub(super) fn leave(&self, target: &Target, places: Places, admitted: u64) {
        let group = (!places.is_none()).then(|| self.group(target.provider));
        let Some(group) = group.flatten() else {
            return;
        };
        group.with(|cores| {
            for (index, part) in target.parts().into_iter().enumerate() {
                let has_place = places.has(index);
                let ticket = Ticket {
                    admitted,
                    has_place,
                };
                part.map(|part| cores.touch(part, |core| core.leave(ticket)));
            }
        });
    }

    fn succeed(
        &self,
        target: &Target,
        places: Places,
        admitted: u64,
        settings: &BreakerSettings,
        now: Ticks,
    ) {
        let groups = self.groups.load();
        let Some(group) = groups.get(&target.provider) else {
            return;
        };
        let before = self.sequence.now();
        let turns = group.with(|cores| {
            let mut index = 0;
            target.parts().map(|part| {
                let has_place = places.has(index);
                let ticket = Ticket {
                    admitted,
                    has_place,
                };
                index += 1;
                let succeed = |core: &mut Core| core.success(ticket, settings, &self.sequence, now);
                cores.touch(part?, succeed).flatten()
            })
        });
        for (part, turn) in target.parts().into_iter().zip(turns) {
            if let (Some(part), Some(turn)) = (part, turn) {
                self.tell(&Scope::new(target.provider, part), Some(turn), before);
            }
        }
        if self.sequence.now() != before {
            self.changed.notify_one();
        }
    }

    /// Says what changed: to the log when it opened or closed, to the keeper when it is worth keeping.
    fn tell(&self, scope: &Scope, turn: Option<Turn>, before: u64) {
        let provider = scope.provider();
        match turn {
            Some(Turn::Opened { reason, for_ms }) => {
                tracing::warn!(provider, %scope, reason, for_ms, "breaker opened");
            }
            Some(Turn::Closed) => tracing::info!(provider, %scope, "breaker closed"),
            None => {}
        }
        if self.sequence.now() != before {
            self.changed.notify_one();
        }
    }

    /// The provider switched its breakers off: what they knew no longer counts.
    fn switch_off(&self, cores: &mut Cores, target: &Target, now: Ticks) {
        for part in target.parts().into_iter().flatten() {
            cores.touch(part, |core| {
                if core.is_troubled() {
                    core.close(&self.sequence, now);
                    self.changed.notify_one();
                }
            });
        }
    }

    fn grown(&self, provider: i64) -> Arc<Group> {
        if let Some(group) = self.group(provider) {
            return group;
        }
        let _growing = self.growing.lock();
        if let Some(group) = self.group(provider) {
            return group;
        }
        let group = Arc::new(Group::default());
        let mut groups = HashMap::clone(&self.groups.load());
        groups.insert(provider, Arc::clone(&group));
        self.groups.store(Arc::new(groups));
        group
    }

    fn plant(&self, cores: &mut Cores, part: Part<'_>, now: Ticks) {
        if cores.get(part).is_none() {
            cores.insert(part, Core::new(&self.sequence, now));
            if matches!(part, Part::Model(_)) {
                self.models.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn uproot(&self, cores: &mut Cores, scope: Scope) {
        if cores.remove(scope.part()).is_none() {
            return;
        }
        if matches!(scope, Scope::Model(..)) {
            self.models.fetch_sub(1, Ordering::Relaxed);
        }
        self.note(|dropped| dropped.removed.push(scope));
    }

    /// When there are too many models, those go that failed least recently, the closed ones first.
    fn forget_models(&self) {
        if self.models.load(Ordering::Relaxed) <= MOST_MODELS {
            return;
        }
        let groups = self.groups(Which::All);
        let mut all = Vec::with_capacity(MOST_MODELS);
        for (provider, group) in &groups {
            group.with(|cores| {
                let models = cores
                    .all()
                    .filter(|(part, core)| matches!(part, Part::Model(_)) && !core.is_tried());
                all.extend(models.map(|(part, core)| {
                    let scope = Scope::new(*provider, part);
                    (core.is_troubled(), core.last_failed, scope)
                }));
            });
        }
        all.sort_unstable();
        for (_, _, scope) in all.into_iter().take(FORGET_AT_ONCE) {
            if let Some(group) = self.group(scope.provider()) {
                group.with(|cores| self.uproot(cores, scope));
            }
        }
        self.changed.notify_one();
    }
}
