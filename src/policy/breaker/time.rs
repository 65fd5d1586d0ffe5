//! Time as the breakers keep it: milliseconds since they were made, below zero for what a restart has brought along.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// The present on both clocks: the one that only goes forward, by which is decided, and the one that people read.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// By which is decided.
    pub at: Instant,
    /// What is shown and stored.
    pub wall: DateTime<Utc>,
}

/// Milliseconds since the [`Base`].
pub(super) type Ticks = i64;

/// Where counting starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base(Instant);

// === impl Base ===

impl Base {
    pub(super) fn new(at: Instant) -> Self {
        Self(at)
    }

    pub(super) fn ticks(self, at: Instant) -> Ticks {
        span(at.saturating_duration_since(self.0))
    }

    pub(super) fn instant(self, ticks: Ticks) -> Instant {
        self.0 + Duration::from_millis(u64::try_from(ticks).unwrap_or(0))
    }

    /// What the wall clock says at `ticks`, judged from the present.
    pub(super) fn wall(self, ticks: Ticks, moment: Moment) -> DateTime<Utc> {
        let ahead = ticks.saturating_sub(self.ticks(moment.at));
        TimeDelta::try_milliseconds(ahead)
            .and_then(|ahead| moment.wall.checked_add_signed(ahead))
            .unwrap_or(moment.wall)
    }

    /// The reverse of [`Base::wall`].
    pub(super) fn of_wall(self, wall: DateTime<Utc>, moment: Moment) -> Ticks {
        let ahead = wall.signed_duration_since(moment.wall).num_milliseconds();
        self.ticks(moment.at).saturating_add(ahead)
    }
}

/// A duration in ticks.
pub(super) fn span(duration: Duration) -> Ticks {
    Ticks::try_from(duration.as_millis()).unwrap_or(Ticks::MAX / 4)
}
