//! Limits as they are set and as they are told of. All are flat fields of their user, key or provider.

use chrono::{DateTime, Utc};
use entity::value::{self, TimeOfDay};
use poem_openapi::{Enum, Object, types::MaybeUndefined};

use crate::{
    api::{
        decimal::{Decimal, to_nano, usd},
        rules::{map, merged},
    },
    problem::Mistake,
};

/// How a window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ResetMode {
    /// All at once, at a known moment.
    Fixed,
    /// Bit by bit: what was spent leaves the window when it is as old as the window is long.
    Rolling,
}

/// Limits. Null is no limit; 0 is a limit that allows nothing.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Limits {
    /// Requests in any minute.
    #[oai(nullable)]
    pub rpm: Option<i64>,
    /// USD in five hours, a decimal.
    #[oai(rename = "limit5hUsd", nullable)]
    pub usd_5h: Option<String>,
    /// USD in a day, a decimal.
    #[oai(rename = "limitDailyUsd", nullable)]
    pub usd_day: Option<String>,
    /// USD in a week from Monday, a decimal.
    #[oai(rename = "limitWeeklyUsd", nullable)]
    pub usd_week: Option<String>,
    /// USD in a calendar month, a decimal.
    #[oai(rename = "limitMonthlyUsd", nullable)]
    pub usd_month: Option<String>,
    /// USD since the last reset, a decimal.
    #[oai(rename = "limitTotalUsd", nullable)]
    pub usd_total: Option<String>,
    /// Distinct live sessions.
    #[oai(nullable)]
    pub limit_concurrent_sessions: Option<i64>,
    /// How the five hours end: `fixed` five hours after the first spending, or `rolling`.
    #[oai(rename = "limit5hResetMode")]
    pub reset_5h: ResetMode,
    /// How the day ends: `fixed` at `dailyResetTime`, or `rolling`.
    pub daily_reset_mode: ResetMode,
    /// When a fixed day begins, `HH:MM` in the system's time zone.
    pub daily_reset_time: String,
    /// What was spent before this does not count; null where nothing was reset.
    #[oai(nullable)]
    pub limits_reset_at: Option<DateTime<Utc>>,
}

/// What may be said of limits. Null is no limit; 0 is a limit that allows nothing.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct LimitFields {
    /// Requests in any minute. Default null.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "1000000")))]
    pub rpm: MaybeUndefined<i64>,
    /// USD in five hours, with at most nine decimals. Default null.
    #[oai(rename = "limit5hUsd", nullable)]
    pub usd_5h: MaybeUndefined<Decimal>,
    /// USD in a day, with at most nine decimals. Default null.
    #[oai(rename = "limitDailyUsd", nullable)]
    pub usd_day: MaybeUndefined<Decimal>,
    /// USD in a week from Monday, with at most nine decimals. Default null.
    #[oai(rename = "limitWeeklyUsd", nullable)]
    pub usd_week: MaybeUndefined<Decimal>,
    /// USD in a calendar month, with at most nine decimals. Default null.
    #[oai(rename = "limitMonthlyUsd", nullable)]
    pub usd_month: MaybeUndefined<Decimal>,
    /// USD since the last reset, with at most nine decimals. Default null.
    #[oai(rename = "limitTotalUsd", nullable)]
    pub usd_total: MaybeUndefined<Decimal>,
    /// Distinct live sessions. Default null.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "1000000")))]
    pub limit_concurrent_sessions: MaybeUndefined<i64>,
    /// How the five hours end: `fixed` five hours after the first spending, or `rolling`. Default `rolling`.
    #[oai(rename = "limit5hResetMode", nullable)]
    pub reset_5h: MaybeUndefined<ResetMode>,
    /// How the day ends: `fixed` at `dailyResetTime`, or `rolling`. Default `fixed`.
    #[oai(nullable)]
    pub daily_reset_mode: MaybeUndefined<ResetMode>,
    /// When a fixed day begins, `HH:MM` in the system's time zone. Default `00:00`.
    #[oai(nullable, validator(min_length = 1, max_length = 5))]
    pub daily_reset_time: MaybeUndefined<String>,
}

