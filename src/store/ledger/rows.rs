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
use sea_orm::sqlx::postgres::{PgArguments, PgPool, Postgres};
use sea_orm::sqlx::sqlite::{Sqlite, SqliteArguments, SqlitePool};
use sea_orm::sqlx::{self, Arguments, AssertSqlSafe, Encode, Type};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxError};
use uuid::Uuid;

use super::request::Request;

/// Rows of the largest statement are two to the power of this. `SQLite` takes 32,766 bind variables, `PostgreSQL` 65,535.
const LARGEST: u32 = 6;
/// Bytes of a value, on average, to make room for: a few more than a number takes, as few columns are long.
const MEAN_VALUE: usize = 32;

/// Inserts into one database.
#[derive(Debug)]
pub(super) struct Inserts {
    db: DatabaseConnection,
    lines: Texts,
    requests: Texts,
}

/// The statements of one table: the first inserts one row, each further one twice as many.
#[derive(Debug)]
struct Texts(Vec<Arc<str>>);

/// A column's value.
enum Bound<'r> {
    Id(Uuid),
    Time(DateTime<Utc>),
    Text(&'r str),
    MaybeText(Option<&'r str>),
    Number(i64),
    MaybeNumber(Option<i64>),
    Small(i32),
    Flag(bool),
}

/// A row and its table.
trait Row {
    const TABLE: &'static str;
    /// In the order of [`Row::values`].
    const COLUMNS: &'static [&'static str];
    /// The column of JSON, if there is one.
    const JSON: Option<&'static str>;

    fn values(&self) -> impl IntoIterator<Item = Bound<'_>>;
}

// === impl Inserts ===

impl Inserts {
    pub(super) fn new(db: DatabaseConnection) -> Self {
        let backend = db.get_database_backend();
        Self {
            db,
            lines: Texts::new::<usage::Model>(backend),
            requests: Texts::new::<Request>(backend),
        }
    }

