//! What runs is shown, and ends when an administrator says so.

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, eventually};

const SLOW: &str = "chunks=600;chunkDelayMs=50";

async fn asked(app: &TestApp, path: &str) -> Value {
    let answer = app.admin(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

async fn end(app: &TestApp, session: &str) -> Value {
    let path = format!("/sessions/{session}/end");
    let answer = app.admin(Method::POST, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

fn body(session: &str, stream: bool) -> Value {
    json!({
        "model": "m", "stream": stream, "max_tokens": 10,
        "messages": [{"role": "user", "content": "hi"}],
        "metadata": {"user_id": format!("user_abc_account__session_{session}")},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_shown_and_ends_with_an_event_of_its_protocol() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let provider = app
        .provider("a", "claude", &upstream.url(SLOW), json!({}))
        .await;
    let session = "3f0e9e5c-0000-4000-8000-000000000001";
    let answer = app.post("/v1/messages", &body(session, true)).await;
    assert_eq!(answer.status(), 200);
    let mut stream = answer.bytes_stream();
    stream.next().await.unwrap().unwrap();
    let live = eventually("the request to be shown", || async {
        let live = asked(&app, "/requests/live").await;
        let bytes = live["items"][0]["responseBytes"].as_u64()?;
        (bytes > 0).then_some(live)
    })
    .await;
    let shown = &live["items"][0];
    assert_eq!(
        (&shown["providerId"], &shown["attempts"]),
        (&json!(provider), &json!(1))
    );
    assert_eq!(
        (&shown["model"], &shown["isStream"]),
        (&json!("m"), &json!(true))
    );
    let name = shown["sessionId"].as_str().unwrap().to_owned();
    assert!(name.contains(session), "{name}");
    let sessions = asked(&app, "/sessions").await;
    assert_eq!(
        (
            &sessions["items"][0]["sessionId"],
            &sessions["items"][0]["inFlight"]
        ),
        (&json!(name), &json!(1))
    );
    assert_eq!(end(&app, &name).await, json!({"endedRequests": 1}));
    let mut rest = Vec::new();
    while let Some(piece) = stream.next().await {
        rest.extend_from_slice(&piece.unwrap());
    }
    let rest = String::from_utf8(rest).unwrap();
    assert!(
        rest.contains("event: error\n") && rest.contains("ended this session"),
        "{rest}"
    );
    let row = app.row().await;
    assert_eq!(
        (&row["errorCode"], &row["status"]),
        (&json!("session_ended"), &json!(200))
    );
    assert_eq!(asked(&app, "/requests/live").await["total"], 0);
    let metrics = app
        .admin(Method::GET, "/system/metrics")
        .send()
        .await
        .unwrap();
    let metrics = metrics.text().await.unwrap();
    for line in [
        r#"switchyard_requests_total{provider="a",outcome="ended_by_hand"} 1"#,
        "switchyard_requests_in_flight 0",
        "switchyard_ledger_lost_lines_total 0",
    ] {
        assert!(metrics.lines().any(|l| l == line), "{line}: {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_answer_is_refused() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url("delayMs=15000"), json!({}))
        .await;
    let session = "3f0e9e5c-0000-4000-8000-000000000002";
    let refused = body(session, false);
    let refused = app.post("/v1/messages", &refused);
    let ending = async {
        let name = eventually("the request to be asked on", || async {
            let live = asked(&app, "/requests/live").await;
            let is_asked = live["items"][0]["attempts"] == 1;
            is_asked.then(|| live["items"][0]["sessionId"].as_str().unwrap().to_owned())
        })
        .await;
        end(&app, &name).await
    };
    let (answer, ended) = tokio::join!(refused, ending);
    assert_eq!(ended, json!({"endedRequests": 1}));
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["x-should-retry"].to_str().unwrap()
        ),
        (403, "false")
    );
    let said: Value = answer.json().await.unwrap();
    assert_eq!(said["error"]["type"], "permission_error");
    let row = app.row().await;
    assert_eq!(
        (&row["errorCode"], &row["chain"][0]["fault"]),
        (&json!("session_ended"), &json!("us"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_gives_its_place_to_another_at_once() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url(""), json!({}))
        .await;
    let limit = json!({"limitConcurrentSessions": 1});
    let keys = asked(&app, "/keys").await;
    let at = format!("/keys/{}", keys["items"][0]["id"]);
    let set = app.admin(Method::PATCH, &at).json(&limit).send().await;
    assert_eq!(set.unwrap().status(), 200);
    let one = "3f0e9e5c-0000-4000-8000-000000000003";
    let other = "3f0e9e5c-0000-4000-8000-000000000004";
    let answer = app.post("/v1/messages", &body(one, false)).await;
    assert_eq!(answer.status(), 200);
    // It rests, and is a session all the same.
    let name = app.row().await["sessionId"].as_str().unwrap().to_owned();
    let refused = app.post("/v1/messages", &body(other, false)).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(end(&app, &name).await, json!({"endedRequests": 0}));
    let answer = app.post("/v1/messages", &body(other, false)).await;
    assert_eq!(answer.status(), 200);
    // Now that one has the place.
    let refused = app.post("/v1/messages", &body(one, false)).await;
    assert_eq!(refused.status(), 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_on_the_public_port_only_where_that_is_wanted() {
    let app = TestApp::start().await;
    let hidden = app.ask(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(hidden.status(), 404);
    let wanted = TestApp::builder().settings(|settings| settings.server.metrics_public = true);
    let app = wanted.start().await;
    let shown = reqwest::get(format!("{}/metrics", app.base()))
        .await
        .unwrap();
    assert_eq!(shown.status(), 200);
    assert!(
        shown
            .text()
            .await
            .unwrap()
            .contains("switchyard_build_info{version=")
    );
}
