//! The background task that keeps the counters of money true: made from the history at the start, whenever Redis comes back empty, and on
//! demand; kept to what is configured; and renewed for requests that run for long.
//!
//! What was settled and is not in the history yet is missing from it for a moment. So counters are only ever raised to what the
//! history says, unless what it says is different on principle: another time zone, another beginning of the day, other prices. And
//! lines that only the journal has, after a crash or a time without database, are waited for. Where counters had to be replaced, they are
//! raised a moment later to what has been written meanwhile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::time::{Instant, timeout};

use super::runtime::Stop;
use crate::domain::limits::{Party, Subject};
use crate::policy::quota::Quota;
use crate::store::counters::Counters;
use crate::store::ledger::Ledger;
use crate::store::snapshot::Snapshot;
use crate::store::spending::{self, Spender};
use crate::store::watch::Watch;

/// How often it is looked what there is to do.
const TICK: Duration = Duration::from_secs(1);
/// How often long requests are renewed: several times within their lease.
const RENEW: Duration = Duration::from_secs(4 * 60);
/// What was settled is in the history after this.
const WRITTEN: Duration = Duration::from_secs(5);
/// How long the start waits for what an earlier process left in the journal.
const JOURNAL: Duration = Duration::from_secs(10);
/// How long it is waited after the history could not be read.
const PAUSE: Duration = Duration::from_secs(10);

/// Keeps the counters of money true.
pub struct Budgets {
    quota: Arc<Quota>,
    counters: Arc<Counters>,
    config: Arc<Watch>,
    ledger: Arc<Ledger>,
    db: DatabaseConnection,
    /// Counters were replaced, by a history that lacks what was settled in the last moment.
    was_replaced: AtomicBool,
}

/// How counters are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The larger number stays.
    Raise,
    /// The history is right.
    Replace,
}

/// What is still to be done, and not before when.
struct Due {
    how: How,
    at: Instant,
}

// === impl Budgets ===

impl Budgets {
    /// Nothing is counted yet.
    pub fn new(
        quota: Arc<Quota>,
        counters: Arc<Counters>,
        config: Arc<Watch>,
        ledger: Arc<Ledger>,
        db: DatabaseConnection,
    ) -> Self {
        Self {
            quota,
            counters,
            config,
            ledger,
            db,
            was_replaced: AtomicBool::new(false),
        }
    }

