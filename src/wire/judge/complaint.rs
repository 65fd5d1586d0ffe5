//! What an upstream says is wrong, in whatever shape it says it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::wire::sse::Splitter;

/// An error's words, taken out of their shape: an object or a string, under `error` or at the top, once or nested as relays do
/// that wrap each other's errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Complaint {
    /// What it says to people, at most 2 KiB; empty when it says nothing.
    pub message: String,
    /// What it says to programs, in lower case: types, codes, names of statuses.
    kinds: Vec<String>,
    /// The status it names as a number.
    number: Option<u16>,
    /// Kinds, message and details in lower case, one after another.
    text: String,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// A failed response carries its error.
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    msg: Option<&'a RawValue>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status_code: Option<&'a RawValue>,
}

const MAX_MESSAGE: usize = 2 * 1024;
const MAX_DETAILS: usize = 1024;
/// Relays wrap the errors of relays.
const MAX_DEPTH: u32 = 6;
const MAX_KINDS: usize = 16;

/// Words that tell a status better than a type does: `invalid_request_error` is the type of half of these.
const BY_WORDS: &[(&str, u16)] = &[
    ("credit balance is too low", 402),
    ("insufficient_quota", 402),
    ("insufficient_user_quota", 402),
    ("insufficient balance", 402),
    ("insufficient credit", 402),
    ("exceeded your current quota", 402),
    ("billing_hard_limit", 402),
    ("余额不足", 402),
    ("额度不足", 402),
    ("rate limit", 429),
    ("rate_limit", 429),
    ("too many requests", 429),
    ("usage_limit_reached", 429),
    ("invalid_api_key", 401),
    ("api_key_invalid", 401),
    ("invalid api key", 401),
    ("incorrect api key", 401),
    ("invalid x-api-key", 401),
    ("api key not valid", 401),
    ("model_not_found", 404),
    ("model not found", 404),
    ("no such model", 404),
    ("no available channel", 503),
    ("no available account", 503),
    ("无可用渠道", 503),
];

/// Types, codes and names of statuses; the more particular before the more general.
const BY_KIND: &[(&str, u16)] = &[
    ("billing_error", 402),
    ("resource_exhausted", 429),
    ("too_many_requests", 429),
    ("overloaded_error", 529),
    ("server_is_overloaded", 503),
    ("service_unavailable_error", 503),
    ("service_unavailable", 503),
    ("unavailable", 503),
    ("authentication_error", 401),
    ("unauthenticated", 401),
    ("unauthorized", 401),
    ("permission_error", 403),
    ("permission_denied", 403),
    ("not_found_error", 404),
    ("not_found", 404),
    ("request_too_large", 413),
    ("context_length_exceeded", 400),
    ("timeout_error", 504),
    ("deadline_exceeded", 504),
    ("api_error", 500),
    ("server_error", 500),
    ("internal_error", 500),
    ("internal_server_error", 500),
    ("internal", 500),
    ("invalid_request_error", 400),
    ("invalid_request", 400),
    ("invalid_prompt", 400),
    ("invalid_argument", 400),
    ("failed_precondition", 400),
];

/// Where only the message is there, and says it in its own words.
const BY_HINT: &[(&str, u16)] = &[
    ("overloaded", 503),
    ("unavailable", 503),
    ("unauthorized", 401),
    ("forbidden", 403),
    ("timed out", 504),
    ("timeout", 504),
    ("invalid request", 400),
];

// === impl Complaint ===

