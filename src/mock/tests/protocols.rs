//! Whole answers, protocol by protocol.

use serde_json::json;

use super::{Running, messages};
use crate::mock::Behaviour;

const USAGE: &str = "input=10;output=7;cacheRead=20;cacheWrite5m=3;cacheWrite1h=4;reasoning=2";

#[tokio::test]
async fn anthropic_answers_with_its_own_buckets() {
    let mock = Running::start().await;
    let path = format!("/~{USAGE}/v1/messages?beta=true");
    let message = mock.answer(&path, &messages(false)).await;
    assert_eq!(message["model"], "claude-test");
    assert_eq!(
        message["content"],
        json!([{ "type": "text", "text": "PONG" }])
    );
    assert_eq!(message["stop_reason"], "end_turn");
    let usage = &message["usage"];
    assert_eq!(usage["input_tokens"], 10);
    assert_eq!(usage["output_tokens"], 7);
    assert_eq!(usage["cache_read_input_tokens"], 20);
    assert_eq!(usage["cache_creation_input_tokens"], 7);
    assert_eq!(usage["cache_creation"]["ephemeral_5m_input_tokens"], 3);
    assert_eq!(usage["cache_creation"]["ephemeral_1h_input_tokens"], 4);

    let path = format!("/~{USAGE}/v1/messages/count_tokens");
    let count = mock.answer(&path, &messages(false)).await;
    assert_eq!(count, json!({ "input_tokens": 37 }));
}

#[tokio::test]
async fn responses_answer_with_cached_tokens_inside_input() {
    let mock = Running::start().await;
    let body = json!({ "model": "gpt-test", "input": [{ "role": "user", "content": "hi" }] });
    let response = mock.answer(&format!("/~{USAGE}/v1/responses"), &body).await;
    assert_eq!(response["object"], "response");
    assert_eq!(response["status"], "completed");
    assert_eq!(response["model"], "gpt-test");
    assert_eq!(response["output"][0]["content"][0]["text"], "PONG");
    let usage = &response["usage"];
    assert_eq!(usage["input_tokens"], 37);
    assert_eq!(usage["input_tokens_details"]["cached_tokens"], 20);
    assert_eq!(usage["output_tokens"], 7);
    assert_eq!(usage["output_tokens_details"]["reasoning_tokens"], 2);
    assert_eq!(usage["total_tokens"], 44);

    let compacted = mock.answer("/v1/responses/compact", &body).await;
    assert_eq!(compacted["object"], "response.compaction");
    assert_eq!(compacted["output"][0]["type"], "compaction");
    assert_eq!(compacted["usage"]["total_tokens"], 30);
}

#[tokio::test]
async fn openai_answers_completions_and_embeddings() {
    let mock = Running::start().await;
    let body = json!({ "model": "gpt-test", "messages": [{ "role": "user", "content": "hi" }] });
    let chat = mock
        .answer(&format!("/~{USAGE}/v1/chat/completions"), &body)
        .await;
    assert_eq!(chat["object"], "chat.completion");
    assert_eq!(chat["choices"][0]["message"]["content"], "PONG");
    assert_eq!(chat["usage"]["prompt_tokens"], 37);
    assert_eq!(chat["usage"]["prompt_tokens_details"]["cached_tokens"], 20);
    assert_eq!(chat["usage"]["completion_tokens"], 7);

    let body = json!({ "model": "gpt-test", "prompt": "hi" });
    let text = mock.answer("/v1/completions", &body).await;
    assert_eq!(text["object"], "text_completion");
    assert_eq!(text["choices"][0]["text"], "PONG");

    let body = json!({ "model": "embed-test", "input": ["a", "b"] });
    let plain = mock.answer("/v1/embeddings", &body).await;
    assert_eq!(plain["data"].as_array().unwrap().len(), 2);
    assert_eq!(plain["data"][1]["embedding"][0], 1.0);
    assert_eq!(plain["usage"]["prompt_tokens"], 25);

    let body = json!({ "model": "embed-test", "input": "a", "encoding_format": "base64" });
    let encoded = mock.answer("/v1/embeddings", &body).await;
    let encoded = encoded["data"][0]["embedding"].as_str().unwrap();
    assert!(encoded.starts_with("AACAPwAAAAA"), "{encoded}");
}

