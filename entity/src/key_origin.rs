//! Table `key_origins`: where client keys were hashed that were not hashed here.

use sea_orm::entity::prelude::*;

use crate::value::{KeyHasher, Sealed, Sealer};

/// Where `hashing_key` is sealed for, see [`crate::value::Sealer`].
pub const HASHING_KEY_PLACE: &str = "key_origin/hashing_key";

/// The most there can be: every wrong key is hashed once for each.
pub const MOST: usize = 16;

/// Another installation, whose client keys were restored here from a backup. A key itself is kept nowhere, so that it is still known here
/// takes what it was hashed with there.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "key_origins")]
pub struct Model {
    /// [`KeyHasher::mark`] of the installation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mark: String,
    /// What its keys were hashed with, sealed.
    pub hashing_key: Sealed,
    /// When it became known here.
    pub created_at: DateTimeUtc,
}

/// Relations: none. A hash does not say what it was made with.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What its keys were hashed with.
    ///
    /// # Errors
    /// Says why it cannot be used.
    pub fn open(&self, sealer: &Sealer) -> Result<KeyHasher, String> {
        let secret = sealer
            .open(HASHING_KEY_PLACE, &self.hashing_key)
            .map_err(|e| e.to_string())?;
        KeyHasher::from_secret(&secret).ok_or_else(|| "its stored hashing key is none".to_owned())
    }
}