impl Complaint {
    /// Reads an error's body, its frame, or the value of `error`. What is not JSON is a message.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let mut complaint = Self::default();
        let body = body.trim_ascii();
        let is_stream = body.starts_with(b"data:") || body.starts_with(b"event:");
        if is_stream {
            let mut splitter = Splitter::default();
            splitter.feed(body, &mut |event| complaint.gather_body(event.data));
            splitter.finish(&mut |event| complaint.gather_body(event.data));
        } else {
            complaint.gather_body(body);
        }
        complaint.lower();
        complaint
    }

    /// Whether these words, given in lower case, are anywhere in it.
    #[must_use]
    pub fn says(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// Whether this is one of its types, codes or names of statuses, given in lower case.
    #[must_use]
    pub fn is_kind(&self, kind: &str) -> bool {
        self.kinds.iter().any(|k| k == kind)
    }

    /// All of it in lower case: what [`Self::says`] searches.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The status an answer with this error should have had, as far as it tells.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let found = |table: &[(&str, u16)], is: &dyn Fn(&str) -> bool| {
            table.iter().find(|(words, _)| is(words)).map(|row| row.1)
        };
        self.number
            .or_else(|| found(BY_WORDS, &|words| self.says(words)))
            .or_else(|| found(BY_KIND, &|kind| self.is_kind(kind)))
            .or_else(|| found(BY_HINT, &|words| self.says(words)))
    }

    fn gather_body(&mut self, body: &[u8]) {
        let is_json = matches!(body.first(), Some(b'{' | b'[' | b'"'));
        match serde_json::from_slice::<&RawValue>(body) {
            Ok(value) if is_json => self.gather(value.get(), 0),
            _ => self.take_message(&String::from_utf8_lossy(
                &body[..body.len().min(MAX_MESSAGE)],
            )),
        }
    }

    fn gather(&mut self, value: &str, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        match value.as_bytes().first() {
            Some(b'"') => self.gather_text(value, depth),
            Some(b'[') => {
                // Gemini answers a stream's request without `alt=sse` with an array, even its errors.
                let values = serde_json::from_str::<Vec<&RawValue>>(value).unwrap_or_default();
                if let Some(first) = values.first() {
                    self.gather(first.get(), depth + 1);
                }
            }
            Some(b'{') => {
                if let Ok(fields) = serde_json::from_str::<Fields<'_>>(value) {
                    self.gather_fields(&fields, depth);
                }
            }
            _ => {}
        }
    }

    /// A message. One that is JSON in turn is looked into, for the words to programs are there.
    fn gather_text(&mut self, value: &str, depth: u32) {
        let Ok(text) = serde_json::from_str::<Cow<'_, str>>(value) else {
            return;
        };
        if let Some(at) = text.find('{')
            && serde_json::from_str::<&RawValue>(&text[at..]).is_ok()
        {
            self.gather(&text[at..], depth + 1);
        }
        self.take_message(&text);
    }

    fn gather_fields(&mut self, fields: &Fields<'_>, depth: u32) {
        for inner in [fields.error, fields.response].into_iter().flatten() {
            self.gather(inner.get(), depth + 1);
        }
        for kind in [fields.kind, fields.code, fields.status]
            .into_iter()
            .flatten()
        {
            self.take_kind(kind.get());
        }
        for number in [fields.code, fields.status, fields.status_code]
            .into_iter()
            .flatten()
        {
            let number = number.get().parse().ok();
            self.number = self.number.or(number.filter(|n| (400..=599).contains(n)));
        }
        for message in [fields.message, fields.msg, fields.detail]
            .into_iter()
            .flatten()
        {
            match message.get().as_bytes().first() {
                Some(b'"') => self.gather_text(message.get(), depth),
                Some(b'{' | b'[') => self.take_message(message.get()),
                _ => {}
            }
        }
        if let Some(details) = fields.details {
            let details = details.get();
            self.text
                .push_str(&details[..details.floor_char_boundary(MAX_DETAILS)]);
            self.text.push(' ');
        }
    }

    /// `error` and `message` are the types of envelopes.
    fn take_kind(&mut self, value: &str) {
        let Ok(kind) = serde_json::from_str::<Cow<'_, str>>(value) else {
            return;
        };
        let is_envelope = matches!(&*kind, "" | "error" | "message");
        if !is_envelope && kind.len() <= 64 && self.kinds.len() < MAX_KINDS {
            self.kinds.push(kind.to_ascii_lowercase());
        }
    }

    /// The first message counts: the innermost.
    fn take_message(&mut self, message: &str) {
        if self.message.is_empty() {
            let message = message.trim();
            message[..message.floor_char_boundary(MAX_MESSAGE)].clone_into(&mut self.message);
        }
    }

    fn lower(&mut self) {
        let mut text = self.kinds.join(" ");
        text.push(' ');
        text.push_str(&self.message.to_lowercase());
        text.push(' ');
        text.push_str(&self.text.to_lowercase());
        self.text = text;
    }
}

#[cfg(test)]
mod tests;
