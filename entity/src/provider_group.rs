//! Table `provider_groups`.

use sea_orm::entity::prelude::*;

use crate::value::Multiplier;

/// What is said of a group of providers. A group that providers and callers name needs no row here: without one its factor is 1.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_groups")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The name providers and callers use; unique.
    pub name: String,
    /// Factor on the prices of requests that go through the group.
    pub cost_multiplier: Multiplier,
    /// Free text.
    pub note: String,
    /// When created.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
}

/// Relations: none, a group is named, not pointed at.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
