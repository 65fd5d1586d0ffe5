//! Bad input gets a clear error and leaves a row.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{RawClient, TestApp, Upstream, http};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_named_and_logged() {
    let upstream = Upstream::start().await;
    let app = TestApp::builder()
        .settings(|settings| settings.server.max_request_bytes = 100_000)
        .start()
        .await;
    app.provider("a", "claude", &upstream.url(""), json!({}))
        .await;
    app.provider("o", "openai-compatible", &upstream.url(""), json!({}))
        .await;
    let large = format!("{{\"model\":\"m\",\"x\":\"{}\"}}", "a".repeat(200_000));
    let cases: [(&str, &str, String, u16, &str, &str); 9] = [
        (
            "POST",
            "/v1/messages",
            r#"{"model": "m", "messages": ["#.into(),
            400,
            "invalid_body",
            "JSON",
        ),
        (
            "POST",
            "/v1/messages",
            "model=m".into(),
            400,
            "invalid_body",
            "JSON",
        ),
        (
            "POST",
            "/v1/chat/completions",
            "[]".into(),
            400,
            "invalid_body",
            "JSON",
        ),
        (
            "POST",
            "/v1/messages",
            r#"{"messages": []}"#.into(),
            400,
            "missing_model",
            "model",
        ),
        (
            "POST",
            "/v1/chat/completions",
            String::new(),
            400,
            "missing_model",
            "model",
        ),
        (
            "POST",
            "/v1/messages",
            large,
            413,
            "request_too_large",
            "MAX_REQUEST_BYTES",
        ),
        (
            "POST",
            "/nowhere",
            "{}".into(),
            404,
            "unknown_endpoint",
            "/nowhere",
        ),
        (
            "GET",
            "/v1/messages",
            String::new(),
            404,
            "unknown_endpoint",
            "/v1/messages",
        ),
        (
            "DELETE",
            "/v2/messages",
            String::new(),
            404,
            "unknown_endpoint",
            "/v2/messages",
        ),
    ];
    for (method, path, body, status, _, word) in &cases {
        let response = app
            .ask(method.parse().unwrap(), path)
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), *status, "{method} {path}");
        let text = response.text().await.unwrap();
        assert!(text.contains(word), "{method} {path}: {text}");
        let parsed: Value = serde_json::from_str(&text).unwrap();
        assert!(parsed["error"]["message"].is_string(), "{text}");
    }
    let rows = app.rows(cases.len()).await;
    for (row, (method, path, _, status, code, _)) in rows.iter().rev().zip(&cases) {
        assert_eq!(row["status"], *status, "{row}");
        assert_eq!(row["errorCode"], *code, "{row}");
        assert_eq!(row["endpoint"], format!("{method} {path}"));
        assert!(row["userId"].is_number(), "{row}");
    }
    assert!(upstream.recorder().seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_unknown_length_is_refused_when_it_grows_too_large() {
    let app = TestApp::builder()
        .settings(|settings| settings.server.max_request_bytes = 100_000)
        .start()
        .await;
    let mut client = RawClient::connect(app.authority()).await;
    client
        .send(format!(
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
            app.key()
        ))
        .await;
    for _ in 0..3 {
        client
            .send(format!("{:x}\r\n{}\r\n", 50_000, "a".repeat(50_000)))
            .await;
    }
    let response = client.response().await;
    assert_eq!(response.status, 413);
    assert_eq!(app.row().await["errorCode"], "request_too_large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bomb_is_refused() {
    let app = TestApp::builder()
        .settings(|settings| settings.server.max_request_bytes = 1_000_000)
        .start()
        .await;
    let bomb = zstd::encode_all(&vec![b' '; 200_000_000][..], 3).unwrap();
    assert!(bomb.len() < 100_000);
    let response = app
        .ask(Method::POST, "/v1/messages")
        .header("content-encoding", "zstd")
        .body(bomb)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_to_serve_it_is_503() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("o", "openai-compatible", &upstream.url(""), json!({}))
        .await;
    app.provider(
        "g",
        "claude",
        &upstream.url(""),
        json!({"groupTags": ["team"]}),
    )
    .await;
    app.provider(
        "m",
        "claude",
        &upstream.url(""),
        json!({"allowedModels": ["other"]}),
    )
    .await;
    let response = app.post("/v1/messages", &json!({"model": "m"})).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], "api_error", "{body}");
    let row = app.row().await;
    assert_eq!(row["errorCode"], "no_provider_available");
    assert_eq!(row["chain"][0]["outcome"], "unserved", "{row:#}");
    let dropped = row["chain"][0]["nobody"]["dropped"].as_array().unwrap();
    let reasons: Vec<_> = dropped.iter().map(|group| &group["reason"]).collect();
    assert_eq!(reasons, ["protocol", "group", "model"], "{row:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_is_refused_at_once() {
    let app = TestApp::start().await;
    let mut client = RawClient::connect(app.authority()).await;
    client
        .send(format!(
            "GET /v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            app.key()
        ))
        .await;
    let response = client.response().await;
    assert_eq!(response.status, 426);
    assert_eq!(app.row().await["errorCode"], "unsupported");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_and_preflights_are_answered_before_anybody_is_asked_who_they_are() {
    let app = TestApp::start().await;
    let http = http().build().unwrap();
    let probe = http.head(format!("{}/", app.base())).send().await.unwrap();
    assert_eq!(probe.status(), 200);
    let preflight = http
        .request(Method::OPTIONS, format!("{}/v1/messages", app.base()))
        .header("origin", "https://page.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-api-key")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert_eq!(
        preflight.headers()["access-control-allow-headers"],
        "x-api-key"
    );
    app.rows(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_the_user_may_not_use_is_403() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url(""), json!({}))
        .await;
    let user = app
        .create(
            "/users",
            json!({"name": "bob", "allowedModels": ["claude-small"]}),
        )
        .await;
    let key = app
        .create(&format!("/users/{}/keys", user["id"]), json!({"name": "k"}))
        .await;
    for (model, status) in [("claude-small", 200), ("claude-large", 403)] {
        let response = http()
            .build()
            .unwrap()
            .post(format!("{}/v1/messages", app.base()))
            .header("x-api-key", key["key"].as_str().unwrap())
            .json(&json!({"model": model}))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{model}");
    }
}
