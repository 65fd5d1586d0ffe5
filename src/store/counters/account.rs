//! All counters of one subject: the rules of admission. The same in Lua: `common.lua`, `admit.lua`, `finish.lua`.
//!
//! Money that is spoken for is not in any window: a hold's amount is in `reserved`, which counts against every window at once, and what
//! the request cost goes into the windows of the moment it is settled. So a window that ends while a request runs needs no care, and a
//! sum over usage lines by the time they were written gives the same numbers.
//!
//! A session lives as long as a request of it runs, and for the session's time after the last one that was worth something. One whose
//! requests all failed goes with the last of them, so that people who try again in an outage do not use up their sessions.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::slot::Slot;
use super::{Check, Exceeded, Reading, Times};
use crate::domain::limits::Dimension;
use crate::domain::window::{MINUTE, Windows};

type Map<V> = HashMap<u128, V, RandomState>;

/// Sessions that are kept of one subject. Names come from clients, so there must be an end to them; the one that would end first goes.
const MOST_SESSIONS: usize = 10_000;

/// The counters of a subject.
#[derive(Debug, Default)]
pub(super) struct Account {
    money: [Slot; 5],
    requests: Slot,
    reserved: i64,
    holds: Map<Hold>,
    sessions: Map<Session>,
    /// Nothing lapses before.
    next_lapse: i64,
}

#[derive(Debug)]
struct Hold {
    amount: i64,
    session: u128,
    until: i64,
}

#[derive(Debug)]
struct Session {
    until: i64,
    /// Its requests under way.
    pending: u32,
    /// A request of it was worth something.
    is_kept: bool,
}

// === impl Account ===

impl Account {
    /// Ends what a lost node has left behind, and sessions nobody used.
    pub(super) fn refresh(&mut self, now: i64, times: &Times) {
        if now < self.next_lapse {
            return;
        }
        let over: Vec<u128> = self
            .holds
            .iter()
            .filter(|(_, hold)| hold.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            self.drop_hold(id, false, now, times);
        }
        self.sessions.retain(|_, session| session.until > now);
        let holds = self.holds.values().map(|hold| hold.until);
        let sessions = self.sessions.values().map(|session| session.until);
        self.next_lapse = holds.chain(sessions).min().unwrap_or(i64::MAX);
    }

    pub(super) fn holds(&self, id: u128) -> bool {
        self.holds.contains_key(&id)
    }

    /// Whether a limit of money is reached by what was spent. [`Account::refresh`] comes first here and below.
    pub(super) fn is_spent(
        &mut self,
        check: &Check,
        dimension: Dimension,
        now: i64,
    ) -> Option<Exceeded> {
        let (limit, index) = limit_of_money(check, dimension)?;
        let span = &check.windows[index];
        let spent = self.money[index].sum(span, now);
        (spent >= limit).then(|| Exceeded {
            subject: check.subject,
            dimension,
            used: spent,
            reserved: self.reserved,
            limit,
            frees_at: self.money[index].frees(span, limit),
        })
    }

    /// Whether a limit of money is reached only by what is reserved.
    pub(super) fn is_spoken_for(
        &mut self,
        check: &Check,
        dimension: Dimension,
        now: i64,
    ) -> Option<Exceeded> {
        let (limit, index) = limit_of_money(check, dimension)?;
        let spent = self.money[index].sum(&check.windows[index], now);
        (spent.saturating_add(self.reserved) >= limit).then_some(Exceeded {
            subject: check.subject,
            dimension,
            used: spent,
            reserved: self.reserved,
            limit,
            frees_at: None,
        })
    }

    /// Whether a limit of requests or sessions is reached.
    pub(super) fn is_crowded(
        &mut self,
        check: &Check,
        dimension: Dimension,
        session: u128,
        now: i64,
    ) -> Option<Exceeded> {
        let limit = check.limits[dimension.index()]?;
        let (used, frees_at) = match dimension {
            Dimension::Rpm => {
                let used = self.requests.sum(&MINUTE, now);
                (used, self.requests.frees(&MINUTE, limit))
            }
            Dimension::ConcurrentSessions if self.sessions.contains_key(&session) => return None,
            Dimension::ConcurrentSessions => {
                let first = self.sessions.values().map(|session| session.until).min();
                (count(self.sessions.len()), first.filter(|_| limit > 0))
            }
            Dimension::ConcurrentRequests => (count(self.holds.len()), None),
            _ => return None,
        };
        (used >= limit).then_some(Exceeded {
            subject: check.subject,
            dimension,
            used,
            reserved: 0,
            limit,
            frees_at,
        })
    }

