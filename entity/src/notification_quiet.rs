//! Table `notification_quiet`: until when a rule does not speak of something again. One row is what the nodes agree by on who speaks.

use sea_orm::entity::prelude::*;

/// What was told, and until when that will do.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_quiet")]
pub struct Model {
    /// The rule.
    #[sea_orm(primary_key, auto_increment = false)]
    pub rule_id: i64,
    /// What it told of, such as a breaker, or a limit of a key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// When it told last.
    pub told_at: DateTimeUtc,
    /// From when on it may tell again.
    pub quiet_until: DateTimeUtc,
}

/// Relations.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
