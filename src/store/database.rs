//! Opens the database, brings its tables up to date, and asks whether it is there.
//!
//! The DSN goes straight to the driver's own parser and the pool is made from that, so that no error and no trace line ever holds the
//! password.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use rusqlite::{Connection, OpenFlags};
use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::postgres::{PgConnectOptions, Postgres};
use sea_orm::sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxPostgresConnector,
    SqlxSqliteConnector, Statement, TransactionTrait,
};
use tokio::time::{Instant, sleep, timeout};

use crate::settings;

/// The embedded database's file in the data directory.
pub const FILE: &str = "switchyard.db";

const CONNECT: Duration = Duration::from_secs(5);
const PING: Duration = Duration::from_secs(2);
/// How long a node waits for another one's migrations.
const MIGRATE_TURN: Duration = Duration::from_secs(600);
const MIGRATE_POLL: Duration = Duration::from_millis(250);
/// Bytes that the write-ahead log of `SQLite` is cut back to once it is in the file.
///
/// It is written with `synchronous` as `FULL` rather than `NORMAL`: `NORMAL` may lose the last transactions when the power fails, after the
/// usage journal has let go of their lines; the ledger's batches keep the syncs few.
const JOURNAL_SIZE: i64 = 64 * 1024 * 1024;
/// Names the lock under which one node at a time migrates: "switchya" as a number.
const MIGRATE_LOCK: i64 = i64::from_be_bytes(*b"switchya");

/// Opens the pool: the DSN's database, or `SQLite` in `data_dir` where there is none. One connection is tried before it answers.
///
/// # Errors
/// When the DSN is none, or the database does not answer within five seconds.
pub async fn connect(
    settings: &settings::Database,
    data_dir: &Path,
) -> Result<DatabaseConnection, DbErr> {
    match &settings.dsn {
        None => {
            super::make_data_dir(data_dir).map_err(|e| DbErr::Custom(e.to_string()))?;
            sqlite(SqliteConnectOptions::new().filename(data_dir.join(FILE))).await
        }
        Some(dsn) if dsn.expose().starts_with("sqlite:") => {
            sqlite(SqliteConnectOptions::from_str(dsn.expose()).map_err(|e| failed(&e))?).await
        }
        Some(dsn) => {
            postgres(PgConnectOptions::from_str(dsn.expose()).map_err(|e| failed(&e))?).await
        }
    }
}

/// Brings the tables up to date. On `PostgreSQL` under a lock, so that of several nodes that start together one does it and the
/// others wait for it.
///
/// # Errors
/// When a migration fails, or another node is not done with them after ten minutes.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Migrator::up(db, None).await;
    }
    // The lock is the transaction's, so that it is gone whatever happens to this process or its connection.
    let turn = db.begin().await?;
    let until = Instant::now() + MIGRATE_TURN;
    let mut is_waiting = false;
    while !try_lock(&turn).await? {
        if Instant::now() >= until {
            return Err(DbErr::Custom(
                "another node has held the migration lock for ten minutes".to_owned(),
            ));
        }
        if !is_waiting {
            tracing::info!("another node is migrating the database, waiting for it");
            is_waiting = true;
        }
        sleep(MIGRATE_POLL).await;
    }
    Migrator::up(db, None).await?;
    turn.commit().await
}

/// Whether the tables are as this version has them. Changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn is_migrated(db: &DatabaseConnection) -> Result<bool, DbErr> {
    let pending = Migrator::get_pending_migrations_read_only(db);
    Ok(pending.await?.is_empty())
}

/// Whether the database answers, within two seconds.
///
/// # Errors
/// Why it does not.
pub async fn ping(db: &DatabaseConnection) -> Result<(), DbErr> {
    within(PING, db.ping()).await
}

/// `work`, or an error when it takes longer than `limit`.
///
/// # Errors
/// Those of `work`, and that the database did not answer in time.
pub async fn within<T, E: From<DbErr>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(E::from(DbErr::Conn(RuntimeErr::Internal(format!(
            "the database did not answer within {} ms",
            limit.as_millis()
        ))))),
    }
}

/// One file, many readers, one writer at a time.
async fn sqlite(options: SqliteConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(CONNECT)
        .foreign_keys(true)
        .pragma("journal_size_limit", JOURNAL_SIZE.to_string())
        .disable_statement_logging();
    let pool = pool::<Sqlite>(8)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(|e| failed(&e))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Another connection to the file that a pool of these options has open, for whoever drives `SQLite` directly. It blocks.
pub(super) fn sqlite_writer(options: &SqliteConnectOptions) -> rusqlite::Result<Connection> {
    // Not to make it: a file that is gone is a mistake, and would be empty.
    let flags = OpenFlags::default() - OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags(options.get_filename(), flags)?;
    connection.busy_timeout(CONNECT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE)?;
    Ok(connection)
}

async fn postgres(options: PgConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let options = options
        .application_name("switchyard")
        .disable_statement_logging();
    let pool = pool::<Postgres>(20)
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(1800))
        .connect_with(options)
        .await
        .map_err(|e| failed(&e))?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// The acquire timeout covers connecting too.
fn pool<DB: sea_orm::sqlx::Database>(size: u32) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(size)
        .min_connections(1)
        .acquire_timeout(CONNECT)
}

async fn try_lock(turn: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let sql = format!("SELECT pg_try_advisory_xact_lock({MIGRATE_LOCK}) AS mine");
    let row = turn
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("the lock's answer".to_owned()))?;
    row.try_get("", "mine")
}

fn failed(e: &sea_orm::SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(e.to_string()))
}

#[cfg(test)]
mod tests;