    /// Takes a place in everything.
    pub(super) fn take(&mut self, id: u128, session: u128, amount: i64, now: i64, times: &Times) {
        if self.holds(id) {
            return;
        }
        self.requests.add(&MINUTE, now, 1);
        let until = now + times.lease;
        self.reserved = self.reserved.saturating_add(amount);
        self.holds.insert(
            id,
            Hold {
                amount,
                session,
                until,
            },
        );
        if self.sessions.len() >= MOST_SESSIONS && !self.sessions.contains_key(&session) {
            let first = self
                .sessions
                .iter()
                .min_by_key(|(_, session)| session.until);
            if let Some(first) = first.map(|(name, _)| *name) {
                self.sessions.remove(&first);
            }
        }
        let entry = self.sessions.entry(session).or_insert(Session {
            until: 0,
            pending: 0,
            is_kept: false,
        });
        entry.pending += 1;
        entry.until = now + times.lease.max(times.session);
        self.next_lapse = self.next_lapse.min(until).min(entry.until);
    }

    /// Ends a hold, if it is there.
    pub(super) fn drop_hold(&mut self, id: u128, keeps: bool, now: i64, times: &Times) {
        let Some(hold) = self.holds.remove(&id) else {
            return;
        };
        self.reserved -= hold.amount;
        let Some(session) = self.sessions.get_mut(&hold.session) else {
            return;
        };
        session.pending = session.pending.saturating_sub(1);
        session.is_kept |= keeps && hold.session != id;
        if session.pending > 0 {
            return;
        }
        if session.is_kept {
            session.until = now + times.session;
            self.next_lapse = self.next_lapse.min(session.until);
        } else {
            self.sessions.remove(&hold.session);
        }
    }

    pub(super) fn spend(&mut self, windows: &Windows, amount: i64, now: i64) {
        for (slot, span) in self.money.iter_mut().zip(windows) {
            slot.add(span, now, amount);
        }
    }

    pub(super) fn renew(&mut self, id: u128, now: i64, times: &Times) {
        let Some(hold) = self.holds.get_mut(&id) else {
            return;
        };
        hold.until = now + times.lease;
        if let Some(session) = self.sessions.get_mut(&hold.session) {
            let until = now + times.lease.max(times.session);
            session.until = session.until.max(until);
        }
    }

    pub(super) fn end_session(&mut self, session: u128) {
        self.sessions.remove(&session);
    }

    pub(super) fn reset(&mut self) {
        self.money.iter_mut().for_each(Slot::wipe);
    }

    pub(super) fn seed(
        &mut self,
        windows: &Windows,
        entries: &[Vec<(i64, i64)>; 5],
        is_replaced: bool,
        now: i64,
    ) {
        for ((slot, span), entries) in self.money.iter_mut().zip(windows).zip(entries) {
            if is_replaced {
                slot.wipe();
            }
            slot.seed(span, now, entries);
        }
    }

    /// Takes over what Redis said of the five windows.
    pub(super) fn mirror(&mut self, windows: &Windows, spent: &[i64], now: i64) {
        for ((slot, span), spent) in self.money.iter_mut().zip(windows).zip(spent) {
            slot.set(span, now, *spent);
        }
    }

    pub(super) fn read(&mut self, windows: &Windows, now: i64) -> Reading {
        let mut reading = Reading {
            reserved: self.reserved,
            ..Reading::default()
        };
        reading.used[0] = self.requests.sum(&MINUTE, now);
        reading.used[1] = count(self.sessions.len());
        reading.used[2] = count(self.holds.len());
        for (index, (slot, span)) in self.money.iter_mut().zip(windows).enumerate() {
            let spent = slot.sum(span, now);
            reading.used[3 + index] = spent;
            reading.frees_at[index] = slot.frees(span, spent);
        }
        reading
    }

    /// Nothing is in it that would be missed.
    pub(super) fn is_idle(&mut self, now: i64) -> bool {
        self.requests.sum(&MINUTE, now);
        self.holds.is_empty()
            && self.sessions.is_empty()
            && self.requests.is_empty()
            && self.money.iter().all(Slot::is_empty)
    }
}

fn limit_of_money(check: &Check, dimension: Dimension) -> Option<(i64, usize)> {
    let index = dimension.index().checked_sub(Dimension::Usd5h.index())?;
    Some((check.limits[dimension.index()]?, index))
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
