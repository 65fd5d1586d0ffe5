//! A change by the admin API is live within a second, without a restart.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::{TestApp, Upstream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_live_within_a_second() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let ask = || async {
        app.post("/v1/messages", &json!({"model": "m"}))
            .await
            .status()
            .as_u16()
    };
    assert_eq!(ask().await, 503);
    let id = app
        .provider("a", "claude", &upstream.url(""), json!({}))
        .await;
    let path = format!("/providers/{id}");
    let steps = [
        (json!({"isEnabled": true}), 200),
        (json!({"isEnabled": false}), 503),
        (json!({"isEnabled": true}), 200),
        (json!({"groupTags": ["team"]}), 503),
        (json!({"groupTags": ["default"]}), 200),
        (json!({"allowedModels": ["other"]}), 503),
        (json!({"allowedModels": []}), 200),
        (json!({"url": upstream.url("status=418")}), 418),
        (json!({"url": upstream.url("")}), 200),
        (json!({"apiKey": "up-new"}), 200),
    ];
    for (change, expected) in steps {
        let changed = Instant::now();
        let response = app
            .admin(Method::PATCH, &path)
            .json(&change)
            .send()
            .await
            .unwrap();
        assert_eq!(
            response.status(),
            200,
            "{change}: {}",
            response.text().await.unwrap()
        );
        while ask().await != expected {
            assert!(
                changed.elapsed() < Duration::from_secs(1),
                "{change} is not live"
            );
        }
    }
    let last = upstream.recorder().seen().pop().unwrap();
    assert_eq!(last.header("x-api-key"), Some("up-new"));
    let gone = app.admin(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(ask().await, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_keeps_the_configuration_it_began_with() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let id = app
        .provider(
            "a",
            "claude",
            &upstream.url("chunks=6;chunkDelayMs=100"),
            json!({}),
        )
        .await;
    let response = app
        .post("/v1/messages", &json!({"model": "m", "stream": true}))
        .await;
    app.admin(Method::DELETE, &format!("/providers/{id}"))
        .send()
        .await
        .unwrap();
    assert!(response.text().await.unwrap().contains("message_stop"));
    assert_eq!(
        app.post("/v1/messages", &json!({"model": "m"}))
            .await
            .status(),
        503
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configuration_survives_a_restart() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url(""), json!({}))
        .await;
    assert_eq!(
        app.post("/v1/messages", &json!({"model": "m"}))
            .await
            .status(),
        200
    );
    let app = app.restart().await;
    assert_eq!(
        app.post("/v1/messages", &json!({"model": "m"}))
            .await
            .status(),
        200
    );
    assert_eq!(
        upstream.recorder().seen()[1].header("x-api-key"),
        Some("up-a")
    );
    assert_eq!(app.rows(2).await.len(), 2);
}
