//! Table `prices`: what models cost, by hand or from a public table, each row from its moment on.

use sea_orm::entity::prelude::*;

use crate::value::Strings;

/// A price. Rows are only added: a change is a row with a later moment, and so is an end.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "prices")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The model, as providers are asked for it.
    pub model: String,
    /// `manual` or `synced`, see [`crate::value::price::Source`].
    pub source: String,
    /// The figures as [`crate::value::price::Price`] writes them; none ends what this source said before.
    pub figures: Option<String>,
    /// Other names of the model.
    pub aliases: Strings,
    /// From when on it holds.
    pub effective_at: DateTimeUtc,
    /// When it was written down.
    pub created_at: DateTimeUtc,
}

/// Relations: none.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The row as a value.
    ///
    /// # Errors
    /// Says what of it cannot be read.
    pub fn read(self) -> Result<crate::value::price::PriceRow, String> {
        Ok(crate::value::price::PriceRow {
            id: self.id,
            source: self.source.parse().map_err(|e| format!("its source {e}"))?,
            price: match &self.figures {
                Some(figures) => Some(figures.parse().map_err(|e| format!("its figures: {e}"))?),
                None => None,
            },
            model: self.model,
            aliases: self.aliases.0,
            effective_at: self.effective_at,
        })
    }
}
