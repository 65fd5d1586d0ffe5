//! A gateway as it is seen from outside, in this process or another.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// How a gateway is talked to.
#[derive(Clone)]
pub struct Front {
    base: String,
    http: Client,
}

// === impl Front ===

impl Front {
    /// The admin token of every gateway under test.
    pub const TOKEN: &str = "test-admin-token-0123456789";

    /// The gateway at `http://host:port`.
    pub fn new(base: String) -> Self {
        let http = super::http()
            .pool_max_idle_per_host(64)
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self { base, http }
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A POST to the data plane.
    pub fn post(&self, path: &str, key: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.http.post(url).header("x-api-key", key)
    }

    /// What the admin API answers, which must be a success.
    pub async fn admin(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let url = format!("{}/api/v1{path}", self.base);
        let mut request = self
            .http
            .request(method.clone(), url)
            .bearer_auth(Self::TOKEN);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let answer = response.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Value {
        self.admin(Method::GET, path, None).await
    }

    /// Creates.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        self.admin(Method::POST, path, Some(&body)).await
    }

    /// Changes.
    pub async fn change(&self, path: &str, body: Value) -> Value {
        self.admin(Method::PATCH, path, Some(&body)).await
    }

    /// A price by hand.
    pub async fn price(&self, model: &str, figures: &Value) {
        let path = format!("/prices/{model}");
        self.admin(Method::PUT, &path, Some(figures)).await;
    }

    /// Adds a user; answers its id.
    pub async fn user(&self, more: Value) -> i64 {
        let user = self
            .create("/users", with(json!({"name": unique("user")}), more))
            .await;
        user["id"].as_i64().unwrap()
    }

    /// Adds a key; answers its id and itself.
    pub async fn key(&self, user: i64, more: Value) -> (i64, String) {
        let path = format!("/users/{user}/keys");
        let key = self
            .create(&path, with(json!({"name": unique("key")}), more))
            .await;
        let secret = key["key"].as_str().unwrap().to_owned();
        (key["id"].as_i64().unwrap(), secret)
    }

    /// Adds a provider; answers its id.
    pub async fn provider(&self, name: &str, kind: &str, url: &str, more: Value) -> i64 {
        let body = json!({"name": name, "type": kind, "url": url, "apiKey": format!("up-{name}")});
        let provider = self.create("/providers", with(body, more)).await;
        provider["id"].as_i64().unwrap()
    }

    /// What is used of the limits of `keys/1`, `users/1` or `providers/1`.
    pub async fn used(&self, subject: &str) -> Value {
        self.get(&format!("/{subject}/limits")).await
    }

    /// Nano-USD spent in one of its windows, such as `limitTotalUsd`.
    pub async fn spent(&self, subject: &str, window: &str) -> i64 {
        nano(&self.used(subject).await[window]["current"])
    }
}

/// A decimal of USD as nano-USD.
pub fn nano(usd: &Value) -> i64 {
    let text = usd.as_str().unwrap_or_else(|| panic!("no amount: {usd}"));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: i64 = format!("{part:0<9}").parse().unwrap();
    whole.parse::<i64>().unwrap() * 1_000_000_000 + part
}

fn unique(what: &str) -> String {
    format!("{what}-{}", uuid::Uuid::new_v4().simple())
}

fn with(mut body: Value, more: Value) -> Value {
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body
}
