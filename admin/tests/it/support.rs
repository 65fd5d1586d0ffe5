//! A whole admin side over a scratch database, with a fake gateway, and a readable client.
//!
//! Every test runs on SQLite in memory, and on PostgreSQL when `TEST_POSTGRES_URL` is set; with `CI=true` it must be set.

use std::{
    fmt::Display,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use admin::{
    Admin,
    gateway::{
        Breaker, BreakerSample, BreakerScope, BreakerState, Candidate, EndpointHealth, Explain,
        ExplainError, Explanation, Figures, Gateway, GatewayHealth, Gauge, LiveRequest,
        LogFilterError, Nominee, Part, Prune, Pruned, Reason, ReasonCode, Subject, System, Trial,
        TrialReport,
    },
};
use chrono::{DateTime, Utc};
use entity::{
    revision,
    value::{KeyHasher, Sealer},
};
use migration::{Migrator, MigratorTrait};
use poem::{
    Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderMap, Method, StatusCode},
};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, EntityTrait, Statement,
    sqlx::sqlite::SqliteJournalMode,
};
use serde_json::Value;

use crate::conforms;

/// The admin token of the tests.
pub const TOKEN: &str = "test-admin-token-0123456789";
/// A provider's credential; it must never be in an answer.
pub const UPSTREAM_KEY: &str = "sk-upstream-credential-7f3a";

/// A proxy's password; it must never be in an answer either.
pub const PROXY_PASSWORD: &str = "gate-password-51c0";

/// A gateway that counts.
#[derive(Default)]
pub struct FakeGateway {
    /// Reloads asked for.
    pub reloads: AtomicUsize,
    /// What it says of its draining.
    pub stopping: AtomicBool,
    /// What was reset: a provider, or all.
    pub resets: Mutex<Vec<Option<i64>>>,
    /// What was to be explained.
    pub asked: Mutex<Vec<Explain>>,
    /// Whose limits were reset.
    pub reset: Mutex<Vec<Subject>>,
    /// How often limits were counted anew.
    pub rebuilt: AtomicUsize,
    /// What it counts.
    pub gauges: Mutex<Vec<(Subject, Gauge)>>,
    /// What providers were asked.
    pub trials: Mutex<Vec<Trial>>,
    /// What they answer.
    pub report: Mutex<TrialReport>,
    /// The wrong credentials it told of.
    pub failures: AtomicUsize,
    /// Its time zone; UTC if none is set.
    pub time_zone: Mutex<Option<chrono_tz::Tz>>,
    /// What is under way.
    pub live: Mutex<Vec<LiveRequest>>,
    /// What was to be deleted.
    pub pruned: Mutex<Vec<Prune>>,
    /// What is logged.
    pub log_filter: Mutex<Option<String>>,
    revision: AtomicI64,
}

