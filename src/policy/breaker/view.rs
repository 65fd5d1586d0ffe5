//! What people are shown of a breaker.

use std::time::Instant;

use chrono::{DateTime, Utc};

use super::core::{Core, Phase, pending};
use super::scope::Scope;
use super::time::{Base, Moment};
use crate::domain::fault::Fault;

/// Whether something may be asked. Ordered from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It may be asked.
    Closed,
    /// It is on trial, and a place is free: it may be asked.
    HalfOpen,
    /// It asked to be left alone for a while: only when there is nothing better.
    Resting {
        /// Until when.
        until: Instant,
    },
    /// It is on trial, and all places are taken.
    HalfOpenFull,
    /// It failed too often.
    Open {
        /// When it goes on trial.
        until: Instant,
    },
}

/// A breaker, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What it stands for.
    pub scope: Scope,
    /// Its state.
    pub state: State,
    /// Why it is in this state, in words; empty when it is closed and nothing ever opened it.
    pub reason: String,
    /// Since when it is in this state.
    pub since: DateTime<Utc>,
    /// When an open one goes on trial, a resting one comes back, or another node's advice ends.
    pub until: Option<DateTime<Utc>>,
    /// Failures since the last success.
    pub consecutive_failures: u32,
    /// How often it has opened.
    pub opened: u32,
    /// The last failures, the oldest first; ten at most.
    pub samples: Vec<Sample>,
    /// Whether it is on trial only because another node says that it is open there.
    pub is_advice: bool,
}

/// The states, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All requests pass.
    Closed,
    /// None passes.
    Open,
    /// A few pass, to see whether it works again.
    HalfOpen,
    /// It asked to be left alone for a while, and is, as long as there is another.
    Resting,
}

/// A failure that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose fault.
    pub fault: Fault,
    /// The upstream's status, where there was one.
    pub status: Option<u16>,
    /// The beginning of what went wrong, in words.
    pub message: String,
}

// === impl Standing ===

impl Standing {
    /// Whether a request may be sent in the ordinary way.
    #[must_use]
    pub fn admits(self) -> bool {
        matches!(self, Self::Closed | Self::HalfOpen)
    }
}

// === impl View ===

impl View {
    pub(super) fn of(scope: Scope, core: &Core, base: Base, moment: Moment) -> Self {
        let now = base.ticks(moment.at);
        let rest = pending(core.rest.as_ref(), now);
        let advice = pending(core.advice.as_ref(), now);
        let pause = rest.or(advice);
        let (state, since, until, reason) = match (core.phase, pause) {
            (Phase::Open { until }, _) if until > now => {
                (State::Open, core.since, Some(until), &core.reason)
            }
            (_, Some(pause)) => {
                let state = if rest.is_some() {
                    State::Resting
                } else {
                    State::HalfOpen
                };
                (state, pause.since, Some(pause.until), &pause.reason)
            }
            (Phase::Open { until }, None) => (State::HalfOpen, until, None, &core.reason),
            (Phase::HalfOpen { .. }, None) => (State::HalfOpen, core.since, None, &core.reason),
            (Phase::Closed, None) => (State::Closed, core.since, None, &core.reason),
        };
        let samples = core.samples.iter().map(|seen| Sample {
            at: base.wall(seen.at, moment),
            fault: seen.fault,
            status: seen.status,
            message: seen.message.to_string(),
        });
        Self {
            scope,
            state,
            reason: reason.clone(),
            since: base.wall(since, moment),
            until: until.map(|until| base.wall(until, moment)),
            consecutive_failures: core.consecutive,
            opened: core.opened,
            samples: samples.collect(),
            is_advice: core.phase == Phase::Closed && rest.is_none() && advice.is_some(),
        }
    }
}
