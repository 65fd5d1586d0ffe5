//! Posts to `SQLite`.
//!
//! The pool's driver keeps every value on the heap and sends the statement to a thread of its own; for the hundred thousands of values of a
//! busy minute that cost more than what `SQLite` does with them. So this one connection is driven directly, on a thread where blocking is
//! allowed, and values are bound from the rows where they are.

use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::SecondsFormat;
use parking_lot::Mutex;
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use sea_orm::sqlx::{Pool, sqlite};
use sea_orm::{DbErr, RuntimeErr};

use super::super::batch::Batch;
use super::super::blocking::blocking;
use super::super::columns::{Bound, Row};
use super::texts::{LARGEST, Table, Texts};
use super::{PostError, Written};
use crate::store::database;

/// How long a batch waits for one that nobody waits for any more.
const TURN: Duration = Duration::from_secs(5);

/// One connection to the file that the pool has open.
#[derive(Debug)]
pub(in super::super) struct Sqlite(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: Pool<sqlite::Sqlite>,
    texts: Texts,
    /// Opened for the first batch. One that a batch failed on is not kept.
    connection: Mutex<Option<Connection>>,
}

/// Ends with who waits for a batch.
struct Awaited(Weak<()>);

// === impl Sqlite ===

impl Sqlite {
    pub(super) fn new(pool: &Pool<sqlite::Sqlite>, texts: Texts) -> Self {
        Self(Arc::new(Shared {
            pool: pool.clone(),
            texts,
            connection: Mutex::default(),
        }))
    }

    /// See [`super::Inserts::post`].
    pub(super) async fn post(&self, batch: Arc<Batch>) -> Result<(), PostError> {
        let shared = Arc::clone(&self.0);
        // Gone when this is dropped: who gave up has counted these rows as not posted, and may come with them again.
        let waiting = Arc::new(());
        let awaited = Awaited(Arc::downgrade(&waiting));
        let posted = blocking(move || shared.post(&batch, &awaited)).await;
        drop(waiting);
        posted
    }
}

// === impl Shared ===

impl Shared {
    fn post(&self, batch: &Batch, awaited: &Awaited) -> Result<(), PostError> {
        let Some(mut kept) = self.connection.try_lock_for(TURN) else {
            return Err(failed("the batch before this one is still being written"));
        };
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let is_posted = self.try_post(&mut connection, batch, LARGEST, awaited)?
            || self.try_post(&mut connection, batch, 0, awaited)?;
        debug_assert!(is_posted, "a row alone is written or not");
        *kept = Some(connection);
        Ok(())
    }

    fn open(&self) -> Result<Connection, PostError> {
        let connection = database::sqlite_writer(&self.pool.connect_options())?;
        // All statements, and the few that begin and end a transaction.
        connection.set_prepared_statement_cache_capacity(3 * Table::EACH + 8);
        Ok(connection)
    }

    /// Posts a batch in statements of up to two to the power of `largest` rows; false, and nothing is posted, when that is too coarse to
    /// tell which of the rows are new.
    fn try_post(
        &self,
        connection: &mut Connection,
        batch: &Batch,
        largest: u32,
        awaited: &Awaited,
    ) -> Result<bool, PostError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut written = Written::default();
        insert(
            &transaction,
            &self.texts.lines,
            &batch.lines,
            largest,
            &mut written,
        )?;
        insert(
            &transaction,
            &self.texts.requests,
            &batch.requests,
            largest,
            &mut written,
        )?;
        let Some(hours) = written.additions(batch) else {
            transaction.rollback()?;
            return Ok(false);
        };
        insert(
            &transaction,
            &self.texts.hours,
            &hours,
            LARGEST,
            &mut Written::default(),
        )?;
        if let (Some(first), Some(last)) = (hours.first(), hours.last()) {
            let mut reopen = transaction.prepare_cached(self.texts.reopen)?;
            reopen.execute([first.place.hour, last.place.hour])?;
        }
        awaited.check()?;
        transaction.commit()?;
        Ok(true)
    }
}

// === impl Awaited ===

impl Awaited {
    fn check(&self) -> Result<(), PostError> {
        if self.0.strong_count() == 0 {
            return Err(failed("nobody waits for the batch any more"));
        }
        Ok(())
    }
}

fn insert<R: Row>(
    connection: &Connection,
    table: &Table,
    rows: &[R],
    largest: u32,
    written: &mut Written,
) -> rusqlite::Result<()> {
    for (sql, rows) in table.cut(rows, largest) {
        let mut statement = connection.prepare_cached(sql)?;
        for (at, value) in rows.iter().flat_map(Row::values).enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        let new = statement.raw_execute()?;
        written.push(rows.len(), new as u64);
    }
    Ok(())
}

fn failed(why: impl Into<String>) -> PostError {
    PostError::Failed(DbErr::Exec(RuntimeErr::Internal(why.into())))
}

// === impl PostError ===

impl From<rusqlite::Error> for PostError {
    fn from(error: rusqlite::Error) -> Self {
        use ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
        match error.sqlite_error_code() {
            Some(TooBig | ConstraintViolation | TypeMismatch) => Self::Refused(error.to_string()),
            _ => failed(error.to_string()),
        }
    }
}

// === impl Bound ===

/// As the pool's driver writes values, because it is what reads them.
impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = |number| ToSqlOutput::Owned(Value::Integer(number));
        let null = ToSqlOutput::Owned(Value::Null);
        Ok(match self {
            Self::Id(id) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Self::Time(time) => {
                let text = time.to_rfc3339_opts(SecondsFormat::AutoSi, false);
                ToSqlOutput::Owned(Value::Text(text))
            }
            Self::Text(text) | Self::MaybeText(Some(text)) => {
                ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
            }
            Self::Number(value) | Self::MaybeNumber(Some(value)) => number(*value),
            Self::Small(value) => number(i64::from(*value)),
            Self::Flag(value) => number(i64::from(*value)),
            Self::MaybeText(None) | Self::MaybeNumber(None) => null,
        })
    }
}