/// The running admin side.
pub struct App {
    endpoint: BoxEndpoint<'static, Response>,
    /// Its gateway.
    pub gateway: Arc<FakeGateway>,
    /// Its database.
    pub db: DatabaseConnection,
    /// Its document, as served.
    pub document: Value,
    admin: Arc<Admin>,
    scratch: Option<(String, String)>,
}

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct As(pub Vec<(&'static str, String)>);

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as text.
    pub text: String,
}

// === impl FakeGateway ===

#[async_trait::async_trait]
impl Gateway for FakeGateway {
    fn revision(&self) -> i64 {
        self.revision.load(Ordering::SeqCst)
    }

    async fn reload(&self) {
        self.reloads.fetch_add(1, Ordering::SeqCst);
    }

    fn time_zone(&self) -> chrono_tz::Tz {
        self.time_zone.lock().unwrap().unwrap_or(chrono_tz::UTC)
    }

    async fn gauges(&self, subject: Subject, _: entity::value::Limits) -> Vec<Gauge> {
        let gauges = self.gauges.lock().unwrap();
        let of_subject = gauges.iter().filter(|(whose, _)| *whose == subject);
        of_subject.map(|(_, gauge)| gauge.clone()).collect()
    }

    async fn reset_limits(&self, subject: Subject) {
        self.reset.lock().unwrap().push(subject);
    }

    async fn rebuild_limits(&self) -> Option<usize> {
        Some(self.rebuilt.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn health(&self) -> GatewayHealth {
        GatewayHealth {
            stopping: self.stopping.load(Ordering::SeqCst),
            parts: vec![Part {
                name: "configuration".into(),
                ok: true,
                detail: "fresh".into(),
                figures: Figures {
                    journal_bytes: Some(4096),
                    ..Figures::default()
                },
            }],
        }
    }

    fn version(&self) -> &'static str {
        "0.0.0-test"
    }

    fn breakers(&self, provider: Option<i64>) -> Vec<Breaker> {
        let breaker = |provider_id, scope, subject: Option<&str>, state| Breaker {
            provider_id,
            scope,
            subject: subject.map(str::to_owned),
            state,
            reason: None,
            opened_at: None,
            open_until: None,
            consecutive_failures: 0,
            times_opened: 0,
            advised: false,
            samples: Vec::new(),
        };
        let open = Breaker {
            reason: Some("5 failures in a row".into()),
            opened_at: Some(at("2026-01-02T03:04:05Z")),
            open_until: Some(at("2026-01-02T03:05:05Z")),
            consecutive_failures: 5,
            times_opened: 1,
            advised: true,
            samples: vec![BreakerSample {
                at: at("2026-01-02T03:04:05Z"),
                fault: "provider".into(),
                status: Some(502),
                message: "Bad Gateway".into(),
            }],
            ..breaker(
                1,
                BreakerScope::Endpoint,
                Some("https://b.example"),
                BreakerState::Open,
            )
        };
        let all = [
            breaker(1, BreakerScope::Provider, None, BreakerState::Closed),
            open,
            breaker(2, BreakerScope::Model, Some("m"), BreakerState::HalfOpen),
        ];
        let wanted = |b: &Breaker| provider.is_none_or(|id| id == b.provider_id);
        all.into_iter().filter(wanted).collect()
    }

    async fn reset_breakers(&self, provider: Option<i64>) -> usize {
        self.resets.lock().unwrap().push(provider);
        self.breakers(provider).len()
    }

    fn provider_health(&self, provider: i64) -> Vec<EndpointHealth> {
        vec![
            EndpointHealth {
                url: format!("https://{provider}.example"),
                healthy: true,
                checked_at: None,
                addresses: Vec::new(),
                error: None,
            },
            EndpointHealth {
                url: "https://b.example".into(),
                healthy: false,
                checked_at: Some(at("2026-01-02T03:04:05Z")),
                addresses: vec!["192.0.2.1:443".into()],
                error: Some("connection refused".into()),
            },
        ]
    }

    fn live_requests(&self) -> Vec<LiveRequest> {
        self.live.lock().unwrap().clone()
    }

    fn end_session(&self, session_id: &str, user_id: Option<i64>) -> usize {
        let mut live = self.live.lock().unwrap();
        let before = live.len();
        live.retain(|request| {
            let is_its = request.session_id.as_deref() == Some(session_id);
            !is_its || user_id.is_some_and(|id| id != request.user_id)
        });
        before - live.len()
    }

    async fn prune(&self, prune: Prune) -> Result<Pruned, sea_orm::DbErr> {
        let rows = if prune.is_dry { 12 } else { 7 };
        self.pruned.lock().unwrap().push(prune);
        Ok(Pruned {
            rows,
            is_done: false,
        })
    }

    fn system(&self) -> System {
        System {
            started_at: at("2026-01-02T03:04:05Z"),
            requests_in_flight: 3,
            queued_lines: 4,
            journal_bytes: 5,
            disk_free_bytes: Some(6),
            disk_total_bytes: None,
        }
    }

    fn metrics(&self) -> String {
        "# TYPE switchyard_up gauge\nswitchyard_up 1\n".into()
    }

    fn log_filter(&self) -> Option<String> {
        self.log_filter.lock().unwrap().clone()
    }

    fn set_log_filter(&self, filter: &str) -> Result<(), LogFilterError> {
        if filter.contains("wrong") {
            return Err(LogFilterError::Bad("must be a level".into()));
        }
        let mut current = self.log_filter.lock().unwrap();
        let current = current.as_mut().ok_or(LogFilterError::NotOurs)?;
        *current = filter.into();
        Ok(())
    }

    async fn try_provider(&self, trial: Trial) -> TrialReport {
        let report = self.report.lock().unwrap().clone();
        self.trials.lock().unwrap().push(trial);
        report
    }

    fn models(&self, key_id: i64) -> Vec<String> {
        vec![format!("model-of-{key_id}")]
    }

    async fn tell_failure(&self, _: Option<std::net::IpAddr>) {
        self.failures.fetch_add(1, Ordering::SeqCst);
    }

    async fn explain(&self, ask: Explain) -> Result<Explanation, ExplainError> {
        let key_id = ask.key_id;
        self.asked.lock().unwrap().push(ask);
        match key_id {
            1 => Ok(explanation()),
            2 => Err(ExplainError::Unavailable("The gateway is starting.".into())),
            _ => Err(ExplainError::UnknownKey),
        }
    }
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn explanation() -> Explanation {
    let candidate = |provider_id, kept, probability| Candidate {
        provider_id,
        provider_name: format!("p{provider_id}"),
        kept,
        reasons: vec![Reason {
            code: ReasonCode::NoWeight,
            text: "its weight is 0".into(),
        }],
        tier: -1,
        weight: 3,
        probability,
        is_nominee: provider_id == 7,
    };
    Explanation {
        candidates: vec![candidate(7, true, 0.75), candidate(8, false, 0.0)],
        nominee: Some(Nominee {
            provider_id: 7,
            by: "session".into(),
            reason: "its prefix is cached there".into(),
        }),
        chosen_tier: Some(-1),
        notes: vec!["one provider is left out".into()],
    }
}

// === impl As ===

impl As {
    /// Nobody.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// The bearer of the admin token.
    pub fn admin() -> Self {
        Self::bearer(TOKEN)
    }

    /// A bearer.
    pub fn bearer(token: &str) -> Self {
        Self(vec![("authorization", format!("Bearer {token}"))])
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.0.push((name, value.to_string()));
        self
    }
}

// === impl App ===

impl App {
    async fn over(db: DatabaseConnection, scratch: Option<(String, String)>) -> Self {
        Migrator::up(&db, None).await.unwrap();
        let gateway = Arc::new(FakeGateway::default());
        let hasher = Arc::new(KeyHasher::new(b"test"));
        let admin = Arc::new(Admin {
            db: db.clone(),
            gateway: gateway.clone(),
            sealer: Arc::new(Sealer::new(b"test")),
            admin_token_hash: Admin::token_hash(&hasher, TOKEN),
            hasher,
            secure_cookies: true,
            trusted_proxies: "10.0.0.0/8".parse().unwrap(),
            throttle: admin::Throttle::default(),
        });
        let endpoint = poem::EndpointExt::boxed(poem::EndpointExt::map_to_response(admin::routes(
            admin.clone(),
        )));
        let mut app = Self {
            endpoint,
            gateway,
            db,
            admin,
            document: Value::Null,
            scratch,
        };
        let document = app.get(&As::nobody(), "/api/v1/openapi.json").await;
        app.document = document.json();
        app
    }

    /// Sends a request.
    pub async fn send(&self, who: &As, method: &str, uri: &str, body: Option<String>) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(uri.parse().unwrap());
        for (name, value) in &who.0 {
            request = request.header(*name, value);
        }
        let request = match body {
            Some(body) => request.content_type("application/json").body(body),
            None => request.finish(),
        };
        let response = poem::Endpoint::get_response(&self.endpoint, request).await;
        let (parts, body) = response.into_parts();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            text: body.into_string().await.unwrap(),
        };
        self.check(method, uri, &answer);
        answer
    }

    /// What holds of every answer: it is as the document says, and no secret is in it.
    fn check(&self, method: &str, uri: &str, answer: &Answer) {
        for secret in [TOKEN, UPSTREAM_KEY, PROXY_PASSWORD] {
            assert!(!answer.text.contains(secret), "{method} {uri}: {answer:?}");
        }
        let path = uri.split('?').next().unwrap();
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let found = paths
            .filter(|(template, _)| conforms::matches(template, path))
            .find_map(|(_, item)| item.get(method.to_lowercase()));
        let Some(operation) = found else { return };
        let status = answer.status.as_str();
        let response = &operation["responses"][status];
        assert!(
            response.is_object(),
            "{method} {uri} may not answer {status}: {answer:?}"
        );
        let content_type = answer.header("content-type").split(';').next().unwrap();
        let mut media = response["content"].as_object().into_iter().flatten();
        let media = media.find(|(name, _)| name.split(';').next() == Some(content_type));
        match media {
            Some((name, _)) if !name.contains("json") => {}
            Some((_, media)) => {
                conforms::check(&self.document, &media["schema"], &answer.json(), uri)
            }
            None => assert!(answer.text.is_empty(), "{method} {uri}: {answer:?}"),
        }
    }

    /// The live view ends with the gateway alone: before it is asked for, the gateway stops; before anything else, it runs again.
    pub fn end_what_is_endless(&self, at: &str) {
        let is_endless = at == "/api/v1/live";
        self.gateway.stopping.store(is_endless, Ordering::SeqCst);
    }

    /// GET.
    pub async fn get(&self, who: &As, uri: &str) -> Answer {
        self.send(who, "GET", uri, None).await
    }

    /// POST.
    pub async fn post(&self, who: &As, uri: &str, body: Value) -> Answer {
        self.send(who, "POST", uri, Some(body.to_string())).await
    }

    /// PATCH.
    pub async fn patch(&self, who: &As, uri: &str, body: Value) -> Answer {
        self.send(who, "PATCH", uri, Some(body.to_string())).await
    }

    /// DELETE.
    pub async fn delete(&self, who: &As, uri: &str) -> Answer {
        self.send(who, "DELETE", uri, None).await
    }

    /// The revision in the database.
    pub async fn revision(&self) -> i64 {
        let row = revision::Entity::find_by_id(revision::ONLY_ID);
        row.one(&self.db).await.unwrap().unwrap().number
    }

    /// The reloads so far.
    pub fn reloads(&self) -> usize {
        self.gateway.reloads.load(Ordering::SeqCst)
    }

    /// Creates a user and a key; answers both ids and the key.
    pub async fn user_with_key(&self, user: Value, key: Value) -> (i64, i64, String) {
        let user = self.post(&As::admin(), "/api/v1/users", user).await;
        let user = user.expect(201).json()["id"].as_i64().unwrap();
        let at = format!("/api/v1/users/{user}/keys");
        let key = self.post(&As::admin(), &at, key).await.expect(201).json();
        let secret = key["key"].as_str().unwrap().to_owned();
        (user, key["id"].as_i64().unwrap(), secret)
    }

    /// Who guesses.
    pub fn throttle(&self) -> &admin::Throttle {
        &self.admin.throttle
    }

    /// The first column of a statement's rows.
    pub async fn raw(&self, sql: &str) -> Vec<Value> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await.unwrap();
        let text = |row: sea_orm::QueryResult| row.try_get_by_index::<Option<String>>(0).unwrap();
        rows.into_iter().map(|row| Value::from(text(row))).collect()
    }

    async fn end(self) {
        let Self {
            db,
            scratch,
            endpoint,
            admin,
            ..
        } = self;
        drop((endpoint, admin));
        db.close().await.unwrap();
        if let Some((server, name)) = scratch {
            let server = Database::connect(server).await.unwrap();
            let drop = format!("DROP DATABASE \"{name}\"");
            server.execute_unprepared(&drop).await.unwrap();
            server.close().await.unwrap();
        }
    }
}

// === impl Answer ===

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The same, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// A problem's code, if it is one.
    #[track_caller]
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// The paths of a problem's mistakes, sorted.
    #[track_caller]
    pub fn mistakes(&self) -> Vec<String> {
        let errors = self.json()["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let paths = errors
            .iter()
            .map(|e| e["path"].as_str().unwrap().to_owned());
        let mut paths: Vec<_> = paths.collect();
        paths.sort();
        paths
    }
}

/// Runs a test on every database there is.
pub async fn everywhere(test: impl AsyncFn(&App)) {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let app = App::over(Database::connect(options).await.unwrap(), None).await;
    test(&app).await;
    app.end().await;
    let Some((server, name, url)) = scratch_postgres().await else {
        return;
    };
    let mut options = ConnectOptions::new(url);
    options.max_connections(4);
    let db = Database::connect(options).await.unwrap();
    let app = App::over(db, Some((server, name))).await;
    test(&app).await;
    app.end().await;
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
        Arc::new(App::over(connect().await, scratch).await),
        Arc::new(App::over(connect().await, None).await),
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
