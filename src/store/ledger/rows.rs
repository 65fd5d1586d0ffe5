//! Inserts rows, many at a time, each of them once.
//!
//! This runs once per request, so it goes past the ORM: a statement's text is written once per number of rows and then prepared once
//! per connection, and values go from the row into the driver's arguments without a tree or a copy of the row in between. A batch is cut
//! into powers of two, so that few texts serve every batch and a full one takes few statements.

use std::fmt::Write;
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::usage;
use entity::usage_span::reopen;
use parking_lot::Mutex;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::postgres::Postgres;
use sea_orm::sqlx::sqlite::{Sqlite, SqliteArguments};
use sea_orm::sqlx::{self, Arguments, AssertSqlSafe, Connection, Encode, Pool, Type};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxError};
use uuid::Uuid;

use super::columns::{Bound, Row};
use super::request::Request;
use super::rollup::{Hourly, rolled_up};

/// Rows of the largest statement are two to the power of this. `SQLite` takes 32,766 bind variables, `PostgreSQL` 65,535.
const LARGEST: u32 = 8;
/// Bytes of a value, on average, to make room for: a few more than a number takes, as few columns are long.
const MEAN_VALUE: usize = 32;

/// Inserts into one database.
#[derive(Debug)]
pub(super) struct Inserts {
    base: Base,
    lines: Texts,
    requests: Texts,
    hours: Texts,
}

/// The database, by its kind.
#[derive(Debug)]
enum Base {
    Sqlite(Connections<Sqlite>),
    Postgres(Connections<Postgres>),
}

#[derive(Debug)]
struct Connections<DB: sqlx::Database> {
    pool: Pool<DB>,
    /// The one that the last batch went over, for the next one: its statements are prepared, and `SQLite` keeps its cache for as long as
    /// nobody else writes. One that a batch failed on is not kept.
    kept: Mutex<Option<PoolConnection<DB>>>,
}

/// Rows to be posted together.
struct Batch<'r> {
    lines: &'r [&'r usage::Model],
    requests: &'r [Request],
    /// Rows of its largest statement are two to the power of this.
    largest: u32,
}

/// A statement, its values, and how many rows they are.
struct Insert<A> {
    sql: Arc<str>,
    values: A,
    rows: usize,
}

/// The statements of one table: the first inserts one row, each further one twice as many.
#[derive(Debug)]
struct Texts(Vec<Arc<str>>);

// === impl Inserts ===

impl Inserts {
    pub(super) fn new(db: &DatabaseConnection) -> Self {
        let backend = db.get_database_backend();
        let base = if backend == DbBackend::Postgres {
            Base::Postgres(Connections::new(db.get_postgres_connection_pool()))
        } else {
            Base::Sqlite(Connections::new(db.get_sqlite_connection_pool()))
        };
        Self {
            base,
            lines: Texts::new::<usage::Model>(backend),
            requests: Texts::new::<Request>(backend),
            hours: Texts::new::<Hourly<'static>>(backend),
        }
    }

    /// Gives the connection back, as there is nothing to post now: one that stands still is cut by what is between here and the database.
    pub(super) fn rest(&self) {
        match &self.base {
            Base::Sqlite(connections) => drop(connections.kept.lock().take()),
            Base::Postgres(connections) => drop(connections.kept.lock().take()),
        }
    }

