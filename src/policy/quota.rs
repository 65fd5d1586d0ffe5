//! Whether a request may be made at all, and what it takes up while it runs.
//!
//! What a request costs is known when it has ended. Until then its budget has to be held by an estimate, and an estimate that is too
//! small lets sixty-four agents run past a budget together, one that is too large keeps people from money they have. The rules:
//!
//! 1. A request is admitted while what is spent and what is reserved by others is *below* the limit; its own reservation is not asked for. So
//!    as long as there is money, one request may always run.
//! 2. The reservation is what the same key's requests to the same model have cost lately: `estimate.rs`.
//! 3. A request about which nothing is known reserves a quarter of the smallest limit, and no more than twenty dollars. So four of them run
//!    at once until the first has told what they cost, and more only beside a budget that has twenty dollars for each.
//! 4. A request that is kept out only by reservations waits, for [`PATIENCE`] at most, for one of them to end. Only money that is spent
//!    refuses at once. Who has waited in vain is told to try again soon, not that the budget is used up.
//!
//! What follows. Let the last request be admitted: before it, spent and reserved were below the limit. If no request costs more than was
//! reserved for it, then what the others cost in the end is below the limit too, and all of them together are below the limit and
//! one request: **the budget is overrun by less than one request's worth**. Each that costs more than its reservation adds the
//! difference, once, because the estimate then rises. For requests about which nothing is known the same holds as long as none costs more than
//! a quarter of the limit, or twenty dollars; if they do, no more run before that is known than the limit has quarters, or twenty
//! dollars, in it. Sixty-four at once against a budget for ten: four start, the first cost is known, and from then on as many run as
//! the budget has left; ten pass, or eleven when the cost is not quite what it was. Without Redis, or with it away, this holds on every
//! node for itself.

mod calendar;
mod estimate;
mod live;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::value::Limits;
use foldhash::fast::FixedState;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::domain::limits::{Dimension, Party, Refused, Subject};
use crate::domain::window::Windows;
use crate::store::counters::{self, Check, Counters, Exceeded, Part, Reading};
use calendar::Calendar;
use estimate::{Estimates, Model};
use live::Live;

/// How long a request waits for money that others have reserved.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The most that is reserved for a request about which nothing is known: 20 USD, more than a million tokens of context cost.
const MOST_UNKNOWN: i64 = 20_000_000_000;
/// The part of the smallest limit that is reserved for such a request.
const UNKNOWN_PART: i64 = 4;
/// Requests of a node that wait.
const MOST_WAITING: usize = 1_024;
/// Waiters look themselves this often, for what ends on other nodes and for leases that lapse.
const LOOK: Duration = Duration::from_millis(500);
/// When to try again where money is only reserved.
const RETRY_RESERVED: Duration = Duration::from_secs(5);
/// When to try again where too many requests run.
const RETRY_REQUESTS: Duration = Duration::from_secs(2);
/// A session may end sooner than it must.
const RETRY_SESSIONS: Duration = Duration::from_secs(30);
const BELLS: usize = 64;

/// Admission by limits.
#[derive(Debug)]
pub struct Quota {
    counters: Arc<Counters>,
    /// Whether limits keep anybody out; what is used is counted either way.
    is_enforced: bool,
    calendar: Calendar,
    estimates: Estimates,
    bells: [Notify; BELLS],
    waiting: Semaphore,
    live: Live,
}

/// A request, or an attempt, that wants to be admitted.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The request, or the attempt.
    pub id: Uuid,
    /// Who must have room for it: key and user for a request, the provider for an attempt. The first one's history says what it may cost.
    pub parties: Arc<[Party]>,
    /// The model it asks for.
    pub model: &'a str,
    /// The client's session.
    pub session: Option<Session>,
    /// Whether it may wait for money that is only reserved. An attempt goes to another provider instead.
    pub may_wait: bool,
}

/// The number by which a session is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session(u128);