// === impl LimitFields ===

impl LimitFields {
    /// What becomes of `current`.
    pub fn onto(self, current: value::Limits) -> value::Limits {
        let default = value::Limits::default();
        let mode = |mode| map(mode, value::ResetMode::from);
        let starts = map(self.daily_reset_time, |text| {
            text.parse().unwrap_or(default.day_starts)
        });
        value::Limits {
            rpm: count(self.rpm, current.rpm),
            concurrent_sessions: count(self.limit_concurrent_sessions, current.concurrent_sessions),
            usd_5h: money(self.usd_5h, current.usd_5h),
            usd_day: money(self.usd_day, current.usd_day),
            usd_week: money(self.usd_week, current.usd_week),
            usd_month: money(self.usd_month, current.usd_month),
            usd_total: money(self.usd_total, current.usd_total),
            reset_5h: merged(mode(self.reset_5h), current.reset_5h, default.reset_5h),
            reset_day: merged(
                mode(self.daily_reset_mode),
                current.reset_day,
                default.reset_day,
            ),
            day_starts: merged(starts, current.day_starts, default.day_starts),
            ..current
        }
    }

    /// Mistakes a schema cannot name.
    pub fn rules(&self, out: &mut Vec<Mistake>) {
        for (path, amount) in [
            ("limit5hUsd", &self.usd_5h),
            ("limitDailyUsd", &self.usd_day),
            ("limitWeeklyUsd", &self.usd_week),
            ("limitMonthlyUsd", &self.usd_month),
            ("limitTotalUsd", &self.usd_total),
        ] {
            if let Some(Err(why)) = amount.value().map(to_nano) {
                out.push(Mistake::new(path, "invalid", why));
            }
        }
        let time = self.daily_reset_time.value();
        if let Some(Err(why)) = time.map(|text| text.parse::<TimeOfDay>()) {
            out.push(Mistake::new(
                "dailyResetTime",
                "wrong_format",
                why.to_string(),
            ));
        }
    }
}

/// Merge-patch semantics for a limit that is counted.
pub fn count(field: MaybeUndefined<i64>, current: Option<i64>) -> Option<i64> {
    merged(map(field, Some), current, None)
}

/// The same for money, which the rules have found to be some.
fn money(field: MaybeUndefined<Decimal>, current: Option<i64>) -> Option<i64> {
    merged(map(field, |usd| to_nano(&usd).ok()), current, None)
}

// === conversions ===

impl From<value::Limits> for Limits {
    fn from(limits: value::Limits) -> Self {
        Self {
            rpm: limits.rpm,
            usd_5h: limits.usd_5h.map(usd),
            usd_day: limits.usd_day.map(usd),
            usd_week: limits.usd_week.map(usd),
            usd_month: limits.usd_month.map(usd),
            usd_total: limits.usd_total.map(usd),
            limit_concurrent_sessions: limits.concurrent_sessions,
            reset_5h: limits.reset_5h.into(),
            daily_reset_mode: limits.reset_day.into(),
            daily_reset_time: limits.day_starts.to_string(),
            limits_reset_at: limits.reset_at,
        }
    }
}

impl From<value::ResetMode> for ResetMode {
    fn from(mode: value::ResetMode) -> Self {
        match mode {
            value::ResetMode::Fixed => Self::Fixed,
            value::ResetMode::Rolling => Self::Rolling,
        }
    }
}

impl From<ResetMode> for value::ResetMode {
    fn from(mode: ResetMode) -> Self {
        match mode {
            ResetMode::Fixed => Self::Fixed,
            ResetMode::Rolling => Self::Rolling,
        }
    }
}
