//! Breakers: a dead provider is left alone, a recovered one gets its share back, a poisonous request hurts nobody.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, eventually};

fn body(text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]})
}

async fn breaker(app: &TestApp, id: i64) -> Value {
    let path = format!("/providers/{id}/breaker");
    let response = app.admin(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

fn seen(upstream: &Upstream) -> usize {
    upstream.recorder().seen().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_provider_gets_no_more_than_its_threshold_and_its_share_back_once_it_lives() {
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let breaking =
        json!({"breaker": {"failureThreshold": 3, "openSeconds": 1, "halfOpenSuccesses": 2}});
    let id = app
        .provider("bad", "claude", &bad.url("status=503;times=3"), breaking)
        .await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    for n in 0..20 {
        let response = app.post("/v1/messages", &body(&n.to_string())).await;
        assert_eq!(response.status(), 200);
    }
    assert_eq!((seen(&bad), seen(&good)), (3, 20));
    let state = breaker(&app, id).await;
    let open = &state["items"][0];
    assert_eq!(open["state"], "open", "{state:#}");
    assert!(open["reason"].as_str().unwrap().contains("3"), "{state:#}");
    assert_eq!(open["samples"].as_array().unwrap().len(), 3, "{state:#}");
    assert_eq!(open["samples"][0]["status"], 503, "{state:#}");

    tokio::time::sleep(Duration::from_millis(1200)).await;
    for n in 0..6 {
        let response = app.post("/v1/messages", &body(&format!("again {n}"))).await;
        assert_eq!(response.status(), 200);
    }
    assert_eq!(
        (seen(&bad), seen(&good)),
        (9, 20),
        "{:#}",
        breaker(&app, id).await
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breaker_is_reset_by_hand_and_survives_a_restart() {
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let breaking = json!({"breaker": {"failureThreshold": 1, "openSeconds": 600}});
    let id = app
        .provider("bad", "claude", &bad.url("status=500;times=1"), breaking)
        .await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    app.post("/v1/messages", &body("a")).await;
    eventually("the breaker is open", || async {
        (breaker(&app, id).await["items"][0]["state"] == "open").then_some(())
    })
    .await;
    let app = app.restart().await;
    assert_eq!(breaker(&app, id).await["items"][0]["state"], "open");
    app.post("/v1/messages", &body("b")).await;
    assert_eq!(seen(&bad), 1);
    let path = format!("/providers/{id}/breaker/reset");
    let response = app.admin(Method::POST, &path).send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    app.post("/v1/messages", &body("c")).await;
    assert_eq!(seen(&bad), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poison_request_opens_no_breaker() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let breaking = json!({"breaker": {"failureThreshold": 1, "openSeconds": 600}});
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let url = upstream.url(&format!("status=500;errorMessage=choked-{name}"));
        ids.push(app.provider(name, "claude", &url, breaking.clone()).await);
    }
    for _ in 0..5 {
        let response = app.post("/v1/messages", &body("poison")).await;
        assert_eq!(response.status(), 500);
        assert!(response.text().await.unwrap().contains("choked"));
    }
    for id in ids {
        let state = breaker(&app, id).await;
        let open: Vec<_> = state["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|b| b["state"] != "closed")
            .collect();
        assert!(open.is_empty(), "{state:#}");
    }
    let rows = app.rows(5).await;
    for row in rows {
        let chain = row["chain"].as_array().unwrap();
        assert_eq!(chain.len(), 3, "{row:#}");
        assert!(chain.iter().all(|a| a["fault"] == "poison"), "{row:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_breakers_open_the_least_bad_is_tried_once() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let breaking = json!({"breaker": {"failureThreshold": 1, "openSeconds": 600}});
    app.provider(
        "only",
        "claude",
        &upstream.url("status=503;times=1"),
        breaking,
    )
    .await;
    assert_eq!(app.post("/v1/messages", &body("a")).await.status(), 503);
    let response = app.post("/v1/messages", &body("b")).await;
    assert_eq!(response.status(), 200);
    let rows = app.rows(2).await;
    assert_eq!(
        rows[0]["chain"][0]["selection"]["by"], "last_resort",
        "{:#}",
        rows[0]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_asks_for_rest_gets_it() {
    let (tired, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    app.provider(
        "tired",
        "claude",
        &tired.url("status=429;retryAfter=1;times=1"),
        json!({}),
    )
    .await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    for n in 0..3 {
        assert_eq!(
            app.post("/v1/messages", &body(&n.to_string()))
                .await
                .status(),
            200
        );
    }
    assert_eq!((seen(&tired), seen(&good)), (1, 3));
    let begun = Instant::now();
    eventually("it is asked again", || async {
        let text = format!("later {:?}", begun.elapsed());
        app.post("/v1/messages", &body(&text)).await;
        (seen(&tired) > 1).then_some(())
    })
    .await;
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_model_closes_the_provider_for_that_model_alone() {
    let (partial, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let breaking = json!({"breaker": {"failureThreshold": 2, "openSeconds": 600}});
    let id = app
        .provider(
            "partial",
            "claude",
            &partial.url("status=404;times=2"),
            breaking,
        )
        .await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    for n in 0..4 {
        assert_eq!(
            app.post("/v1/messages", &body(&n.to_string()))
                .await
                .status(),
            200
        );
    }
    assert_eq!((seen(&partial), seen(&good)), (2, 4));
    let other = json!({"model": "other", "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(app.post("/v1/messages", &other).await.status(), 200);
    assert_eq!((seen(&partial), seen(&good)), (3, 4));
    let state = breaker(&app, id).await;
    let open = state["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|b| b["state"] == "open")
        .unwrap();
    assert_eq!(
        (&open["scope"], &open["subject"]),
        (&json!("model"), &json!("m")),
        "{state:#}"
    );
}
