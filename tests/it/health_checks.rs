//! Providers' addresses are checked while nobody asks.

use std::time::Duration;

use serde_json::json;

use crate::support::{TestApp, Upstream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_checked_again_and_again_without_its_credential() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let check = json!({"kind": "http", "path": "/healthz", "intervalSeconds": 1});
    let more = json!({"healthCheck": check});
    app.provider("a", "claude", &upstream.url(""), more).await;
    let seen = upstream.recorder().wait_for(3, Duration::from_secs(15));
    for check in seen.await.unwrap() {
        assert_eq!(check.method, "GET");
        assert_eq!(check.path_and_query, "/healthz");
        let authority = upstream.url("");
        let authority = authority.strip_prefix("http://").unwrap();
        assert_eq!(check.header("host"), Some(authority));
        let all = format!("{:?}", check.headers);
        assert!(!all.contains("up-a"), "{all}");
    }
    let before = upstream.recorder().seen().len();
    let response = app
        .post("/v1/messages", &json!({"model": "m", "messages": []}))
        .await;
    assert_eq!(response.status(), 200);
    assert!(upstream.recorder().seen().len() > before);
}
