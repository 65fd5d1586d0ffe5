//! What a key, a user or a provider may use: the limits, and the names of what is limited.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::value::Limits;

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

/// A subject and its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party {
    /// Who.
    pub subject: Subject,
    /// What it may use.
    pub limits: Limits,
}

/// A request that a limit keeps out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// The dimension's limit.
    #[must_use]
    pub fn limit(self, limits: &Limits) -> Option<i64> {
        match self {
            Self::Rpm => limits.rpm,
            Self::ConcurrentSessions => limits.concurrent_sessions,
            Self::ConcurrentRequests => limits.concurrent_requests,
            Self::Usd5h => limits.usd_5h,
            Self::UsdDay => limits.usd_day,
            Self::UsdWeek => limits.usd_week,
            Self::UsdMonth => limits.usd_month,
            Self::UsdTotal => limits.usd_total,
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

// === impl Party ===

impl Party {
    /// A provider with its limits.
    #[must_use]
    pub fn of_provider(id: i64, limits: Limits) -> Self {
        Self {
            subject: Subject::Provider(id),
            limits,
        }
    }

    /// The limits in the order of [`Dimension::ALL`].
    #[must_use]
    pub fn all(&self) -> [Option<i64>; 8] {
        Dimension::ALL.map(|dimension| dimension.limit(&self.limits))
    }

    /// Whether there is any limit.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.all().iter().any(Option::is_some)
    }

    /// The smallest limit of money.
    #[must_use]
    pub fn least_money(&self) -> Option<i64> {
        self.limits.money().into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimension_knows_its_place_and_its_limit() {
        let mut party = Party {
            subject: Subject::Key(1),
            limits: Limits::default(),
        };
        assert_eq!((party.all(), party.is_limited()), ([None; 8], false));
        assert_eq!(party.least_money(), None);
        party.limits.rpm = Some(1);
        assert!(party.is_limited());
        party.limits.usd_total = Some(9);
        party.limits.usd_week = Some(0);
        for (index, dimension) in Dimension::ALL.into_iter().enumerate() {
            assert_eq!(dimension.index(), index);
            assert_eq!(dimension.is_money(), dimension.code().starts_with("usd_"));
            assert_eq!(party.all()[index], dimension.limit(&party.limits));
        }
        assert_eq!(party.least_money(), Some(0), "zero is a limit");
        assert_eq!(Dimension::MONEY[..], Dimension::ALL[3..]);
        assert_eq!(Subject::Provider(7).to_string(), "provider:7");
    }
}