#[tokio::test]
async fn gemini_answers_in_both_forms() {
    let mock = Running::start().await;
    let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }] }] });
    let path = format!("/~{USAGE}/v1beta/models/gemini-test:generateContent");
    let content = mock.answer(&path, &body).await;
    let candidate = &content["candidates"][0];
    assert_eq!(candidate["content"]["parts"][0]["text"], "PONG");
    assert_eq!(candidate["finishReason"], "STOP");
    assert_eq!(content["modelVersion"], "gemini-test");
    let usage = &content["usageMetadata"];
    assert_eq!(usage["promptTokenCount"], 37);
    assert_eq!(usage["cachedContentTokenCount"], 20);
    assert_eq!(usage["candidatesTokenCount"], 5);
    assert_eq!(usage["thoughtsTokenCount"], 2);
    assert_eq!(usage["totalTokenCount"], 44);

    let path = "/v1/models/gemini-test:generateContent";
    let stable = mock.answer(path, &body).await;
    assert_eq!(stable["candidates"], content["candidates"]);

    let internal = json!({ "model": "gemini-cli-test", "request": body });
    let wrapped = mock.answer("/v1internal:generateContent", &internal).await;
    assert_eq!(wrapped["response"]["modelVersion"], "gemini-cli-test");

    let count = mock
        .answer("/v1beta/models/gemini-test:countTokens", &body)
        .await;
    assert_eq!(count["totalTokens"], 25);
    let embedding = mock
        .answer("/v1beta/models/embed-test:embedContent", &body)
        .await;
    assert_eq!(embedding["embedding"]["values"][0], 1.0);
    let batch = json!({ "requests": [{}, {}, {}] });
    let embeddings = mock
        .answer("/v1beta/models/embed-test:batchEmbedContents", &batch)
        .await;
    assert_eq!(embeddings["embeddings"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn gemini_answers_json_that_satisfies_the_schema() {
    let mock = Running::start().await;
    let config = json!({
        "responseMimeType": "application/json",
        "responseSchema": {
            "type": "OBJECT",
            "properties": {
                "reasoning": { "type": "STRING" },
                "model_choice": { "type": "STRING", "enum": ["flash", "pro"] },
                "complexity_score": { "type": "INTEGER", "minimum": 3, "maximum": 100 },
                "steps": { "type": "ARRAY", "minItems": "2", "items": { "$ref": "#/defs/step" } },
            },
            "defs": { "step": { "type": ["number", "null"], "maximum": 0.5 } },
        },
    });
    let body = json!({ "contents": [], "generationConfig": config });
    let path = "/v1beta/models/gemini-test:generateContent";
    let content = mock.answer(path, &body).await;
    let text = content["candidates"][0]["content"]["parts"][0]["text"]
        .as_str()
        .unwrap();
    let answer: serde_json::Value = serde_json::from_str(text).unwrap();
    let expected = json!({
        "reasoning": "PONG",
        "model_choice": "flash",
        "complexity_score": 3,
        "steps": [0.5, 0.5],
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn models_are_listed_in_the_callers_dialect() {
    let mock = Running::start().await;
    let openai: serde_json::Value = mock.get("/v1/models").await.json().await.unwrap();
    assert_eq!(openai["object"], "list");
    let gemini: serde_json::Value = mock.get("/v1beta/models").await.json().await.unwrap();
    let first = gemini["models"][0]["name"].as_str().unwrap();
    assert!(first.starts_with("models/"), "{first}");
    let request = mock.client.get(mock.url("/v1/models"));
    let request = request.header("anthropic-version", "2023-06-01");
    let anthropic: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(anthropic["data"][0]["type"], "model");
    let request = mock.client.get(mock.url("/v1/models"));
    let request = request.header("x-goog-api-key", "k");
    let google: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(google, gemini);
    let one: serde_json::Value = mock
        .get("/v1/models/any%2Fname")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(one["id"], "any/name");
    let tuned: serde_json::Value = mock.get("/v1/models/ft:a:b").await.json().await.unwrap();
    assert_eq!(tuned["id"], "ft:a:b");
}

#[tokio::test]
async fn other_paths_are_echoed() {
    let mock = Running::start().await;
    let request = mock.client.put(mock.url("/~text=x/v1/files/a?b=c"));
    let response = request.body("hello").send().await.unwrap();
    let echo: serde_json::Value = response.json().await.unwrap();
    let expected = json!({
        "method": "PUT",
        "path": "/v1/files/a",
        "bodyLen": 5,
        "bodySha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    });
    assert_eq!(echo, expected);
    let head = mock.client.head(mock.url("/")).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(mock.recorder.seen().iter().all(|seen| !seen.client_gone));
}

#[tokio::test]
async fn a_base_url_may_end_anywhere_before_the_resource() {
    let mock = Running::start().await;
    for path in ["/messages", "/v1/messages/", "/api/anthropic/v1/messages"] {
        let message = mock.answer(path, &messages(false)).await;
        assert_eq!(message["type"], "message", "{path}");
    }
}

#[tokio::test]
async fn usage_can_be_left_out() {
    let mock = Running::start().await;
    let silent = Behaviour {
        omit_usage: true,
        ..Behaviour::default()
    };
    mock.stage.set("default", silent);
    let message = mock.answer("/v1/messages", &messages(false)).await;
    assert_eq!(message.get("usage"), None);
    let events = mock.stream("/v1/messages", &messages(true)).await;
    assert!(events.iter().all(|event| !event.data.contains("usage")));
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_in_the_dialect() {
    let mock = Running::start().await;
    let request = mock
        .client
        .post(mock.url("/v1/messages"))
        .body("{\"model\":");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 400);
    let error: serde_json::Value = response.json().await.unwrap();
    assert_eq!(error["type"], "error");
    assert_eq!(error["error"]["type"], "invalid_request_error");
}
