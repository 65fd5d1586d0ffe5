//! The ways in which a provider can be bad. In each the client sees only the next provider's good answer, the chain tells the story, and
//! the second provider gets the same bytes as the first. The table is the specification.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream};

/// When a case applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Streaming,
    Plain,
}
use When::{Always, Plain, Streaming};

/// One way to be bad.
struct Case {
    when: When,
    /// What the first provider does: a script of the fake upstream, or its whole address.
    first: &'static str,
    /// Its status in the chain.
    status: Option<u16>,
    /// Whose fault.
    fault: &'static str,
    /// What the chain says of it.
    error: &'static str,
    /// What the chain's excerpt of its body holds.
    excerpt: &'static str,
}

const fn case(
    when: When,
    first: &'static str,
    status: u16,
    fault: &'static str,
    error: &'static str,
    excerpt: &'static str,
) -> Case {
    let status = if status == 0 { None } else { Some(status) };
    Case {
        when,
        first,
        status,
        fault,
        error,
        excerpt,
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    // It says so.
    case(Always, "status=429;retryAfter=2", 429, "provider", "answered 429", "rate_limit"),
    case(Always, "status=500", 500, "provider", "answered 500", "api_error"),
    case(Always, "status=502;bodyKind=html", 502, "provider", "answered 502", "html"),
    case(Always, "status=503;bodyKind=empty", 503, "provider", "answered 503", ""),
    case(Always, "status=504;bodyKind=notJson", 504, "provider", "answered 504", ""),
    case(Always, "status=529", 529, "provider", "answered 529", "overloaded"),
    case(Always, "status=524;bodyKind=html", 524, "provider", "answered 524", "html"),
    case(Always, "status=408", 408, "provider", "answered 408", ""),
    case(Always, "status=500;gzip", 500, "provider", "answered 500", "api_error"),
    // Our credential there, or our account.
    case(Always, "status=401", 401, "key", "answered 401", "authentication_error"),
    case(Always, "status=402", 402, "key", "answered 402", "error"),
    case(Always, "status=403;gzip", 403, "key", "answered 403", "permission_error"),
    case(Always, "status=400;errorMessage=Your%20credit%20balance%20is%20too%20low%20to%20access%20the%20Anthropic%20API", 400, "key", "answered 400", "credit balance"),
    // The model is not there.
    case(Always, "status=404", 404, "model", "answered 404", "not_found"),
    // A page of a firewall or of a dead relay, whatever its status.
    case(Always, "status=403;bodyKind=html", 403, "provider", "answered 403", "html"),
    case(Always, "status=400;bodyKind=html", 400, "provider", "answered 400", "html"),
    case(Always, "status=302;header.location=http:%2F%2F127.0.0.1:1%2F", 302, "provider", "answered 302", ""),
    // 200, and yet no answer.
    case(Always, "bodyKind=html", 200, "provider", "", "html"),
    case(Always, "bodyKind=error", 200, "provider", "", "error"),
    case(Always, "bodyKind=empty", 200, "provider", "", ""),
    case(Always, "bodyKind=notJson", 200, "provider", "", ""),
    case(Always, "status=204;bodyKind=empty", 204, "provider", "", ""),
    case(Plain, "truncated", 200, "provider", "", ""),
    case(Plain, "stallAfterEvents=0", 200, "provider", "in time", ""),
    case(Streaming, "errorEventFirst;errorType=overloaded_error", 200, "provider", "error event", "overloaded_error"),
    case(Streaming, "errorEventAfter=1;errorType=api_error", 200, "provider", "error event", "api_error"),
    case(Streaming, "errorEventAfter=1;errorType=rate_limit_error", 200, "provider", "error event", "rate_limit"),
    case(Streaming, "closeAfterEvents=0", 200, "provider", "before", ""),
    case(Streaming, "closeAfterEvents=1", 200, "provider", "before", "message_start"),
    case(Streaming, "resetAfterEvents=1", 200, "provider", "no content", ""),
    case(Streaming, "stallAfterEvents=0", 200, "provider", "stood still", ""),
    case(Streaming, "stallAfterEvents=1", 200, "provider", "stood still", "message_start"),
    // Nothing at all.
    case(Always, "closeBeforeHead", 0, "provider", "", ""),
    case(Always, "resetBeforeHead", 0, "provider", "", ""),
    case(Always, "hangBeforeHead", 0, "provider", "in time", ""),
    case(Always, "http://127.0.0.1:1", 0, "network", "refused", ""),
    case(Always, "http://no-such-host.invalid", 0, "network", "resolve", ""),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_sees_only_the_good_answer() {
    let runs = CASES.iter().flat_map(|case| {
        let streaming = (case.when != Plain).then_some((case, true));
        let plain = (case.when != Streaming).then_some((case, false));
        streaming.into_iter().chain(plain)
    });
    futures_util::stream::iter(runs)
        .for_each_concurrent(4, |(case, is_stream)| one(case, is_stream))
        .await;
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
        json!({"timeouts": {"connectMs": 500, "firstByteMs": 700, "idleMs": 500, "totalMs": 1200}});
    app.provider("bad", "claude", &url, patience).await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    let body = json!({"model": "m", "stream": is_stream, "messages": [], "x": "a".repeat(100_000)});
    let response = app.post("/v1/messages", &body).await;
    assert_eq!(response.status(), 200, "{what}");
    let text = response.text().await.unwrap();
    assert!(
        text.contains("PO") && !text.contains("error"),
        "{what}: {text}"
    );
    assert_eq!(
        text.matches("message_start").count(),
        usize::from(is_stream) * 2,
        "{what}: {text}"
    );

    let row = app.row().await;
    let chain = row["chain"].as_array().unwrap();
    assert_eq!(chain.len(), 2, "{what}: {row:#}");
    let first = &chain[0];
    assert_eq!(first["providerName"], "bad", "{what}");
    assert_eq!(first["outcome"], "failed", "{what}: {row:#}");
    assert_eq!(first["status"], json!(case.status), "{what}: {row:#}");
    assert_eq!(first["fault"], case.fault, "{what}: {row:#}");
    let error = first["error"].as_str().unwrap();
    assert!(
        !error.is_empty() && error.contains(case.error),
        "{what}: {row:#}"
    );
    let excerpt = first["errorBody"].as_str().unwrap_or_default();
    assert!(excerpt.contains(case.excerpt), "{what}: {row:#}");
    assert_eq!(
        first["selection"]["kept"].as_array().unwrap().len(),
        2,
        "{what}: {row:#}"
    );
    assert_eq!(chain[1]["outcome"], "completed", "{what}");
    assert_eq!(chain[1]["providerName"], "good", "{what}");
    assert_eq!(chain[1]["usage"]["inputTokens"], 25, "{what}");
    if case.status.is_some() {
        let (first, second) = (bad.only_seen().await, good.only_seen().await);
        assert_eq!(first.body_sha256, second.body_sha256, "{what}");
    }
}

/// The same in the other protocols, for what depends on them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_protocol_is_looked_through() {
    const SURFACES: [(&str, &str); 4] = [
        ("/v1/responses", "codex"),
        ("/v1/chat/completions", "openai-compatible"),
        ("/v1beta/models/m:streamGenerateContent?alt=sse", "gemini"),
        ("/v1internal:streamGenerateContent?alt=sse", "gemini-cli"),
    ];
    const SCRIPTS: [&str; 6] = [
        "errorEventFirst",
        "bodyKind=html",
        "bodyKind=error",
        "bodyKind=empty",
        "closeAfterEvents=0",
        "stallAfterEvents=0",
    ];
    let runs = SURFACES
        .iter()
        .flat_map(|surface| SCRIPTS.iter().map(move |script| (surface, script)));
    futures_util::stream::iter(runs)
        .for_each_concurrent(4, |((path, kind), script)| async move {
            let what = format!("{path} {script}");
            let (bad, good) = (Upstream::start().await, Upstream::start().await);
            let app = TestApp::start().await;
            let patience = json!({"timeouts": {"idleMs": 500}});
            app.provider("bad", kind, &bad.url(script), patience).await;
            app.provider("good", kind, &good.url(""), json!({"priority": 1}))
                .await;
            let body = json!({"model": "m", "stream": true, "messages": [], "input": [], "contents": [], "request": {"contents": []}});
            let response = app.post(path, &body).await;
            assert_eq!(response.status(), 200, "{what}");
            let text = response.text().await.unwrap();
            assert!(text.contains("PO") && !text.contains("\"error\":{"), "{what}: {text}");
            let row = app.row().await;
            assert_eq!(row["chain"].as_array().map(Vec::len), Some(2), "{what}: {row:#}");
            assert_eq!(row["chain"][0]["fault"], "provider", "{what}: {row:#}");
        })
        .await;
}

/// An error that comes after content has been shown cannot be mended: it is told, never swallowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_after_the_commit_ends_the_stream_with_an_error_event() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let script = "chunks=4;errorEventAfter=4;errorType=overloaded_error";
    app.provider("a", "claude", &upstream.url(script), json!({}))
        .await;
    app.provider("b", "claude", &upstream.url(""), json!({"priority": 1}))
        .await;
    let body = json!({"model": "m", "stream": true, "messages": []});
    let text = app.post("/v1/messages", &body).await.text().await.unwrap();
    assert!(
        text.contains("overloaded_error") && !text.contains("message_stop"),
        "{text}"
    );
    let row = app.row().await;
    assert_eq!(row["chain"].as_array().map(Vec::len), Some(1), "{row:#}");
    let _: &Value = &row["chain"][0];
    assert_eq!(row["chain"][0]["fault"], "provider", "{row:#}");
}
