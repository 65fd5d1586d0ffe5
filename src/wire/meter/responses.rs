//! OpenAI Responses: the terminal event carries the whole response, usage included.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::find::{has_value, is_of_another, is_whole, name_of, offer_from_tail, says_something};
use super::openai;
use super::tally::Tally;
use super::tier::Tier;
use crate::wire::sse::Event;

pub(super) const KEYS: &[&str] = &["usage", "model", "service_tier", "error", "output"];

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(default)]
    service_tier: Tier,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
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
    /// The part that `content_part.done` closes.
    #[serde(borrow, default)]
    part: Option<ContentPart<'a>>,
}

#[derive(Deserialize)]
struct ContentPart<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ItemEvent<'a> {
    #[serde(borrow, default)]
    item: Option<Item<'a>>,
}

/// What an item may carry.
#[derive(Deserialize)]
struct Item<'a> {
    /// Of the function or tool that is called.
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    action: Option<&'a RawValue>,
    /// There from the beginning, and only at the end the whole of it.
    #[serde(borrow, default)]
    encrypted_content: Option<&'a RawValue>,
}

pub(super) fn on_event(event: Event<'_>, tally: &mut Tally) {
    let name = name_of(&event);
    match &*name {
        "response.completed" | "response.incomplete" | "response.failed" | "response.done" => {
            on_last(&name, event, tally);
        }
        "response.created" | "response.in_progress" | "response.queued"
            if tally.wants_model() || has_value(event.data, b"\"error\"") =>
        {
            on_response(event, tally);
        }
        "error" | "response.error" => on_failure(event.data, tally),
        "response.output_item.added" | "response.output_item.done" if !tally.has_content => {
            let is_done = name.ends_with(".done");
            read::<ItemEvent<'_>>(event, tally, |event| {
                event.item.is_some_and(|item| item.says_something(is_done))
            });
        }
        name if !tally.has_content
            && (name.ends_with(".delta")
                || name.ends_with(".done")
                || name.ends_with(".partial_image")) =>
        {
            read::<Part<'_>>(event, tally, |part| part.says_something());
        }
        "" if is_of_another(event.data, &[b"\"choices\"", b"\"candidates\""]) => {
            tally.foreign(event.data);
        }
        _ if !tally.has_content && has_value(event.data, b"\"error\"") => {
            on_response(event, tally);
        }
        _ => {}
    }
}

/// Reads an event that may be the first to say something.
fn read<'e, T: Deserialize<'e>>(
    event: Event<'e>,
    tally: &mut Tally,
    says_something: impl FnOnce(T) -> bool,
) {
    if event.oversize {
        return tally.say();
    }
    match serde_json::from_slice(event.data) {
        Ok(read) => {
            if says_something(read) {
                tally.say();
            }
        }
        Err(_) => tally.doubt(event.data),
    }
}

/// An event that fails the stream, whatever it says.
fn on_failure(data: &[u8], tally: &mut Tally) {
    if let Ok(failure) = serde_json::from_slice::<Failure<'_>>(data) {
        tally.fail_raw(failure.error, data);
        tally.fail_raw(failure.message, data);
    }
    tally.fail_frame(data);
}

/// The terminal event. One that was cut off ends nothing; one that failed before any content is a failure.
fn on_last(name: &str, event: Event<'_>, tally: &mut Tally) {
    on_response(event, tally);
    if !is_whole(&event) {
        return;
    }
    match name {
        "response.failed" => tally.fail_frame(event.data),
        // A budget that went into reasoning nobody sees, or a filter: the answer all the same.
        "response.incomplete" => tally.say(),
        _ if event.oversize => tally.say(),
        _ => {}
    }
    tally.close();
}

/// A response too long to be held has its usage in the tail: it comes after output and tools. Its tier does not, and the metadata
/// there is the client's to write: it stays at what the events before it said.
fn on_response(event: Event<'_>, tally: &mut Tally) {
    if event.oversize {
        offer_from_tail(event.tail, b"\"usage\"", &mut |value| {
            openai::on_usage(value, tally)
        });
        return;
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(event.data) else {
        return tally.doubt(event.data);
    };
    tally.fail_raw(envelope.error, event.data);
    let Some(response) = envelope.response else {
        return;
    };
    if let Some(model) = &response.model {
        tally.note_model(model);
    }
    tally.note_tier(response.service_tier);
    if let Some(usage) = response.usage {
        openai::on_usage(usage.get().as_bytes(), tally);
    }
    tally.fail_raw(response.error, event.data);
    if response.output.is_some_and(is_output) {
        tally.say();
    }
}

/// Whether the output of a response has more in it than messages without a word.
fn is_output(output: &RawValue) -> bool {
    match serde_json::from_str::<Vec<Item<'_>>>(output.get()) {
        Ok(items) => items.iter().any(|item| !item.is_hollow()),
        Err(_) => says_something(Some(output)),
    }
}

// === impl Part ===

impl Part<'_> {
    fn says_something(&self) -> bool {
        let part = self.part.iter().flat_map(|p| [p.text, p.refusal]);
        [
            self.delta,
            self.text,
            self.arguments,
            self.refusal,
            self.input,
            self.code,
            self.transcript,
            self.partial_image_b64,
        ]
        .into_iter()
        .chain(part)
        .any(says_something)
    }
}

// === impl Item ===

impl Item<'_> {
    fn says_something(&self, is_done: bool) -> bool {
        let content = self.content.filter(|_| !self.is_hollow());
        [
            self.name,
            content,
            self.summary,
            self.arguments,
            self.input,
            self.code,
            self.result,
            self.action,
            self.encrypted_content.filter(|_| is_done),
        ]
        .into_iter()
        .any(says_something)
    }

    /// It has parts of content, and all of them are text without a word.
    fn is_hollow(&self) -> bool {
        let is_blank = |text: Option<&RawValue>| text.is_some_and(|text| text.get() == "\"\"");
        let Some(content) = self.content else {
            return false;
        };
        serde_json::from_str::<Vec<ContentPart<'_>>>(content.get()).is_ok_and(|parts| {
            parts
                .iter()
                .all(|part| is_blank(part.text) || is_blank(part.refusal))
        })
    }
}
