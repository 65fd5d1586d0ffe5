//! Answers that are none: each is what the gateway's own reading of answers takes it for.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Running, events, messages, names};
use crate::domain::protocol::{Operation, Protocol};
use crate::wire::judge::{Flaw, judge};
use crate::wire::meter::{Meter, Phase};

/// Every protocol with a path and a body that ask it for a stream.
fn streams() -> [(Protocol, &'static str, Value); 6] {
    let stream = json!({ "stream": true });
    [
        (Protocol::Anthropic, "/v1/messages", stream.clone()),
        (Protocol::Openai, "/v1/chat/completions", stream.clone()),
        (Protocol::Openai, "/v1/completions", stream.clone()),
        (Protocol::Responses, "/v1/responses", stream),
        (
            Protocol::Gemini,
            "/v1beta/models/g:streamGenerateContent?alt=sse",
            json!({}),
        ),
        (
            Protocol::GeminiCli,
            "/v1internal:streamGenerateContent?alt=sse",
            json!({}),
        ),
    ]
}

/// How far the answer comes under a script, and whether it is empty.
async fn met(mock: &Running, script: &str, stream: &(Protocol, &str, Value)) -> (Phase, bool) {
    let (protocol, path, body) = stream;
    let response = mock.post(&format!("/~{script}{path}"), body).await.unwrap();
    let mut meter = Meter::new(*protocol, Operation::Generate, None, None);
    meter.feed(&response.bytes().await.unwrap());
    meter.end();
    (meter.phase(), meter.is_empty())
}

#[tokio::test]
async fn streams_come_as_far_as_their_script_says() {
    let mock = Running::start().await;
    for stream in streams() {
        let opens = !matches!(stream.0, Protocol::Gemini | Protocol::GeminiCli)
            && stream.1 != "/v1/completions";
        for (script, expected) in [
            ("chunks=3", Phase::Ended),
            ("errorEventFirst", Phase::Failed),
            ("endAfterEvents=0", Phase::Silent),
            ("bodyKind=empty", Phase::Silent),
            ("bodyKind=html", Phase::Foreign),
            ("bodyKind=garbage", Phase::Foreign),
            ("garbageAfterEvents=0", Phase::Foreign),
            ("body=OK", Phase::Foreign),
            ("bodyKind=error", Phase::Failed),
            ("noContent", Phase::Ended),
            ("status=204", Phase::Silent),
        ] {
            let (phase, is_empty) = met(&mock, script, &stream).await;
            assert_eq!(phase, expected, "{script} {}", stream.1);
            assert_eq!(is_empty, script == "noContent", "{script} {}", stream.1);
        }
        if opens {
            let early = met(&mock, "endAfterEvents=1", &stream).await;
            assert_eq!(early, (Phase::Open, false), "{}", stream.1);
            let failed = met(&mock, "errorEventAfter=1", &stream).await;
            assert_eq!(failed, (Phase::Failed, false), "{}", stream.1);
        }
    }
}

#[tokio::test]
async fn whole_answers_are_judged_as_their_script_says() {
    let mock = Running::start().await;
    for (protocol, path, _) in streams() {
        let path = path.replace(":streamGenerateContent?alt=sse", ":generateContent");
        let flaw = async |script: &str| {
            let response = mock.post(&format!("/~{script}{path}"), &json!({})).await;
            let body = response.unwrap().bytes().await.unwrap();
            judge(protocol, Operation::Generate, None, &body, true)
        };
        assert_eq!(flaw("times=0").await, None, "{path}");
        assert_eq!(flaw("noContent").await, Some(Flaw::NoContent), "{path}");
        assert_eq!(flaw("bodyKind=empty").await, Some(Flaw::Empty), "{path}");
        assert_eq!(flaw("bodyKind=html").await, Some(Flaw::Html), "{path}");
        for script in ["bodyKind=garbage", "bodyKind=notJson", "body=OK"] {
            assert_eq!(flaw(script).await, Some(Flaw::Foreign), "{script} {path}");
        }
        let error = flaw("bodyKind=error;errorMessage=no").await;
        let is_error = matches!(&error, Some(Flaw::Error { message, .. }) if message == "no");
        assert!(is_error, "{path} {error:?}");
    }
}

#[tokio::test]
async fn a_stream_is_answered_whole() {
    let mock = Running::start().await;
    let path = "/~noStream/v1/messages";
    let answer = mock.answer(path, &messages(true)).await;
    assert_eq!(answer["content"][0]["text"], "PONG");
}

#[tokio::test]
async fn content_comes_late_and_its_beginning_at_once() {
    let mock = Running::start().await;
    let path = "/~contentDelayMs=300/v1/messages";
    let began = Instant::now();
    let mut response = mock.post(path, &messages(true)).await.unwrap();
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"event: message_start"));
    let at_once = began.elapsed();
    response.text().await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    assert!(at_once < Duration::from_millis(300), "{at_once:?}");
}

#[tokio::test]
async fn pings_drip_for_ever() {
    let mock = Running::start().await;
    for (path, is_event) in [
        ("/v1/messages", true),
        ("/v1/chat/completions", false),
        ("/v1/responses", false),
    ] {
        let path = format!("/~pingAfterEvents=1;pingMs=10{path}");
        let mut response = mock.post(&path, &messages(true)).await.unwrap();
        let mut text = String::new();
        let pings = |text: &str| text.matches("ping").count();
        let dripping = tokio::time::timeout(super::PATIENCE, async {
            while pings(&text) < 8 {
                let chunk = response.chunk().await.unwrap().unwrap();
                text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        });
        dripping.await.unwrap();
        let text = text.replace(": ping\n\n", "");
        let events = events(&text);
        assert_eq!(events.len() > 1, is_event, "{path} {text}");
        assert!(!is_event || names(&events)[1..].iter().all(|name| *name == "ping"));
    }
}

#[tokio::test]
async fn heads_of_all_kinds() {
    let mock = Running::start().await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let post = async |script: &str| {
        let url = mock.url(&format!("/~{script}/v1/messages"));
        client.post(url).json(&messages(true)).send().await.unwrap()
    };
    let moved = post("status=302;header.location=%2Flogin").await;
    assert_eq!(moved.status(), 302);
    assert_eq!(moved.headers()["location"], "/login");
    let huge = post("headerBytes=65536").await;
    assert_eq!(huge.headers()["x-mock-padding"].len(), 65536);
    assert_eq!(post("headerBytes=2000000").await.status(), 501);
    let squeezed = post("status=500;gzip").await;
    assert_eq!(squeezed.headers()["content-encoding"], "gzip");
    assert!(squeezed.bytes().await.unwrap().starts_with(b"\x1f\x8b"));
}
