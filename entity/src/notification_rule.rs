//! Table `notification_rules`.

use sea_orm::entity::prelude::*;

use crate::value::{Ids, NoticeKind};

/// What is told to whom, and how often at most.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_rules")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// For people.
    pub name: String,
    /// What is told.
    pub event: NoticeKind,
    /// From how many percent on: of a limit, or of requests that fail. None is the event's own default.
    pub threshold_percent: Option<i32>,
    /// Over how many minutes an error rate is taken. None is the default.
    pub window_minutes: Option<i32>,
    /// How many requests it takes to speak of an error rate. None is the default.
    pub minimum_requests: Option<i32>,
    /// When the daily report is due, in minutes of the day. None is the default.
    pub report_minute: Option<i32>,
    /// For how long the same is not told again, in minutes.
    pub quiet_minutes: i32,
    /// Who is told.
    pub target_ids: Ids,
    /// Switched on.
    pub is_enabled: bool,
    /// When created.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// From how many percent of a limit on it is near, where a rule does not say.
pub const NEAR_PERCENT: i32 = 80;
/// From how many percent of failed requests on an error rate is one to tell of, where a rule does not say.
pub const ERROR_PERCENT: i32 = 20;
/// Over how many minutes an error rate is taken, where a rule does not say.
pub const WINDOW_MINUTES: i32 = 10;
/// How many requests it takes to speak of an error rate, where a rule does not say.
pub const MINIMUM_REQUESTS: i32 = 20;
/// When the daily report is due, where a rule does not say: 09:00.
pub const REPORT_MINUTE: i32 = 9 * 60;
/// For how many minutes the same is not told again, where a rule does not say.
pub const QUIET_MINUTES: i32 = 30;

/// Relations: none, targets are named in a list.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

// === impl Model ===

impl Model {
    /// The share, in percent, from which on it tells.
    #[must_use]
    pub fn threshold(&self) -> i32 {
        self.threshold_percent.unwrap_or(match self.event {
            NoticeKind::ErrorRateJump => ERROR_PERCENT,
            _ => NEAR_PERCENT,
        })
    }
}