/// What an admitted request takes up. Dropped without [`Reservation::settle_now`], it is given back: the request cost nothing.
#[derive(Debug)]
#[must_use = "what is reserved is given back when this is dropped"]
pub struct Reservation {
    quota: Arc<Quota>,
    id: u128,
    parties: Arc<[Party]>,
    model: Model,
    amount: i64,
    wall: DateTime<Utc>,
    at: Instant,
    /// Neither settled nor refused.
    is_open: bool,
    /// It never held anything.
    is_refused: bool,
}

// === impl Quota ===

impl Quota {
    /// Admission by these counters, in the system's time zone. Where limits are not enforced, all are let in and counted.
    #[must_use]
    pub fn new(counters: Arc<Counters>, zone: Tz, is_enforced: bool) -> Arc<Self> {
        Arc::new(Self {
            counters,
            is_enforced,
            calendar: Calendar::new(zone),
            estimates: Estimates::default(),
            bells: [const { Notify::const_new() }; BELLS],
            waiting: Semaphore::new(MOST_WAITING),
            live: Live::default(),
        })
    }

    /// The system's time zone changed. Days, weeks and months then begin elsewhere: seed, replacing.
    pub fn set_zone(&self, zone: Tz) {
        self.calendar.set_zone(zone);
    }

    /// Lets a request in, or says which limit keeps it out. May wait, see [`Wanted::may_wait`]; may be dropped while it does.
    ///
    /// # Errors
    /// The limit.
    pub async fn admit(
        self: &Arc<Self>,
        wanted: &Wanted<'_>,
        now: DateTime<Utc>,
    ) -> Result<Reservation, Refused> {
        let began = Instant::now();
        let exceeded = match self.try_admit(wanted, 0, now).await {
            Ok(reservation) => return Ok(reservation),
            Err(exceeded) => exceeded,
        };
        if !exceeded.is_only_reserved() || !wanted.may_wait {
            return Err(refused(&exceeded, now));
        }
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(refused(&exceeded, now));
        };
        self.wait(wanted, began, now).await
    }

    /// Tries again each time something ends, until there is room or nothing helps.
    async fn wait(
        self: &Arc<Self>,
        wanted: &Wanted<'_>,
        began: Instant,
        now: DateTime<Utc>,
    ) -> Result<Reservation, Refused> {
        let mut attempt = 1;
        loop {
            let freed = self.bell(&wanted.parties).notified();
            tokio::pin!(freed);
            // What ends between the answer and the waiting must wake us too.
            freed.as_mut().enable();
            let at = now + began.elapsed();
            let exceeded = match self.try_admit(wanted, attempt, at).await {
                Ok(reservation) => return Ok(reservation),
                Err(exceeded) => exceeded,
            };
            if !exceeded.is_only_reserved() || began.elapsed() >= PATIENCE {
                return Err(refused(&exceeded, at));
            }
            let until = (Instant::now() + LOOK).min(began + PATIENCE);
            let _ = timeout_at(until, freed).await;
            attempt += 1;
        }
    }

    /// Whether a limit would keep a request of `session` from a subject, as this node knows it: for choosing among providers.
    pub fn hindrance(
        &self,
        party: &Party,
        session: Option<Session>,
        now: DateTime<Utc>,
    ) -> Option<Refused> {
        let check = self.check(party, now);
        let session = session.map(|session| session.0);
        let found = self.counters.peek(&check, session, now.timestamp_millis());
        found.map(|exceeded| refused(&exceeded, now))
    }

    /// A session is over: its places at these are free. What of it still runs counts as requests, until it ends.
    pub async fn end_session(&self, subjects: &[Subject], session: Session, now: DateTime<Utc>) {
        for subject in subjects {
            let counters = &self.counters;
            counters
                .end_session(*subject, session.0, now.timestamp_millis())
                .await;
        }
    }

    /// What a request cost that ran before this process did, so that its successors need not begin with nothing known. The oldest first.
    pub fn remember(&self, subject: Subject, model: &str, cost: i64) {
        let model = self.estimates.model(model);
        self.estimates.learn(subject, model, cost);
    }

    /// What a subject uses.
    pub async fn read(&self, party: &Party, now: DateTime<Utc>) -> Reading {
        let part = self.part(party, now);
        self.counters.read(&part, now.timestamp_millis()).await
    }

    /// The windows of a subject now: for sums over usage lines, and to say when they end.
    pub fn windows(&self, limits: &Limits, now: DateTime<Utc>) -> Windows {
        self.calendar.windows(limits, now)
    }

    /// Says what a subject has spent; false when Redis did not hear of it.
    pub async fn seed(&self, party: &Party, seed: &counters::Seed, now: DateTime<Utc>) -> bool {
        let part = self.part(party, now);
        let is_told = self
            .counters
            .seed(&part, seed, now.timestamp_millis())
            .await;
        self.ring_all();
        is_told
    }

    /// Puts the money of a subject back to zero.
    pub async fn reset(&self, subject: Subject, now: DateTime<Utc>) {
        self.counters.reset(subject, now.timestamp_millis()).await;
        self.ring_all();
    }

    /// Renews the leases of all requests under way. To be called every few minutes.
    pub async fn renew(&self, now: DateTime<Utc>) {
        for (id, parties) in self.live.all() {
            let subjects: Vec<Subject> = parties.iter().map(|party| party.subject).collect();
            self.counters
                .renew(id, &subjects, now.timestamp_millis())
                .await;
        }
    }

    /// Requests under way on this node.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.len()
    }

    async fn try_admit(
        self: &Arc<Self>,
        wanted: &Wanted<'_>,
        attempt: u128,
        now: DateTime<Utc>,
    ) -> Result<Reservation, Exceeded> {
        let checks: Vec<Check> = wanted
            .parties
            .iter()
            .map(|party| self.check(party, now))
            .collect();
        let model = self.estimates.model(wanted.model);
        let amount = self.estimate(wanted, model);
        // Each try is a request of its own to the counters: what became of the one before may not be certain.
        let id = wanted.id.as_u128().wrapping_add(attempt);
        let mut reservation = Reservation {
            quota: Arc::clone(self),
            id,
            parties: Arc::clone(&wanted.parties),
            model,
            amount,
            wall: now,
            at: Instant::now(),
            is_open: true,
            is_refused: false,
        };
        let ask = counters::Ask {
            id,
            session: wanted.session.map(|session| session.0),
            amount,
            checks: &checks,
            now: now.timestamp_millis(),
        };
        match self.counters.admit(&ask).await {
            Ok(()) => {
                self.live.insert(id, Arc::clone(&wanted.parties));
                Ok(reservation)
            }
            Err(exceeded) => {
                reservation.is_refused = true;
                Err(exceeded)
            }
        }
    }

    /// Where no limit is of money there is nothing to be reserved from.
    fn estimate(&self, wanted: &Wanted<'_>, model: Model) -> i64 {
        let limits = wanted.parties.iter();
        let Some(least) = limits.filter_map(Party::least_money).min() else {
            return 0;
        };
        let first = wanted.parties.first().map(|party| party.subject);
        let known = first.and_then(|subject| self.estimates.of(subject, model));
        known.unwrap_or_else(|| (least / UNKNOWN_PART).clamp(1, MOST_UNKNOWN))
    }

    fn check(&self, party: &Party, now: DateTime<Utc>) -> Check {
        Check {
            subject: party.subject,
            limits: if self.is_enforced {
                party.all()
            } else {
                [None; 8]
            },
            windows: self.calendar.windows(&party.limits, now),
        }
    }

    fn part(&self, party: &Party, now: DateTime<Utc>) -> Part {
        Part {
            subject: party.subject,
            windows: self.calendar.windows(&party.limits, now),
        }
    }

    fn parts(&self, parties: &[Party], now: DateTime<Utc>) -> Vec<Part> {
        parties.iter().map(|party| self.part(party, now)).collect()
    }

    /// The bell of a user, which all of the user's keys share; of a provider, where there is no user.
    fn bell(&self, parties: &[Party]) -> &Notify {
        let user = parties
            .iter()
            .find(|party| matches!(party.subject, Subject::User(_)));
        let subject = user.or(parties.first()).map(|party| party.subject);
        let hash = FixedState::default().hash_one(subject);
        &self.bells[usize::try_from(hash % BELLS as u64).unwrap_or(0)]
    }

    /// Wakes who waits for what these had. Nearly always that is nobody, which is seen without the bell's lock: who waits took its place before
    /// it last asked the counters, and what it asked them for was given back before this.
    fn ring(&self, parties: &[Party]) {
        if self.waiting.available_permits() < MOST_WAITING {
            self.bell(parties).notify_waiters();
        }
    }

    fn ring_all(&self) {
        self.bells.iter().for_each(Notify::notify_waiters);
    }
}

