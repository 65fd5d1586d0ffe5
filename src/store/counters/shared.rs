//! Redis with a deadline, and this process where Redis is away.
//!
//! This process always keeps counters of its own beside Redis: the requests it has under way, and what Redis last said is spent. So there
//! is something to go by the moment Redis does not answer. A call that is late costs its request the deadline and nothing more; after
//! three in a row, or one that finds no connection, Redis counts as away and no request asks it any more. [`Shared::run`] tries it ten
//! times a second.
//!
//! Whatever happened without Redis, and whatever Redis may or may not have heard, is written down in order and told later. That is safe
//! because every step does its work once for a request: a hold is taken once, an end is marked and counts once, and a hold that comes
//! after its end is not taken. While Redis is away, limits hold on each node for itself, from what all had spent before; when it is back
//! and all is told, the sums are whole again. Money of an outage that lasted past the end of a window may count in the window after
//! it, until the counters are next made from the usage lines.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use entity::value::Secret;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::memory::Memory;
use super::redis::{Failure, Keep, Redis};
use super::{Ask, Check, Exceeded, Part, Reading, Seed, Tuning};
use crate::domain::limits::Subject;
use crate::domain::window::Span;
use crate::store::bus::BusError;
use crate::store::{Stop, stopped};

/// How often what is idle is taken out.
pub(super) const SWEEP: Duration = Duration::from_secs(60);
/// How often Redis is tried while it is away.
const RETRY: Duration = Duration::from_millis(100);
/// Late answers in a row after which Redis is away.
const MOST_LATE: u32 = 3;
/// What is kept to be told: some minutes of a busy node.
const MOST_UNTOLD: usize = 65_536;
/// The longest that is told at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Counters of all nodes.
#[derive(Debug)]
pub struct Shared {
    redis: Redis,
    local: Memory,
    is_away: AtomicBool,
    late: AtomicU32,
    untold: Mutex<VecDeque<Step>>,
    rung: Notify,
    lost: AtomicU64,
    wants_seed: AtomicBool,
}

/// Something Redis has not heard of.
#[derive(Debug, Clone)]
enum Step {
    Take {
        id: u128,
        session: Option<u128>,
        amount: i64,
        checks: Vec<Check>,
        now: i64,
    },
    Finish {
        id: u128,
        parts: Vec<Part>,
        spent: Option<i64>,
        now: i64,
    },
    EndSession(Subject, u128, i64),
    Reset(Subject, i64),
}

// === impl Shared ===

impl Shared {
    pub(super) fn connect(url: &Secret, tuning: &Tuning) -> Result<Self, BusError> {
        Ok(Self {
            redis: Redis::connect(url, tuning)?,
            local: Memory::new(tuning.times()),
            is_away: AtomicBool::new(true),
            late: AtomicU32::new(0),
            untold: Mutex::default(),
            rung: Notify::new(),
            lost: AtomicU64::new(0),
            wants_seed: AtomicBool::new(false),
        })
    }

    pub(super) fn local(&self) -> &Memory {
        &self.local
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Acquire)
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether Redis has heard everything.
    #[cfg(test)]
    pub(super) fn is_told(&self) -> bool {
        self.untold.lock().is_empty()
    }

    pub(super) fn wants_seed(&self) -> bool {
        self.wants_seed.load(Ordering::Acquire)
    }

    pub(super) async fn seeded(&self) {
        if self.heard(self.redis.set_seeded().await).is_some() {
            self.wants_seed.store(false, Ordering::Release);
        }
    }

    pub(super) async fn admit(&self, ask: &Ask<'_>) -> Result<(), Exceeded> {
        // Who has no limit need not be asked about: Redis hears of what was spent when the request ends.
        if ask.checks.iter().all(|check| check.limits == [None; 8]) {
            return self.local.admit(ask);
        }
        let mut is_unsure = false;
        if !self.is_away() {
            match self.heard(self.redis.admit(ask).await) {
                Some(Ok(spent)) => {
                    self.local.mirror(ask, &spent);
                    return Ok(());
                }
                Some(Err(exceeded)) => return Err(exceeded),
                None => is_unsure = true,
            }
        }
        let admitted = self.local.admit(ask);
        if admitted.is_ok() {
            self.tell_later(Step::Take {
                id: ask.id,
                session: ask.session,
                amount: ask.amount,
                checks: ask.checks.to_vec(),
                now: ask.now,
            });
        } else if is_unsure {
            let parts: Vec<Part> = ask.checks.iter().map(Part::from).collect();
            self.tell_later(end_of(ask.id, &parts, None, ask.now));
        }
        admitted
    }

    pub(super) fn finish_later(&self, id: u128, parts: &[Part], spent: Option<i64>, now: i64) {
        // Redis is told even of what is not known here: it may have taken what nobody waited for.
        self.local.finish(id, parts, spent, now);
        self.tell_later(end_of(id, parts, spent, now));
    }

    pub(super) async fn renew(&self, id: u128, subjects: &[Subject], now: i64) {
        self.local.renew(id, subjects, now);
        for subject in subjects {
            self.keep(Keep::Renew, *subject, id, now).await;
        }
    }

    pub(super) async fn end_session(&self, subject: Subject, session: u128, now: i64) {
        self.local.end_session(subject, session);
        if !self.keep(Keep::End, subject, session, now).await {
            self.tell_later(Step::EndSession(subject, session, now));
        }
    }

