//! Use cases: one function each. A change of configuration is one transaction with its revision, then the gateway reloads.

use chrono::{DateTime, SubsecRound, Utc};
use http::StatusCode;

use crate::problem::Problem;

pub mod audit;
pub mod backup;
pub mod batch;
pub mod calendar;
pub mod change;
pub mod error_rules;
pub mod groups;
pub mod idempotency;
pub mod keys;
pub mod limits;
pub mod near;
pub mod notification_rules;
pub mod notification_targets;
pub mod outbound;
pub mod prices;
pub mod providers;
pub mod row;
pub mod sessions;
pub mod settings;
pub mod trials;
pub mod usage;
pub mod users;

/// The time, as exact as both databases keep it.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// The version of a row, as `ETag` has it: it changes with every change.
#[must_use]
pub fn etag(id: i64, updated_at: DateTime<Utc>) -> String {
    format!("\"{id}-{:x}\"", updated_at.timestamp_micros())
}

/// # Errors
/// 412 when `if_match` names another version of the row.
pub fn must_match(
    if_match: Option<&str>,
    id: i64,
    updated_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let Some(wanted) = if_match else {
        return Ok(());
    };
    let current = etag(id, updated_at);
    let mut versions = wanted.split(',').map(str::trim);
    if versions.any(|version| version == "*" || version == current) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition_failed",
        "It was changed meanwhile. Read it again and decide anew.",
    ))
}
