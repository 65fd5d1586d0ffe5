//! Table `api_keys`.

use sea_orm::entity::prelude::*;

use crate::value::Limits;

/// A client key. The key itself is not here: only its keyed hash, its start and its end.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The owner.
    pub user_id: i64,
    /// For people.
    pub name: String,
    /// Hexadecimal [`crate::value::KeyHash`]; unique.
    pub key_hash: String,
    /// The key's first characters, for recognising it.
    pub prefix: String,
    /// Its last four.
    pub last_four: String,
    /// Switched on.
    pub is_enabled: bool,
    /// Whether the key opens the dashboard.
    pub can_login_web_ui: bool,
    /// End of the key's time.
    pub expires_at: Option<DateTimeUtc>,
    /// Comma-separated provider groups, which win over the user's; empty means the user's.
    pub provider_group: String,
    /// What the key may use, beside what its user may.
    pub limits: Limits,
    /// When created.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
    /// When deleted.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Relations.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The owner.
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
