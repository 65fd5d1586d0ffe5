//! A behaviour: how the fake provider answers, and the inline form of it in a provider's base URL.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::percent;

/// How to answer one request. The default is a complete, successful answer saying `PONG`.
///
/// The JSON form is camelCase and refuses unknown keys; the module's table says what each key does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Behaviour {
    /// Status of the answer; 200 when absent. From 400 on the body is an error of the protocol.
    pub status: Option<u16>,
    /// Headers added to the answer; they replace those of the same name.
    pub headers: BTreeMap<String, String>,
    /// A literal body in place of the protocol's.
    pub body: Option<String>,
    /// A body of a known kind in place of the protocol's.
    pub body_kind: Option<BodyKind>,
    /// Seconds for a `retry-after` header.
    pub retry_after: Option<u64>,
    /// Milliseconds before the head of the answer.
    pub delay_ms: u64,
    /// Milliseconds between the head and the first event of a stream.
    pub first_event_delay_ms: u64,
    /// Milliseconds before the first delta of a stream.
    pub content_delay_ms: u64,
    /// Milliseconds before each further delta of a stream.
    pub chunk_delay_ms: u64,
    /// The text answered.
    pub text: Option<String>,
    /// Number of deltas the text is streamed in; two when absent.
    pub chunks: Option<usize>,
    /// Bytes of text in each delta: the text is repeated, or cut, to this size.
    pub chunk_bytes: Option<usize>,
    /// Input tokens that were neither read from nor written to a cache.
    pub input: Option<u64>,
    /// Output tokens, reasoning included.
    pub output: Option<u64>,
    /// Input tokens read from the cache.
    pub cache_read: Option<u64>,
    /// Input tokens written to the five-minute cache.
    pub cache_write_5m: Option<u64>,
    /// Input tokens written to the one-hour cache.
    pub cache_write_1h: Option<u64>,
    /// Reasoning tokens, a part of the output.
    pub reasoning: Option<u64>,
    /// A well-formed answer that says nothing, and cost no output unless `output` says so.
    pub no_content: bool,
    /// A whole answer though a stream was asked for.
    pub no_stream: bool,
    /// Leave usage out of the answer.
    pub omit_usage: bool,
    /// Compress the body, whether the client accepts it or not.
    pub gzip: bool,
    /// Close the connection in place of an answer.
    pub close_before_head: bool,
    /// Reset the connection (RST) in place of an answer.
    pub reset_before_head: bool,
    /// Take the request and never answer.
    pub hang_before_head: bool,
    /// Close the connection after this many events.
    pub close_after_events: Option<usize>,
    /// Reset the connection (RST) after this many events.
    pub reset_after_events: Option<usize>,
    /// Send nothing more after this many events, with the connection open.
    pub stall_after_events: Option<usize>,
    /// End the answer in good order after this many events.
    pub end_after_events: Option<usize>,
    /// Send nothing but pings after this many events.
    pub ping_after_events: Option<usize>,
    /// Milliseconds between two pings; 100 when absent.
    pub ping_ms: Option<u64>,
    /// Send bytes that are no event after this many events, and end the stream.
    pub garbage_after_events: Option<usize>,
    /// Open the stream with the protocol's error event, and end it.
    pub error_event_first: bool,
    /// Send the protocol's error event after this many events, and end the stream.
    pub error_event_after: Option<usize>,
    /// Status the error event stands for; 503 when absent.
    pub error_status: Option<u16>,
    /// `type` of the error (Gemini: `status`) in place of the one that goes with the status.
    pub error_type: Option<String>,
    /// `code` of the error, in the `OpenAI` protocols.
    pub error_code: Option<String>,
    /// Message of the error.
    pub error_message: Option<String>,
    /// A header of so many bytes, `x-mock-padding`.
    pub header_bytes: Option<usize>,
    /// Say `text/plain` whatever the body is.
    pub wrong_content_type: bool,
    /// Announce the whole length, send half and close. On a stream: send half of its last event.
    pub truncated: bool,
    /// Behave so for this many requests, then normally.
    pub times: Option<u64>,
}

/// Bodies that are not the protocol's success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyKind {
    /// The protocol's error object, even with status 200.
    Error,
    /// An HTML page, as a load balancer or a login wall sends it.
    Html,
    /// Nothing at all.
    Empty,
    /// JSON that breaks off.
    NotJson,
    /// Bytes of no text at all, whatever the content type says.
    Garbage,
}

