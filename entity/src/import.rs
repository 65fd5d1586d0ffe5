//! Table `imports`: which row here came from which row elsewhere.

use sea_orm::entity::prelude::*;

/// A row that was imported, or that was found to be here already; and how far history was imported.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "imports")]
pub struct Model {
    /// The database it came from, by what does not change in it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// What it is: `user`, `key`, `provider`, `group`, `rule`, `settings`; or `history`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// Its id there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_id: i64,
    /// Its id here. Of history: the id there up to which it was imported.
    pub target_id: i64,
    /// A keyed hash of what was imported: another one means that it was changed there.
    pub digest: String,
    /// The `updated_at` its row here was given: another one means that it was changed here.
    pub applied_at: DateTimeUtc,
}

/// Relations: none, what it points at depends on its kind.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
