//! Table `users`.

use sea_orm::entity::prelude::*;

use crate::value::{Limits, Strings};

/// A person or a team whose keys may call the gateway.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique among users that are not deleted.
    pub name: String,
    /// Free text.
    pub note: String,
    /// Labels for searching.
    pub tags: Strings,
    /// `admin` or `user`.
    pub role: String,
    /// Switched on.
    pub is_enabled: bool,
    /// End of the user's time.
    pub expires_at: Option<DateTimeUtc>,
    /// Comma-separated provider groups; empty means `default`.
    pub provider_group: String,
    /// Models the user may use; empty means all.
    pub allowed_models: Strings,
    /// Clients the user may call with; empty means all.
    pub allowed_clients: Strings,
    /// Clients the user may not call with, which wins.
    pub blocked_clients: Strings,
    /// What all keys of the user may use together.
    pub limits: Limits,
    /// When created.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
    /// When deleted: the row stays, because history points at it.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Relations.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Keys of the user.
    #[sea_orm(has_many = "super::api_key::Entity")]
    Keys,
}

impl Related<super::api_key::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Keys.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
