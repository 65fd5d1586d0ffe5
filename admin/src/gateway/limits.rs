//! What the running gateway counts against limits.

use chrono::{DateTime, Utc};

/// Whose limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A client key's, by id.
    Key(i64),
    /// A user's, by id.
    User(i64),
    /// A provider's, by id.
    Provider(i64),
}

/// One limit and what is used of it. Money is in nano-USD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// What is limited: `rpm`, `concurrent_sessions`, `concurrent_requests`, `usd_5h`, `usd_day`, `usd_week`, `usd_month` or `usd_total`.
    pub dimension: String,
    /// The limit; none where there is none.
    pub limit: Option<i64>,
    /// How much of it is used; none where that is not counted.
    pub current: Option<i64>,
    /// How much is left; none where there is no limit.
    pub remaining: Option<i64>,
    /// When all of it is there again; none where it comes back bit by bit, or not by itself.
    pub resets_at: Option<DateTime<Utc>>,
}
