//! Streams pass chunk by chunk, in every protocol, and a broken one says so in its protocol.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, http};

/// Path, provider type, and the last thing a complete stream says.
const STREAMS: [(&str, &str, &str); 5] = [
    ("/v1/messages", "claude", "message_stop"),
    ("/v1/responses", "codex", "response.completed"),
    ("/v1/chat/completions", "openai-compatible", "[DONE]"),
    (
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        "gemini",
        "usageMetadata",
    ),
    (
        "/v1internal:streamGenerateContent?alt=sse",
        "gemini-cli",
        "usageMetadata",
    ),
];

fn ask() -> Value {
    json!({
        "model": "m", "stream": true, "messages": [], "input": [], "contents": [],
        "stream_options": {"include_usage": true}
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_pass_without_delay() {
    const PAUSE: Duration = Duration::from_millis(150);
    for (path, kind, last) in STREAMS {
        let upstream = Upstream::start().await;
        let app = TestApp::start().await;
        app.provider(
            "a",
            kind,
            &upstream.url("chunks=5;chunkDelayMs=150"),
            json!({}),
        )
        .await;
        let begun = Instant::now();
        let response = app.post(path, &ask()).await;
        assert_eq!(response.status(), 200, "{path}");
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/event-stream")
        );
        let mut arrivals = Vec::new();
        let mut text = String::new();
        let mut body = response.bytes_stream();
        while let Some(chunk) = body.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk.unwrap()));
            arrivals.push(begun.elapsed());
        }
        assert!(text.contains(last), "{path}: {text}");
        let first = arrivals[0];
        let total = *arrivals.last().unwrap();
        assert!(total >= PAUSE * 4, "{path} took {total:?}");
        assert!(
            first < PAUSE * 2,
            "{path}: the first chunk came after {first:?} of {total:?}"
        );
        assert!(arrivals.len() >= 5, "{path}: {arrivals:?}");
        let row = app.row().await;
        assert_eq!(row["isStream"], true);
        assert_eq!(row["settledFrom"], "terminal", "{path} {row:#}");
        assert_eq!(row["usage"]["outputTokens"], 5, "{path} {row:#}");
        let (ttft, duration) = (
            row["ttftMs"].as_i64().unwrap(),
            row["durationMs"].as_i64().unwrap(),
        );
        assert!(
            ttft < 300 && duration >= 600,
            "{path}: ttft {ttft}, duration {duration}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_ends_with_an_error_of_its_protocol() {
    for (path, kind, last) in STREAMS {
        for script in ["chunks=9;closeAfterEvents=8", "chunks=9;stallAfterEvents=8"] {
            let upstream = Upstream::start().await;
            let app = TestApp::start().await;
            let patience = json!({"timeouts": {"connectMs": 500, "firstByteMs": 3000, "idleMs": 400, "totalMs": 5000}});
            app.provider("a", kind, &upstream.url(script), patience)
                .await;
            let response = app.post(path, &ask()).await;
            assert_eq!(response.status(), 200, "{path}");
            let text = response.text().await.unwrap();
            let tail = text.trim_end().rsplit("\n\n").next().unwrap();
            assert!(tail.contains("error"), "{path} {script}: {text}");
            if kind == "claude" {
                assert!(tail.starts_with("event: error\n"), "{tail}");
            }
            if last != "usageMetadata" {
                assert!(!text.contains(last), "{path} {script}: {text}");
            }
            let row = app.row().await;
            assert_eq!(row["errorCode"], "upstream_cut", "{path} {script}: {row:#}");
            assert_eq!(row["chain"][0]["outcome"], "cut");
            assert_eq!(row["chain"][0]["fault"], "provider");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_with_a_length_that_is_cut_is_not_made_to_look_whole() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    // Longer than what is held to be judged.
    let script = upstream.url("truncated;chunkBytes=100000");
    app.provider("a", "claude", &script, json!({})).await;
    let response = app.post("/v1/messages", &json!({"model": "m"})).await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    let row = app.row().await;
    assert_eq!(row["errorCode"], "upstream_cut", "{row:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_slowly_slows_the_upstream() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    // 64 MiB in all: far more than all buffers on the way together.
    app.provider(
        "a",
        "claude",
        &upstream.url("chunks=256;chunkBytes=262144"),
        json!({}),
    )
    .await;
    let response = app.post("/v1/messages", &ask()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        upstream.recorder().in_flight(),
        1,
        "the upstream is still at it"
    );
    let mut body = response.bytes_stream();
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        bytes += chunk.unwrap().len();
    }
    assert!(bytes > 60 << 20, "{bytes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_pass_over_h2c_too() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider(
        "a",
        "claude",
        &upstream.url("chunks=4;chunkDelayMs=50"),
        json!({}),
    )
    .await;
    let client = http().http2_prior_knowledge().build().unwrap();
    let asks = (0..20).map(|_| {
        let request = client
            .post(format!("{}/v1/messages", app.base()))
            .header("x-api-key", app.key())
            .json(&ask());
        async move { request.send().await.unwrap().text().await.unwrap() }
    });
    for text in futures_util::future::join_all(asks).await {
        assert!(text.contains("message_stop"), "{text}");
    }
    assert_eq!(app.rows(20).await.len(), 20);
}

/// A model that thinks in silence: the head is committed after the hold time, and pings keep proxies in front of us from cutting it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_stream_is_kept_alive_with_pings_between_its_events() {
    for (path, kind, ping) in [
        ("/v1/messages", "claude", "event: ping"),
        ("/v1/chat/completions", "openai-compatible", ": ping"),
        ("/v1/responses", "codex", ": ping"),
    ] {
        let upstream = Upstream::start().await;
        let app = TestApp::start().await;
        let change = json!({"gateHoldSeconds": 1, "pingSeconds": 1});
        let request = app.admin(reqwest::Method::PATCH, "/settings").json(&change);
        assert_eq!(request.send().await.unwrap().status(), 200);
        let script = upstream.url("contentDelayMs=4300;chunks=2");
        app.provider("a", kind, &script, json!({})).await;
        let begun = Instant::now();
        let response = app.post(path, &ask()).await;
        let head = begun.elapsed();
        assert!(head < Duration::from_millis(2500), "{path}: {head:?}");
        let text = response.text().await.unwrap();
        let pings = text.matches(ping).count();
        assert!((2..=4).contains(&pings), "{path}: {pings} pings in {text}");
        assert!(
            text.contains("PO") && !text.contains("event: error"),
            "{path}: {text}"
        );
        for event in text.split("\n\n") {
            assert!(event.matches("data:").count() <= 1, "{path}: {event}");
        }
    }
}