    /// The counters' owner.
    pub fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// Makes all counters anew from the history, and says how many subjects have spent something.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub async fn rebuild(&self) -> Result<usize, DbErr> {
        self.make(How::Replace).await
    }

    /// What the first requests go by: what was spent, and what requests have cost. Where the history cannot be read now, that is tried
    /// again later.
    pub async fn begin(&self) -> bool {
        if !self.ledger.caught_up(JOURNAL).await {
            tracing::warn!("the journal is long: budgets are made again when the history has it");
        }
        let made = self.make(How::Raise).await;
        if let Err(error) = &made {
            tracing::error!(%error, "budgets cannot be read from the history yet");
        }
        match spending::latest(&self.db).await {
            Ok(costs) => {
                for cost in costs {
                    let model = cost.requested_model.unwrap_or_default();
                    let key = Subject::Key(cost.key_id);
                    self.quota.remember(key, &model, cost.cost);
                }
            }
            Err(error) => tracing::warn!(%error, "what requests cost lately cannot be read"),
        }
        made.is_ok()
    }

    /// Does what is to be done until told to stop. `is_begun` says whether [`Budgets::begin`] could read everything.
    pub async fn run(&self, is_begun: bool, mut stop: Stop) {
        let mut revisions = self.config.revisions();
        let mut before = self.config.current();
        let mut renewed = Instant::now();
        let mut lost = 0;
        let mut was_behind = self.ledger.is_behind();
        let mut due = (!is_begun).then(|| Due::after(How::Raise, PAUSE));
        loop {
            tokio::select! {
                // An error means that nobody is left who could say stop.
                _ = stop.wait_for(|stop| *stop) => return,
                // It cannot fail: the watch is here.
                _ = timeout(TICK, revisions.changed()) => {}
            }
            let now = self.config.current();
            if !Arc::ptr_eq(&before, &now) && self.follow(&before, &now) {
                due = Some(Due::after(How::Replace, WRITTEN));
            }
            before = now;
            if self.counters.lost() > lost {
                lost = self.counters.lost();
                due = Some(Due::after(How::Replace, WRITTEN));
            }
            if self.counters.wants_seed() && due.is_none() {
                due = Some(Due::after(How::Raise, Duration::ZERO));
            }
            let is_behind = self.ledger.is_behind();
            if std::mem::replace(&mut was_behind, is_behind) && !is_behind && due.is_none() {
                due = Some(Due::after(How::Raise, WRITTEN));
            }
            if due.is_none() && self.was_replaced.swap(false, Ordering::AcqRel) {
                due = Some(Due::after(How::Raise, WRITTEN));
            }
            let may_run = |due: &Due| {
                let is_whole = due.how == How::Raise || !is_behind;
                is_whole && due.at <= Instant::now()
            };
            if due.as_ref().is_some_and(may_run) {
                due = self.catch_up(due).await;
            }
            if renewed.elapsed() >= RENEW {
                renewed = Instant::now();
                self.quota.renew(Utc::now()).await;
            }
        }
    }

    /// Does what is due; what is left of it is tried again.
    async fn catch_up(&self, due: Option<Due>) -> Option<Due> {
        let how = due?.how;
        match self.make(how).await {
            Ok(spenders) => {
                tracing::info!(spenders, "budgets are made from the history");
                None
            }
            Err(error) => {
                tracing::error!(%error, "budgets cannot be made from the history");
                Some(Due::after(how, PAUSE))
            }
        }
    }

    /// Takes over what is configured now. Says whether the history must be read again.
    fn follow(&self, before: &Snapshot, now: &Snapshot) -> bool {
        self.quota.set_zone(now.time_zone);
        let old: HashMap<Subject, Party> = parties(before).map(|p| (p.subject, p)).collect();
        let mut is_stale = before.time_zone != now.time_zone;
        for party in parties(now) {
            let Some(old) = old.get(&party.subject) else {
                continue;
            };
            if party.limits.reset_at > old.limits.reset_at {
                self.counters.reset_here(party.subject);
            }
            is_stale |= windows_of(&party) != windows_of(old);
        }
        let kept: HashSet<Subject> = parties(now).map(|party| party.subject).collect();
        let gone = old.keys().filter(|subject| !kept.contains(subject));
        gone.for_each(|subject| self.counters.forget(*subject));
        is_stale
    }

    async fn make(&self, how: How) -> Result<usize, DbErr> {
        let now = Utc::now();
        let snapshot = self.config.current();
        let spenders: Vec<Spender> = parties(&snapshot)
            .map(|party| Spender {
                party,
                windows: self.quota.windows(&party.limits, now),
            })
            .collect();
        let seeds = spending::seeds(&self.db, &spenders, now).await?;
        let mut is_told = true;
        let mut spent = 0;
        for (spender, mut seed) in seeds {
            seed.is_replaced = how == How::Replace;
            let has_spent = seed.history.iter().flatten().any(|(_, spent)| *spent > 0);
            spent += usize::from(has_spent);
            if has_spent || seed.is_replaced {
                is_told &= self.quota.seed(&spender.party, &seed, now).await;
            }
        }
        if is_told && self.counters.wants_seed() {
            self.counters.seeded().await;
        }
        if how == How::Replace {
            self.was_replaced.store(true, Ordering::Release);
        }
        Ok(spent)
    }
}

// === impl Due ===

impl Due {
    fn after(how: How, pause: Duration) -> Self {
        Self {
            how,
            at: Instant::now() + pause,
        }
    }
}

/// Everybody whose use is counted, each once.
fn parties(snapshot: &Snapshot) -> impl Iterator<Item = Party> {
    let callers = snapshot.keys.values().flat_map(|key| key.parties.iter());
    let providers = snapshot.providers.iter();
    let all = callers.chain(providers.flat_map(|provider| provider.parties.iter()));
    let unique: HashMap<Subject, Party> = all.map(|party| (party.subject, *party)).collect();
    unique.into_values()
}

/// What decides which windows a party's money counts in.
fn windows_of(party: &Party) -> impl PartialEq {
    let limits = &party.limits;
    (limits.reset_5h, limits.reset_day, limits.day_starts)
}
