//! Table `settings`: one row.

use sea_orm::entity::prelude::*;

use crate::value::GatewaySettings;

/// The id of the one row.
pub const ONLY_ID: i32 = 1;

/// The settings an admin may change while the gateway runs.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "settings")]
pub struct Model {
    /// Always [`ONLY_ID`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The settings.
    pub value: GatewaySettings,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Relations: none.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
