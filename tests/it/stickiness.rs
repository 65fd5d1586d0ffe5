//! A conversation stays where its prompt cache is.

use serde_json::{Value, json};

use crate::support::{TestApp, Upstream};

/// The conversation after so many turns.
fn turn(name: &str, turns: usize) -> Value {
    let mut messages = vec![json!({"role": "user", "content": format!("{name}: hello")})];
    for n in 1..turns {
        messages.push(json!({"role": "assistant", "content": format!("answer {n}")}));
        messages.push(json!({"role": "user", "content": format!("question {n}")}));
    }
    json!({"model": "m", "system": "You are a coder.", "messages": messages})
}

/// Which upstream got each request, in order of arrival.
fn counts(upstreams: &[Upstream]) -> Vec<usize> {
    upstreams
        .iter()
        .map(|u| u.recorder().seen().len())
        .collect()
}

async fn three(app: &TestApp) -> Vec<Upstream> {
    let mut upstreams = Vec::new();
    for n in 0..3 {
        let upstream = Upstream::start().await;
        app.provider(&format!("p{n}"), "claude", &upstream.url(""), json!({}))
            .await;
        upstreams.push(upstream);
    }
    upstreams
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_stays_with_one_provider_and_many_spread() {
    let app = TestApp::start().await;
    let upstreams = three(&app).await;
    for turns in 1..=12 {
        app.post("/v1/messages", &turn("one", turns)).await;
    }
    let mut seen = counts(&upstreams);
    seen.sort_unstable();
    assert_eq!(seen, [0, 0, 12]);
    for n in 0..60 {
        app.post("/v1/messages", &turn(&format!("other {n}"), 1))
            .await;
    }
    for count in counts(&upstreams) {
        assert!(count >= 8, "{:?}", counts(&upstreams));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_id_keeps_what_the_prefix_does_not() {
    let app = TestApp::start().await;
    let upstreams = three(&app).await;
    for n in 0..8 {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": format!("compacted {n}")}]});
        let request = app.ask(reqwest::Method::POST, "/v1/messages").json(&body);
        let request = request.header(
            "x-claude-code-session-id",
            "7b6f7d0e-0000-4000-8000-000000000001",
        );
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let mut seen = counts(&upstreams);
    seen.sort_unstable();
    assert_eq!(seen, [0, 0, 8]);
    let rows = app.rows(8).await;
    assert_eq!(
        rows[0]["chain"][0]["selection"]["by"], "session",
        "{:#}",
        rows[0]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_provider_moves_the_conversation_once() {
    let app = TestApp::start().await;
    let (flaky, other) = (Upstream::start().await, Upstream::start().await);
    app.provider("flaky", "claude", &flaky.url(""), json!({}))
        .await;
    app.post("/v1/messages", &turn("c", 1)).await;
    assert_eq!(flaky.recorder().seen().len(), 1);
    let id = app
        .provider("other", "claude", &other.url(""), json!({"weight": 1}))
        .await;
    assert!(id > 0);
    let list: Value = app
        .admin(reqwest::Method::GET, "/providers")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let flaky_id = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "flaky")
        .unwrap()["id"]
        .clone();
    let change = json!({"url": flaky.url("status=503;times=1")});
    let path = format!("/providers/{flaky_id}");
    assert_eq!(
        app.admin(reqwest::Method::PATCH, &path)
            .json(&change)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    for turns in 2..=9 {
        assert_eq!(
            app.post("/v1/messages", &turn("c", turns)).await.status(),
            200
        );
    }
    assert_eq!(
        flaky.recorder().seen().len(),
        2,
        "it was tried once more, and left for good"
    );
    assert_eq!(other.recorder().seen().len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_returns_to_the_better_tier_when_its_cache_is_cold() {
    let app = TestApp::start().await;
    let (best, fallback) = (Upstream::start().await, Upstream::start().await);
    let settings = json!({"stickyCacheSeconds": 1});
    assert_eq!(
        app.admin(reqwest::Method::PATCH, "/settings")
            .json(&settings)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let breaking = json!({"breaker": {"failureThreshold": 9}});
    app.provider("best", "claude", &best.url("status=500;times=1"), breaking)
        .await;
    app.provider(
        "fallback",
        "claude",
        &fallback.url(""),
        json!({"priority": 1}),
    )
    .await;
    app.post("/v1/messages", &turn("c", 1)).await;
    assert_eq!(
        (
            best.recorder().seen().len(),
            fallback.recorder().seen().len()
        ),
        (1, 1)
    );
    app.post("/v1/messages", &turn("c", 2)).await;
    assert_eq!(
        (
            best.recorder().seen().len(),
            fallback.recorder().seen().len()
        ),
        (1, 2),
        "warm: it stays"
    );
    tokio::time::sleep(std::time::Duration::from_millis(1300)).await;
    app.post("/v1/messages", &turn("c", 3)).await;
    assert_eq!(
        (
            best.recorder().seen().len(),
            fallback.recorder().seen().len()
        ),
        (2, 2),
        "cold: it returns"
    );
}