    pub(super) async fn read(&self, part: &Part, now: i64) -> Reading {
        if !self.is_away()
            && let Some(reading) = self.heard(self.redis.read(part, now).await)
        {
            return reading;
        }
        self.local.read(part, now)
    }

    pub(super) async fn seed(&self, part: &Part, seed: &Seed, now: i64) -> bool {
        self.local.seed(part, seed, now);
        !self.is_away() && self.heard(self.redis.seed(part, seed, now).await).is_some()
    }

    pub(super) async fn reset(&self, subject: Subject, now: i64) {
        self.local.reset(subject);
        let (part, seed) = nothing(subject);
        let is_told = !self.is_away()
            && self
                .heard(self.redis.seed(&part, &seed, now).await)
                .is_some();
        if !is_told {
            self.tell_later(Step::Reset(subject, now));
        }
    }

    /// Tells Redis what it has not heard, finds it again, and takes out what is idle, until stopped.
    pub(super) async fn run(&self, mut stop: Stop) {
        let mut swept = Instant::now();
        loop {
            let is_told = if self.is_away() {
                self.find().await
            } else {
                self.tell().await
            };
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                self.local.sweep(chrono::Utc::now().timestamp_millis());
            }
            tokio::select! {
                () = stopped(&mut stop) => break,
                () = self.rung.notified(), if is_told => {}
                () = tokio::time::sleep(if is_told { SWEEP } else { RETRY }) => {}
            }
        }
        if !self.is_away() {
            // What is still untold is in the usage lines, and its holds lapse.
            let _ = timeout(LAST_WORDS, self.tell()).await;
        }
        self.redis.quit().await;
    }

    /// Whether Redis is back. It counts again when it has heard everything.
    async fn find(&self) -> bool {
        let Ok(is_seeded) = self.redis.is_seeded().await else {
            return false;
        };
        let untold = self.untold.lock().len();
        if !self.tell().await {
            return false;
        }
        self.wants_seed.store(!is_seeded, Ordering::Release);
        self.late.store(0, Ordering::Relaxed);
        self.is_away.store(false, Ordering::Release);
        tracing::info!(untold, "Redis keeps the counters");
        true
    }

    /// Tells everything in order; false when Redis did not hear all of it. Only [`Shared::run`] is ever here.
    async fn tell(&self) -> bool {
        loop {
            let Some(step) = self.untold.lock().front().cloned() else {
                return true;
            };
            if self.heard(self.say(&step).await).is_none() {
                return false;
            }
            self.untold.lock().pop_front();
        }
    }

    async fn say(&self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Take {
                id,
                session,
                amount,
                checks,
                now,
            } => {
                // It is admitted already.
                let mut checks = checks.clone();
                checks.iter_mut().for_each(|check| check.limits = [None; 8]);
                let ask = Ask {
                    id: *id,
                    session: *session,
                    amount: *amount,
                    checks: &checks,
                    now: *now,
                };
                self.redis.admit(&ask).await.map(drop)
            }
            Step::Finish {
                id,
                parts,
                spent,
                now,
            } => self.redis.finish(*id, parts, *spent, *now).await,
            Step::EndSession(subject, session, now) => {
                self.redis.keep(Keep::End, *subject, *session, *now).await
            }
            Step::Reset(subject, now) => {
                let (part, seed) = nothing(*subject);
                self.redis.seed(&part, &seed, *now).await
            }
        }
    }

    async fn keep(&self, what: Keep, subject: Subject, name: u128, now: i64) -> bool {
        !self.is_away()
            && self
                .heard(self.redis.keep(what, subject, name, now).await)
                .is_some()
    }

    fn tell_later(&self, step: Step) {
        let mut untold = self.untold.lock();
        let has_room = untold.len() < MOST_UNTOLD;
        if has_room {
            untold.push_back(step);
        }
        drop(untold);
        if has_room {
            self.rung.notify_one();
        } else if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!("too much waits for Redis, the counters must be made anew");
        }
    }

    /// The answer, or none after it was noted that there was none.
    fn heard<T>(&self, answer: Result<T, Failure>) -> Option<T> {
        let failure = match answer {
            Ok(answer) => {
                self.late.store(0, Ordering::Relaxed);
                return Some(answer);
            }
            Err(failure) => failure,
        };
        let late = self.late.fetch_add(1, Ordering::Relaxed) + 1;
        let is_gone = !matches!(failure, Failure::Late) || late >= MOST_LATE;
        if is_gone && !self.is_away.swap(true, Ordering::AcqRel) {
            tracing::warn!(error = %failure, "Redis is away, each node counts for itself");
            self.rung.notify_one();
        }
        None
    }
}

fn end_of(id: u128, parts: &[Part], spent: Option<i64>, now: i64) -> Step {
    Step::Finish {
        id,
        parts: parts.to_vec(),
        spent,
        now,
    }
}

/// A subject with nothing spent, to reset it.
fn nothing(subject: Subject) -> (Part, Seed) {
    let never = Span::Fixed {
        tag: 0,
        start: 0,
        end: None,
    };
    let part = Part {
        subject,
        windows: [never; 5],
    };
    let seed = Seed {
        is_replaced: true,
        ..Seed::default()
    };
    (part, seed)
}
