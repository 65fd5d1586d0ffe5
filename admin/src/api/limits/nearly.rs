//! Limits that are nearly used up, as they are answered.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};

use crate::{api::decimal::usd, gateway::Subject, service::near};

/// Whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum LimitOwner {
    /// A user's, for all keys together.
    User,
    /// A client key's.
    Key,
    /// A provider's.
    Provider,
}

/// A limit in money, by the name it is set by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MoneyLimit {
    /// In five hours.
    #[oai(rename = "limit5hUsd")]
    FiveHours,
    /// In a day.
    #[oai(rename = "limitDailyUsd")]
    Day,
    /// In a week.
    #[oai(rename = "limitWeeklyUsd")]
    Week,
    /// In a month.
    #[oai(rename = "limitMonthlyUsd")]
    Month,
    /// Since the last reset.
    #[oai(rename = "limitTotalUsd")]
    Total,
}

/// A limit that is nearly used up, or is.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NearLimit {
    /// Whose it is.
    pub owner: LimitOwner,
    /// The id of the user, key or provider.
    pub id: i64,
    /// The name of it.
    pub name: String,
    /// The user a key belongs to; null for others.
    #[oai(nullable)]
    pub user_id: Option<i64>,
    /// That user's name.
    #[oai(nullable)]
    pub user_name: Option<String>,
    /// Which of the limits.
    pub limit_name: MoneyLimit,
    /// The limit in USD, a decimal.
    pub limit: String,
    /// How much of it is spent, a decimal.
    pub current: String,
    /// Which share of it that is: 1 is all.
    pub share: f64,
    /// When all of it is there again; null where it comes back bit by bit, or not by itself.
    #[oai(nullable)]
    pub resets_at: Option<DateTime<Utc>>,
}

/// Limits that are nearly used up.
#[derive(Debug, Object)]
pub struct NearLimitList {
    /// The worst limit of each owner, the worst first.
    pub items: Vec<NearLimit>,
    /// How many owners there are in all.
    pub total: u64,
}

// === impl NearLimit ===

impl NearLimit {
    /// What is told of it; nothing of what is no limit in money.
    pub fn new(near: near::Near) -> Option<Self> {
        let (owner, id) = match near.subject {
            Subject::User(id) => (LimitOwner::User, id),
            Subject::Key(id) => (LimitOwner::Key, id),
            Subject::Provider(id) => (LimitOwner::Provider, id),
        };
        let (user_id, user_name) = near.user.unzip();
        Some(Self {
            owner,
            id,
            name: near.name,
            user_id,
            user_name,
            limit_name: match near.gauge.dimension.as_str() {
                "usd_5h" => MoneyLimit::FiveHours,
                "usd_day" => MoneyLimit::Day,
                "usd_week" => MoneyLimit::Week,
                "usd_month" => MoneyLimit::Month,
                "usd_total" => MoneyLimit::Total,
                _ => return None,
            },
            limit: usd(near.gauge.limit?),
            current: usd(near.gauge.current.unwrap_or(0)),
            share: near.share,
            resets_at: near.gauge.resets_at,
        })
    }
}
