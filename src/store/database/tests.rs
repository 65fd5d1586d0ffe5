//! Tests of the database's opening and migrating.

use entity::value::Secret;
use tokio::net::TcpListener;

use super::*;
use crate::settings::Database;
use crate::store::testing::{TestDb, execute};

async fn error_of(dsn: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let settings = Database {
        dsn: Some(Secret::new(dsn)),
        auto_migrate: true,
    };
    connect(&settings, dir.path())
        .await
        .unwrap_err()
        .to_string()
}

async fn value(db: &DatabaseConnection, pragma: &str) -> String {
    let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {pragma}"));
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index::<String>(0)
        .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))
        .unwrap()
}

#[tokio::test]
async fn the_embedded_database_is_set_up_on_every_connection() {
    let test = TestDb::sqlite().await;
    assert!(test.dir.path().join(FILE).exists());
    let first = test.db.begin().await.unwrap();
    assert_eq!(value(&test.db, "journal_mode").await, "wal");
    assert_eq!(value(&test.db, "synchronous").await, "2");
    assert_eq!(value(&test.db, "foreign_keys").await, "1");
    assert_eq!(value(&test.db, "busy_timeout").await, "5000");
    assert_eq!(value(&test.db, "journal_size_limit").await, "67108864");
    first.rollback().await.unwrap();
    ping(&test.db).await.unwrap();
    migrate(&test.db).await.unwrap();
    test.drop().await;
}

#[tokio::test]
async fn a_named_file_works_too() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("named.db");
    let settings = Database {
        dsn: Some(Secret::new(format!("sqlite://{}", file.display()))),
        auto_migrate: true,
    };
    let db = connect(&settings, dir.path()).await.unwrap();
    migrate(&db).await.unwrap();
    for _ in 0..20 {
        let (a, b) = tokio::join!(
            db.execute_unprepared("UPDATE revision SET number = number + 1"),
            db.execute_unprepared("UPDATE revision SET number = number + 1"),
        );
        assert_eq!(
            (a.unwrap().rows_affected(), b.unwrap().rows_affected()),
            (1, 1)
        );
    }
    assert!(file.exists());
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_without_its_password() {
    for dsn in [
        "postgres://someone:hidden@127.0.0.1:1/none",
        "postgres://someone:hidden@127.0.0.1:port/none",
        "postgres://someone:hidden@127.0.0.1/none?sslmode=strange",
        "postgres://someone:hidden@[127.0.0.1/none",
        "sqlite:///nowhere/file.db?mode=strange",
    ] {
        let error = error_of(dsn).await;
        assert!(!error.contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let began = Instant::now();
    let error = error_of(&format!(
        "postgres://someone:hidden@127.0.0.1:{port}/none?sslmode=disable"
    ))
    .await;
    assert!(began.elapsed() < CONNECT + PING, "{:?}", began.elapsed());
    assert!(!error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn of_many_nodes_that_start_together_one_migrates() {
    let Some(test) = TestDb::empty_postgres().await else {
        return;
    };
    let nodes = [
        test.again().await,
        test.again().await,
        test.again().await,
        test.again().await,
    ];
    let (a, b, c, d) = tokio::join!(
        migrate(&nodes[0]),
        migrate(&nodes[1]),
        migrate(&nodes[2]),
        migrate(&nodes[3])
    );
    for migrated in [a, b, c, d] {
        migrated.unwrap();
    }
    ping(&test.db).await.unwrap();
    for node in nodes {
        node.close().await.unwrap();
    }
    test.drop().await;
}

#[tokio::test]
async fn a_database_that_went_away_does_not_answer_the_ping() {
    let Some(test) = TestDb::empty_postgres().await else {
        return;
    };
    let other = test.again().await;
    ping(&other).await.unwrap();
    // Every connection is ended; the pool makes a new one by itself.
    execute(
        &test.db,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    .await;
    ping(&other).await.unwrap();
    other.clone().close().await.unwrap();
    assert!(ping(&other).await.is_err());
    test.drop().await;
}
