//! History from elsewhere, posted like one's own: each row once, and counted in the sums of its hour.

use std::sync::Arc;

use entity::usage;
use sea_orm::DatabaseConnection;

use super::batch::Batch;
use super::fit;
use super::request::Request;
use super::rows::{Inserts, PostError};

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
    /// When the database fails, or refuses a row.
    pub async fn post(
        &self,
        mut lines: Vec<usage::Model>,
        mut requests: Vec<Request>,
    ) -> Result<(), PostError> {
        lines.iter_mut().for_each(fit::line);
        requests.iter_mut().for_each(fit::request);
        let posted = self.0.post(&Arc::new(Batch { lines, requests })).await;
        // Who reads history from elsewhere may take a long time until there is more.
        self.0.rest();
        posted
    }
}
