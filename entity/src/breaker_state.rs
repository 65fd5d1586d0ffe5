//! Table `breaker_states`: what the breakers know, for the next start and for the other nodes.

use sea_orm::entity::prelude::*;

/// A breaker's last known state, whichever node wrote it; or the mark of a reset, which other nodes follow.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "breaker_states")]
pub struct Model {
    /// The provider; 0 for what concerns all of them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: i64,
    /// What it stands for at the provider: `provider`, `endpoint`, `model`; or `reset`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scope: String,
    /// Which endpoint or model; else empty.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// The state, as the breakers write it.
    pub state: Json,
    /// Drawn at random whenever the row is written, so that every change shows, whatever the nodes' clocks say.
    pub stamp: i64,
    /// When it was written.
    pub updated_at: DateTimeUtc,
}

/// Relations: none. A provider that is gone takes its rows along when the breakers forget it.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
