//! When a window of money begins and ends.
//!
//! A *day* begins the first time the clock on the wall shows its reset time, or something later, on that date. That one sentence settles
//! daylight saving: where the clock jumps over the reset time, the day begins with the jump; where it shows the time twice, the first
//! counts; a date that a country left out (Samoa had no 30 December 2011) has no window at all. A window ends where the next begins, so
//! windows tile time by construction, whatever a zone did. Weeks are seven such days from Monday, months from the 1st, both from
//! 00:00.
//!
//! *Rolling* windows are kept in buckets of a fixed width on the UTC clock. A bucket counts until all of it is older than the window, so
//! money leaves a rolling window late by at most one bucket (5 minutes in 5 hours, 15 minutes in a day, a second in a minute), never
//! early.
//!
//! *Five hours, fixed* begin with the first spending after the last five hours ended. When that was is not in any calendar: the counter
//! keeps it ([`Span::OnSpend`]), and [`first_spend`] finds it in a history.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use entity::value::{Limits, ResetMode, TimeOfDay};

use super::limits::Dimension;

/// Five hours in milliseconds.
pub const FIVE_HOURS: i64 = 5 * 60 * 60 * 1_000;

/// A minute, for requests.
pub const MINUTE: Span = Span::Rolling {
    tag: 1,
    bucket: 1_000,
    count: 60,
};

/// From `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant in it.
    pub start: DateTime<Utc>,
    /// The first instant past it.
    pub end: DateTime<Utc>,
}

/// The window that money spent now belongs to, as a counter needs it. Milliseconds since 1970. The `tag` names the definition: a
/// counter that was kept by another definition says nothing about this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// From `start` to before `end`; none never ends.
    Fixed {
        /// Which definition.
        tag: u16,
        /// The first millisecond in it.
        start: i64,
        /// The first millisecond past it.
        end: Option<i64>,
    },
    /// `length` from the first spending after the last such window ended.
    OnSpend {
        /// Which definition.
        tag: u16,
        /// How long.
        length: i64,
    },
    /// The last `count` buckets and what has passed of the current one.
    Rolling {
        /// Which definition.
        tag: u16,
        /// The width of a bucket.
        bucket: i64,
        /// Buckets in the window's length.
        count: i64,
    },
}

/// The windows of one subject, in the order of [`Dimension::MONEY`].
pub type Windows = [Span; 5];

/// Which calendar window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day that begins at this time.
    Day(TimeOfDay),
    /// From Monday 00:00.
    Week,
    /// From the 1st 00:00.
    Month,
}

// === impl Period ===

impl Period {
    /// The window that `now` is in.
    #[must_use]
    pub fn window(self, zone: Tz, now: DateTime<Utc>) -> Window {
        let mut date = self.first(now.with_timezone(&zone).date_naive());
        let begins = |date| self.begins(zone, date);
        while begins(date) > now && date > NaiveDate::MIN {
            date = self.before(date);
        }
        let mut end = begins(self.after(date));
        // Past the windows that a zone left out, and for clocks that run back over a beginning.
        while end <= now {
            date = self.after(date);
            end = begins(self.after(date));
        }
        Window {
            start: begins(date),
            end,
        }
    }

