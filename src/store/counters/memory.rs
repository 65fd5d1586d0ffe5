//! The counters in process: for one node, and for each of many while Redis is away.
//!
//! Subjects are spread over shards, each behind a lock that is held for a few microseconds and never across an await. An admission locks
//! the shards of its subjects together, in ascending order, which is what makes it one step; no two admissions can lock each other out.
//! There are as many accounts as subjects that exist, because only those are asked about; what is idle goes in [`Memory::sweep`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};

use super::account::Account;
use super::{Ask, Check, Exceeded, MOST_SUBJECTS, Part, REMEMBERED, Reading, Seed, Times};
use crate::domain::limits::{Dimension, Subject};

const SHARDS: usize = 16;
/// Requests of a shard whose end is remembered, so that it is not counted twice.
const MOST_ENDED: usize = 8_192;

type Shard = HashMap<Subject, Account, RandomState>;

/// The counters of this process.
#[derive(Debug)]
pub struct Memory {
    shards: [Mutex<Shard>; SHARDS],
    ended: [Mutex<Ended>; SHARDS],
    hasher: RandomState,
    times: Times,
}

/// Requests that are over: settled or only released.
#[derive(Debug, Default)]
struct Ended {
    settled: HashSet<u128, RandomState>,
    released: HashSet<u128, RandomState>,
    order: VecDeque<(u128, i64)>,
}

/// The locked shards of some subjects.
struct Locked<'a>([Option<(usize, MutexGuard<'a, Shard>)>; MOST_SUBJECTS]);

// === impl Memory ===

impl Memory {
    /// Counters at zero.
    #[must_use]
    pub(super) fn new(times: Times) -> Self {
        Self {
            shards: Default::default(),
            ended: Default::default(),
            hasher: RandomState::default(),
            times,
        }
    }

    /// Checks everything, then takes all or nothing.
    ///
    /// # Errors
    /// The first limit that says no: the longest window first, money that is only reserved last.
    pub(super) fn admit(&self, ask: &Ask<'_>) -> Result<(), Exceeded> {
        let session = ask.session.unwrap_or(ask.id);
        let mut locked = self.lock(ask.checks.iter().map(|check| check.subject));
        let mut is_held = self.ended(ask.id).lock().has(ask.id);
        for check in ask.checks {
            let account = locked.account(self, check.subject);
            account.refresh(ask.now, &self.times);
            is_held |= account.holds(ask.id);
        }
        if is_held {
            return Ok(());
        }
        if let Some(exceeded) = self.judge(&mut locked, ask.checks, session, ask.now) {
            return Err(exceeded);
        }
        for check in ask.checks {
            let account = locked.account(self, check.subject);
            account.take(ask.id, session, ask.amount, ask.now, &self.times);
        }
        Ok(())
    }

    /// What would keep a request out.
    pub(super) fn peek(&self, check: &Check, session: Option<u128>, now: i64) -> Option<Exceeded> {
        let mut locked = self.lock([check.subject].into_iter());
        let account = locked.account(self, check.subject);
        account.refresh(now, &self.times);
        // A request without a session would be a new one. No session has this name: a hash would have to be zero.
        let session = session.unwrap_or(0);
        self.judge(&mut locked, std::slice::from_ref(check), session, now)
    }

    /// The first limit that says no. What lasts longest is said first.
    fn judge(
        &self,
        locked: &mut Locked<'_>,
        checks: &[Check],
        session: u128,
        now: i64,
    ) -> Option<Exceeded> {
        let mut first =
            |dimension: Dimension, says_no: &dyn Fn(&mut Account, &Check) -> Option<Exceeded>| {
                let index = dimension.index();
                let mut limited = checks.iter().filter(|check| check.limits[index].is_some());
                limited.find_map(|check| says_no(locked.account(self, check.subject), check))
            };
        let crowded = [
            Dimension::ConcurrentSessions,
            Dimension::ConcurrentRequests,
            Dimension::Rpm,
        ];
        let money = || Dimension::MONEY.into_iter().rev();
        let mut found = money().find_map(|dimension| {
            first(dimension, &|account, check| {
                account.is_spent(check, dimension, now)
            })
        });
        found = found.or_else(|| {
            crowded.into_iter().find_map(|dimension| {
                first(dimension, &|account, check| {
                    account.is_crowded(check, dimension, session, now)
                })
            })
        });
        found.or_else(|| {
            money().find_map(|dimension| {
                first(dimension, &|account, check| {
                    account.is_spoken_for(check, dimension, now)
                })
            })
        })
    }

    /// Takes without asking what Redis has admitted, and takes over what it said is spent: five numbers a subject.
    pub(super) fn mirror(&self, ask: &Ask<'_>, spent: &[i64]) {
        let session = ask.session.unwrap_or(ask.id);
        let mut locked = self.lock(ask.checks.iter().map(|check| check.subject));
        if self.ended(ask.id).lock().has(ask.id) {
            return;
        }
        for (check, spent) in ask.checks.iter().zip(spent.chunks_exact(5)) {
            let account = locked.account(self, check.subject);
            account.refresh(ask.now, &self.times);
            account.mirror(&check.windows, spent, ask.now);
            account.take(ask.id, session, ask.amount, ask.now, &self.times);
        }
    }

