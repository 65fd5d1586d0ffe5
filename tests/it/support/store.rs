//! Databases that a test can look into beside the gateway.

use entity::value::Secret;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use switchyard::settings::Settings;

/// A database of a test's own.
pub struct TestStore {
    /// `sqlite` or `postgres`, for messages.
    pub name: &'static str,
    dsn: String,
    scratch: Option<Scratch>,
    _dir: Option<tempfile::TempDir>,
}

struct Scratch {
    database: String,
    server: DatabaseConnection,
}

// === impl TestStore ===

impl TestStore {
    /// A file.
    pub fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            name: "sqlite",
            dsn: format!("sqlite://{}?mode=rwc", dir.path().join("it.db").display()),
            scratch: None,
            _dir: Some(dir),
        }
    }

    /// In the PostgreSQL of `TEST_POSTGRES_URL`. None, with a word about it, where there is none; in CI that is a failure.
    pub async fn postgres() -> Option<Self> {
        let url = needs("TEST_POSTGRES_URL")?;
        let database = format!("it_{}", uuid::Uuid::new_v4().simple());
        let server = Database::connect(&url).await.unwrap();
        let create = format!("CREATE DATABASE {database}");
        server.execute_unprepared(&create).await.unwrap();
        let (address, _) = url.rsplit_once('/').unwrap();
        Some(Self {
            name: "postgres",
            dsn: format!("{address}/{database}"),
            scratch: Some(Scratch { database, server }),
            _dir: None,
        })
    }

    /// Its address.
    pub fn dsn(&self) -> &str {
        &self.dsn
    }

    /// The settings of a gateway on it.
    pub fn settle_in(&self) -> impl FnOnce(&mut Settings) + use<> {
        let dsn = Secret::new(self.dsn.clone());
        |settings| settings.database.dsn = Some(dsn)
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> DatabaseConnection {
        Database::connect(&self.dsn).await.unwrap()
    }

    /// Ends every connection and lets nobody in, as a server that is stopped. PostgreSQL only.
    pub async fn stop(&self) {
        let name = &self.scratch.as_ref().unwrap().database;
        self.server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            .await;
        self.server(&format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await;
    }

    /// Undoes [`TestStore::stop`].
    pub async fn start(&self) {
        let name = &self.scratch.as_ref().unwrap().database;
        self.server(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
            .await;
    }

    /// Leaves nothing behind.
    pub async fn drop(self) {
        if let Some(Scratch { database, server }) = self.scratch {
            let drop = format!("DROP DATABASE {database} WITH (FORCE)");
            server.execute_unprepared(&drop).await.unwrap();
            server.close().await.unwrap();
        }
    }

    async fn server(&self, sql: &str) {
        let server = &self.scratch.as_ref().unwrap().server;
        server.execute_unprepared(sql).await.unwrap();
    }
}

/// The address of a service that `scripts/test-services` starts. None, with a word about it, where there is none; in CI that is a failure.
pub fn needs(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{variable} is not set: run scripts/test-services run ..."
        );
        eprintln!("skipped: {variable} is not set");
    }
    url
}