    /// When the window of a date begins.
    fn begins(self, zone: Tz, date: NaiveDate) -> DateTime<Utc> {
        let minutes = match self {
            Self::Day(starts) => u32::from(starts.minutes()),
            Self::Week | Self::Month => 0,
        };
        let time = NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0);
        let mut wall = date.and_time(time.unwrap_or_default());
        // No zone has left out more than a day; two are enough.
        for _ in 0..2 * 24 * 60 {
            if let Some(found) = zone.from_local_datetime(&wall).earliest() {
                return found.with_timezone(&Utc);
            }
            wall += TimeDelta::minutes(1);
        }
        wall.and_utc()
    }

    /// The date by which the window of a date is named.
    fn first(self, date: NaiveDate) -> NaiveDate {
        match self {
            Self::Day(_) => date,
            Self::Week => date - Days::new(u64::from(date.weekday().num_days_from_monday())),
            Self::Month => date.with_day(1).unwrap_or(date),
        }
    }

    fn after(self, date: NaiveDate) -> NaiveDate {
        match self {
            Self::Day(_) => date.checked_add_days(Days::new(1)),
            Self::Week => date.checked_add_days(Days::new(7)),
            Self::Month => date.checked_add_months(Months::new(1)),
        }
        .unwrap_or(NaiveDate::MAX)
    }

    fn before(self, date: NaiveDate) -> NaiveDate {
        match self {
            Self::Day(_) => date.checked_sub_days(Days::new(1)),
            Self::Week => date.checked_sub_days(Days::new(7)),
            Self::Month => date.checked_sub_months(Months::new(1)),
        }
        .unwrap_or(NaiveDate::MIN)
    }

    /// The definition's number, for [`Span::Fixed`].
    #[must_use]
    pub fn tag(self) -> u16 {
        match self {
            Self::Day(starts) => 1_000 + starts.minutes(),
            Self::Week => 2,
            Self::Month => 3,
        }
    }

    fn span(self, window: Window) -> Span {
        Span::Fixed {
            tag: self.tag(),
            start: window.start.timestamp_millis(),
            end: Some(window.end.timestamp_millis()),
        }
    }
}

// === impl Span ===

impl Span {
    /// Which definition.
    #[must_use]
    pub fn tag(&self) -> u16 {
        match self {
            Self::Fixed { tag, .. } | Self::OnSpend { tag, .. } | Self::Rolling { tag, .. } => *tag,
        }
    }

    /// The earliest spending that still counts at `now`, for a sum over usage lines. For [`Span::OnSpend`] it is as long ago as such a
    /// window can have begun; where it did is for [`first_spend`], which needs to look back further than that.
    #[must_use]
    pub fn since(&self, now: i64) -> i64 {
        match self {
            Self::Fixed { start, .. } => *start,
            Self::OnSpend { length, .. } => now - length,
            Self::Rolling { bucket, count, .. } => (now.div_euclid(*bucket) - count) * bucket,
        }
    }
}

/// The windows of a subject now. `calendar` finds the calendar's, so that the caller may remember them: a window is good until it ends.
pub fn windows(limits: &Limits, mut calendar: impl FnMut(Period) -> Window) -> Windows {
    let mut fixed = |period: Period| period.span(calendar(period));
    [
        match limits.reset_5h {
            ResetMode::Fixed => Span::OnSpend {
                tag: 4,
                length: FIVE_HOURS,
            },
            ResetMode::Rolling => Span::Rolling {
                tag: 5,
                bucket: 5 * 60_000,
                count: 60,
            },
        },
        match limits.reset_day {
            ResetMode::Fixed => fixed(Period::Day(limits.day_starts)),
            ResetMode::Rolling => Span::Rolling {
                tag: 6,
                bucket: 15 * 60_000,
                count: 96,
            },
        },
        fixed(Period::Week),
        fixed(Period::Month),
        Span::Fixed {
            tag: 7,
            start: 0,
            end: None,
        },
    ]
}

/// The window of one dimension of money now.
#[must_use]
pub fn window(dimension: Dimension, limits: &Limits, zone: Tz, now: DateTime<Utc>) -> Option<Span> {
    let index = dimension.index().checked_sub(Dimension::Usd5h.index())?;
    Some(windows(limits, |period| period.window(zone, now))[index])
}

/// In a history of spending in the order of time, where the last window begins that begins with a spending, and what was spent in it.
/// None when there was no spending. The history should reach back to a gap of `length`, or to a known beginning.
pub fn first_spend(
    length: i64,
    history: impl IntoIterator<Item = (i64, i64)>,
) -> Option<(i64, i64)> {
    let mut window: Option<(i64, i64)> = None;
    for (at, amount) in history.into_iter().filter(|(_, amount)| *amount > 0) {
        match &mut window {
            Some((start, sum)) if at < *start + length => *sum += amount,
            _ => window = Some((at, amount)),
        }
    }
    window
}

#[cfg(test)]
mod tests;
