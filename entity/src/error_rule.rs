//! Table `error_rules`.

use sea_orm::entity::prelude::*;

use crate::value::{ErrorMatch, RuleFault};

/// A rule that says whose fault an upstream's failure is, and what the client is told.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "error_rules")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// For people.
    pub name: String,
    /// The provider it is for; none means every one.
    pub provider_id: Option<i64>,
    /// How `pattern` is held against the failure's text.
    pub match_kind: ErrorMatch,
    /// What it looks for.
    pub pattern: String,
    /// Whose fault it then is.
    pub fault: RuleFault,
    /// The status the client gets instead of the upstream's.
    pub override_status: Option<i32>,
    /// The message the client gets instead of the upstream's.
    pub override_message: Option<String>,
    /// Lower goes first; the first that matches counts.
    pub priority: i32,
    /// Switched on.
    pub is_enabled: bool,
    /// When created.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Relations.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The provider it is for.
    #[sea_orm(
        belongs_to = "super::provider::Entity",
        from = "Column::ProviderId",
        to = "super::provider::Column::Id"
    )]
    Provider,
}

impl Related<super::provider::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Provider.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