    /// Posts a batch in one transaction, with what it adds to the sums of each hour. A row whose id is there already is left as it is, and
    /// adds nothing.
    ///
    /// # Errors
    /// When the database fails, or refuses a row: see [`Inserts::is_refusal`].
    pub(super) async fn post<'r>(
        &self,
        lines: impl ExactSizeIterator<Item = &'r usage::Model>,
        requests: &'r [Request],
    ) -> Result<(), DbErr> {
        let lines: Vec<&usage::Model> = lines.collect();
        // Nearly always all rows are new, which the number of rows written tells. Where it tells that some are not, which those are is
        // found out row by row, in another transaction.
        let is_posted = self.try_post(&lines, requests, LARGEST).await?
            || self.try_post(&lines, requests, 0).await?;
        debug_assert!(is_posted, "a row alone is written or not");
        Ok(())
    }

    /// Posts a batch in statements of up to two to the power of `largest` rows; false, and nothing is posted, when that is too coarse to
    /// tell which of the rows are new.
    async fn try_post(
        &self,
        lines: &[&usage::Model],
        requests: &[Request],
        largest: u32,
    ) -> Result<bool, DbErr> {
        let batch = Batch {
            lines,
            requests,
            largest,
        };
        let posted = match &self.base {
            Base::Sqlite(connections) => sqlite(self, connections, &batch).await,
            Base::Postgres(connections) => postgres(self, connections, &batch).await,
        };
        posted.map_err(failed)
    }

    /// Whether the database refused what is in a row, so that trying again cannot help.
    pub(super) fn is_refusal(&self, error: &DbErr) -> bool {
        let DbErr::Exec(RuntimeErr::SqlxError(error)) = error else {
            return false;
        };
        match error.deref() {
            SqlxError::Encode(_) => true,
            SqlxError::Database(error) => {
                let code = error.code().unwrap_or_default();
                if matches!(self.base, Base::Postgres(_)) {
                    // Data exceptions and violated constraints.
                    code.starts_with("22") || code.starts_with("23")
                } else {
                    // SQLITE_TOOBIG, SQLITE_CONSTRAINT and SQLITE_MISMATCH, whatever they are extended by.
                    code.parse::<u32>()
                        .is_ok_and(|code| matches!(code & 0xff, 18..=20))
                }
            }
            _ => false,
        }
    }

    /// What inserts a batch.
    fn inserts<A: Arguments>(
        &self,
        batch: &Batch<'_>,
        add: impl Fn(&mut A, Bound<'_>) -> Result<(), SqlxError>,
    ) -> Result<Vec<Insert<A>>, SqlxError> {
        let mut all = Vec::with_capacity(2 * LARGEST as usize);
        let lines = batch.lines.iter().copied();
        self.lines.fill(lines, batch.largest, &add, &mut all)?;
        let requests = batch.requests.iter();
        self.requests
            .fill(requests, batch.largest, &add, &mut all)?;
        Ok(all)
    }

    /// What adds to the sums and opens spans over them again, once `written` tells how many rows of each insert are new; none when that does not tell which.
    fn additions<A: Arguments>(
        &self,
        batch: &Batch<'_>,
        written: &[(usize, u64)],
        add: impl Fn(&mut A, Bound<'_>) -> Result<(), SqlxError>,
    ) -> Result<Option<Vec<Insert<A>>>, SqlxError> {
        let mut is_new = Vec::with_capacity(batch.lines.len() + batch.requests.len());
        for (rows, new) in written {
            match *new {
                new if new == *rows as u64 => is_new.resize(is_new.len() + rows, true),
                0 => is_new.resize(is_new.len() + rows, false),
                _ => return Ok(None),
            }
        }
        let (new_lines, new_requests) = is_new.split_at(batch.lines.len());
        let lines = batch.lines.iter().copied().zip(new_lines);
        let requests = batch.requests.iter().zip(new_requests);
        let hours = rolled_up(
            lines.filter_map(|(line, is_new)| is_new.then_some(line)),
            requests.filter_map(|(request, is_new)| is_new.then_some(request)),
        );
        let mut all = Vec::with_capacity(LARGEST as usize);
        self.hours.fill(hours.iter(), LARGEST, &add, &mut all)?;
        if let (Some(first), Some(last)) = (hours.first(), hours.last()) {
            let mut values = A::default();
            add(&mut values, Bound::Number(first.place.hour))?;
            add(&mut values, Bound::Number(last.place.hour))?;
            let sql = reopen(self.base.backend()).into();
            let rows = 0;
            all.push(Insert { sql, values, rows });
        }
        Ok(Some(all))
    }
}

/// The same for both drivers, whose types have nothing in common that could stand for them.
macro_rules! transaction {
    ($name:ident, $database:ident, $add:expr) => {
        async fn $name(
            inserts: &Inserts,
            connections: &Connections<$database>,
            batch: &Batch<'_>,
        ) -> Result<bool, SqlxError> {
            let Connections { pool, kept } = connections;
            let last = kept.lock().take();
            let mut connection = match last {
                Some(connection) => connection,
                None => pool.acquire().await?,
            };
            let mut transaction = connection.begin().await?;
            let mut written = Vec::with_capacity(2 * LARGEST as usize);
            for insert in inserts.inserts(batch, $add)? {
                let sql = AssertSqlSafe(insert.sql);
                let query = sqlx::query_with::<$database, _>(sql, insert.values);
                let done = query.execute(&mut *transaction).await?;
                written.push((insert.rows, done.rows_affected()));
            }
            let additions = inserts.additions(batch, &written, $add)?;
            let is_posted = additions.is_some();
            for addition in additions.into_iter().flatten() {
                let sql = AssertSqlSafe(addition.sql);
                let query = sqlx::query_with::<$database, _>(sql, addition.values);
                query.execute(&mut *transaction).await?;
            }
            if is_posted {
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            // A database in memory is its one connection, which others need too.
            if pool.options().get_max_connections() > 1 {
                *kept.lock() = Some(connection);
            }
            Ok(is_posted)
        }
    };
}

transaction!(sqlite, Sqlite, add_shared);
transaction!(postgres, Postgres, add::<Postgres>);

fn add<DB: sqlx::Database>(arguments: &mut DB::Arguments, value: Bound<'_>) -> Result<(), SqlxError>
where
    Uuid: for<'a> Encode<'a, DB> + Type<DB>,
    DateTime<Utc>: for<'a> Encode<'a, DB> + Type<DB>,
    for<'a> &'a str: Encode<'a, DB> + Type<DB>,
    for<'a> Option<&'a str>: Encode<'a, DB> + Type<DB>,
    i64: for<'a> Encode<'a, DB> + Type<DB>,
    Option<i64>: for<'a> Encode<'a, DB> + Type<DB>,
    i32: for<'a> Encode<'a, DB> + Type<DB>,
    bool: for<'a> Encode<'a, DB> + Type<DB>,
{
    match value {
        Bound::Id(value) => arguments.add(value),
        Bound::Time(value) => arguments.add(value),
        Bound::Text(value) => arguments.add(value),
        Bound::MaybeText(value) => arguments.add(value),
        Bound::Number(value) => arguments.add(value),
        Bound::MaybeNumber(value) => arguments.add(value),
        Bound::Small(value) => arguments.add(value),
        Bound::Flag(value) => arguments.add(value),
    }
    .map_err(SqlxError::Encode)
}

/// [`add`] for `SQLite`, whose driver keeps each text on the heap until its own thread has bound it: as an `Arc<str>` it takes one allocation
/// there, as a `&str` it would take two.
fn add_shared(arguments: &mut SqliteArguments, value: Bound<'_>) -> Result<(), SqlxError> {
    let text = match value {
        Bound::Text(text) | Bound::MaybeText(Some(text)) => Arc::<str>::from(text),
        other => return add::<Sqlite>(arguments, other),
    };
    arguments.add(text).map_err(SqlxError::Encode)
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

// === impl Base ===

impl Base {
    fn backend(&self) -> DbBackend {
        match self {
            Self::Sqlite(_) => DbBackend::Sqlite,
            Self::Postgres(_) => DbBackend::Postgres,
        }
    }
}

// === impl Connections ===

impl<DB: sqlx::Database> Connections<DB> {
    fn new(pool: &Pool<DB>) -> Self {
        Self {
            pool: pool.clone(),
            kept: Mutex::default(),
        }
    }
}

// === impl Texts ===

impl Texts {
    fn new<R: Row>(backend: DbBackend) -> Self {
        let texts = (0..=LARGEST).map(|power| text::<R>(backend, 1 << power).into());
        Self(texts.collect())
    }

    /// Adds to `all` what inserts the rows.
    fn fill<'r, R: Row + 'r, A: Arguments>(
        &self,
        mut rows: impl ExactSizeIterator<Item = &'r R>,
        largest: u32,
        add: impl Fn(&mut A, Bound<'_>) -> Result<(), SqlxError>,
        all: &mut Vec<Insert<A>>,
    ) -> Result<(), SqlxError> {
        while let Some(power) = rows.len().checked_ilog2() {
            let power = power.min(largest);
            let mut arguments = A::default();
            let values = R::COLUMNS.len() << power;
            arguments.reserve(values, values * MEAN_VALUE);
            for row in rows.by_ref().take(1 << power) {
                for value in row.values() {
                    add(&mut arguments, value)?;
                }
            }
            all.push(Insert {
                sql: Arc::clone(&self.0[power as usize]),
                values: arguments,
                rows: 1 << power,
            });
        }
        Ok(())
    }
}

fn text<R: Row>(backend: DbBackend, rows: usize) -> String {
    let is_postgres = backend == DbBackend::Postgres;
    // A refused row ends the transaction anyway. Told that the rows before it may stay until then, `SQLite` keeps no copy of the pages that a
    // statement of several rows changes.
    let insert = if is_postgres {
        "INSERT"
    } else {
        "INSERT OR FAIL"
    };
    let mut sql = format!(
        "{insert} INTO {} ({}) VALUES ",
        R::TABLE,
        R::COLUMNS.join(", ")
    );
    let mut number = 0;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for (at, column) in R::COLUMNS.iter().enumerate() {
            number += 1;
            if at > 0 {
                sql.push_str(", ");
            }
            let written = match (is_postgres, R::JSON == Some(*column)) {
                (false, _) => write!(sql, "?"),
                (true, false) => write!(sql, "${number}"),
                (true, true) => write!(sql, "CAST(${number} AS JSONB)"),
            };
            written.expect("memory takes a text");
        }
        sql.push(')');
    }
    sql.push_str(" ON CONFLICT ");
    sql.push_str(&R::on_conflict());
    sql
}
