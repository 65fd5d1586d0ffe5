//! Breakers: who failed too often is left alone for a while, and then tried with care.
//!
//! A breaker stands for a provider, for one of its addresses or for one model at it, and the fault of a failure says for which: an
//! address that cannot be reached counts against the address (where there is just one, against the provider), a model that is not
//! served against the model, a refused key or an overloaded upstream against the provider. What the client did, what a poison request
//! does everywhere, and what is our own doing count against nothing. A good end counts for all scopes of the attempt, a failure says
//! nothing about those it is not counted against.
//!
//! **Closed** opens after so many failures in a row, or when too large a share of the last minute's requests failed. **Open** lets
//! nothing pass until its time is over. **Half open** lets as many requests through at once as successes are needed to close it, and the
//! herd waits; one failure opens it again for twice as long, up to sixteen times the first. The time starts small again once the breaker
//! has been closed for as long as it was open last. **Resting** is none of these: a 429 or 503 that says when to come back is taken at
//! its word, for an hour at most, counts as no failure, and ends by itself. When nothing better is left, the least bad is asked all the
//! same, by one request at a time (`is_forced`). Failure of such a request does not put off the time at which an open breaker goes on
//! trial.
//!
//! A result counts only if its request was admitted after the breaker last changed: what was under way when it opened, or was reset,
//! says nothing about what came after. Places on trial belong to the permit and are counted until it is gone, whatever happens to the
//! breaker meanwhile, so there are never more at once than the settings say.
//!
//! Only what failed once has an entry: the minute's count of a scope begins with its first failure. A provider without trouble costs a
//! lookup and the read of a counter; one lock per provider is held for nanoseconds otherwise, and nothing is allocated unless a request
//! failed. Nothing here runs by itself: [`Breakers::changed`] tells whoever keeps the states that an [`Breakers::export`] is due.

mod core;
mod failure;
mod group;
mod permit;
mod registry;
mod saved;
mod scope;
mod time;
mod view;
mod window;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use entity::value::BreakerSettings;

use self::core::{Core, Phase, Stance, pending};
pub use failure::{Failure, LONGEST_MESSAGE};
pub use permit::Permit;
use registry::Registry;
pub use saved::{Advice, Changes, Row, Saved, SavedPhase, SavedRest, SavedSample};
pub use scope::{LONGEST_MODEL, Scope, Target, Which};
pub use time::Moment;
pub use view::{Sample, Standing, State, View};

/// All breakers of a gateway. Clones are the same breakers.
#[derive(Debug, Clone)]
pub struct Breakers(Arc<Registry>);

// === impl Breakers ===

