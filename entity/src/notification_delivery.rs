//! Table `notification_deliveries`: messages to send and messages sent.

use sea_orm::entity::prelude::*;

use crate::value::{DeliveryState, NoticeKind};

/// One message to one target. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_deliveries")]
pub struct Model {
    /// Id, rising with time.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// When it was to be told.
    pub created_at: DateTimeUtc,
    /// The rule that wanted it; none for a test.
    pub rule_id: Option<i64>,
    /// What the rule was called then.
    pub rule_name: String,
    /// Where it goes.
    pub target_id: i64,
    /// What the target was called then.
    pub target_name: String,
    /// What is told.
    pub event: NoticeKind,
    /// The message's first line, in the target's language.
    pub title: String,
    /// What is told, as JSON: it is put into words when it is sent.
    pub notice: Json,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts begun.
    pub attempts: i32,
    /// When the next is due. While one runs: when it is taken for lost, its node having died.
    pub next_attempt_at: DateTimeUtc,
    /// When the last attempt ended.
    pub attempted_at: Option<DateTimeUtc>,
    /// The status it was answered with.
    pub status: Option<i32>,
    /// What went wrong with it, in words.
    pub error: Option<String>,
}

/// Relations: none, history outlives what it points at.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
