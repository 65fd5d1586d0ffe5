//! One breaker: the states of one scope and what moves it between them. Its owner holds the lock and hands in the time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use entity::value::BreakerSettings;

use super::failure::Seen;
use super::time::{Ticks, span};
use super::window::Window;

/// Failures kept for people.
pub(super) const SAMPLES: usize = 10;
/// Requests in the last minute from which on their share of failures counts.
const ENOUGH: u64 = 20;
/// How often in a row the open time doubles: 16 times the first.
const MOST_GROWTH: u32 = 4;

/// Counts what happens to all breakers of a process, so that of any two events it is known which came first.
#[derive(Debug, Default)]
pub(super) struct Sequence(AtomicU64);

/// One breaker.
#[derive(Debug, Clone)]
pub(super) struct Core {
    pub(super) phase: Phase,
    /// When the phase began.
    pub(super) since: Ticks,
    pub(super) reason: String,
    pub(super) consecutive: u32,
    pub(super) opened: u32,
    /// How often the open time has doubled.
    pub(super) growth: u32,
    pub(super) last_open: Ticks,
    pub(super) last_failed: Ticks,
    pub(super) rest: Option<Pause>,
    pub(super) advice: Option<Pause>,
    pub(super) samples: VecDeque<Seen>,
    /// When it was last changed in a way that is worth keeping; 0 as long as it was not.
    pub(super) version: u64,
    /// Requests under way that hold a place.
    trials: u32,
    window: Window,
    /// When it was made, and when its phase last changed. What was admitted before says nothing about the phase.
    birth: u64,
    epoch: u64,
}

/// The states that are more than a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    Open { until: Ticks },
    HalfOpen { successes: u32 },
}

/// Something that ends by itself.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    pub(super) since: Ticks,
    pub(super) until: Ticks,
    pub(super) reason: String,
}

/// Whether something may be asked, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stance {
    Closed,
    HalfOpen,
    Resting(Ticks),
    Full,
    Open(Ticks),
}

/// A change worth a line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    Opened { reason: String, for_ms: Ticks },
    Closed,
}

/// How a request was admitted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    /// The sequence's number then.
    pub(super) admitted: u64,
    /// Whether it holds a place.
    pub(super) has_place: bool,
}

// === impl Sequence ===

impl Sequence {
    pub(super) fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::AcqRel) + 1
    }
}

// === impl Core ===

impl Core {
    pub(super) fn new(sequence: &Sequence, now: Ticks) -> Self {
        Self {
            phase: Phase::Closed,
            since: now,
            reason: String::new(),
            consecutive: 0,
            opened: 0,
            growth: 0,
            last_open: 0,
            last_failed: now,
            rest: None,
            advice: None,
            samples: VecDeque::new(),
            version: 0,
            trials: 0,
            window: Window::default(),
            birth: sequence.next(),
            epoch: 0,
        }
    }

    /// Whether anything but "may be asked" can come of looking at it.
    pub(super) fn is_troubled(&self) -> bool {
        self.phase != Phase::Closed || self.rest.is_some() || self.advice.is_some()
    }

    /// Whether it has nothing to tell yet.
    pub(super) fn is_new(&self) -> bool {
        self.samples.is_empty() && self.version == 0 && !self.is_troubled()
    }

    /// What was admitted before now no longer counts.
    pub(super) fn begin_anew(&mut self, sequence: &Sequence) {
        self.epoch = sequence.next();
    }

    /// Whether a request is on trial in it: it must not be forgotten meanwhile.
    pub(super) fn is_tried(&self) -> bool {
        self.trials > 0
    }

    pub(super) fn stance(&self, settings: &BreakerSettings, now: Ticks) -> Stance {
        if settings.failure_threshold == 0 {
            return Stance::Closed;
        }
        let trial = |places| {
            if self.trials < places {
                Stance::HalfOpen
            } else {
                Stance::Full
            }
        };
        let by_phase = match self.phase {
            Phase::Open { until } if until > now => Stance::Open(until),
            Phase::Open { .. } | Phase::HalfOpen { .. } => trial(places(settings)),
            Phase::Closed if pending(self.advice.as_ref(), now).is_some() => trial(1),
            Phase::Closed => Stance::Closed,
        };
        let by_rest = pending(self.rest.as_ref(), now)
            .map_or(Stance::Closed, |rest| Stance::Resting(rest.until));
        by_phase.max(by_rest)
    }

    /// Whether a request may pass, and whether it must hold a place then.
    pub(super) fn admits(
        &self,
        settings: &BreakerSettings,
        now: Ticks,
        is_forced: bool,
    ) -> Option<bool> {
        match self.stance(settings, now) {
            Stance::Closed => Some(false),
            Stance::HalfOpen => Some(true),
            Stance::Resting(_) | Stance::Open(_) => (is_forced && self.trials == 0).then_some(true),
            Stance::Full => None,
        }
    }

    /// A request takes a place.
    pub(super) fn enter(&mut self, sequence: &Sequence, now: Ticks) {
        self.trials += 1;
        if matches!(self.phase, Phase::Open { until } if until <= now) {
            self.phase = Phase::HalfOpen { successes: 0 };
            self.since = now;
            self.version = sequence.next();
        }
    }

