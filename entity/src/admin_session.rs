//! Table `admin_sessions`: who is logged in to the dashboard.

use sea_orm::entity::prelude::*;

/// A cookie session. The cookie's value is not here: only its keyed hash.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "admin_sessions")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Hexadecimal keyed hash of the cookie's value; unique.
    pub token_hash: String,
    /// The key it was opened with; none for the admin token.
    pub key_id: Option<i64>,
    /// When opened.
    pub created_at: DateTimeUtc,
    /// When it ends.
    pub expires_at: DateTimeUtc,
    /// The address it was opened from, where that is known.
    pub peer: Option<String>,
    /// The browser, as it called itself.
    pub user_agent: Option<String>,
}

/// Relations: none.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