// === impl Session ===

impl Session {
    /// Of a text that a client chose: a number that cannot be aimed at another one's.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let hash = digest(&SHA256, name.as_bytes());
        let bytes = hash.as_ref().iter().take(16);
        Self(bytes.fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }
}

// === impl Reservation ===

impl Reservation {
    /// The request cost `spent` nano-USD: that takes the place of what was reserved, in the windows of `now`, and is learnt from. Nothing is
    /// awaited: other nodes learn of it a moment later. None where the upstream has not said what was used: that counts as nothing, and
    /// says nothing about what the next one costs.
    pub fn settle_now(mut self, spent: Option<i64>, now: DateTime<Utc>) {
        let spent = spent.map(|spent| spent.max(0));
        let parts = self.close(spent, now);
        let spent = spent.unwrap_or(0);
        let counters = &self.quota.counters;
        counters.settle(self.id, &parts, spent, now.timestamp_millis());
    }

    fn close(&mut self, spent: Option<i64>, now: DateTime<Utc>) -> Vec<Part> {
        if let (Some(first), Some(spent)) = (self.parties.first(), spent) {
            let estimates = &self.quota.estimates;
            estimates.learn(first.subject, self.model, spent);
        }
        self.is_open = false;
        self.quota.parts(&self.parties, now)
    }

