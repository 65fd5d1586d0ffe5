//! On which databases a test runs.

use std::{sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, sqlx::sqlite::SqliteJournalMode,
};

use super::App;

/// The master secret of most tests' installations.
const HERE: &[u8] = b"test";
/// Another.
const ELSEWHERE: &[u8] = b"elsewhere";

/// Runs a test on every database there is.
pub async fn everywhere(test: impl AsyncFn(&App)) {
    let app = on_sqlite(HERE).await;
    test(&app).await;
    app.end().await;
    if let Some(app) = on_postgres(HERE).await {
        test(&app).await;
        app.end().await;
    }
}

/// Runs a test from one installation to another with its own master secret, on every kind of database and from each to the other.
pub async fn between(test: impl AsyncFn(&App, &App)) {
    let (here, there) = (on_sqlite(HERE).await, on_sqlite(ELSEWHERE).await);
    test(&here, &there).await;
    here.end().await;
    there.end().await;
    if let Some(there) = on_postgres(ELSEWHERE).await {
        let here = on_sqlite(HERE).await;
        test(&here, &there).await;
        here.end().await;
        there.end().await;
    }
    if let Some(here) = on_postgres(HERE).await {
        let there = on_sqlite(ELSEWHERE).await;
        test(&here, &there).await;
        here.end().await;
        there.end().await;
    }
}

async fn on_sqlite(master: &[u8]) -> App {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    App::over(Database::connect(options).await.unwrap(), None, master).await
}

async fn on_postgres(master: &[u8]) -> Option<App> {
    let (server, name, url) = scratch_postgres().await?;
    let mut options = ConnectOptions::new(url);
    options.max_connections(4);
    let db: DatabaseConnection = Database::connect(options).await.unwrap();
    Some(App::over(db, Some((server, name)), master).await)
}

/// Runs a test on two nodes over one database, with several connections each, on every kind of database there is.
pub async fn side_by_side(test: impl AsyncFn(&[Arc<App>; 2])) {
    let file = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/both.db?mode=rwc", file.path().display());
    on_two_nodes(&url, None, &test).await;
    if let Some((server, name, url)) = scratch_postgres().await {
        on_two_nodes(&url, Some((server, name)), &test).await;
    }
}

async fn on_two_nodes(
    url: &str,
    scratch: Option<(String, String)>,
    test: &impl AsyncFn(&[Arc<App>; 2]),
) {
    let connect = async || {
        let mut options = ConnectOptions::new(url);
        options.max_connections(4);
        options.map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .busy_timeout(Duration::from_secs(20))
        });
        Database::connect(options).await.unwrap()
    };
    let nodes = [
        Arc::new(App::over(connect().await, scratch, HERE).await),
        Arc::new(App::over(connect().await, None, HERE).await),
    ];
    test(&nodes).await;
    // The one that knows what is to be dropped ends last.
    let [first, second] = nodes;
    for node in [second, first] {
        let node = Arc::into_inner(node).expect("the test is over");
        node.end().await;
    }
}

/// A database of its own in the PostgreSQL of `TEST_POSTGRES_URL`: the server, the name, and its address.
async fn scratch_postgres() -> Option<(String, String, String)> {
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "TEST_POSTGRES_URL must be set where CI=true"
        );
        return None;
    };
    let name = format!("switchyard_admin_{}", uuid::Uuid::new_v4().simple());
    let admin = Database::connect(&server).await.unwrap();
    let create = format!("CREATE DATABASE \"{name}\"");
    admin.execute_unprepared(&create).await.unwrap();
    admin.close().await.unwrap();
    let (base, query) = match server.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (server.as_str(), String::new()),
    };
    let (base, _) = base.rsplit_once('/').unwrap();
    let url = format!("{base}/{name}{query}");
    Some((server, name, url))
}
