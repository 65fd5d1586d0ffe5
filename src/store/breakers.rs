//! The table of the breakers' states: read at the start, written when something changed, and watched for what other nodes write.

use std::time::Duration;

use chrono::Utc;
use entity::breaker_state::{self, Column, Entity};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait, QueryFilter, Statement, TransactionTrait,
};
use serde_json::Value;

use super::database::within;

/// The scope of a row that marks a reset.
pub const RESET: &str = "reset";
/// The provider of a row that concerns all providers.
pub const ALL: i64 = 0;

/// Stamps are drawn below this: the sum of any number of rows there can be fits an `i64`.
const STAMPS: i64 = 1 << 40;
const POLL_LIMIT: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(5);
/// Rows of one statement; `SQLite` takes 32,766 bind variables.
const ROWS: usize = 500;

/// A row's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The provider.
    pub provider: i64,
    /// What it stands for there, or [`RESET`].
    pub scope: String,
    /// Which one.
    pub subject: String,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub key: Key,
    /// What it says.
    pub state: Value,
    /// Differs whenever it was written again; see [`draw_stamp`].
    pub stamp: i64,
}

/// What is written at once, in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Marks of resets: all other rows of their provider go, or of every provider where it is [`ALL`].
    pub resets: Vec<Row>,
    /// Rows that go.
    pub removed: Vec<Key>,
    /// Rows that are new or different.
    pub changed: Vec<Row>,
}

/// Tells whether anything in the table changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    rows: i64,
    stamps: i64,
}

/// A stamp for a row that is about to be written.
#[must_use]
pub fn draw_stamp() -> i64 {
    fastrand::i64(1..STAMPS)
}

/// All rows.
///
/// # Errors
/// When the database fails or takes longer than five seconds.
pub async fn load(db: &DatabaseConnection) -> Result<Vec<Row>, DbErr> {
    let rows = within(LIMIT, Entity::find().all(db)).await?;
    Ok(rows.into_iter().map(Row::from).collect())
}

