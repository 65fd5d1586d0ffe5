//! What of a breaker survives a restart, and what nodes tell each other.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::core::{Core, Pause, Phase, SAMPLES, Sequence, pending};
use super::failure::{Seen, excerpt, named};
use super::scope::{Scope, Which};
use super::time::{Base, Moment, Ticks};

/// No stored state and no advice reaches further than this: sixteen times the longest open time anybody sets, and a clock that
/// was set back must not close a provider for good.
const FURTHEST: Ticks = 16 * 86_400_000;

/// What changed since an earlier export, in the order in which it has to be applied: what is removed goes first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// To be handed in the next time.
    pub version: u64,
    /// What was reset here, for other nodes to follow. Told once.
    pub resets: Vec<Which>,
    /// What is gone. Told once.
    pub removed: Vec<Scope>,
    /// What changed.
    pub rows: Vec<Row>,
}

/// A breaker to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it stands for.
    pub scope: Scope,
    /// How it is.
    pub state: Saved,
}

/// How a breaker is, on paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    /// Its phase.
    pub phase: SavedPhase,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when it is open.
    pub until: Option<DateTime<Utc>>,
    /// Why it opened last.
    pub reason: String,
    /// Failures since the last success.
    pub failures: u32,
    /// How often it has opened.
    pub opened: u32,
    /// How often the open time has doubled.
    pub growth: u32,
    /// For how long it was open last, in milliseconds.
    pub last_open_ms: i64,
    /// The rest it was asked for.
    pub rest: Option<SavedRest>,
    /// The last failures.
    pub samples: Vec<SavedSample>,
}

/// A phase, on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedPhase {
    /// Closed.
    Closed,
    /// Open.
    Open,
    /// Half open.
    HalfOpen,
}

/// A rest, on paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedRest {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// A failure, on paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose fault, by name.
    pub fault: String,
    /// The upstream's status.
    pub status: Option<u16>,
    /// What went wrong.
    pub message: String,
}

/// Word from another node that a breaker is open there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// Which.
    pub scope: Scope,
    /// Until when it is open there.
    pub open_until: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

// === impl Saved ===

impl Saved {
    /// Until when it is open, if it is open.
    #[must_use]
    pub fn open_until(&self) -> Option<DateTime<Utc>> {
        self.until.filter(|_| self.phase == SavedPhase::Open)
    }

    pub(super) fn of(core: &Core, base: Base, moment: Moment) -> Self {
        let wall = |ticks| base.wall(ticks, moment);
        let rest = pending(core.rest.as_ref(), base.ticks(moment.at));
        let samples = core.samples.iter().map(|seen| SavedSample {
            at: wall(seen.at),
            fault: seen.fault.name().to_owned(),
            status: seen.status,
            message: seen.message.to_string(),
        });
        Self {
            phase: match core.phase {
                Phase::Closed => SavedPhase::Closed,
                Phase::Open { .. } => SavedPhase::Open,
                Phase::HalfOpen { .. } => SavedPhase::HalfOpen,
            },
            since: wall(core.since),
            until: match core.phase {
                Phase::Open { until } => Some(wall(until)),
                Phase::Closed | Phase::HalfOpen { .. } => None,
            },
            reason: core.reason.clone(),
            failures: core.consecutive,
            opened: core.opened,
            growth: core.growth,
            last_open_ms: core.last_open,
            rest: rest.map(|rest| SavedRest {
                since: wall(rest.since),
                until: wall(rest.until),
                reason: rest.reason.clone(),
            }),
            samples: samples.collect(),
        }
    }

    /// Puts it into a new breaker.
    pub(super) fn fill(self, core: &mut Core, sequence: &Sequence, base: Base, moment: Moment) {
        let now = base.ticks(moment.at);
        let ticks = |wall| base.of_wall(wall, moment);
        let last_open = self.last_open_ms.clamp(0, FURTHEST);
        core.phase = match (self.phase, self.until) {
            (SavedPhase::Closed, _) => Phase::Closed,
            (SavedPhase::Open, Some(until)) => Phase::Open {
                until: ticks(until).min(now + last_open),
            },
            // It goes on trial again from the start: who was on trial is gone.
            (SavedPhase::Open, None) | (SavedPhase::HalfOpen, _) => Phase::Open { until: now },
        };
        core.since = ticks(self.since).min(now);
        core.reason = excerpt(&self.reason);
        core.consecutive = self.failures;
        core.opened = self.opened;
        core.growth = self.growth.min(16);
        core.last_open = last_open;
        core.rest = self.rest.map(|rest| Pause {
            since: ticks(rest.since).min(now),
            until: ticks(rest.until).min(now + 3_600_000),
            reason: excerpt(&rest.reason),
        });
        let skipped = self.samples.len().saturating_sub(SAMPLES);
        let samples = self.samples.into_iter().skip(skipped);
        core.samples = samples
            .filter_map(|sample| {
                Some(Seen {
                    at: ticks(sample.at).min(now),
                    fault: named(&sample.fault)?,
                    status: sample.status,
                    message: excerpt(&sample.message).into(),
                })
            })
            .collect();
        core.last_failed = core.samples.back().map_or(core.since, |seen| seen.at);
        core.tidy(now);
        core.begin_anew(sequence);
    }
}

// === impl Advice ===

impl Advice {
    pub(super) fn pause(&self, base: Base, moment: Moment) -> Option<Pause> {
        let now = base.ticks(moment.at);
        let furthest = TimeDelta::milliseconds(FURTHEST);
        let until = self.open_until.min(moment.wall + furthest);
        let until = base.of_wall(until, moment);
        (until > now).then(|| Pause {
            since: now,
            until,
            reason: format!("open at another node: {}", excerpt(&self.reason)),
        })
    }
}
