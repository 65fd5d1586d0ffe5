//! Table `notification_targets`.

use sea_orm::entity::prelude::*;

use crate::value::{NoticeLanguage, Sealed, TargetKind};

/// Where messages go.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_targets")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// For people.
    pub name: String,
    /// What it speaks.
    pub kind: TargetKind,
    /// The chat a Telegram bot writes to.
    pub chat_id: Option<String>,
    /// The body of a webhook's messages; none for the default one.
    pub template: Option<String>,
    /// The language of its messages.
    pub language: NoticeLanguage,
    /// Its address and all else that is secret, see [`crate::value::TargetCredentials`].
    pub credentials: Sealed,
    /// Switched on.
    pub is_enabled: bool,
    /// When created.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Relations: rules name targets in a list.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
