//! What was remembered of a provider goes when the provider, or the address it was about, does.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, eventually};

fn body(text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]})
}

/// The scopes that there is something about.
async fn scopes(app: &TestApp, id: i64) -> Vec<String> {
    let path = format!("/providers/{id}/breaker");
    let response = app.admin(Method::GET, &path).send().await.unwrap();
    let all: Value = response.json().await.unwrap();
    let scope = |item: &Value| item["scope"].as_str().unwrap().to_owned();
    all["items"].as_array().unwrap().iter().map(scope).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn breakers_go_with_their_provider_and_with_its_addresses() {
    let (main, spare) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let breaker = json!({"failureThreshold": 1, "openSeconds": 600});
    let nowhere = "http://127.0.0.1:1";
    let moving = app
        .provider(
            "moving",
            "claude",
            nowhere,
            json!({"endpoints": [spare.url("")], "allowedModels": ["m"], "breaker": breaker}),
        )
        .await;
    let failing = json!({"allowedModels": ["other"], "breaker": breaker});
    let staying = app
        .provider("staying", "claude", &main.url("status=503"), failing)
        .await;
    let ask = async |text: &str| app.post("/v1/messages", &body(text)).await.status();
    assert_eq!(ask("a").await, 200);
    assert_eq!(spare.recorder().seen().len(), 1);
    assert_eq!(scopes(&app, moving).await, ["endpoint"]);
    let other = json!({"model": "other", "messages": []});
    let response = app.post("/v1/messages", &other).await;
    assert_eq!(response.status(), 503);
    assert_eq!(scopes(&app, staying).await, ["provider"]);

    // The first address is another one now: what was wrong with the old one says nothing about it.
    let path = format!("/providers/{moving}");
    let moved = json!({"url": main.url("")});
    let request = app.admin(Method::PATCH, &path).json(&moved);
    assert_eq!(request.send().await.unwrap().status(), 200);
    eventually("its breakers are forgotten", || async {
        scopes(&app, moving).await.is_empty().then_some(())
    })
    .await;
    let before = main.recorder().seen().len();
    assert_eq!(ask("b").await, 200);
    assert_eq!(main.recorder().seen().len(), before + 1);
    assert_eq!(scopes(&app, staying).await, ["provider"]);

    let path = format!("/providers/{staying}");
    let request = app.admin(Method::DELETE, &path);
    assert_eq!(request.send().await.unwrap().status(), 204);
    eventually("no breaker is left", || async {
        let response = app.admin(Method::GET, "/breakers").send().await.unwrap();
        let all: Value = response.json().await.unwrap();
        all["items"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
}
