//! What callers and providers use at the moment, and the one step that lets a request in.
//!
//! [`Counters::admit`] looks at every limit of every subject of a request and takes a place in all of them or in none. The request ends in
//! [`Counters::settle`] with what it cost, or in [`Counters::release`], and either counts once. The counters live in this process, or in
//! Redis for all nodes; both keep the same rules and pass the same tests. None of it is the truth about money: that is in the usage
//! lines, from which [`Counters::seed`] makes the counters anew.
//!
//! | part | what it answers for |
//! |---|---|
//! | `slot` | one sum over a window |
//! | `account` | all counters of a subject, the rules of admission |
//! | `memory` | the accounts of this process, and admission as one step |
//! | `redis` | the same in Redis: `*.lua` |
//! | `shared` | Redis with a deadline, and this process where Redis is away |

mod account;
mod memory;
mod redis;
mod shared;
mod slot;

use std::time::Duration;

use entity::value::Secret;

use super::Stop;
use super::bus::BusError;
use crate::domain::limits::{Dimension, Subject};
use crate::domain::window::{Span, Windows, first_spend};
use memory::Memory;
use shared::Shared;

/// Subjects of one admission. What is beyond is not looked at.
pub const MOST_SUBJECTS: usize = 4;

/// How long the end of a request is remembered, so that it does not count twice.
pub const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// The counters of this process, or of all nodes.
#[derive(Debug)]
pub enum Counters {
    /// One node.
    Memory(Box<Memory>),
    /// Many nodes.
    Redis(Box<Shared>),
}

/// How the counters work.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// How long a session lives after its last request. Default 5 minutes.
    pub session_ttl: Duration,
    /// How long a request may go unrenewed before its places are taken from it, as its node is lost. Default 15 minutes.
    pub lease: Duration,
    /// The longest that Redis is waited for. Default 20 ms.
    pub deadline: Duration,
    /// What every key in Redis begins with: one a Redis for each installation. Default `switchyard`.
    pub prefix: String,
}

/// As [`Tuning`], in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    session: i64,
    lease: i64,
}

/// A request that wants to be let in. Times are milliseconds since 1970, money is nano-USD.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The request: unique, and the same in [`Counters::settle`].
    pub id: u128,
    /// The client's session; without one the request is a session of its own while it runs.
    pub session: Option<u128>,
    /// What it may cost.
    pub amount: i64,
    /// Who must have room for it, at most [`MOST_SUBJECTS`].
    pub checks: &'a [Check],
    /// Now.
    pub now: i64,
}

/// A subject, its limits and the windows its money counts in.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Who.
    pub subject: Subject,
    /// In the order of [`Dimension::ALL`].
    pub limits: [Option<i64>; 8],
    /// The windows now.
    pub windows: Windows,
}

/// A subject and the windows its money counts in.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Who.
    pub subject: Subject,
    /// The windows now.
    pub windows: Windows,
}

/// The limit that said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Whose.
    pub subject: Subject,
    /// Which.
    pub dimension: Dimension,
    /// What is used: of money, what is spent.
    pub used: i64,
    /// Of money, what requests under way may cost.
    pub reserved: i64,
    /// What is allowed.
    pub limit: i64,
    /// When there is room again if nothing more is used; none when that is not known, or never.
    pub frees_at: Option<i64>,
}

/// What a subject uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// In the order of [`Dimension::ALL`].
    pub used: [i64; 8],
    /// What requests under way may cost.
    pub reserved: i64,
    /// When something leaves each window of money: the end of a fixed one, the first bucket of a rolling one. None when nothing is in it.
    pub frees_at: [Option<i64>; 5],
}

/// What a subject has spent, from its usage lines.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// For each window, in the order of [`Dimension::MONEY`]: when and how much, in the order of time. Lines may be added up by bucket; of
    /// the total a single sum will do. What is before the window is left out here.
    pub history: [Vec<(i64, i64)>; 5],
    /// The counters are replaced: for a rebuild on demand, after prices or windows changed. What was settled and is not in the lines yet is
    /// then missing. Else the larger number of both stays: for a start beside nodes that are running.
    pub is_replaced: bool,
}

