//! Inserts rows, many at a time, each of them once.
//!
//! This runs once per request, so it goes past the ORM: a statement's text is written once per number of rows and then prepared once
//! per connection, and values go from the row into the driver without a tree or a copy of the row in between. A batch is cut into powers of
//! two, so that few texts serve every batch and a full one takes few statements.
//!
//! Each row adds to the sums of its hour in the transaction that inserts it, and only if that did. How many of a statement's rows were new
//! the database tells, but not which. Nearly always all of them are; where some are not, the batch is posted row by row, in another
//! transaction.
//!
//! | module | |
//! |---|---|
//! | `texts` | the statements |
//! | `written` | which rows were new, and what those add |
//! | `sqlite`, `postgres` | one transaction, by the driver's own means |

mod postgres;
mod sqlite;
mod texts;
mod written;

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbBackend, DbErr, RuntimeErr};
use thiserror::Error;

use super::batch::Batch;
use postgres::Postgres;
use sqlite::Sqlite;
use texts::Texts;
use written::Written;

/// Inserts into one database.
#[derive(Debug)]
pub(super) enum Inserts {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Why rows were not posted.
#[derive(Debug, Error)]
pub enum PostError {
    /// The database refuses what is in a row, so that trying again cannot help.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] DbErr),
}

// === impl Inserts ===

impl Inserts {
    pub(super) fn new(db: &DatabaseConnection) -> Self {
        let texts = Texts::new(db.get_database_backend());
        if db.get_database_backend() == DbBackend::Postgres {
            Self::Postgres(Postgres::new(db.get_postgres_connection_pool(), texts))
        } else {
            Self::Sqlite(Sqlite::new(db.get_sqlite_connection_pool(), texts))
        }
    }

    /// Gives the connection back, as there is nothing to post now: one that stands still is cut by what is between here and the database.
    pub(super) fn rest(&self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(postgres) => postgres.rest(),
        }
    }

    /// Posts a batch in one transaction, with what it adds to the sums of each hour. A row whose id is there already is left as it is, and
    /// adds nothing. Dropped before it is done, nothing is posted, unless that is just being committed.
    ///
    /// # Errors
    /// When the database fails, or refuses a row.
    pub(super) async fn post(&self, batch: &Arc<Batch>) -> Result<(), PostError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.post(Arc::clone(batch)).await,
            Self::Postgres(postgres) => postgres.post(batch).await,
        }
    }
}

// === impl PostError ===

impl From<PostError> for DbErr {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Refused(why) => Self::Exec(RuntimeErr::Internal(why)),
            PostError::Failed(error) => error,
        }
    }
}
