//! Limits with what is used of them.

use chrono::{DateTime, Utc};
use entity::value;
use poem_openapi::Object;

use crate::{
    api::decimal::usd,
    gateway::{Gateway, Gauge, Subject},
};

/// A limit that is counted.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct CountGauge {
    /// The limit; null is none.
    #[oai(nullable)]
    pub limit: Option<i64>,
    /// How much of it is used; null where it is not counted, because there is no limit.
    #[oai(nullable)]
    pub current: Option<i64>,
    /// How much is left; null where there is no limit.
    #[oai(nullable)]
    pub remaining: Option<i64>,
    /// When all of it is there again; null where it comes back bit by bit, or not by itself.
    #[oai(nullable)]
    pub resets_at: Option<DateTime<Utc>>,
}

/// A limit in USD; amounts are decimals.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct MoneyGauge {
    /// The limit; null is none.
    #[oai(nullable)]
    pub limit: Option<String>,
    /// How much of it is spent; null where it is not counted, because there is no limit.
    #[oai(nullable)]
    pub current: Option<String>,
    /// How much is left; null where there is no limit.
    #[oai(nullable)]
    pub remaining: Option<String>,
    /// When all of it is there again; null where it comes back bit by bit, or not by itself.
    #[oai(nullable)]
    pub resets_at: Option<DateTime<Utc>>,
}

/// Every limit with what is used of it, by the names they are set by.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LimitUsage {
    /// Requests in any minute.
    pub rpm: CountGauge,
    /// USD in five hours.
    #[oai(rename = "limit5hUsd")]
    pub usd_5h: MoneyGauge,
    /// USD in a day.
    #[oai(rename = "limitDailyUsd")]
    pub usd_day: MoneyGauge,
    /// USD in a week.
    #[oai(rename = "limitWeeklyUsd")]
    pub usd_week: MoneyGauge,
    /// USD in a month.
    #[oai(rename = "limitMonthlyUsd")]
    pub usd_month: MoneyGauge,
    /// USD since the last reset.
    #[oai(rename = "limitTotalUsd")]
    pub usd_total: MoneyGauge,
    /// Distinct live sessions.
    pub limit_concurrent_sessions: CountGauge,
    /// Requests under way.
    pub limit_concurrent_requests: CountGauge,
    /// What was spent before this does not count; null where nothing was reset.
    #[oai(nullable)]
    pub limits_reset_at: Option<DateTime<Utc>>,
}

// === impl LimitUsage ===

impl LimitUsage {
    /// The limits as stored, with what the gateway counts.
    pub async fn new(gateway: &dyn Gateway, subject: Subject, limits: value::Limits) -> Self {
        let gauges = gateway.gauges(subject, limits).await;
        let gauge = |dimension: &str, limit: Option<i64>| {
            let known = gauges.iter().find(|gauge| gauge.dimension == dimension);
            known.cloned().unwrap_or_else(|| Gauge {
                dimension: dimension.to_owned(),
                limit,
                current: None,
                remaining: None,
                resets_at: None,
            })
        };
        let count = |dimension, limit| CountGauge::from(gauge(dimension, limit));
        let money = |dimension, limit| MoneyGauge::from(gauge(dimension, limit));
        Self {
            rpm: count("rpm", limits.rpm),
            usd_5h: money("usd_5h", limits.usd_5h),
            usd_day: money("usd_day", limits.usd_day),
            usd_week: money("usd_week", limits.usd_week),
            usd_month: money("usd_month", limits.usd_month),
            usd_total: money("usd_total", limits.usd_total),
            limit_concurrent_sessions: count("concurrent_sessions", limits.concurrent_sessions),
            limit_concurrent_requests: count("concurrent_requests", limits.concurrent_requests),
            limits_reset_at: limits.reset_at,
        }
    }
}

// === conversions ===

impl From<Gauge> for CountGauge {
    fn from(gauge: Gauge) -> Self {
        Self {
            limit: gauge.limit,
            current: gauge.current,
            remaining: gauge.remaining,
            resets_at: gauge.resets_at,
        }
    }
}

impl From<Gauge> for MoneyGauge {
    fn from(gauge: Gauge) -> Self {
        Self {
            limit: gauge.limit.map(usd),
            current: gauge.current.map(usd),
            remaining: gauge.remaining.map(usd),
            resets_at: gauge.resets_at,
        }
    }
}