impl Breakers {
    /// All closed. Times before `now` are taken for it.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self(Arc::new(Registry::new(now)))
    }

    /// How the worst of these scopes stands. Takes nothing, so a permit may be refused all the same.
    #[must_use]
    pub fn peek(
        &self,
        provider: i64,
        endpoint: Option<usize>,
        model: Option<&str>,
        settings: &BreakerSettings,
        now: Instant,
    ) -> Standing {
        let ticks = self.0.base.ticks(now);
        let worst = self.0.troubled(provider, |group| {
            group.with(|cores| {
                let parts = scope::parts(endpoint, model).into_iter().flatten();
                let stances = parts.filter_map(|part| {
                    cores.touch(part, |core| {
                        core.tidy(ticks);
                        core.stance(settings, ticks)
                    })
                });
                stances.max().unwrap_or(Stance::Closed)
            })
        });
        match worst.unwrap_or(Stance::Closed) {
            Stance::Closed => Standing::Closed,
            Stance::HalfOpen => Standing::HalfOpen,
            Stance::Full => Standing::HalfOpenFull,
            Stance::Resting(until) => Standing::Resting {
                until: self.0.base.instant(until),
            },
            Stance::Open(until) => Standing::Open {
                until: self.0.base.instant(until),
            },
        }
    }

    /// How bad the worst of these scopes is, to compare by when there is nothing good: whoever may be asked is 0, whoever rests
    /// comes before whoever is on trial with all places taken, and those before the open ones; among the resting the one that is back
    /// first is best, among the others the one that failed less often and longer ago.
    #[must_use]
    pub fn badness(
        &self,
        provider: i64,
        endpoint: Option<usize>,
        model: Option<&str>,
        settings: &BreakerSettings,
        now: Instant,
    ) -> u64 {
        let now = self.0.base.ticks(now);
        let worst = self.0.troubled(provider, |group| {
            group.with(|cores| {
                let parts = scope::parts(endpoint, model).into_iter().flatten();
                let cores = parts.filter_map(|part| cores.get(part));
                cores.map(|core| badness(core, settings, now)).max()
            })
        });
        worst.flatten().unwrap_or(0)
    }

    /// Leave to send an attempt, if all its scopes let it pass. `is_forced` is the last resort: it passes what is open or rests, one
    /// at a time.
    pub fn admit(
        &self,
        target: Target,
        settings: &BreakerSettings,
        now: Instant,
        is_forced: bool,
    ) -> Option<Permit> {
        Permit::new(&self.0, target, settings, now, is_forced)
    }

    /// Forgets all that is known of these, here and (through whoever keeps the states) at the other nodes.
    pub fn reset(&self, which: Which, now: Instant) {
        self.clear(which, now);
        self.0.note(|dropped| {
            if !dropped.resets.contains(&which) {
                dropped.resets.push(which);
            }
        });
        self.0.changed.notify_one();
        tracing::info!(?which, "breakers reset");
    }

    /// The same because another node did it: not told any further.
    pub fn follow_reset(&self, which: Which, now: Instant) {
        self.clear(which, now);
        tracing::info!(?which, "breakers reset by another node");
    }

    /// Every breaker that has something to tell, by provider: the provider's own, its addresses', its models' by name.
    #[must_use]
    pub fn list(&self, which: Which, moment: Moment) -> Vec<View> {
        let mut views = self.each(which, |scope, core| {
            let view = View::of(scope, core, self.0.base, moment);
            let is_blank = view.state == State::Closed && view.samples.is_empty();
            (!is_blank || view.opened > 0).then_some(view)
        });
        views.sort_by(|a, b| {
            let key = |view: &View| view.scope.provider();
            key(a).cmp(&key(b)).then_with(|| a.scope.cmp(&b.scope))
        });
        views
    }

    /// Forgets providers that are gone.
    pub fn forget(&self, gone: &[i64]) {
        self.0.remove(gone);
    }

    /// The providers that there is something about.
    #[must_use]
    pub fn providers(&self) -> Vec<i64> {
        let groups = self.0.groups(Which::All);
        groups.into_iter().map(|(provider, _)| provider).collect()
    }

    /// Providers that are open or half open with nothing under way, and when their time is over or was: those open longest first.
    /// A probe takes a permit by force and tells it how it ended, like any request.
    #[must_use]
    pub fn due_probes(&self, now: Instant) -> Vec<(Scope, Instant)> {
        let ticks = self.0.base.ticks(now);
        let mut due = self.each(Which::All, |scope, core| {
            let until = match core.phase {
                _ if !matches!(scope, Scope::Provider(_)) || core.is_tried() => return None,
                _ if pending(core.rest.as_ref(), ticks).is_some() => return None,
                Phase::Closed => return None,
                Phase::Open { until } => until,
                Phase::HalfOpen { .. } => core.since,
            };
            Some((core.since, scope, self.0.base.instant(until)))
        });
        due.sort();
        due.into_iter()
            .map(|(_, scope, until)| (scope, until))
            .collect()
    }

    /// Resolves when something changed since it last did: there may be something to export then.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// What changed since the export that answered `since`; 0 for the first. What is removed or reset is told once, to one caller.
    #[must_use]
    pub fn export(&self, since: u64, moment: Moment) -> Changes {
        let version = self.0.sequence.now();
        let dropped = self.0.take_dropped();
        let rows = self.each(Which::All, |scope, core| {
            (core.version > since).then(|| Row {
                scope,
                state: Saved::of(core, self.0.base, moment),
            })
        });
        let mut removed = dropped.removed;
        if !removed.is_empty() {
            let back: HashSet<&Scope> = rows.iter().map(|row| &row.scope).collect();
            removed.retain(|scope| !back.contains(scope));
        }
        Changes {
            version,
            resets: dropped.resets,
            removed,
            rows,
        }
    }

    /// Puts in what an earlier process knew. What has failed here already is left as it is.
    pub fn restore(&self, rows: Vec<Row>, moment: Moment) {
        let now = self.0.base.ticks(moment.at);
        for row in rows {
            self.0.on(&row.scope, now, |core| {
                if core.is_new() {
                    row.state.fill(core, &self.0.sequence, self.0.base, moment);
                }
            });
        }
    }

    /// Another node opened a breaker: until its time is over one request at a time is let through here, the first failure opens it here
    /// too, and the first success dismisses the advice. Who has opened it by itself knows better.
    pub fn advise(&self, advice: &Advice, moment: Moment) {
        let Some(pause) = advice.pause(self.0.base, moment) else {
            return;
        };
        let now = self.0.base.ticks(moment.at);
        self.0.on(&advice.scope, now, |core| {
            core.advise(pause, &self.0.sequence)
        });
    }

    /// Another node closed a breaker: advice about it is over.
    pub fn dismiss(&self, scope: &Scope) {
        if let Some(group) = self.0.group(scope.provider()) {
            group.with(|cores| cores.touch(scope.part(), |core| core.advice = None));
        }
    }

    fn clear(&self, which: Which, now: Instant) {
        let now = self.0.base.ticks(now);
        for (provider, _) in self.0.groups(which) {
            self.0.clear(provider, now);
        }
    }

    fn each<T>(&self, which: Which, mut work: impl FnMut(Scope, &Core) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        for (provider, group) in self.0.groups(which) {
            group.with(|cores| {
                let each = cores.all();
                found
                    .extend(each.filter_map(|(part, core)| work(Scope::new(provider, part), core)));
            });
        }
        found
    }
}

fn badness(core: &Core, settings: &BreakerSettings, now: time::Ticks) -> u64 {
    const CLASS: u64 = 1 << 48;
    let ago_s = u64::try_from((now - core.last_failed) / 1_000).unwrap_or(0);
    let often = u64::from(core.consecutive.min(1_000)) + 10 * u64::from(core.growth) + 1;
    let failed = often * 1_000_000 / (ago_s + 1);
    match core.stance(settings, now) {
        Stance::Closed | Stance::HalfOpen => 0,
        Stance::Resting(until) => CLASS + u64::try_from(until - now).unwrap_or(0),
        Stance::Full => 2 * CLASS + failed,
        Stance::Open(_) => 3 * CLASS + failed,
    }
}

#[cfg(test)]
mod tests;
