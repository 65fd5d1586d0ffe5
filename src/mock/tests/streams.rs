//! Streamed answers, protocol by protocol, and their pace.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Event, Running, events, messages, names};

#[tokio::test]
async fn anthropic_streams_a_message() {
    let mock = Running::start().await;
    let path = "/~input=10;output=7;cacheRead=5;cacheWrite1h=4/v1/messages";
    let events = mock.stream(path, &messages(true)).await;
    let expected = [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(names(&events), expected);
    for event in &events {
        assert_eq!(event.json()["type"], event.name.as_deref().unwrap());
    }
    let start = &events[0].json()["message"];
    assert_eq!(start["model"], "claude-test");
    assert_eq!(start["usage"]["cache_read_input_tokens"], 5);
    assert_eq!(
        start["usage"]["cache_creation"]["ephemeral_1h_input_tokens"],
        4
    );
    assert_eq!(events[3].json()["delta"]["text"], "PO");
    assert_eq!(events[4].json()["delta"]["text"], "NG");
    let delta = events[6].json();
    assert_eq!(delta["delta"]["stop_reason"], "end_turn");
    assert_eq!(delta["usage"]["output_tokens"], 7);
}

#[tokio::test]
async fn responses_stream_numbered_events() {
    let mock = Running::start().await;
    let body = json!({ "model": "gpt-test", "stream": true, "input": "hi" });
    let events = mock.stream("/v1/responses", &body).await;
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(names(&events), expected);
    for (n, event) in events.iter().enumerate() {
        let data = event.json();
        assert_eq!(data["sequence_number"], n);
        assert_eq!(data["type"], event.name.as_deref().unwrap());
    }
    assert_eq!(events[6].json()["text"], "PONG");
    let response = &events[9].json()["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["output"][0]["content"][0]["text"], "PONG");
    assert_eq!(response["usage"]["total_tokens"], 30);
}

fn chat(options: &Value) -> Value {
    json!({ "model": "gpt-test", "stream": true, "messages": [], "stream_options": options })
}

fn text_of(events: &[Event], pointer: &str) -> String {
    let texts = events.iter().filter_map(|event| {
        let data: Value = serde_json::from_str(&event.data).ok()?;
        Some(data.pointer(pointer)?.as_str()?.to_owned())
    });
    texts.collect()
}

#[tokio::test]
async fn chat_reports_usage_only_when_asked() {
    let mock = Running::start().await;
    let path = "/v1/chat/completions";
    let without = mock.stream(path, &chat(&Value::Null)).await;
    assert_eq!(text_of(&without, "/choices/0/delta/content"), "PONG");
    assert_eq!(without.last().unwrap().data, "[DONE]");
    assert!(without.iter().all(|event| !event.data.contains("usage")));

    let with = mock
        .stream(path, &chat(&json!({ "include_usage": true })))
        .await;
    assert_eq!(with.len(), without.len() + 1);
    let usage = with[with.len() - 2].json();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["total_tokens"], 30);
    let finish = with[with.len() - 3].json();
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(finish["usage"], Value::Null);

    let body = json!({ "model": "gpt-test", "stream": true, "prompt": "hi" });
    let plain = mock.stream("/v1/completions", &body).await;
    assert_eq!(text_of(&plain, "/choices/0/text"), "PONG");
    assert_eq!(plain.last().unwrap().data, "[DONE]");
}

#[tokio::test]
async fn gemini_streams_events_or_an_array() {
    let mock = Running::start().await;
    let path = "/v1beta/models/gemini-test:streamGenerateContent";
    let response = mock
        .post(&format!("{path}?alt=sse"), &json!({}))
        .await
        .unwrap();
    let text = response.text().await.unwrap();
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let streamed = events(&text);
    let pointer = "/candidates/0/content/parts/0/text";
    assert_eq!(text_of(&streamed, pointer), "PONG");
    let last = streamed.last().unwrap().json();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 30);

    let array = mock.answer(path, &json!({})).await;
    assert_eq!(array.as_array().unwrap().len(), streamed.len());
    assert_eq!(
        array[0]["candidates"][0]["content"]["parts"][0]["text"],
        "PO"
    );
    assert_eq!(array[2]["usageMetadata"]["totalTokenCount"], 30);

    let body = json!({ "model": "gemini-cli-test", "request": {} });
    let wrapped = mock
        .stream("/v1internal:streamGenerateContent?alt=sse", &body)
        .await;
    assert_eq!(text_of(&wrapped, &format!("/response{pointer}")), "PONG");
}

#[tokio::test]
async fn deltas_have_the_number_and_size_asked_for() {
    let mock = Running::start().await;
    let deltas = async |script: &str| -> Vec<String> {
        let path = format!("/~{script}/v1/messages");
        let events = mock.stream(&path, &messages(true)).await;
        let text = |event: &Event| Some(event.json().pointer("/delta/text")?.as_str()?.to_owned());
        events.iter().filter_map(text).collect()
    };
    assert_eq!(deltas("chunks=3;text=h%C3%A9llo").await.concat(), "héllo");
    assert_eq!(deltas("chunks=3").await.len(), 3);
    assert_eq!(deltas("chunks=6").await, ["PONG"; 6]);
    assert_eq!(deltas("chunks=2;chunkBytes=6").await, ["PONGPO"; 2]);
    assert_eq!(deltas("text=1").await, ["1"]);
    assert!(deltas("text=").await.is_empty());

    let whole = mock
        .answer("/~chunks=2;chunkBytes=6/v1/messages", &messages(false))
        .await;
    assert_eq!(whole["content"][0]["text"], "PONGPOPONGPO");
}

#[tokio::test]
async fn delays_are_kept() {
    let mock = Running::start().await;
    let path = "/~delayMs=80;firstEventDelayMs=90;chunks=3;chunkDelayMs=60/v1/messages";
    let begun = Instant::now();
    let mut response = mock.post(path, &messages(true)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(80));
    let headed = Instant::now();
    response.chunk().await.unwrap();
    assert!(
        headed.elapsed() >= Duration::from_millis(60),
        "{:?}",
        headed.elapsed()
    );
    response.bytes().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(80 + 90 + 2 * 60));
}

#[tokio::test]
async fn events_arrive_when_they_are_sent() {
    let mock = Running::start().await;
    for script in ["stallAfterEvents=4", "stallAfterEvents=4;gzip"] {
        let path = format!("/~{script}/v1/messages");
        let mut response = mock.post(&path, &messages(true)).await.unwrap();
        let mut arrived = Vec::new();
        while !decoded(&arrived).contains("content_block_delta") {
            arrived.extend(response.chunk().await.unwrap().unwrap());
        }
    }
}

/// As much as can be read of a body that may be compressed and cut.
fn decoded(bytes: &[u8]) -> String {
    use std::io::Write;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    decoder.write_all(bytes).unwrap();
    decoder.flush().unwrap();
    String::from_utf8_lossy(decoder.get_ref()).into_owned()
}

#[tokio::test]
async fn gzip_compresses_streams_and_answers() {
    use std::io::Read;
    let mock = Running::start().await;
    for stream in [true, false] {
        let response = mock
            .post("/~gzip/v1/messages", &messages(stream))
            .await
            .unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let bytes = response.bytes().await.unwrap();
        let mut text = String::new();
        // Reads the trailer too: a stream that lacks it does not decode.
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_string(&mut text)
            .unwrap();
        assert!(text.contains(if stream { "message_stop" } else { "PONG" }));
    }
}
