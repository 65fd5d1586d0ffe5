//! What a key, a user or a provider may use: the limits, and the names of what is limited.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::value::TimeOfDay;

/// Whose counters: a key's, a user's or a provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A client key, by id.
    Key(i64),
    /// A user, by id.
    User(i64),
    /// A provider, by id.
    Provider(i64),
}

/// What is limited. The order is that of [`Dimension::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Requests in any minute.
    Rpm,
    /// Distinct live sessions.
    ConcurrentSessions,
    /// Requests under way.
    ConcurrentRequests,
    /// Money in five hours.
    Usd5h,
    /// Money in a day.
    UsdDay,
    /// Money in a week, from Monday.
    UsdWeek,
    /// Money in a calendar month.
    UsdMonth,
    /// Money since the subject was made, or last reset.
    UsdTotal,
}

/// How a window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResetMode {
    /// All at once, at a known moment.
    Fixed,
    /// Bit by bit: what was used leaves the window when it is as old as the window is long.
    Rolling,
}

/// The limits of one subject. None is no limit, an explicit 0 allows nothing. Money is in nano-USD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests in any minute.
    pub rpm: Option<i64>,
    /// Distinct live sessions.
    pub concurrent_sessions: Option<i64>,
    /// Requests under way.
    pub concurrent_requests: Option<i64>,
    /// Money in five hours.
    pub usd_5h: Option<i64>,
    /// Money in a day.
    pub usd_day: Option<i64>,
    /// Money in a week.
    pub usd_week: Option<i64>,
    /// Money in a month.
    pub usd_month: Option<i64>,
    /// Money at all.
    pub usd_total: Option<i64>,
    /// How the five hours end. Default rolling.
    pub reset_5h: ResetMode,
    /// How the day ends. Default fixed.
    pub reset_day: ResetMode,
    /// When a fixed day begins, in the system's time zone. Default 00:00.
    pub day_starts: TimeOfDay,
}

/// A request that a limit keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose limit.
    pub subject: Subject,
    /// Which.
    pub dimension: Dimension,
    /// What is used; of money, what is spent.
    pub current: i64,
    /// What is allowed.
    pub limit: i64,
    /// When there is room again if nothing more is used; none when that is not known, or never.
    pub resets_at: Option<DateTime<Utc>>,
    /// When it is worth trying again, where that is soon; none for money that is spent.
    pub retry_after: Option<Duration>,
}

// === impl Subject ===

impl Subject {
    /// `key`, `user` or `provider`, as stored and as shown.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::User(_) => "user",
            Self::Provider(_) => "provider",
        }
    }

    /// The database id.
    #[must_use]
    pub fn id(self) -> i64 {
        match self {
            Self::Key(id) | Self::User(id) | Self::Provider(id) => id,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.id())
    }
}

// === impl Dimension ===

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 8] = [
        Self::Rpm,
        Self::ConcurrentSessions,
        Self::ConcurrentRequests,
        Self::Usd5h,
        Self::UsdDay,
        Self::UsdWeek,
        Self::UsdMonth,
        Self::UsdTotal,
    ];

    /// Those of money, the shortest window first.
    pub const MONEY: [Self; 5] = [
        Self::Usd5h,
        Self::UsdDay,
        Self::UsdWeek,
        Self::UsdMonth,
        Self::UsdTotal,
    ];

    /// The stable code: in answers, logs and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Rpm => "rpm",
            Self::ConcurrentSessions => "concurrent_sessions",
            Self::ConcurrentRequests => "concurrent_requests",
            Self::Usd5h => "usd_5h",
            Self::UsdDay => "usd_day",
            Self::UsdWeek => "usd_week",
            Self::UsdMonth => "usd_month",
            Self::UsdTotal => "usd_total",
        }
    }

    /// The place in [`Dimension::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether it is counted in money.
    #[must_use]
    pub fn is_money(self) -> bool {
        self >= Self::Usd5h
    }
}

// === impl Limits ===

impl Limits {
    /// The limit of a dimension.
    #[must_use]
    pub fn get(&self, dimension: Dimension) -> Option<i64> {
        match dimension {
            Dimension::Rpm => self.rpm,
            Dimension::ConcurrentSessions => self.concurrent_sessions,
            Dimension::ConcurrentRequests => self.concurrent_requests,
            Dimension::Usd5h => self.usd_5h,
            Dimension::UsdDay => self.usd_day,
            Dimension::UsdWeek => self.usd_week,
            Dimension::UsdMonth => self.usd_month,
            Dimension::UsdTotal => self.usd_total,
        }
    }

    /// All of them, in the order of [`Dimension::ALL`].
    #[must_use]
    pub fn all(&self) -> [Option<i64>; 8] {
        Dimension::ALL.map(|dimension| self.get(dimension))
    }

    /// The smallest limit of money.
    #[must_use]
    pub fn least_money(&self) -> Option<i64> {
        Dimension::MONEY.iter().filter_map(|d| self.get(*d)).min()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rpm: None,
            concurrent_sessions: None,
            concurrent_requests: None,
            usd_5h: None,
            usd_day: None,
            usd_week: None,
            usd_month: None,
            usd_total: None,
            reset_5h: ResetMode::Rolling,
            reset_day: ResetMode::Fixed,
            day_starts: TimeOfDay::from_minutes(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimension_knows_its_place_and_its_limit() {
        let mut limits = Limits::default();
        assert_eq!(limits.all(), [None; 8]);
        assert_eq!(limits.least_money(), None);
        limits.rpm = Some(1);
        limits.usd_total = Some(9);
        limits.usd_week = Some(0);
        for (index, dimension) in Dimension::ALL.into_iter().enumerate() {
            assert_eq!(dimension.index(), index);
            assert_eq!(dimension.is_money(), dimension.code().starts_with("usd_"));
            assert_eq!(limits.all()[index], limits.get(dimension));
        }
        assert_eq!(limits.least_money(), Some(0), "zero is a limit");
        assert_eq!(Dimension::MONEY[..], Dimension::ALL[3..]);
        assert_eq!(Subject::Provider(7).to_string(), "provider:7");
    }
}