// === impl Counters ===

impl Counters {
    /// Counters of this process.
    #[must_use]
    pub fn in_process(tuning: &Tuning) -> Self {
        Self::Memory(Box::new(Memory::new(tuning.times())))
    }

    /// Counters in Redis. Answers at once; until [`Counters::run`] has found Redis, this process counts. Must be called within a runtime.
    ///
    /// # Errors
    /// When the URL is not usable.
    pub fn connect(url: &Secret, tuning: &Tuning) -> Result<Self, BusError> {
        Ok(Self::Redis(Box::new(Shared::connect(url, tuning)?)))
    }

    /// Checks every limit of every subject, then takes a place in all of them or in none. The same request twice takes one place.
    ///
    /// # Errors
    /// The limit that said no. Of several, first money that is spent, the longest window first, then sessions, requests under way and
    /// requests in a minute, then money that is only reserved.
    pub async fn admit(&self, ask: &Ask<'_>) -> Result<(), Exceeded> {
        let ask = Ask {
            checks: few(ask.checks),
            ..*ask
        };
        match self {
            Self::Memory(memory) => memory.admit(&ask),
            Self::Redis(shared) => shared.admit(&ask).await,
        }
    }

    /// The limit that would keep a request out, as this process knows it, without asking Redis and without taking anything.
    #[must_use]
    pub fn peek(&self, check: &Check, session: Option<u128>, now: i64) -> Option<Exceeded> {
        self.local().peek(check, session, now)
    }

    /// Ends a request that cost nothing. Its place in the minute stays taken. Redis learns of it from [`Counters::run`].
    pub fn release(&self, id: u128, parts: &[Part], now: i64) {
        self.finish_later(id, parts, None, now);
    }

    /// Ends a request with what it cost, in the windows of now. What is unknown, or lapsed, is charged all the same. Redis learns of it from
    /// [`Counters::run`].
    pub fn settle(&self, id: u128, parts: &[Part], spent: i64, now: i64) {
        self.finish_later(id, parts, Some(spent), now);
    }

    /// A request goes on: its lease begins anew. To be said more often than [`Tuning::lease`].
    pub async fn renew(&self, id: u128, subjects: &[Subject], now: i64) {
        match self {
            Self::Memory(memory) => memory.renew(id, subjects, now),
            Self::Redis(shared) => shared.renew(id, subjects, now).await,
        }
    }

    /// A session is over: its place is free.
    pub async fn end_session(&self, subject: Subject, session: u128, now: i64) {
        match self {
            Self::Memory(memory) => memory.end_session(subject, session),
            Self::Redis(shared) => shared.end_session(subject, session, now).await,
        }
    }

    /// What a subject uses.
    pub async fn read(&self, part: &Part, now: i64) -> Reading {
        match self {
            Self::Memory(memory) => memory.read(part, now),
            Self::Redis(shared) => shared.read(part, now).await,
        }
    }

    /// Says what a subject has spent; false when Redis did not hear of it.
    pub async fn seed(&self, part: &Part, seed: &Seed, now: i64) -> bool {
        match self {
            Self::Memory(memory) => {
                memory.seed(part, seed, now);
                true
            }
            Self::Redis(shared) => shared.seed(part, seed, now).await,
        }
    }

    /// Puts the money of a subject back to zero, for an epoch that begins now. For one in the past, seed from the lines since. What is
    /// reserved stays: it belongs to requests that are under way. Redis learns of it when it can be reached.
    pub async fn reset(&self, subject: Subject, now: i64) {
        match self {
            Self::Memory(memory) => memory.reset(subject),
            Self::Redis(shared) => shared.reset(subject, now).await,
        }
    }

    /// As [`Counters::reset`], in this process alone: another one has told Redis.
    pub fn reset_here(&self, subject: Subject) {
        self.local().reset(subject);
    }

    /// Forgets a subject that is deleted, in this process.
    pub fn forget(&self, subject: Subject) {
        self.local().forget(subject);
    }