    /// What is reserved, in nano-USD.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.amount
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.is_refused {
            // Nothing was taken, and who rang would wake all who wait, each of whom would ring.
            return;
        }
        self.quota.live.remove(self.id);
        if self.is_open {
            let now = self.wall + self.at.elapsed();
            let parts = self.quota.parts(&self.parties, now);
            let counters = &self.quota.counters;
            counters.release(self.id, &parts, now.timestamp_millis());
        }
        self.quota.ring(&self.parties);
    }
}

fn refused(exceeded: &Exceeded, now: DateTime<Utc>) -> Refused {
    let resets_at = exceeded.frees_at.and_then(DateTime::from_timestamp_millis);
    let wait = || {
        let wait = resets_at.map(|at| (at - now).to_std().unwrap_or_default());
        wait.map(|wait| wait.max(Duration::from_secs(1)))
    };
    let retry_after = match exceeded.dimension {
        _ if exceeded.is_only_reserved() => Some(RETRY_RESERVED),
        Dimension::Rpm => wait(),
        Dimension::ConcurrentSessions => wait().map(|wait| wait.min(RETRY_SESSIONS)),
        Dimension::ConcurrentRequests => (exceeded.limit > 0).then_some(RETRY_REQUESTS),
        _ => None,
    };
    Refused {
        subject: exceeded.subject,
        dimension: exceeded.dimension,
        current: exceeded.used,
        limit: exceeded.limit,
        resets_at,
        retry_after,
    }
}

#[cfg(test)]
mod tests;
