//! A small request of our own in each provider's protocol, to see whether it works; and the names in a list of models.

use bytes::Bytes;
use entity::value::ProviderType;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::protocol::{Operation, Protocol};
use crate::wire::percent;

/// Tokens that are answered at most, where the protocol lets everybody say so.
const MOST_TOKENS: u32 = 64;

/// A request of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its path and query, as a client would send them.
    pub target: String,
    /// Its body.
    pub body: Bytes,
    /// What it speaks.
    pub protocol: Protocol,
    /// What it asks for.
    pub operation: Operation,
}

/// What is read of a list of models: OpenAI and Anthropic call it `data`, Gemini `models`.
#[derive(Deserialize)]
struct List {
    #[serde(default, alias = "models")]
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "name")]
    id: Option<String>,
}

// === impl Question ===

impl Question {
    /// Asks `model` to answer `text`.
    #[must_use]
    pub fn new(kind: ProviderType, model: &str, text: &str, is_stream: bool) -> Self {
        let messages = json!([{ "role": "user", "content": text }]);
        let contents = json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] });
        let verb = if is_stream {
            "streamGenerateContent?alt=sse"
        } else {
            "generateContent"
        };
        let (protocol, target, body) = match kind {
            ProviderType::Claude | ProviderType::ClaudeAuth => (
                Protocol::Anthropic,
                "/v1/messages".to_owned(),
                json!({ "model": model, "max_tokens": MOST_TOKENS, "messages": messages, "stream": is_stream }),
            ),
            // Code's own backend refuses a request without instructions, and one that is to be stored.
            ProviderType::Codex => (
                Protocol::Responses,
                "/v1/responses".to_owned(),
                json!({
                    "model": model, "instructions": "Answer in a few words.", "input": messages,
                    "store": false, "stream": is_stream,
                }),
            ),
            // How to limit the answer differs between models, so nothing is said of it.
            ProviderType::OpenaiCompatible => (
                Protocol::Openai,
                "/v1/chat/completions".to_owned(),
                chat(model, &messages, is_stream),
            ),
            ProviderType::Gemini => (
                Protocol::Gemini,
                format!("/v1beta/models/{}:{verb}", percent::encode_segment(model)),
                contents,
            ),
            ProviderType::GeminiCli => (
                Protocol::GeminiCli,
                format!("/v1internal:{verb}"),
                json!({ "model": model, "request": contents }),
            ),
        };
        let is_by_path = is_stream && matches!(protocol, Protocol::Gemini | Protocol::GeminiCli);
        Self {
            target,
            body: Bytes::from(body.to_string()),
            protocol,
            operation: if is_by_path {
                Operation::GenerateStream
            } else {
                Operation::Generate
            },
        }
    }
}

fn chat(model: &str, messages: &Value, is_stream: bool) -> Value {
    let mut body = json!({ "model": model, "messages": messages, "stream": is_stream });
    if is_stream {
        body["stream_options"] = json!({ "include_usage": true });
    }
    body
}

/// The names in a list of models, sorted, each once; none when it is no such list.
#[must_use]
pub fn read_models(body: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let has_list = value["data"].is_array() || value["models"].is_array();
    let list = List::deserialize(value).ok().filter(|_| has_list)?;
    let names = list.data.into_iter().filter_map(|entry| entry.id);
    let bare = |name: String| match name.strip_prefix("models/") {
        Some(bare) => bare.to_owned(),
        None => name,
    };
    let mut names: Vec<String> = names.map(bare).filter(|name| !name.is_empty()).collect();
    names.sort();
    names.dedup();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::endpoint;

    #[test]
    fn each_question_is_one_the_protocol_knows() {
        for kind in [
            ProviderType::Claude,
            ProviderType::Codex,
            ProviderType::OpenaiCompatible,
            ProviderType::Gemini,
            ProviderType::GeminiCli,
        ] {
            for is_stream in [false, true] {
                let question = Question::new(kind, "a/model", "hello", is_stream);
                let path = question.target.split('?').next().unwrap();
                let head = http::HeaderMap::new();
                let known = endpoint::classify(&http::Method::POST, path, &head).unwrap();
                assert_eq!(known.protocol, question.protocol, "{kind:?}");
                assert_eq!(known.operation, question.operation, "{kind:?}");
                let body: Value = serde_json::from_slice(&question.body).unwrap();
                assert!(body.to_string().contains("hello"), "{body}");
            }
        }
    }

    #[test]
    fn lists_of_models_of_every_dialect_are_read() {
        for (body, names) in [
            (
                r#"{"data":[{"id":"b","object":"model"},{"id":"a"},{"id":"a"}]}"#,
                Some(vec!["a", "b"]),
            ),
            (
                r#"{"models":[{"name":"models/g-1"},{"displayName":"x"}]}"#,
                Some(vec!["g-1"]),
            ),
            (r#"{"data":[]}"#, Some(vec![])),
            (r#"{"error":{"message":"no"}}"#, None),
            ("<html>", None),
        ] {
            let read = read_models(body.as_bytes());
            let read: Option<Vec<&str>> = read
                .as_ref()
                .map(|names| names.iter().map(String::as_str).collect());
            assert_eq!(read, names, "{body}");
        }
    }
}
