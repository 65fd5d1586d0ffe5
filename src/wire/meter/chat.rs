//! Chat Completions, Completions and Embeddings.
//!
//! Chunks are `data:` only and end with `[DONE]`. Usage comes in a last chunk of its own when it was asked for; some
//! upstreams send it in every chunk, cumulative, so the last one that is not null counts.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::find::{has_value, is_nothing, offer_from_tail, says_something};
use super::openai;
use super::tally::Tally;
use super::tier::Tier;
use crate::wire::sse::Event;

pub(super) const KEYS: &[&str] = &["usage", "model", "service_tier", "error", "choices"];

#[derive(Deserialize)]
struct Chunk<'a> {
    /// No chunk has one: the mark of another protocol's events.
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(default)]
    service_tier: Tier,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    /// What a relay that does not stream sends in place of deltas.
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    /// The text of a legacy completion.
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    audio: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow, default)]
    function: Option<Call<'a>>,
    #[serde(borrow, default)]
    custom: Option<Call<'a>>,
}

/// A call as its first delta names it, and as later ones fill it.
#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Audio<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    transcript: Option<&'a RawValue>,
}

pub(super) fn on_event(event: Event<'_>, tally: &mut Tally) {
    let data = event.data.trim_ascii();
    if data == b"[DONE]" {
        tally.close();
        return;
    }
    if event.oversize {
        tally.say();
        offer_from_tail(event.tail, b"\"usage\"", &mut |value| {
            openai::on_usage(value, tally)
        });
        return;
    }
    let is_worth_parsing = !tally.has_content
        || tally.wants_model()
        || has_value(data, b"\"usage\"")
        || has_value(data, b"\"error\"")
        || (!tally.complete && has_value(data, b"\"finish_reason\""));
    if !is_worth_parsing {
        return;
    }
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else {
        return tally.doubt(data);
    };
    on_chunk(&chunk, data, tally);
    if event.event == b"error" {
        tally.fail(b"true", data);
    }
}

fn on_chunk(chunk: &Chunk<'_>, data: &[u8], tally: &mut Tally) {
    if let Some(model) = &chunk.model {
        tally.note_model(model);
    }
    tally.note_tier(chunk.service_tier);
    if let Some(usage) = chunk.usage {
        openai::on_usage(usage.get().as_bytes(), tally);
    }
    tally.fail_raw(chunk.error, data);
    if chunk.kind.as_deref().is_some_and(is_anothers) {
        tally.foreign(data);
    }
    for choice in chunk.choices.iter().flatten() {
        if choice.says_something() {
            tally.say();
        }
        let Some(reason) = choice.finish_reason.map(RawValue::get) else {
            continue;
        };
        if is_nothing(reason.as_bytes()) {
            continue;
        }
        // The budget went into reasoning that is not shown, or a filter spoke.
        if matches!(reason, "\"length\"" | "\"content_filter\"") {
            tally.say();
        }
        tally.close();
    }
}

/// Names of events of Anthropic and of Responses.
fn is_anothers(kind: &str) -> bool {
    ["message_", "content_block_", "response."]
        .iter()
        .any(|start| kind.starts_with(start))
}

// === impl Choice ===

impl Choice<'_> {
    fn says_something(&self) -> bool {
        says_something(self.text)
            || self.delta.as_ref().is_some_and(Delta::says_something)
            || speaks(self.message, Delta::says_something)
    }
}

// === impl Delta ===

impl Delta<'_> {
    fn says_something(&self) -> bool {
        let is_called = |calls: &Vec<ToolCall<'_>>| {
            let mut calls = calls
                .iter()
                .flat_map(|c| c.function.iter().chain(&c.custom));
            calls.any(Call::says_something)
        };
        [
            self.content,
            self.reasoning_content,
            self.reasoning,
            self.reasoning_details,
            self.refusal,
        ]
        .into_iter()
        .any(says_something)
            || speaks(self.tool_calls, is_called)
            || speaks(self.function_call, Call::says_something)
            || speaks(self.audio, Audio::says_something)
    }
}

/// Whether a value says something by its own measure. One of an unexpected form does if it is not empty: it must not cost the
/// rest of its chunk.
fn speaks<'a, T: Deserialize<'a>>(
    value: Option<&'a RawValue>,
    says: impl FnOnce(&T) -> bool,
) -> bool {
    let Some(value) = value.filter(|value| says_something(Some(value))) else {
        return false;
    };
    serde_json::from_str::<T>(value.get()).map_or(true, |value| says(&value))
}

// === impl Call ===

impl Call<'_> {
    fn says_something(&self) -> bool {
        [self.name, self.arguments, self.input]
            .into_iter()
            .any(says_something)
    }
}

// === impl Audio ===

impl Audio<'_> {
    fn says_something(&self) -> bool {
        says_something(self.data) || says_something(self.transcript)
    }
}