/// The table as it is now, in two numbers.
///
/// # Errors
/// When the database fails or takes longer than two seconds.
pub async fn fingerprint(db: &DatabaseConnection) -> Result<Fingerprint, DbErr> {
    let sql = "SELECT COUNT(*) AS row_count, CAST(COALESCE(SUM(stamp), 0) AS BIGINT) AS stamp_sum FROM breaker_states";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = within(POLL_LIMIT, db.query_one_raw(statement)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the count of a table".to_owned()))?;
    Ok(Fingerprint {
        rows: row.try_get("", "row_count")?,
        stamps: row.try_get("", "stamp_sum")?,
    })
}

/// Writes a batch, all of it or nothing.
///
/// # Errors
/// When the database fails or takes longer than five seconds.
pub async fn save(db: &DatabaseConnection, batch: &Batch) -> Result<(), DbErr> {
    within(LIMIT, async {
        let write = db.begin().await?;
        for mark in &batch.resets {
            reset(&write, mark.key.provider).await?;
        }
        for key in &batch.removed {
            Entity::delete_by_id((key.provider, key.scope.clone(), key.subject.clone()))
                .exec(&write)
                .await?;
        }
        // In one order at every node, so that two of them never wait for each other.
        let mut rows: Vec<&Row> = batch.resets.iter().chain(&batch.changed).collect();
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        for rows in rows.chunks(ROWS) {
            put(&write, rows).await?;
        }
        write.commit().await
    })
    .await
}

async fn reset(write: &DatabaseTransaction, provider: i64) -> Result<(), DbErr> {
    let mut rows = Entity::delete_many().filter(Column::Scope.ne(RESET));
    if provider != ALL {
        rows = rows.filter(Column::ProviderId.eq(provider));
    }
    rows.exec(write).await?;
    Ok(())
}

async fn put(write: &DatabaseTransaction, rows: &[&Row]) -> Result<(), DbErr> {
    let updated_at = Utc::now();
    let rows = rows.iter().map(|row| breaker_state::ActiveModel {
        provider_id: ActiveValue::Set(row.key.provider),
        scope: ActiveValue::Set(row.key.scope.clone()),
        subject: ActiveValue::Set(row.key.subject.clone()),
        state: ActiveValue::Set(row.state.clone()),
        stamp: ActiveValue::Set(row.stamp),
        updated_at: ActiveValue::Set(updated_at),
    });
    let key = [Column::ProviderId, Column::Scope, Column::Subject];
    let mut replace = OnConflict::columns(key);
    replace.update_columns([Column::State, Column::Stamp, Column::UpdatedAt]);
    Entity::insert_many(rows)
        .on_conflict(replace)
        .exec_without_returning(write)
        .await?;
    Ok(())
}

// === impl Row ===

impl From<breaker_state::Model> for Row {
    fn from(row: breaker_state::Model) -> Self {
        Self {
            key: Key {
                provider: row.provider_id,
                scope: row.scope,
                subject: row.subject,
            },
            state: row.state,
            stamp: row.stamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::testing::TestDb;

    fn row(provider: i64, scope: &str, subject: &str, state: &str) -> Row {
        Row {
            key: Key {
                provider,
                scope: scope.to_owned(),
                subject: subject.to_owned(),
            },
            state: json!({ "phase": state }),
            stamp: draw_stamp(),
        }
    }

    fn changed(rows: &[Row]) -> Batch {
        Batch {
            changed: rows.to_vec(),
            ..Batch::default()
        }
    }

    async fn names(db: &DatabaseConnection) -> Vec<(i64, String, String)> {
        let mut rows = load(db).await.unwrap();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        let name = |row: Row| (row.key.provider, row.key.scope, row.key.subject);
        rows.into_iter().map(name).collect()
    }

    #[tokio::test]
    async fn rows_are_put_replaced_and_removed() {
        for test in TestDb::all().await {
            let db = &test.db;
            let empty = fingerprint(db).await.unwrap();
            save(db, &Batch::default()).await.unwrap();
            assert_eq!(fingerprint(db).await.unwrap(), empty);
            let rows = [
                row(1, "provider", "", "open"),
                row(1, "endpoint", "0", "open"),
                row(2, "model", &"m".repeat(256), "open"),
            ];
            save(db, &changed(&rows)).await.unwrap();
            let first = fingerprint(db).await.unwrap();
            assert_ne!(first, empty);
            let mut loaded = load(db).await.unwrap();
            loaded.sort_by(|a, b| a.key.cmp(&b.key));
            assert_eq!(loaded, [rows[1].clone(), rows[0].clone(), rows[2].clone()]);

            let again = row(1, "provider", "", "closed");
            save(db, &changed(std::slice::from_ref(&again)))
                .await
                .unwrap();
            let second = fingerprint(db).await.unwrap();
            assert_ne!(second, first, "the same number of rows, and yet");
            assert!(load(db).await.unwrap().contains(&again));

            let batch = Batch {
                removed: vec![rows[1].key.clone(), row(9, "model", "none", "").key],
                ..Batch::default()
            };
            save(db, &batch).await.unwrap();
            assert_eq!(load(db).await.unwrap().len(), 2);
            assert_ne!(fingerprint(db).await.unwrap(), second);
            test.drop().await;
        }
    }

    #[tokio::test]
    async fn a_reset_takes_its_provider_and_leaves_a_mark() {
        for test in TestDb::all().await {
            let db = &test.db;
            let rows = [
                row(1, "provider", "", "open"),
                row(1, "model", "m", "open"),
                row(2, "provider", "", "open"),
            ];
            save(db, &changed(&rows)).await.unwrap();
            let batch = Batch {
                resets: vec![row(1, RESET, "", "")],
                changed: vec![row(1, "model", "n", "open")],
                ..Batch::default()
            };
            save(db, &batch).await.unwrap();
            let name = |provider, scope: &str, subject: &str| {
                (provider, scope.to_owned(), subject.to_owned())
            };
            let expected = [
                name(1, "model", "n"),
                name(1, RESET, ""),
                name(2, "provider", ""),
            ];
            assert_eq!(names(db).await, expected);
            let before = fingerprint(db).await.unwrap();
            let batch = Batch {
                resets: vec![row(ALL, RESET, "", "")],
                ..Batch::default()
            };
            save(db, &batch).await.unwrap();
            assert_eq!(names(db).await, [name(ALL, RESET, ""), name(1, RESET, "")]);
            let marked = fingerprint(db).await.unwrap();
            assert_ne!(marked, before);
            let batch = Batch {
                resets: vec![row(ALL, RESET, "", "")],
                ..Batch::default()
            };
            save(db, &batch).await.unwrap();
            assert_ne!(fingerprint(db).await.unwrap(), marked, "once more shows");
            test.drop().await;
        }
    }

    #[tokio::test]
    async fn thousands_fit_and_nodes_do_not_wait_for_each_other() {
        for test in TestDb::all().await {
            let other = test.again().await;
            let rows: Vec<Row> = (0..2_000)
                .map(|n| row(n % 7, "model", &format!("m{n}"), "open"))
                .collect();
            let mut backwards = rows.clone();
            backwards.reverse();
            let (rows, backwards) = (changed(&rows), changed(&backwards));
            let (here, there) = tokio::join!(save(&test.db, &rows), save(&other, &backwards));
            here.unwrap();
            there.unwrap();
            assert_eq!(load(&test.db).await.unwrap().len(), 2_000);
            other.close().await.unwrap();
            test.drop().await;
        }
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_an_error_in_time() {
        let Some(test) = TestDb::postgres().await else {
            return;
        };
        test.stop().await;
        let began = tokio::time::Instant::now();
        let rows = changed(&[row(1, "provider", "", "open")]);
        assert!(save(&test.db, &rows).await.is_err());
        assert!(fingerprint(&test.db).await.is_err());
        assert!(began.elapsed() < LIMIT + POLL_LIMIT + Duration::from_secs(1));
        test.start().await;
        save(&test.db, &rows).await.unwrap();
        test.drop().await;
    }
}
