//! OpenAI Responses: the terminal event carries the whole response, usage included.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::find::{is_whole, name_of, offer_from_tail, says_something};
use super::openai;
use super::tally::Tally;
use crate::wire::sse::Event;

pub(super) const KEYS: &[&str] = &["usage", "model", "error"];

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// An `error` event, flat as OpenAI documents it or nested as some send it.
#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// What a delta or a finished part may carry.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    transcript: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_image_b64: Option<&'a RawValue>,
}

pub(super) fn on_event(event: Event<'_>, tally: &mut Tally) {
    let name = name_of(&event);
    match &*name {
        "response.completed" | "response.incomplete" | "response.failed" | "response.done" => {
            tally.complete |= is_whole(&event);
            on_response(event, tally);
        }
        "response.created" | "response.in_progress" if tally.wants_model() => {
            on_response(event, tally);
        }
        "error" | "response.error" => {
            if let Ok(failure) = serde_json::from_slice::<Failure<'_>>(event.data) {
                tally.note_error_raw(failure.error);
                tally.note_error_raw(failure.message);
            }
        }
        name if !tally.has_content
            && (name.ends_with(".delta")
                || name.ends_with(".done")
                || name.ends_with(".partial_image")) =>
        {
            tally.has_content = event.oversize || has_payload(event.data);
        }
        _ => {}
    }
}

/// A response too long to be held has its usage in the tail: it comes after output and tools.
fn on_response(event: Event<'_>, tally: &mut Tally) {
    if event.oversize {
        offer_from_tail(event.tail, b"\"usage\"", &mut |value| {
            openai::on_usage(value, tally)
        });
        return;
    }
    let Ok(Envelope {
        response: Some(response),
    }) = serde_json::from_slice(event.data)
    else {
        return;
    };
    if let Some(model) = &response.model {
        tally.note_model(model);
    }
    if let Some(usage) = response.usage {
        openai::on_usage(usage.get().as_bytes(), tally);
    }
    tally.note_error_raw(response.error);
}

fn has_payload(data: &[u8]) -> bool {
    let Ok(part) = serde_json::from_slice::<Part<'_>>(data) else {
        return false;
    };
    [
        part.delta,
        part.text,
        part.arguments,
        part.refusal,
        part.input,
        part.code,
        part.transcript,
        part.partial_image_b64,
    ]
    .into_iter()
    .any(says_something)
}
