//! What an attempt changes of a request, and what it leaves.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_own_headers_arrive_and_the_connections_do_not() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider(
        "a",
        "claude",
        &upstream.url(""),
        json!({"customHeaders": {"x-team": "blue"}}),
    )
    .await;
    let response = app
        .ask(Method::POST, "/v1/messages?beta=true")
        .header("anthropic-version", "2023-06-01")
        .header("anthropic-beta", "one,two")
        .header("user-agent", "claude-cli/2.1.197 (external, sdk-cli)")
        .header("x-stainless-retry-count", "0")
        .header("accept-encoding", "gzip, br")
        .header("x-forwarded-for", "10.9.8.7")
        .header("cf-connecting-ip", "10.9.8.7")
        .header("traceparent", "00-1-1-00")
        .header("x-request-id", "mine")
        .json(&json!({"model": "m"}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_ne!(response.headers()["x-request-id"], "mine");
    let seen = upstream.only_seen().await;
    assert_eq!(seen.path_and_query, "/v1/messages?beta=true");
    for (name, value) in [
        ("anthropic-version", "2023-06-01"),
        ("anthropic-beta", "one,two"),
        ("user-agent", "claude-cli/2.1.197 (external, sdk-cli)"),
        ("x-stainless-retry-count", "0"),
        ("x-team", "blue"),
        ("accept-encoding", "identity"),
        ("host", upstream.url("").trim_start_matches("http://")),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    for name in [
        "x-forwarded-for",
        "cf-connecting-ip",
        "traceparent",
        "x-request-id",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_address_is_passed_on_only_if_asked() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider(
        "a",
        "claude",
        &upstream.url(""),
        json!({"preserveClientIp": true}),
    )
    .await;
    app.ask(Method::POST, "/v1/messages")
        .header("x-forwarded-for", "10.9.8.7")
        .json(&json!({"model": "m"}))
        .send()
        .await
        .unwrap();
    assert_eq!(
        upstream.only_seen().await.header("x-forwarded-for"),
        Some("127.0.0.1")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirected_model_is_replaced_in_body_and_path_and_nothing_else() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let redirects = json!({"modelRedirects": [{"source": "fast", "target": "vendor/fast-2"}]});
    app.provider("a", "claude", &upstream.url(""), redirects.clone())
        .await;
    app.provider("g", "gemini", &upstream.url(""), redirects)
        .await;
    let body = r#"{ "metadata": {"model":"fast"}, "model" : "fast",  "messages": [{"role":"user","content":"\u00e9 \"model\":\"fast\""}]}"#;
    let response = app
        .ask(Method::POST, "/v1/messages")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let seen = upstream.only_seen().await;
    let expected = body.replacen(r#""model" : "fast""#, r#""model" : "vendor/fast-2""#, 1);
    assert_eq!(seen.body, expected.as_bytes());
    let row = app.row().await;
    assert_eq!(row["requestedModel"], "fast");
    assert_eq!(row["model"], "vendor/fast-2");
    assert_eq!(
        row["chain"][0]["edits"],
        json!(["model: fast -> vendor/fast-2"])
    );

    upstream.recorder().clear();
    app.post(
        "/v1beta/models/fast:generateContent?alt=json",
        &json!({"contents": []}),
    )
    .await;
    assert_eq!(
        upstream.only_seen().await.path_and_query,
        "/v1beta/models/vendor%2Ffast-2:generateContent?alt=json"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn model_lists_come_in_the_callers_dialect_from_what_it_may_use() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let asked = app.ask(Method::GET, "/v1/models").send().await.unwrap();
    assert_eq!(
        asked.status(),
        503,
        "nobody names a model and nobody can be asked"
    );
    app.provider(
        "a",
        "claude",
        &upstream.url(""),
        json!({"allowedModels": ["c1", "c2"]}),
    )
    .await;
    app.provider(
        "o",
        "openai-compatible",
        &upstream.url(""),
        json!({"allowedModels": ["o1"]}),
    )
    .await;
    app.provider(
        "x",
        "codex",
        &upstream.url(""),
        json!({"allowedModels": ["x1"]}),
    )
    .await;
    app.provider(
        "t",
        "codex",
        &upstream.url(""),
        json!({"allowedModels": ["t1"], "groupTags": ["team"]}),
    )
    .await;
    app.provider(
        "g",
        "gemini",
        &upstream.url(""),
        json!({"allowedModels": ["g1"]}),
    )
    .await;
    let ids = |body: &Value, list: &str, id: &str| -> Vec<String> {
        let items = body[list].as_array().unwrap();
        items
            .iter()
            .map(|m| m[id].as_str().unwrap().to_owned())
            .collect()
    };
    let get = |path: &'static str, anthropic: bool| {
        let mut request = app.ask(Method::GET, path);
        if anthropic {
            request = request.header("anthropic-version", "2023-06-01");
        }
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    assert_eq!(
        ids(&get("/v1/models", true).await, "data", "id"),
        ["c1", "c2"]
    );
    assert_eq!(
        ids(&get("/v1/models", false).await, "data", "id"),
        ["o1", "x1"]
    );
    assert_eq!(
        ids(&get("/v1beta/models", false).await, "models", "name"),
        ["models/g1"]
    );
    assert_eq!(get("/v1/models/x1", false).await["id"], "x1");
    let missing = app.ask(Method::GET, "/v1/models/t1").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert!(upstream.recorder().seen().is_empty());
}
