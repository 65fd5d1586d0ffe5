//! History from elsewhere, posted like one's own: each row once, and counted in the sums of its hour.

use entity::usage;
use sea_orm::{DatabaseConnection, DbErr};

use super::fit;
use super::request::Request;
use super::rows::Inserts;

/// Posts history that did not happen here.
#[derive(Debug)]
pub struct Archive(Inserts);

// === impl Archive ===

impl Archive {
    /// An archive in this database.
    #[must_use]
    pub fn new(db: DatabaseConnection) -> Self {
        Self(Inserts::new(&db))
    }

    /// Posts rows in one transaction. A row whose id is there already is left as it is, and adds nothing to any sum. Texts are cut to their
    /// columns' widths.
    ///
    /// # Errors
    /// When the database fails, or refuses a row: see [`Archive::is_refusal`].
    pub async fn post(
        &self,
        lines: &mut [usage::Model],
        requests: &mut [Request],
    ) -> Result<(), DbErr> {
        lines.iter_mut().for_each(fit::line);
        requests.iter_mut().for_each(fit::request);
        let posted = self.0.post(lines.iter(), requests).await;
        // Who reads history from elsewhere may take a long time until there is more.
        self.0.rest();
        posted
    }

    /// Whether the database refused what is in a row, so that trying again cannot help.
    #[must_use]
    pub fn is_refusal(&self, error: &DbErr) -> bool {
        self.0.is_refusal(error)
    }
}