    /// Posts a batch in one transaction. A row whose id is there already is left as it is.
    ///
    /// # Errors
    /// When the database fails, or refuses a row: see [`Inserts::is_refusal`].
    pub(super) async fn post<'r>(
        &self,
        lines: impl ExactSizeIterator<Item = &'r usage::Model>,
        requests: &'r [Request],
    ) -> Result<(), DbErr> {
        let posted = if self.db.get_database_backend() == DbBackend::Postgres {
            let statements = self.statements(lines, requests, add::<Postgres>);
            postgres(self.db.get_postgres_connection_pool(), statements?).await
        } else {
            let statements = self.statements(lines, requests, add_shared);
            sqlite(self.db.get_sqlite_connection_pool(), statements?).await
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
                if self.db.get_database_backend() == DbBackend::Postgres {
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

    fn statements<'r, A: Arguments>(
        &self,
        lines: impl ExactSizeIterator<Item = &'r usage::Model>,
        requests: &'r [Request],
        add: impl Fn(&mut A, Bound<'_>) -> Result<(), SqlxError>,
    ) -> Result<Vec<(Arc<str>, A)>, DbErr> {
        let mut all = Vec::with_capacity(2 * LARGEST as usize);
        self.lines.fill(lines, &add, &mut all).map_err(failed)?;
        self.requests
            .fill(requests.iter(), &add, &mut all)
            .map_err(failed)?;
        Ok(all)
    }
}

async fn sqlite(
    pool: &SqlitePool,
    statements: Vec<(Arc<str>, SqliteArguments)>,
) -> Result<(), SqlxError> {
    let mut transaction = pool.begin().await?;
    for (sql, values) in statements {
        let query = sqlx::query_with::<Sqlite, _>(AssertSqlSafe(sql), values);
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

async fn postgres(
    pool: &PgPool,
    statements: Vec<(Arc<str>, PgArguments)>,
) -> Result<(), SqlxError> {
    let mut transaction = pool.begin().await?;
    for (sql, values) in statements {
        let query = sqlx::query_with::<Postgres, _>(AssertSqlSafe(sql), values);
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

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
        add: impl Fn(&mut A, Bound<'_>) -> Result<(), SqlxError>,
        all: &mut Vec<(Arc<str>, A)>,
    ) -> Result<(), SqlxError> {
        while let Some(power) = rows.len().checked_ilog2() {
            let power = power.min(LARGEST);
            let mut arguments = A::default();
            let values = R::COLUMNS.len() << power;
            arguments.reserve(values, values * MEAN_VALUE);
            for row in rows.by_ref().take(1 << power) {
                for value in row.values() {
                    add(&mut arguments, value)?;
                }
            }
            all.push((Arc::clone(&self.0[power as usize]), arguments));
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
    sql.push_str(" ON CONFLICT (id) DO NOTHING");
    sql
}

/// Pairs columns with values, so that neither can be moved without the other.
macro_rules! row {
    ($row:ty, $table:literal, json: $json:expr, |$it:ident| $($column:literal => $value:expr,)+) => {
        impl Row for $row {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$($column),+];
            const JSON: Option<&'static str> = $json;

            fn values(&self) -> impl IntoIterator<Item = Bound<'_>> {
                let $it = self;
                [$($value),+]
            }
        }
    };
}

row! { usage::Model, "usage_lines", json: None, |line|
    "id" => Bound::Id(line.id),
    "request_id" => Bound::Id(line.request_id),
    "attempt" => Bound::Small(line.attempt),
    "created_at" => Bound::Time(line.created_at),
    "user_id" => Bound::Number(line.user_id),
    "key_id" => Bound::Number(line.key_id),
    "provider_id" => Bound::Number(line.provider_id),
    "requested_model" => Bound::MaybeText(line.requested_model.as_deref()),
    "model" => Bound::MaybeText(line.model.as_deref()),
    "input_tokens" => Bound::Number(line.input_tokens),
    "cache_read_tokens" => Bound::Number(line.cache_read_tokens),
    "cache_write5m_tokens" => Bound::Number(line.cache_write5m_tokens),
    "cache_write1h_tokens" => Bound::Number(line.cache_write1h_tokens),
    "output_tokens" => Bound::Number(line.output_tokens),
    "reasoning_tokens" => Bound::Number(line.reasoning_tokens),
    "image_input_tokens" => Bound::Number(line.image_input_tokens),
    "image_output_tokens" => Bound::Number(line.image_output_tokens),
    "cost_nano_usd" => Bound::MaybeNumber(line.cost_nano_usd),
    "settled_from" => Bound::Text(&line.settled_from),
    "raw" => Bound::MaybeText(line.raw.as_deref()),
}

row! { Request, "request_log", json: Some("chain"), |row|
    "id" => Bound::Id(row.id),
    "created_at" => Bound::Time(row.created_at),
    "user_id" => Bound::MaybeNumber(row.user_id),
    "key_id" => Bound::MaybeNumber(row.key_id),
    "provider_id" => Bound::MaybeNumber(row.provider_id),
    "session_id" => Bound::MaybeText(row.session_id.as_deref()),
    "protocol" => Bound::Text(row.protocol),
    "endpoint" => Bound::Text(&row.endpoint),
    "requested_model" => Bound::MaybeText(row.requested_model.as_deref()),
    "model" => Bound::MaybeText(row.model.as_deref()),
    "status" => Bound::Small(row.status),
    "is_stream" => Bound::Flag(row.is_stream),
    "error_code" => Bound::MaybeText(row.error_code),
    "error_message" => Bound::MaybeText(row.error_message.as_deref()),
    "input_tokens" => Bound::Number(row.input_tokens),
    "cache_read_tokens" => Bound::Number(row.cache_read_tokens),
    "cache_write5m_tokens" => Bound::Number(row.cache_write5m_tokens),
    "cache_write1h_tokens" => Bound::Number(row.cache_write1h_tokens),
    "output_tokens" => Bound::Number(row.output_tokens),
    "reasoning_tokens" => Bound::Number(row.reasoning_tokens),
    "cost_nano_usd" => Bound::MaybeNumber(row.cost_nano_usd),
    "settled_from" => Bound::Text(row.settled_from),
    "duration_ms" => Bound::Number(row.duration_ms),
    "ttfb_ms" => Bound::MaybeNumber(row.ttfb_ms),
    "ttft_ms" => Bound::MaybeNumber(row.ttft_ms),
    "overhead_us" => Bound::Number(row.overhead_us),
    "request_bytes" => Bound::Number(row.request_bytes),
    "response_bytes" => Bound::Number(row.response_bytes),
    "client_ip" => Bound::MaybeText(row.client_ip.as_deref()),
    "user_agent" => Bound::MaybeText(row.user_agent.as_deref()),
    "chain" => Bound::Text(&row.chain),
}
