//! What follows a failed attempt, and what the client gets when nobody does better.

use serde_json::{Value, json};

use crate::support::{TestApp, Upstream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_client_got_wrong_comes_back_once() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    for (status, name) in [(400, "a"), (413, "b"), (422, "c")] {
        let url = upstream.url(&format!(
            "status={status};errorType=invalid_request_error;errorMessage=no-{name}"
        ));
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
