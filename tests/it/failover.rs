//! A failed attempt is followed by a good one, and the chain tells of both.

use serde_json::{Value, json};

use crate::support::{TestApp, Upstream};

struct Case {
    /// What the first provider does: a script of the fake upstream, or its whole address.
    first: &'static str,
    /// The status in the chain.
    status: Option<u16>,
    /// Whose fault.
    fault: &'static str,
    /// What the chain's excerpt of its body must hold.
    excerpt: &'static str,
}

const fn case(
    first: &'static str,
    status: Option<u16>,
    fault: &'static str,
    excerpt: &'static str,
) -> Case {
    Case {
        first,
        status,
        fault,
        excerpt,
    }
}

const BAD_FIRST_PROVIDERS: [Case; 14] = [
    case(
        "status=429;retryAfter=2",
        Some(429),
        "provider",
        "rate_limit",
    ),
    case("status=500", Some(500), "provider", "api_error"),
    case("status=502;bodyKind=html", Some(502), "provider", "html"),
    case("status=503;bodyKind=empty", Some(503), "provider", ""),
    case("status=529", Some(529), "provider", "overloaded"),
    case("status=401", Some(401), "key", "authentication_error"),
    case("status=402", Some(402), "key", "error"),
    case("status=403;gzip", Some(403), "key", "permission_error"),
    case("status=404", Some(404), "model", "not_found"),
    case("closeBeforeHead", None, "provider", ""),
    case("resetBeforeHead", None, "provider", ""),
    case("hangBeforeHead", None, "provider", ""),
    case("http://127.0.0.1:1", None, "network", ""),
    case("http://no-such-host.invalid", None, "network", ""),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_sees_only_the_good_answer() {
    for is_stream in [false, true] {
        for case in &BAD_FIRST_PROVIDERS {
            one(case, is_stream).await;
        }
    }
}

async fn one(case: &Case, is_stream: bool) {
    let what = format!("{} stream={is_stream}", case.first);
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let url = if case.first.starts_with("http") {
        case.first.to_owned()
    } else {
        bad.url(case.first)
    };
    let patience =
        json!({"timeouts": {"connectMs": 500, "firstByteMs": 500, "idleMs": 0, "totalMs": 1000}});
    app.provider("bad", "claude", &url, patience).await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    let body = json!({"model": "m", "stream": is_stream, "x": "a".repeat(100_000)});
    let response = app.post("/v1/messages", &body).await;
    assert_eq!(response.status(), 200, "{what}");
    assert!(response.text().await.unwrap().contains("PO"), "{what}");

    let row = app.row().await;
    let chain = row["chain"].as_array().unwrap();
    assert_eq!(chain.len(), 2, "{what}: {row:#}");
    assert_eq!(chain[0]["providerName"], "bad", "{what}");
    assert_eq!(chain[0]["outcome"], "failed", "{what}");
    assert_eq!(chain[0]["status"], json!(case.status), "{what}: {row:#}");
    assert_eq!(chain[0]["fault"], case.fault, "{what}: {row:#}");
    assert!(chain[0]["error"].is_string(), "{what}");
    let excerpt = chain[0]["errorBody"].as_str().unwrap_or_default();
    assert!(excerpt.contains(case.excerpt), "{what}: {row:#}");
    assert_eq!(chain[1]["outcome"], "completed", "{what}");
    assert_eq!(row["usage"]["inputTokens"], 25, "{what}");
    if case.status.is_some() {
        let (first, second) = (bad.only_seen().await, good.only_seen().await);
        assert_eq!(first.body_sha256, second.body_sha256, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_client_got_wrong_comes_back_once() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    for (status, name) in [(400, "a"), (413, "b"), (422, "c")] {
        let url = upstream.url(&format!("status={status};errorMessage=no-{name}"));
        let id = app
            .provider(name, "claude", &url, json!({"maxAttempts": 3}))
            .await;
        app.provider(
            &format!("{name}2"),
            "claude",
            &upstream.url(""),
            json!({"priority": 1}),
        )
        .await;
        upstream.recorder().clear();
        let response = app.post("/v1/messages", &json!({"model": "m"})).await;
        assert_eq!(response.status(), status);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["message"], format!("no-{name}"));
        assert_eq!(upstream.recorder().seen().len(), 1);
        app.admin(reqwest::Method::DELETE, &format!("/providers/{id}"))
            .send()
            .await
            .unwrap();
        let rows = app
            .rows(
                usize::from(name == "a")
                    + 2 * usize::from(name == "b")
                    + 3 * usize::from(name == "c"),
            )
            .await;
        assert_eq!(rows[0]["chain"][0]["fault"], "client");
        assert!(
            rows[0]["chain"][0]["errorBody"]
                .as_str()
                .unwrap()
                .contains(name)
        );
        let list: Value = app
            .admin(reqwest::Method::GET, "/providers")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        for provider in list["items"].as_array().unwrap() {
            app.admin(
                reqwest::Method::DELETE,
                &format!("/providers/{}", provider["id"]),
            )
            .send()
            .await
            .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_failure_is_passed_on_unless_it_is_about_our_credential() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let id = app
        .provider(
            "a",
            "claude",
            &upstream.url("status=429;retryAfter=7"),
            json!({}),
        )
        .await;
    let response = app.post("/v1/messages", &json!({"model": "m"})).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    let change = json!({"url": upstream.url("status=401;errorMessage=up-a")});
    app.admin(reqwest::Method::PATCH, &format!("/providers/{id}"))
        .json(&change)
        .send()
        .await
        .unwrap();
    let response = app.post("/v1/messages", &json!({"model": "m"})).await;
    assert_eq!(response.status(), 503);
    assert!(!response.text().await.unwrap().contains("up-a"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_tried_as_often_as_it_may_be() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider(
        "a",
        "claude",
        &upstream.url("status=500;times=2"),
        json!({"maxAttempts": 3}),
    )
    .await;
    let response = app.post("/v1/messages", &json!({"model": "m"})).await;
    assert_eq!(response.status(), 200);
    assert_eq!(app.row().await["chain"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_metadata_address_is_never_connected_to() {
    let app = TestApp::start().await;
    let response = app
        .admin(reqwest::Method::POST, "/providers")
        .json(&json!({"name": "m", "type": "claude", "url": "http://169.254.169.254/latest", "apiKey": "k"}))
        .send()
        .await
        .unwrap();
    assert!(response.status().is_client_error(), "{}", response.status());
}
