//! Chat Completions, Completions and Embeddings.
//!
//! Chunks are `data:` only and end with `[DONE]`. Usage comes in a last chunk of its own when it was asked for; some
//! upstreams send it in every chunk, cumulative, so the last one that is not null counts.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::find::{has_value, offer_from_tail, says_something};
use super::openai;
use super::tally::Tally;
use crate::wire::sse::Event;

pub(super) const KEYS: &[&str] = &["usage", "model", "error"];

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
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
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    audio: Option<&'a RawValue>,
}

pub(super) fn on_event(event: Event<'_>, tally: &mut Tally) {
    let data = event.data.trim_ascii();
    if data == b"[DONE]" {
        tally.complete = true;
        return;
    }
    if event.oversize {
        tally.has_content = true;
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
        return;
    };
    if let Some(model) = &chunk.model {
        tally.note_model(model);
    }
    if let Some(usage) = chunk.usage {
        openai::on_usage(usage.get().as_bytes(), tally);
    }
    tally.note_error_raw(chunk.error);
    for choice in chunk.choices.iter().flatten() {
        tally.complete |= choice.finish_reason.is_some();
        tally.has_content |=
            says_something(choice.text) || choice.delta.as_ref().is_some_and(Delta::says_something);
    }
}

// === impl Delta ===

impl Delta<'_> {
    fn says_something(&self) -> bool {
        [
            self.content,
            self.reasoning_content,
            self.reasoning,
            self.refusal,
            self.tool_calls,
            self.function_call,
            self.audio,
        ]
        .into_iter()
        .any(says_something)
    }
}
