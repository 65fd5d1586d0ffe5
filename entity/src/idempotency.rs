//! Table `idempotency`: what was created under which `Idempotency-Key`.

use sea_orm::entity::prelude::*;

use crate::value::Sealed;

/// A creation that was carried out, and its answer. The row is written in the creation's own transaction, so there is one exactly when
/// there is something created; the answer is added once it was made.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// Hexadecimal keyed hash of who asked and of the key they gave.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: String,
    /// Hexadecimal keyed hash of what was asked.
    pub fingerprint: String,
    /// The answer, sealed because it may hold a new client key.
    pub answer: Option<Sealed>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Until when the answer is repeated.
    pub expires_at: DateTimeUtc,
}

/// Relations: none.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
