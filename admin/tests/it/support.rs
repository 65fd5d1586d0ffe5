//! A whole admin side over a scratch database, with a fake gateway, and a readable client.
//!
//! Every test runs on SQLite in memory, and on PostgreSQL when `TEST_POSTGRES_URL` is set; with `CI=true` it must be set.

use std::{
    fmt::Display,
    sync::{Arc, atomic::Ordering},
};

use admin::Admin;
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
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, EntityTrait, Statement};
use serde_json::Value;

use crate::conforms;

mod databases;
mod gateway;

pub use databases::{between, everywhere, side_by_side};
pub use gateway::FakeGateway;

/// The admin token of the tests.
pub const TOKEN: &str = "test-admin-token-0123456789";
/// A provider's credential; it must never be in an answer.
pub const UPSTREAM_KEY: &str = "sk-upstream-credential-7f3a";

/// A proxy's password; it must never be in an answer either.
pub const PROXY_PASSWORD: &str = "gate-password-51c0";

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
    async fn over(
        db: DatabaseConnection,
        scratch: Option<(String, String)>,
        master: &[u8],
    ) -> Self {
        Migrator::up(&db, None).await.unwrap();
        let gateway = Arc::new(FakeGateway::default());
        let hasher = Arc::new(KeyHasher::new(master));
        let admin = Arc::new(Admin {
            db: db.clone(),
            gateway: gateway.clone(),
            sealer: Arc::new(Sealer::new(master)),
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

    /// What seals secrets here.
    pub fn sealer(&self) -> Arc<Sealer> {
        self.admin.sealer.clone()
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
