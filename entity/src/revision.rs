//! Table `revision`: one row, one number.

use sea_orm::entity::prelude::*;

/// The id of the one row.
pub const ONLY_ID: i32 = 1;

/// Counts changes of the configuration: bumped in the transaction that makes one, read by every node to know of it.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "revision")]
pub struct Model {
    /// Always [`ONLY_ID`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Grows by one with every change.
    pub number: i64,
}

/// Relations: none.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
