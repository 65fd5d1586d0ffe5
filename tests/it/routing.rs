//! Which provider gets a request: weights, rules, groups, hours, addresses; and how that is explained.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream};

fn body(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": text}]})
}

fn seen(upstream: &Upstream) -> usize {
    upstream.recorder().seen().len()
}

async fn explain(app: &TestApp, question: Value) -> Value {
    let request = app.admin(Method::POST, "/routing/explain").json(&question);
    let response = request.send().await.unwrap();
    let status = response.status();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{answer:#}");
    answer
}

async fn key_id(app: &TestApp) -> i64 {
    let users: Value = app
        .admin(Method::GET, "/users")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let path = format!("/users/{}/keys", users["items"][0]["id"]);
    let keys: Value = app
        .admin(Method::GET, &path)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    keys["items"][0]["id"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_are_shared_out_by_weight() {
    let (heavy, light) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    app.provider("heavy", "claude", &heavy.url(""), json!({"weight": 3}))
        .await;
    app.provider("light", "claude", &light.url(""), json!({"weight": 1}))
        .await;
    for n in 0..400 {
        let response = app
            .post("/v1/messages", &body("m", &format!("conversation {n}")))
            .await;
        assert_eq!(response.status(), 200);
    }
    // 300 expected, one standard deviation is 8.7.
    let share = seen(&heavy);
    assert!((255..=345).contains(&share), "{share} of 400");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_for_models_and_clients_send_each_to_its_own() {
    let (opus, codex, rest) = (
        Upstream::start().await,
        Upstream::start().await,
        Upstream::start().await,
    );
    let app = TestApp::start().await;
    let models = json!({"allowedModels": [{"match": "prefix", "pattern": "claude-opus"}], "modelRedirects": [
        {"match": "regex", "source": "^claude-opus-4(-.*)?$", "target": "opus-at-ours"}]});
    app.provider("opus", "claude", &opus.url(""), models).await;
    app.provider(
        "codex",
        "claude",
        &codex.url(""),
        json!({"allowedClients": ["codex-cli"]}),
    )
    .await;
    app.provider("rest", "claude", &rest.url(""), json!({"priority": 5}))
        .await;
    app.post("/v1/messages", &body("claude-opus-4-1", "a"))
        .await;
    app.post("/v1/messages", &body("claude-haiku", "b")).await;
    let request = app
        .ask(Method::POST, "/v1/messages")
        .json(&body("claude-haiku", "c"));
    request
        .header("user-agent", "codex_exec/0.169.0 (Debian)")
        .send()
        .await
        .unwrap();
    assert_eq!((seen(&opus), seen(&codex), seen(&rest)), (1, 1, 1));
    let rows = app.rows(3).await;
    let redirected = rows
        .iter()
        .find(|row| row["requestedModel"] == "claude-opus-4-1")
        .unwrap();
    assert_eq!(redirected["model"], "opus-at-ours");
    assert_eq!(
        redirected["chain"][0]["edits"],
        json!(["model: claude-opus-4-1 -> opus-at-ours"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_brings_its_factor_and_hours_are_kept() {
    let (team, asleep) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    app.create(
        "/provider-groups",
        json!({"name": "default", "costMultiplier": "0.5"}),
    )
    .await;
    app.provider(
        "team",
        "claude",
        &team.url(""),
        json!({"priority": 3, "costMultiplier": "1.2"}),
    )
    .await;
    let minute = |plus: i64| {
        (chrono::Utc::now() + chrono::TimeDelta::minutes(plus))
            .format("%H:%M")
            .to_string()
    };
    let hours = json!({"activeTime": {"start": minute(60), "end": minute(120)}});
    app.provider("asleep", "claude", &asleep.url(""), hours)
        .await;
    app.post("/v1/messages", &body("m", "x")).await;
    assert_eq!((seen(&team), seen(&asleep)), (1, 0));
    let row = app.row().await;
    let attempt = &row["chain"][0];
    assert_eq!(
        (&attempt["providerMultiplier"], &attempt["groupMultiplier"]),
        (&json!("1.2"), &json!("0.5"))
    );
    assert_eq!(
        attempt["selection"]["dropped"][0]["reason"], "schedule",
        "{row:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_address_stands_in_for_the_first() {
    let (main, spare) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let more = json!({"endpoints": [spare.url("")], "maxAttempts": 1, "breaker": {"failureThreshold": 2, "openSeconds": 600}});
    app.provider("a", "claude", "http://127.0.0.1:1", more)
        .await;
    for n in 0..5 {
        let response = app.post("/v1/messages", &body("m", &n.to_string())).await;
        assert_eq!(response.status(), 200);
    }
    assert_eq!((seen(&main), seen(&spare)), (0, 5));
    let rows = app.rows(5).await;
    let tries: Vec<usize> = rows
        .iter()
        .rev()
        .map(|row| row["chain"].as_array().unwrap().len())
        .collect();
    assert_eq!(
        tries,
        [2, 2, 1, 1, 1],
        "the dead address is left alone after its threshold"
    );
    assert_eq!(rows[4]["chain"][0]["endpoint"], "127.0.0.1:1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_rule_says_whose_fault_it_is_and_what_the_client_sees() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let script = "status=400;errorMessage=quota%20of%20channel%20used%20up";
    app.provider("first", "claude", &first.url(script), json!({}))
        .await;
    app.provider(
        "second",
        "claude",
        &second.url("status=422;errorType=x;errorMessage=forbidden%20topic"),
        json!({"priority": 1}),
    )
    .await;
    app.create("/error-rules", json!({"name": "channel", "match": "contains", "pattern": "quota of channel", "fault": "key"})).await;
    app.create(
        "/error-rules",
        json!({"name": "topic", "match": "regex", "pattern": "forbidden \\w+", "fault": "client",
        "overrideStatus": 451, "overrideMessage": "Not here."}),
    )
    .await;
    let response = app.post("/v1/messages", &body("m", "x")).await;
    assert_eq!(response.status(), 451);
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["error"]["message"], "Not here.");
    let row = app.row().await;
    let faults: Vec<_> = row["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["fault"].clone())
        .collect();
    assert_eq!(faults, ["key", "client"], "{row:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_gets_no_more_at_once_than_it_may_have() {
    let (small, large) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    app.provider(
        "small",
        "claude",
        &small.url("delayMs=600"),
        json!({"limitConcurrentRequests": 2}),
    )
    .await;
    app.provider(
        "large",
        "claude",
        &large.url("delayMs=600"),
        json!({"priority": 1}),
    )
    .await;
    let asks = (0..8).map(|n| {
        let app = &app;
        async move {
            app.post("/v1/messages", &body("m", &n.to_string()))
                .await
                .status()
        }
    });
    for status in futures_util::future::join_all(asks).await {
        assert_eq!(status, 200);
    }
    assert_eq!((seen(&small), seen(&large)), (2, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_explained_by_the_code_that_makes_it() {
    let (a, b) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let breaking = json!({"weight": 3, "breaker": {"failureThreshold": 1, "openSeconds": 600}});
    let first = app
        .provider("a", "claude", &a.url("status=503"), breaking)
        .await;
    let second = app
        .provider("b", "claude", &b.url(""), json!({"weight": 1}))
        .await;
    app.provider("c", "codex", &b.url(""), json!({})).await;
    let key = key_id(&app).await;
    let question = json!({"protocol": "anthropic", "model": "m", "keyId": key});
    let answer = explain(&app, question.clone()).await;
    let candidates = answer["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 3, "{answer:#}");
    let of = |id: i64| candidates.iter().find(|c| c["providerId"] == id).unwrap();
    assert_eq!(
        (
            of(first)["probability"].as_f64(),
            of(second)["probability"].as_f64()
        ),
        (Some(0.75), Some(0.25))
    );
    let codex = candidates
        .iter()
        .find(|c| c["providerName"] == "c")
        .unwrap();
    assert_eq!(codex["kept"], false);
    assert!(codex["reasons"][0]["code"] == "protocol", "{answer:#}");
    while seen(&a) == 0 {
        app.post("/v1/messages", &body("m", &format!("try {}", seen(&b))))
            .await;
    }
    let answer = explain(&app, question).await;
    let candidates = answer["candidates"].as_array().unwrap();
    let open = candidates
        .iter()
        .find(|c| c["providerId"] == first)
        .unwrap();
    assert!(open["reasons"][0]["code"] == "breaker_open", "{answer:#}");
}