/// Why a script was refused.
#[derive(Debug, thiserror::Error)]
pub enum BadScript {
    /// An unknown key, or a value of the wrong type.
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
    /// A status that HTTP has no room for, or that is not final.
    #[error("status {0} is not one of 200..=999")]
    Status(u16),
    /// A header name or value that cannot be sent.
    #[error("header {0:?} cannot be sent")]
    Header(String),
    /// An answer too large to make.
    #[error("the answer would be {0} bytes of text; at most {MAX_TEXT} are made")]
    Size(usize),
    /// A header too large to make.
    #[error("a header of {0} bytes: at most {MAX_HEADER} are made")]
    HeaderSize(usize),
    /// A script of that name was never set.
    #[error("no behaviour is called {0:?}: PUT /_mock/behaviours/{0} first")]
    Unknown(String),
}

const MAX_TEXT: usize = 64 * 1024 * 1024;
const MAX_HEADER: usize = 1024 * 1024;
const TEXT_KEYS: [&str; 6] = [
    "text",
    "body",
    "bodyKind",
    "errorType",
    "errorCode",
    "errorMessage",
];

// === impl Behaviour ===

impl Behaviour {
    /// Reads the inline form, `status=429;retryAfter=2;times=1`, with `header.NAME=VALUE` for headers and a bare key
    /// for `true`. Values may be percent-encoded.
    ///
    /// # Errors
    ///
    /// An unknown key, a value of the wrong type, or one of [`Behaviour::check`]'s reasons.
    pub fn from_inline(script: &str) -> Result<Self, BadScript> {
        let mut fields = Map::new();
        let mut headers = Map::new();
        for pair in script.split(';').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, "true"));
            let (key, value) = (percent::decode(key), percent::decode(value));
            match key.strip_prefix("header.") {
                Some(name) => headers.insert(name.to_owned(), Value::String(value)),
                None => {
                    let value = typed(&key, value);
                    fields.insert(key, value)
                }
            };
        }
        if !headers.is_empty() {
            fields.insert("headers".to_owned(), Value::Object(headers));
        }
        let behaviour: Self = serde_json::from_value(Value::Object(fields))?;
        behaviour.check()?;
        Ok(behaviour)
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    ///
    /// As [`Behaviour::from_inline`].
    pub fn from_json(json: &[u8]) -> Result<Self, BadScript> {
        let behaviour: Self = serde_json::from_slice(json)?;
        behaviour.check()?;
        Ok(behaviour)
    }

    /// Whether it can be acted out.
    ///
    /// # Errors
    ///
    /// A status or header that HTTP cannot carry, an answer above 64 MiB, or a header above 1 MiB.
    pub fn check(&self) -> Result<(), BadScript> {
        if let Some(status) = [self.status, self.error_status]
            .into_iter()
            .flatten()
            .find(|status| !(200..=999).contains(status))
        {
            return Err(BadScript::Status(status));
        }
        for (name, value) in &self.headers {
            if http::HeaderName::try_from(name).is_err()
                || http::HeaderValue::try_from(value).is_err()
            {
                return Err(BadScript::Header(name.clone()));
            }
        }
        if let Some(size) = self.header_bytes.filter(|size| *size > MAX_HEADER) {
            return Err(BadScript::HeaderSize(size));
        }
        let piece = self
            .chunk_bytes
            .unwrap_or_else(|| self.text.as_deref().map_or(super::TEXT.len(), str::len));
        let size = piece.saturating_mul(self.chunks.unwrap_or(1));
        if size > MAX_TEXT {
            return Err(BadScript::Size(size));
        }
        Ok(())
    }

    /// Whether an answer of known length would not be sent whole.
    pub(super) fn breaks_off(&self) -> bool {
        let cut = [
            self.close_after_events,
            self.reset_after_events,
            self.stall_after_events,
            self.end_after_events,
            self.ping_after_events,
            self.garbage_after_events,
        ];
        self.truncated || cut.iter().any(|events| matches!(events, Some(0 | 1)))
    }
}

/// The JSON value an inline value stands for: text stays text even where it reads like a number.
fn typed(key: &str, value: String) -> Value {
    if TEXT_KEYS.contains(&key) {
        return Value::String(value);
    }
    serde_json::from_str(&value).unwrap_or(Value::String(value))
}
