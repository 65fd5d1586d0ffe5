//! What the store's tests share.

use chrono::{DateTime, Utc};
use entity::usage;
use entity::value::ClientName;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tempfile::TempDir;
use uuid::Uuid;

use super::database;
use super::ledger::Request;
use crate::settings;

/// A migrated database that is gone with it.
pub(super) struct TestDb {
    pub(super) db: DatabaseConnection,
    pub(super) dir: TempDir,
    scratch: Option<Scratch>,
}

struct Scratch {
    name: String,
    admin: DatabaseConnection,
}

impl TestDb {
    /// `SQLite` in a directory of its own.
    pub(super) async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings::Database::default();
        let db = database::connect(&settings, dir.path()).await.unwrap();
        database::migrate(&db).await.unwrap();
        Self {
            db,
            dir,
            scratch: None,
        }
    }

    /// A database of its own on the server of `TEST_POSTGRES_URL`, not migrated.
    pub(super) async fn empty_postgres() -> Option<Self> {
        let url = needs("TEST_POSTGRES_URL")?;
        let dir = tempfile::tempdir().unwrap();
        let admin = database::connect(&with_dsn(&url), dir.path())
            .await
            .unwrap();
        let name = format!("switchyard_{}", Uuid::new_v4().simple());
        execute(&admin, &format!("CREATE DATABASE {name}")).await;
        let (server, _) = url.rsplit_once('/').unwrap();
        let settings = with_dsn(&format!("{server}/{name}"));
        let db = database::connect(&settings, dir.path()).await.unwrap();
        Some(Self {
            db,
            dir,
            scratch: Some(Scratch { name, admin }),
        })
    }

    /// The same, migrated.
    pub(super) async fn postgres() -> Option<Self> {
        let test = Self::empty_postgres().await?;
        database::migrate(&test.db).await.unwrap();
        Some(test)
    }

    /// Both kinds, migrated: `SQLite` always, `PostgreSQL` where there is a server.
    pub(super) async fn all() -> Vec<Self> {
        let mut all = vec![Self::sqlite().await];
        all.extend(Self::postgres().await);
        all
    }

    /// Ends every connection and lets nobody in, as a server that is stopped.
    pub(super) async fn stop(&self) {
        let Scratch { name, admin } = self.scratch.as_ref().unwrap();
        execute(
            admin,
            &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        )
        .await;
        execute(admin, &format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'")).await;
    }

    /// Undoes [`TestDb::stop`].
    pub(super) async fn start(&self) {
        let Scratch { name, admin } = self.scratch.as_ref().unwrap();
        execute(
            admin,
            &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"),
        )
        .await;
    }

    /// Another pool on the same database.
    pub(super) async fn again(&self) -> DatabaseConnection {
        let settings = match &self.scratch {
            None => settings::Database::default(),
            Some(scratch) => {
                let url = needs("TEST_POSTGRES_URL").unwrap();
                let (server, _) = url.rsplit_once('/').unwrap();
                with_dsn(&format!("{server}/{}", scratch.name))
            }
        };
        database::connect(&settings, self.dir.path()).await.unwrap()
    }

    pub(super) async fn drop(self) {
        self.db.close().await.unwrap();
        if let Some(Scratch { name, admin }) = self.scratch {
            execute(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            admin.close().await.unwrap();
        }
    }
}

fn with_dsn(url: &str) -> settings::Database {
    settings::Database {
        dsn: Some(entity::value::Secret::new(url)),
        ..settings::Database::default()
    }
}

/// A variable that names a service, set by `scripts/test-services`. Without it a test is passed over, which continuous integration must
/// not do.
#[expect(
    clippy::print_stderr,
    reason = "who runs the tests should see what was not tested"
)]
pub(super) fn needs(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|v| !v.is_empty());
    if value.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "this test needs {variable}"
        );
        eprintln!("not tested: needs {variable}, run it by scripts/test-services");
    }
    value
}

pub(super) async fn execute(db: &DatabaseConnection, sql: &str) {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.execute_raw(statement).await.unwrap();
}

/// A time that both databases keep exactly.
pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap()
}

pub(super) fn usage_line(attempt: i32) -> usage::Model {
    usage::Model {
        id: Uuid::now_v7(),
        request_id: Uuid::now_v7(),
        attempt,
        created_at: now(),
        user_id: 1,
        key_id: 2,
        provider_id: 3,
        requested_model: Some("asked".to_owned()),
        model: Some("served".to_owned()),
        input_tokens: 10,
        cache_read_tokens: 20,
        cache_write5m_tokens: 30,
        cache_write1h_tokens: 40,
        output_tokens: 50,
        reasoning_tokens: 5,
        image_input_tokens: 6,
        image_output_tokens: 7,
        cost_nano_usd: Some(123_456_789),
        price_ref: Some("manual:1".to_owned()),
        service_tier: Some("flex".to_owned()),
        provider_multiplier: "0.85".parse().ok(),
        group_multiplier: None,
        client: ClientName::Other,
        settled_from: "terminal".to_owned(),
        raw: Some("{\"input_tokens\":10}".to_owned()),
    }
}

pub(super) fn request_row() -> Request {
    Request {
        id: Uuid::now_v7(),
        created_at: now(),
        user_id: Some(1),
        key_id: Some(2),
        provider_id: Some(3),
        session_id: None,
        protocol: "anthropic",
        endpoint: "POST /v1/messages".to_owned(),
        requested_model: Some("asked".to_owned()),
        model: Some("served".to_owned()),
        status: 200,
        is_stream: true,
        error_code: None,
        error_message: None,
        input_tokens: 10,
        cache_read_tokens: 20,
        cache_write5m_tokens: 30,
        cache_write1h_tokens: 40,
        output_tokens: 50,
        reasoning_tokens: 5,
        cost_nano_usd: None,
        settled_from: "terminal",
        duration_ms: 1000,
        ttfb_ms: Some(100),
        ttft_ms: Some(200),
        overhead_us: 300,
        request_bytes: 400,
        response_bytes: 500,
        client_ip: Some("127.0.0.1".to_owned()),
        user_agent: Some("test".to_owned()),
        chain: r#"[{"attempt":1}]"#.to_owned(),
    }
}

/// Log lines of this thread for as long as the guard lives.
pub(super) fn logs() -> (Logs, tracing::subscriber::DefaultGuard) {
    let logs = Logs::default();
    let writer = logs.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (logs, tracing::subscriber::set_default(subscriber))
}

/// What was logged.
#[derive(Clone, Default)]
pub(super) struct Logs(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Logs {
    pub(super) fn count(&self, part: &str) -> usize {
        let bytes = self.0.lock().unwrap();
        String::from_utf8_lossy(&bytes).matches(part).count()
    }
}

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Waits until `is_so`, for at most `limit_s` seconds.
pub(super) async fn eventually(limit_s: u64, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(limit_s);
    while !is_so().await {
        assert!(tokio::time::Instant::now() < until, "never: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
