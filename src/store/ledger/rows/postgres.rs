//! Posts to `PostgreSQL`.

use std::sync::Arc;

use parking_lot::Mutex;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::postgres::{self, PgArguments};
use sea_orm::sqlx::{self, Arguments, AssertSqlSafe, Connection, PgConnection, Pool};
use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::super::batch::Batch;
use super::super::columns::{Bound, Row};
use super::texts::{LARGEST, Table, Texts};
use super::{PostError, Written};

/// Bytes of a value, on average, to make room for: a few more than a number takes, as few columns are long.
const MEAN_VALUE: usize = 32;

/// One connection of the pool.
#[derive(Debug)]
pub(in super::super) struct Postgres {
    pool: Pool<postgres::Postgres>,
    texts: Texts,
    /// The one that the last batch went over, for the next one: its statements are prepared. One that a batch failed on is not kept.
    kept: Mutex<Option<PoolConnection<postgres::Postgres>>>,
}

// === impl Postgres ===

impl Postgres {
    pub(super) fn new(pool: &Pool<postgres::Postgres>, texts: Texts) -> Self {
        Self {
            pool: pool.clone(),
            texts,
            kept: Mutex::default(),
        }
    }

    /// See [`super::Inserts::rest`].
    pub(super) fn rest(&self) {
        drop(self.kept.lock().take());
    }

    /// See [`super::Inserts::post`].
    pub(super) async fn post(&self, batch: &Batch) -> Result<(), PostError> {
        let last = self.kept.lock().take();
        let mut connection = match last {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        let is_posted = self.try_post(&mut connection, batch, LARGEST).await?
            || self.try_post(&mut connection, batch, 0).await?;
        debug_assert!(is_posted, "a row alone is written or not");
        *self.kept.lock() = Some(connection);
        Ok(())
    }

    /// Posts a batch in statements of up to two to the power of `largest` rows; false, and nothing is posted, when that is too coarse to
    /// tell which of the rows are new.
    async fn try_post(
        &self,
        connection: &mut PgConnection,
        batch: &Batch,
        largest: u32,
    ) -> Result<bool, SqlxError> {
        let mut transaction = connection.begin().await?;
        let mut written = Written::default();
        let (lines, requests) = (&self.texts.lines, &self.texts.requests);
        insert(&mut transaction, lines, &batch.lines, largest, &mut written).await?;
        insert(
            &mut transaction,
            requests,
            &batch.requests,
            largest,
            &mut written,
        )
        .await?;
        let Some(hours) = written.additions(batch) else {
            transaction.rollback().await?;
            return Ok(false);
        };
        let added = &mut Written::default();
        insert(&mut transaction, &self.texts.hours, &hours, LARGEST, added).await?;
        if let (Some(first), Some(last)) = (hours.first(), hours.last()) {
            let reopen = sqlx::query(self.texts.reopen)
                .bind(first.place.hour)
                .bind(last.place.hour);
            reopen.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

async fn insert<R: Row>(
    connection: &mut PgConnection,
    table: &Table,
    rows: &[R],
    largest: u32,
    written: &mut Written,
) -> Result<(), SqlxError> {
    for (sql, rows) in table.cut(rows, largest) {
        let mut values = PgArguments::default();
        let count = R::COLUMNS.len() * rows.len();
        values.reserve(count, count * MEAN_VALUE);
        for value in rows.iter().flat_map(Row::values) {
            add(&mut values, value)?;
        }
        let query = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), values);
        let done = query.execute(&mut *connection).await?;
        written.push(rows.len(), done.rows_affected());
    }
    Ok(())
}

fn add(values: &mut PgArguments, value: Bound<'_>) -> Result<(), SqlxError> {
    match value {
        Bound::Id(value) => values.add(value),
        Bound::Time(value) => values.add(value),
        Bound::Text(value) => values.add(value),
        Bound::MaybeText(value) => values.add(value),
        Bound::Number(value) => values.add(value),
        Bound::MaybeNumber(value) => values.add(value),
        Bound::Small(value) => values.add(value),
        Bound::Flag(value) => values.add(value),
    }
    .map_err(SqlxError::Encode)
}

// === impl PostError ===

impl From<SqlxError> for PostError {
    fn from(error: SqlxError) -> Self {
        let is_refusal = match &error {
            SqlxError::Encode(_) => true,
            SqlxError::Database(error) => {
                let code = error.code().unwrap_or_default();
                // Data exceptions and violated constraints.
                code.starts_with("22") || code.starts_with("23")
            }
            _ => false,
        };
        if is_refusal {
            Self::Refused(error.to_string())
        } else {
            Self::Failed(DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))
        }
    }
}
