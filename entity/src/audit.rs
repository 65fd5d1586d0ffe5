//! Table `audit`: who changed what.

use sea_orm::entity::prelude::*;

/// One change of one thing, written in the transaction that makes it; or an event of identity, such as a login. Secrets are not in it.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// Id, rising with time.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// When.
    pub at: DateTimeUtc,
    /// The key it was done with; none for the admin token.
    pub actor_key_id: Option<i64>,
    /// The key's user; none for the admin token.
    pub actor_user_id: Option<i64>,
    /// What both were called then; empty for the admin token.
    pub actor_name: String,
    /// Whether it was done in a session of the dashboard.
    pub by_session: bool,
    /// The address it was done from, where that is known.
    pub peer: Option<String>,
    /// What was done, such as `create`.
    pub action: String,
    /// The kind of thing it was done to, such as `user`.
    pub resource: String,
    /// Which one.
    pub resource_id: String,
    /// What it was called then.
    pub resource_name: String,
    /// The thing before, as the API answers it.
    pub before: Option<Json>,
    /// The thing after.
    pub after: Option<Json>,
    /// The revision of the configuration it made; none where it made none.
    pub revision: Option<i64>,
}

/// Relations: none. What it speaks of may be gone.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
