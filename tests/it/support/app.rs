//! A gateway in this process, set up through its admin API as a script would.

use std::time::Duration;

use entity::value::Secret;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use switchyard::app::App;
use switchyard::settings::Settings;

use super::eventually;

/// The admin token of every test.
pub const ADMIN_TOKEN: &str = super::Front::TOKEN;

/// A gateway that runs, with a key to call it.
pub struct TestApp {
    app: Option<App>,
    base: String,
    http: Client,
    key: String,
    data: tempfile::TempDir,
}

type Change = Box<dyn FnOnce(&mut Settings)>;

/// What can be different about it.
pub struct TestAppBuilder {
    changes: Vec<Change>,
    has_key: bool,
}

// === impl TestAppBuilder ===

impl TestAppBuilder {
    /// Changes its settings.
    pub fn settings(mut self, change: impl FnOnce(&mut Settings) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Without a user and a key, for when the admin API is elsewhere.
    pub fn without_key(mut self) -> Self {
        self.has_key = false;
        self
    }

    /// Starts it on a free port, with one user and one key.
    pub async fn start(self) -> TestApp {
        let data = tempfile::tempdir().unwrap();
        let mut settings = settings(data.path());
        for change in self.changes {
            change(&mut settings);
        }
        let key = (!self.has_key).then(String::new);
        TestApp::boot(settings, data, key).await
    }
}

// === impl TestApp ===

impl TestApp {
    /// With default settings.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// For something else.
    pub fn builder() -> TestAppBuilder {
        TestAppBuilder {
            changes: Vec::new(),
            has_key: true,
        }
    }

    /// On a database of its own in the PostgreSQL of `TEST_POSTGRES_URL`. None, with a word about it, where there is none; in CI that is a
    /// failure, because `make test` starts one.
    pub async fn on_postgres() -> Option<TestAppBuilder> {
        use sea_orm::ConnectionTrait;
        let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
            assert!(
                std::env::var_os("CI").is_none(),
                "TEST_POSTGRES_URL is not set: run scripts/test-services run ..."
            );
            eprintln!("skipped: TEST_POSTGRES_URL is not set");
            return None;
        };
        let name = format!("it_{}", uuid::Uuid::new_v4().simple());
        let server = sea_orm::Database::connect(&url).await.unwrap();
        server
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        server.close().await.unwrap();
        let (server, query) = url.split_once('?').unwrap_or((&url, ""));
        let (server, _) = server.rsplit_once('/').unwrap();
        let dsn = Secret::new(format!("{server}/{name}?{query}"));
        Some(Self::builder().settings(|settings| settings.database.dsn = Some(dsn)))
    }

    async fn boot(settings: Settings, data: tempfile::TempDir, key: Option<String>) -> Self {
        let scheme = if settings.server.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let app = App::start(settings).await.unwrap();
        let http = super::http()
            .pool_max_idle_per_host(64)
            .timeout(Duration::from_secs(60))
            .danger_accept_invalid_certs(true)
            .build()
            .unwrap();
        let mut test = Self {
            base: format!("{scheme}://{}", app.address()),
            app: Some(app),
            http,
            key: key.clone().unwrap_or_default(),
            data,
        };
        if key.is_none() {
            let user = test.create("/users", json!({"name": "ann"})).await;
            let path = format!("/users/{}/keys", user["id"]);
            let key = test.create(&path, json!({"name": "laptop"})).await;
            test.key = key["key"].as_str().unwrap().to_owned();
        }
        test
    }

    /// Stops it and starts another on the same data.
    pub async fn restart(mut self) -> Self {
        if let Some(app) = self.app.take() {
            assert!(app.stop().await);
        }
        let data = std::mem::replace(&mut self.data, tempfile::tempdir().unwrap());
        Self::boot(settings(data.path()), data, Some(self.key.clone())).await
    }

    /// Takes the running gateway out, for tests that stop it while they talk to it.
    pub fn take(&mut self) -> App {
        self.app.take().unwrap()
    }

    /// Requests under way.
    pub fn live(&self) -> usize {
        self.app.as_ref().unwrap().live()
    }

    /// The public address, `http://host:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same gateway, as somebody outside sees it.
    pub fn front(&self) -> super::Front {
        super::Front::new(self.base.clone())
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        self.base.split("://").nth(1).unwrap()
    }

    /// Where it keeps its data.
    pub fn data_dir(&self) -> &std::path::Path {
        self.data.path()
    }

    /// The client key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A request to the data plane, with the key.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.key)
    }

    /// A POST of JSON to the data plane, with the key.
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.ask(Method::POST, path)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// A request to the admin API.
    pub fn admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.base))
            .bearer_auth(ADMIN_TOKEN)
    }

    /// Creates something by the admin API.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        let response = self
            .admin(Method::POST, path)
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = response.status();
        let answer = response.text().await.unwrap();
        assert_eq!(status, 201, "POST {path}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Adds a provider; `more` is merged over name, type, url and key. Answers its id.
    pub async fn provider(&self, name: &str, kind: &str, url: &str, more: Value) -> i64 {
        let mut body =
            json!({"name": name, "type": kind, "url": url, "apiKey": format!("up-{name}")});
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.create("/providers", body).await["id"]
            .as_i64()
            .unwrap()
    }

    /// The newest rows of the request log, newest first, waited for until there are `count`. With their chains.
    pub async fn rows(&self, count: usize) -> Vec<Value> {
        let list = eventually("rows in the request log", || async {
            let list: Value = self
                .admin(Method::GET, "/requests?limit=200")
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let items = list["items"].as_array()?.clone();
            (items.len() >= count).then_some(items)
        })
        .await;
        assert_eq!(list.len(), count, "more rows than expected: {list:#?}");
        let mut rows = Vec::new();
        for item in list {
            let path = format!("/requests/{}", item["id"].as_str().unwrap());
            let row = self.admin(Method::GET, &path).send().await.unwrap();
            rows.push(row.json().await.unwrap());
        }
        rows
    }

    /// The only row of the request log.
    pub async fn row(&self) -> Value {
        self.rows(1).await.remove(0)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Its runtimes end with it; nothing waits for requests under way.
        drop(self.app.take());
    }
}

fn settings(data: &std::path::Path) -> Settings {
    let mut settings = Settings::default();
    settings.data_dir = data.to_owned();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings.server.threads = Some(2);
    settings.server.drain = Duration::from_secs(20);
    settings.admin.token = Some(Secret::new(ADMIN_TOKEN));
    settings.admin.secure_cookies = false;
    settings
}
