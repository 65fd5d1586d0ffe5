//! Every way of failing.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{PATIENCE, Running, events, messages};

/// One stream's request, and what a bare socket reads back, with the error that ended it.
async fn raw(mock: &Running, script: &str) -> (String, Option<std::io::ErrorKind>) {
    let mut socket = TcpStream::connect(mock.addr).await.unwrap();
    let body = messages(true).to_string();
    let request = format!(
        "POST /~{script}/v1/messages HTTP/1.1\r\nhost: mock\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut bytes)).await;
    let error = read.unwrap().err().map(|error| error.kind());
    (String::from_utf8_lossy(&bytes).into_owned(), error)
}

#[tokio::test]
async fn statuses_are_worded_as_each_provider_does() {
    let mock = Running::start().await;
    let error = async |path: &str, status: u16| -> Value {
        let response = mock.post(path, &messages(false)).await.unwrap();
        assert_eq!(response.status(), status);
        response.json().await.unwrap()
    };
    let anthropic = error("/~status=529/v1/messages", 529).await;
    assert_eq!(anthropic["type"], "error");
    assert_eq!(anthropic["error"]["type"], "overloaded_error");
    assert!(
        anthropic["request_id"]
            .as_str()
            .unwrap()
            .starts_with("req_")
    );
    let openai = error("/~status=429/v1/chat/completions", 429).await;
    assert_eq!(openai["error"]["code"], "rate_limit_exceeded");
    let script = "status=429;errorType=usage_limit_reached;errorCode=x;errorMessage=No%20more";
    let codex = error(&format!("/~{script}/v1/responses"), 429).await;
    let expected = json!({
        "message": "No more", "type": "usage_limit_reached", "param": null, "code": "x",
    });
    assert_eq!(codex["error"], expected);
    let gemini = error("/~status=503/v1beta/models/g:generateContent", 503).await;
    assert_eq!(gemini["error"]["status"], "UNAVAILABLE");
    assert_eq!(gemini["error"]["code"], 503);
}

#[tokio::test]
async fn headers_and_retry_after_are_sent() {
    let mock = Running::start().await;
    let path = "/~status=429;retryAfter=7;header.x-should-retry=false/v1/messages";
    let response = mock.post(path, &messages(true)).await.unwrap();
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(response.headers()["x-should-retry"], "false");
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn bodies_of_every_kind() {
    let mock = Running::start().await;
    let body = async |script: &str| {
        let path = format!("/~{script}/v1/messages");
        let response = mock.post(&path, &messages(true)).await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        (kind, response.text().await.unwrap())
    };
    let (kind, html) = body("bodyKind=html").await;
    assert!(kind.starts_with("text/html") && html.starts_with("<!DOCTYPE html>"));
    assert_eq!(body("bodyKind=empty").await.1, "");
    let (kind, broken) = body("bodyKind=notJson").await;
    assert_eq!(kind, "application/json");
    assert!(serde_json::from_str::<Value>(&broken).is_err());
    let error: Value = serde_json::from_str(&body("bodyKind=error").await.1).unwrap();
    assert_eq!(error["type"], "error");
    assert_eq!(
        body("body=a%3Bb").await,
        ("text/plain; charset=utf-8".into(), "a;b".into())
    );
    let (kind, stream) = body("wrongContentType").await;
    assert_eq!(kind, "text/plain");
    assert!(stream.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

#[tokio::test]
async fn closing_and_resetting_before_the_head_differ() {
    let mock = Running::start().await;
    assert_eq!(raw(&mock, "closeBeforeHead").await, (String::new(), None));
    let reset = Some(std::io::ErrorKind::ConnectionReset);
    assert_eq!(raw(&mock, "resetBeforeHead").await, (String::new(), reset));
}

#[tokio::test]
async fn streams_are_cut_after_whole_events() {
    let mock = Running::start().await;
    let reset = Some(std::io::ErrorKind::ConnectionReset);
    for (script, ended) in [("closeAfterEvents=4", None), ("resetAfterEvents=4", reset)] {
        let (text, error) = raw(&mock, script).await;
        assert_eq!(error, ended, "{script}");
        assert_eq!(text.matches("event: ").count(), 4, "{script}");
        assert!(text.contains("content_block_delta") && !text.contains("message_stop"));
        assert!(
            !text.ends_with("0\r\n\r\n"),
            "the last chunk must be missing"
        );
    }
    let (text, _) = raw(&mock, "closeAfterEvents=0").await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && !text.contains("event:"));
    assert!(mock.recorder.seen().iter().all(|seen| !seen.client_gone));
}

#[tokio::test]
async fn truncated_answers_break_their_promise() {
    let mock = Running::start().await;
    let path = "/~truncated/v1/messages";
    let response = mock.post(path, &messages(false)).await.unwrap();
    assert!(response.content_length().unwrap() > 100);
    assert!(response.bytes().await.is_err());
    let (text, _) = raw(&mock, "truncated").await;
    assert!(text.contains("event: message_stop") && !text.contains("\"message_stop\"}"));
}

#[tokio::test]
async fn error_events_end_a_stream_that_began_well() {
    let mock = Running::start().await;
    let streams = [
        ("/v1/messages", json!({ "stream": true })),
        ("/v1/chat/completions", json!({ "stream": true })),
        ("/v1/responses", json!({ "stream": true })),
        ("/v1beta/models/g:streamGenerateContent?alt=sse", json!({})),
    ];
    for (path, body) in streams {
        let first = mock
            .stream(&format!("/~errorEventFirst{path}"), &body)
            .await;
        assert_eq!(first.len(), 1, "{path}");
        assert!(
            first[0]
                .data
                .contains("The mock upstream was told to fail here.")
        );
        let later = mock
            .stream(&format!("/~errorEventAfter=2{path}"), &body)
            .await;
        assert_eq!(later.len(), 3, "{path}");
        assert!(later[2].data.contains("error"), "{path}");
    }
    let path = "/~errorEventAfter=1;errorStatus=429;errorMessage=slow/v1/responses";
    let failed = mock.stream(path, &json!({ "stream": true })).await;
    assert_eq!(failed[1].name.as_deref(), Some("response.failed"));
    let error = json!({ "code": "rate_limit_exceeded", "message": "slow" });
    assert_eq!(failed[1].json()["response"]["error"], error);

    let path = "/~errorEventAfter=1/v1beta/models/g:streamGenerateContent";
    let array = mock.answer(path, &json!({})).await;
    assert_eq!(array[1]["error"]["status"], "UNAVAILABLE");
}

#[tokio::test]
async fn hanging_and_stalling_hold_the_connection() {
    let mock = Running::start().await;
    let brief = Duration::from_millis(300);
    let path = "/~hangBeforeHead/v1/messages";
    let hung = tokio::time::timeout(brief, mock.post(path, &messages(true))).await;
    assert!(hung.is_err());
    let path = "/~stallAfterEvents=3/v1/messages";
    let mut response = mock.post(path, &messages(true)).await.unwrap();
    let mut text = String::new();
    let stalled = tokio::time::timeout(brief, async {
        while let Some(chunk) = response.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    });
    assert!(stalled.await.is_err());
    assert_eq!(events(&text).len(), 3);
}

#[tokio::test]
async fn a_cut_stream_leaves_its_http2_neighbours_alone() {
    let mock = Running::start().await;
    let client = reqwest::Client::builder().http2_prior_knowledge();
    let client = client.timeout(PATIENCE).build().unwrap();
    let post = |script: &str| {
        let url = mock.url(&format!("/~{script}/v1/messages"));
        client.post(url).json(&messages(true)).send()
    };
    let slow = post("chunks=4;chunkDelayMs=100").await.unwrap();
    assert_eq!(slow.version(), reqwest::Version::HTTP_2);
    let cut = post("closeAfterEvents=2").await.unwrap();
    assert!(cut.bytes().await.is_err());
    assert!(post("closeBeforeHead").await.is_err());
    assert!(slow.text().await.unwrap().contains("message_stop"));
}
