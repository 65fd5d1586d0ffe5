//! A client that leaves leaks nothing.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{RawClient, TestApp, Upstream, eventually};

const BODY: &str = r#"{"model":"m","stream":true}"#;

/// Bytes that the whole process has allocated and not given back.
fn bytes_in_use() -> usize {
    tikv_jemalloc_ctl::epoch::advance().unwrap();
    tikv_jemalloc_ctl::stats::allocated::read().unwrap()
}

async fn leave_mid_stream(authority: String, key: String) {
    let mut client = RawClient::connect(&authority).await;
    client
        .send(format!(
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {key}\r\nContent-Length: {}\r\n\r\n{BODY}",
            BODY.len()
        ))
        .await;
    client.read_until("message_start").await;
}

async fn leave_many(app: &TestApp, count: usize) {
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        while tasks.len() >= 100 {
            tasks.join_next().await.unwrap().unwrap();
        }
        tasks.spawn(leave_mid_stream(
            app.authority().to_owned(),
            app.key().to_owned(),
        ));
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_aborted_streams_leave_memory_flat() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider(
        "a",
        "claude",
        &upstream.url("chunks=10;chunkDelayMs=10"),
        json!({}),
    )
    .await;
    let settled = || async {
        let idle = app.live() == 0 && upstream.recorder().in_flight() == 0;
        idle.then_some(())
    };
    let mut in_use = Vec::new();
    // The first rounds fill what is kept on purpose: pools of connections and the database's page cache.
    for _ in 0..5 {
        leave_many(&app, 2_000).await;
        eventually("everything to settle", settled).await;
        upstream.recorder().clear();
        tokio::time::sleep(Duration::from_millis(500)).await;
        in_use.push(bytes_in_use() >> 10);
    }
    eprintln!("KiB in use after each 2,000: {in_use:?}");
    let grown = in_use[4].saturating_sub(in_use[2]);
    assert!(
        grown < 4_000,
        "KiB in use after each 2,000 aborted streams: {in_use:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_upstream_is_read_on_for_its_usage() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider(
        "a",
        "claude",
        &upstream.url("chunks=10;chunkDelayMs=50;output=77"),
        json!({}),
    )
    .await;
    leave_mid_stream(app.authority().to_owned(), app.key().to_owned()).await;
    let row = app.row().await;
    assert_eq!(row["errorCode"], "client_left", "{row:#}");
    assert_eq!(row["chain"][0]["outcome"], "client_left");
    assert_eq!(row["settledFrom"], "terminal", "{row:#}");
    assert_eq!(row["usage"]["outputTokens"], 77, "{row:#}");
    assert!(!upstream.only_seen().await.client_gone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_before_the_answer_ends_the_attempt() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url("hangBeforeHead"), json!({}))
        .await;
    let mut client = RawClient::connect(app.authority()).await;
    client
        .send(format!(
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nContent-Length: {}\r\n\r\n{BODY}",
            app.key(),
            BODY.len()
        ))
        .await;
    eventually("the request upstream", || async {
        (upstream.recorder().in_flight() == 1).then_some(())
    })
    .await;
    drop(client);
    eventually("the attempt to end", || async {
        (upstream.recorder().in_flight() == 0).then_some(())
    })
    .await;
    let row = app.row().await;
    assert_eq!(row["status"], 499, "{row:#}");
    eventually("the journey to end", || async {
        (app.live() == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_within_its_body_leaves_a_row() {
    let app = TestApp::start().await;
    let mut client = RawClient::connect(app.authority()).await;
    client
        .send(format!(
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nContent-Length: 1000\r\n\r\n{{",
            app.key()
        ))
        .await;
    drop(client);
    let row = app.row().await;
    assert_eq!(row["status"], 499, "{row:#}");
}

/// Two thousand streams that each fail over once leave nothing behind: no request under way, no place at a provider, no connection that waits,
/// and memory as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_streams_through_failovers_leave_nothing_behind() {
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let never_open = json!({"breaker": {"failureThreshold": 0}, "hedgeAfterMs": 5, "limitConcurrentRequests": 64});
    app.provider(
        "bad",
        "claude",
        &bad.url("errorEventAfter=1;firstEventDelayMs=3"),
        never_open.clone(),
    )
    .await;
    app.provider(
        "good",
        "claude",
        &good.url("chunks=3"),
        json!({"priority": 1, "limitConcurrentRequests": 64}),
    )
    .await;
    let change = json!({"hedgeMaxPercent": 20});
    app.admin(reqwest::Method::PATCH, "/settings")
        .json(&change)
        .send()
        .await
        .unwrap();
    let round = |count: usize, from: usize| {
        let app = &app;
        futures_util::stream::iter(from..from + count).for_each_concurrent(16, move |n| async move {
            let body = serde_json::json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": format!("{n}")}], "x": "x".repeat(20_000)});
            let response = app.post("/v1/messages", &body).await;
            assert_eq!(response.status(), 200);
            assert!(response.text().await.unwrap().contains("message_stop"));
        })
    };
    round(500, 0).await;
    round(500, 500).await;
    let settled = || async { (app.live() == 0).then_some(()) };
    eventually("nothing is under way", settled).await;
    for upstream in [&bad, &good] {
        upstream.recorder().clear();
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let before = bytes_in_use();
    round(1000, 1000).await;
    eventually("nothing is under way", settled).await;
    for upstream in [&bad, &good] {
        upstream.recorder().clear();
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let grown = bytes_in_use().saturating_sub(before);
    assert!(grown < 6 << 20, "{} KiB more are in use", grown >> 10);
}