    /// A request gives its place back.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        if ticket.has_place && ticket.admitted >= self.birth {
            self.trials = self.trials.saturating_sub(1);
        }
    }

    /// A request came to a good end.
    pub(super) fn success(
        &mut self,
        ticket: Ticket,
        settings: &BreakerSettings,
        sequence: &Sequence,
        now: Ticks,
    ) -> Option<Turn> {
        self.leave(ticket);
        if ticket.admitted < self.epoch {
            return None;
        }
        self.window.add(false, now);
        self.consecutive = 0;
        // No news to others: whoever gave the advice knows better how it stands there.
        self.advice = None;
        if ticket.has_place && self.rest.take().is_some() {
            self.version = sequence.next();
        }
        let successes = match self.phase {
            Phase::Closed => return None,
            Phase::Open { .. } => 1,
            Phase::HalfOpen { successes } => successes + 1,
        };
        if successes >= places(settings) {
            self.close(sequence, now);
            return Some(Turn::Closed);
        }
        if matches!(self.phase, Phase::Open { .. }) {
            self.since = now;
        }
        self.phase = Phase::HalfOpen { successes };
        self.version = sequence.next();
        None
    }

    /// A request failed through this scope's fault.
    pub(super) fn failure(
        &mut self,
        ticket: Ticket,
        seen: Seen,
        settings: &BreakerSettings,
        sequence: &Sequence,
        now: Ticks,
    ) -> Option<Turn> {
        self.leave(ticket);
        let last = seen.words();
        self.keep(seen, now);
        let is_stale = ticket.admitted < self.epoch;
        if is_stale || settings.failure_threshold == 0 {
            return None;
        }
        self.window.add(true, now);
        self.consecutive = self.consecutive.saturating_add(1);
        let why = match self.phase {
            // The last resort failed too. That it stays open is known, and its time is not put off.
            Phase::Open { until } if until > now => {
                self.version = sequence.next();
                return None;
            }
            Phase::Open { .. } | Phase::HalfOpen { .. } => "a request on trial failed".to_owned(),
            Phase::Closed => self.too_much(settings, now)?,
        };
        Some(self.open(format!("{why} ({last})"), settings, sequence, now))
    }

    /// A request was turned away until later.
    pub(super) fn pause(
        &mut self,
        ticket: Ticket,
        seen: Seen,
        rest: Ticks,
        settings: &BreakerSettings,
        sequence: &Sequence,
        now: Ticks,
    ) {
        self.leave(ticket);
        let last = seen.words();
        self.keep(seen, now);
        let until = now.saturating_add(rest);
        if settings.failure_threshold == 0 || self.rest.as_ref().is_some_and(|r| r.until >= until) {
            return;
        }
        let seconds = (rest + 999) / 1_000;
        self.rest = Some(Pause {
            since: now,
            until,
            reason: format!("it asked to be left alone for {seconds} s ({last})"),
        });
        self.version = sequence.next();
    }

    /// Another node says that it is open there. Own knowledge is better.
    pub(super) fn advise(&mut self, advice: Pause, sequence: &Sequence) {
        if self.phase == Phase::Closed {
            self.advice = Some(advice);
            self.epoch = sequence.next();
        }
    }

    /// Forgets rest and advice that are over.
    pub(super) fn tidy(&mut self, now: Ticks) {
        self.rest.take_if(|rest| rest.until <= now);
        self.advice.take_if(|advice| advice.until <= now);
    }

    /// Lets everything pass from now on.
    pub(super) fn close(&mut self, sequence: &Sequence, now: Ticks) {
        self.phase = Phase::Closed;
        self.since = now;
        self.consecutive = 0;
        self.rest = None;
        self.advice = None;
        self.window.clear();
        self.version = sequence.next();
        self.epoch = self.version;
    }

    /// As if nothing had ever been, but for the requests that hold a place.
    pub(super) fn blank(&mut self, sequence: &Sequence, now: Ticks) {
        *self = Self {
            trials: self.trials,
            birth: self.birth,
            epoch: sequence.next(),
            ..Self::new(sequence, now)
        };
    }

    fn keep(&mut self, seen: Seen, now: Ticks) {
        if self.samples.len() >= SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(seen);
        self.last_failed = now;
    }

    /// Why a closed one opens now, if it does.
    fn too_much(&self, settings: &BreakerSettings, now: Ticks) -> Option<String> {
        if pending(self.advice.as_ref(), now).is_some() {
            return Some("another node had opened it and the first request here failed".to_owned());
        }
        if self.consecutive >= settings.failure_threshold {
            return Some(format!("{} failures in a row", self.consecutive));
        }
        let (requests, failures) = self.window.sum(now);
        let percent = u64::from(settings.failure_percent);
        let is_often = percent > 0 && requests >= ENOUGH && failures * 100 >= requests * percent;
        is_often.then(|| format!("{failures} of the last minute's {requests} requests failed"))
    }

    fn open(
        &mut self,
        reason: String,
        settings: &BreakerSettings,
        sequence: &Sequence,
        now: Ticks,
    ) -> Turn {
        let was_closed_for_long =
            self.phase == Phase::Closed && now.saturating_sub(self.since) >= self.last_open;
        self.growth = if self.opened == 0 || was_closed_for_long {
            0
        } else {
            (self.growth + 1).min(MOST_GROWTH)
        };
        self.last_open = first_open(settings) << self.growth;
        self.phase = Phase::Open {
            until: now.saturating_add(self.last_open),
        };
        self.since = now;
        self.opened = self.opened.saturating_add(1);
        self.advice = None;
        self.window.clear();
        self.reason.clone_from(&reason);
        self.version = sequence.next();
        self.epoch = self.version;
        Turn::Opened {
            reason,
            for_ms: self.last_open,
        }
    }
}

/// Places on trial, and successes in a row that close.
fn places(settings: &BreakerSettings) -> u32 {
    settings.half_open_successes.max(1)
}

fn first_open(settings: &BreakerSettings) -> Ticks {
    span(Duration::from_secs(settings.open_seconds.max(1).into()))
}

pub(super) fn pending(pause: Option<&Pause>, now: Ticks) -> Option<&Pause> {
    pause.filter(|pause| pause.until > now)
}