    /// Ends a request: it cost `spent`, or nothing was done for it. False when it had ended before.
    pub(super) fn finish(&self, id: u128, parts: &[Part], spent: Option<i64>, now: i64) -> bool {
        let mut locked = self.lock(parts.iter().map(|part| part.subject));
        if !self.ended(id).lock().mark(id, spent.is_some(), now) {
            return false;
        }
        for part in parts {
            let account = locked.account(self, part.subject);
            account.drop_hold(id, spent.is_some(), now, &self.times);
            if let Some(spent) = spent {
                account.spend(&part.windows, spent, now);
            }
        }
        true
    }

    /// What a subject uses.
    pub(super) fn read(&self, part: &Part, now: i64) -> Reading {
        self.with(part.subject, |account| {
            account.refresh(now, &self.times);
            account.read(&part.windows, now)
        })
    }

    /// Says what a subject has spent.
    pub(super) fn seed(&self, part: &Part, seed: &Seed, now: i64) {
        let entries = seed.entries(&part.windows, now);
        self.with(part.subject, |account| {
            account.seed(&part.windows, &entries, seed.is_replaced, now);
        });
    }

    /// Puts the money of a subject back to zero.
    pub(super) fn reset(&self, subject: Subject) {
        self.with(subject, Account::reset);
    }

    /// A request goes on: its lease begins anew.
    pub(super) fn renew(&self, id: u128, subjects: &[Subject], now: i64) {
        for subject in subjects {
            self.with(*subject, |account| account.renew(id, now, &self.times));
        }
    }

    /// A session is over.
    pub(super) fn end_session(&self, subject: Subject, session: u128) {
        self.with(subject, |account| account.end_session(session));
    }

    /// Forgets a subject that is gone.
    pub(super) fn forget(&self, subject: Subject) {
        self.shards[self.shard(subject)].lock().remove(&subject);
    }

    /// Takes out what is idle: lapsed holds and sessions, accounts with nothing in them, ends too old to remember.
    pub(super) fn sweep(&self, now: i64) {
        for shard in &self.shards {
            shard.lock().retain(|_, account| {
                account.refresh(now, &self.times);
                !account.is_idle(now)
            });
        }
        for ended in &self.ended {
            ended.lock().trim(now);
        }
    }

    /// Subjects with an account.
    pub(super) fn accounts(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn with<R>(&self, subject: Subject, work: impl FnOnce(&mut Account) -> R) -> R {
        let mut shard = self.shards[self.shard(subject)].lock();
        work(shard.entry(subject).or_default())
    }

    fn shard(&self, subject: Subject) -> usize {
        usize::try_from(self.hasher.hash_one(subject) >> 32).unwrap_or(0) % SHARDS
    }

    fn ended(&self, id: u128) -> &Mutex<Ended> {
        &self.ended[usize::try_from(id % SHARDS as u128).unwrap_or(0)]
    }

    fn lock(&self, subjects: impl Iterator<Item = Subject>) -> Locked<'_> {
        let mut wanted = [usize::MAX; MOST_SUBJECTS];
        for (place, subject) in wanted.iter_mut().zip(subjects) {
            *place = self.shard(subject);
        }
        wanted.sort_unstable();
        let mut before = usize::MAX;
        Locked(wanted.map(|index| {
            if index == before || index == usize::MAX {
                return None;
            }
            before = index;
            Some((index, self.shards[index].lock()))
        }))
    }
}

// === impl Locked ===

impl Locked<'_> {
    fn account(&mut self, memory: &Memory, subject: Subject) -> &mut Account {
        let index = memory.shard(subject);
        let shard = self.0.iter_mut().flatten().find(|(at, _)| *at == index);
        let (_, shard) = shard.expect("locked for this very subject");
        shard.entry(subject).or_default()
    }
}

// === impl Ended ===

impl Ended {
    fn has(&self, id: u128) -> bool {
        self.settled.contains(&id) || self.released.contains(&id)
    }

    /// Writes an end down; false when it was there. What was released may still be settled: money is what counts.
    fn mark(&mut self, id: u128, is_settled: bool, now: i64) -> bool {
        if self.settled.contains(&id) || (!is_settled && self.released.contains(&id)) {
            return false;
        }
        let ends = if is_settled {
            &mut self.settled
        } else {
            &mut self.released
        };
        ends.insert(id);
        self.order.push_back((id, now));
        self.trim(now);
        true
    }

    fn trim(&mut self, now: i64) {
        let remembered = i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX);
        while let Some((id, at)) = self.order.front().copied() {
            if self.order.len() <= MOST_ENDED && at + remembered > now {
                break;
            }
            self.order.pop_front();
            self.settled.remove(&id);
            self.released.remove(&id);
        }
    }
}
