//! Answers that are none, as they arrive.

use std::time::{Duration, Instant};

use super::{Running, events, messages, names};

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