    /// Whether Redis is the one that counts now. True in process, where there is none.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Redis(shared) => !shared.is_away(),
        }
    }

    /// Whether Redis came back empty, or was never seeded: seed every subject, then say [`Counters::seeded`].
    #[must_use]
    pub fn wants_seed(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::Redis(shared) => shared.wants_seed(),
        }
    }

    /// Every subject is seeded.
    pub async fn seeded(&self) {
        if let Self::Redis(shared) = self {
            shared.seeded().await;
        }
    }

    /// Settlements that Redis will never hear of, as too many waited for it. Not zero: seed, replacing.
    #[must_use]
    pub fn lost(&self) -> u64 {
        match self {
            Self::Memory(_) => 0,
            Self::Redis(shared) => shared.lost(),
        }
    }

    /// Subjects with counters in this process.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.local().accounts()
    }

    /// Keeps Redis in step and takes out what is idle, until stopped.
    pub async fn run(&self, mut stop: Stop) {
        match self {
            Self::Redis(shared) => shared.run(stop).await,
            Self::Memory(memory) => {
                while tokio::time::timeout(shared::SWEEP, super::stopped(&mut stop))
                    .await
                    .is_err()
                {
                    memory.sweep(chrono::Utc::now().timestamp_millis());
                }
            }
        }
    }

    /// Takes out what is idle in this process.
    pub fn sweep(&self, now: i64) {
        self.local().sweep(now);
    }

    fn local(&self) -> &Memory {
        match self {
            Self::Memory(memory) => memory,
            Self::Redis(shared) => shared.local(),
        }
    }

    fn finish_later(&self, id: u128, parts: &[Part], spent: Option<i64>, now: i64) {
        match self {
            Self::Memory(memory) => {
                memory.finish(id, few(parts), spent, now);
            }
            Self::Redis(shared) => shared.finish_later(id, few(parts), spent, now),
        }
    }
}

// === impl Tuning ===

impl Tuning {
    fn times(&self) -> Times {
        let milliseconds = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(0);
        Times {
            session: milliseconds(self.session_ttl),
            lease: milliseconds(self.lease),
        }
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            session_ttl: Duration::from_secs(300),
            lease: Duration::from_secs(15 * 60),
            deadline: Duration::from_millis(20),
            prefix: "switchyard".to_owned(),
        }
    }
}

// === impl Exceeded ===

impl Exceeded {
    /// Whether there is money left that requests under way may need: it may help to wait for them.
    #[must_use]
    pub fn is_only_reserved(&self) -> bool {
        self.dimension.is_money() && self.used < self.limit
    }
}

// === impl Part ===

impl From<&Check> for Part {
    fn from(check: &Check) -> Self {
        Self {
            subject: check.subject,
            windows: check.windows,
        }
    }
}

// === impl Seed ===

impl Seed {
    /// What a slot keeps of it: the beginning and the sum of a window, or buckets and amounts.
    fn entries(&self, windows: &Windows, now: i64) -> [Vec<(i64, i64)>; 5] {
        let mut all = <[Vec<(i64, i64)>; 5]>::default();
        for ((entries, span), history) in all.iter_mut().zip(windows).zip(&self.history) {
            let since = span.since(now);
            let live = || history.iter().copied().filter(|(at, _)| *at >= since);
            match span {
                Span::Fixed { start, .. } => entries.push((*start, live().map(|(_, a)| a).sum())),
                Span::OnSpend { length, .. } => {
                    let window = first_spend(*length, history.iter().copied());
                    entries.extend(window.filter(|(start, _)| now < start + length));
                }
                Span::Rolling { bucket, .. } => {
                    for (at, amount) in live() {
                        let number = at.div_euclid(*bucket);
                        match entries.last_mut() {
                            Some((last, sum)) if *last == number => *sum += amount,
                            _ => entries.push((number, amount)),
                        }
                    }
                }
            }
            entries.retain(|(_, amount)| *amount > 0);
        }
        all
    }
}

fn few<T>(all: &[T]) -> &[T] {
    all.get(..MOST_SUBJECTS).unwrap_or(all)
}

#[cfg(test)]
mod tests;
