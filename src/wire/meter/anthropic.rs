//! Anthropic Messages.
//!
//! `message_start` reports the prompt, `message_delta` the output and, cumulative, whatever of the prompt has changed since.
//! The delta's fields win over the start's, but a zero does not win over a figure: relays fill fields they know nothing of
//! with zeros, and nothing that was counted goes away later.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::find::{has_value, is_of_another, is_whole, name_of, object, says_something};
use super::number::Count;
use super::tally::Tally;
use super::tier::Tier;
use crate::domain::usage::Usage;
use crate::wire::sse::Event;

pub(super) const KEYS: &[&str] = &["usage", "model", "error", "content"];

/// The usage of a message as put together so far.
#[derive(Debug, Default)]
pub(super) struct Merge {
    fields: Fields,
    start: Option<String>,
    delta: Option<String>,
}

#[derive(Debug, Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct Fields {
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_creation: Option<Split>,
    /// The split as relays write it, flat, under either name or both.
    cache_creation_5m_input_tokens: Count,
    cache_creation_1h_input_tokens: Count,
    claude_cache_creation_5_m_tokens: Count,
    claude_cache_creation_1_h_tokens: Count,
    service_tier: Tier,
}

#[derive(Debug, Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct Split {
    ephemeral_5m_input_tokens: Count,
    ephemeral_1h_input_tokens: Count,
}

#[derive(Deserialize)]
struct Start<'a> {
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct MessageDelta<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<InnerDelta<'a>>,
}

#[derive(Deserialize)]
struct InnerDelta<'a> {
    #[serde(borrow, default)]
    stop_reason: Option<&'a RawValue>,
    /// Where some relays put the usage.
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BlockDelta<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    citation: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BlockStart<'a> {
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    /// What a relay that does not stream puts here at once.
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

pub(super) fn on_event(merge: &mut Merge, event: Event<'_>, tally: &mut Tally) {
    let name = name_of(&event);
    if (!tally.has_content || name.is_empty()) && has_value(event.data, b"\"error\"") {
        on_failure(event.data, tally);
    }
    match &*name {
        "message_start" => on_start(merge, event.data, tally),
        "message_delta" => on_delta(merge, event.data, tally),
        "message_stop" if is_whole(&event) => tally.close(),
        "error" | "response.error" => {
            on_failure(event.data, tally);
            tally.fail_frame(event.data);
        }
        "content_block_delta" if !tally.has_content && delta_says_something(&event, tally) => {
            tally.say();
        }
        "content_block_start" if !tally.has_content && block_says_something(&event, tally) => {
            tally.say();
        }
        "" if is_of_another(event.data, &[b"\"choices\"", b"\"candidates\""]) => {
            tally.foreign(event.data);
        }
        _ => {}
    }
}

fn on_failure(data: &[u8], tally: &mut Tally) {
    if let Ok(Failure { error: Some(error) }) = serde_json::from_slice(data) {
        tally.fail(error.get().as_bytes(), data);
    }
}

/// The usage of an answer that is no stream.
pub(super) fn on_usage(merge: &mut Merge, value: &[u8], tally: &mut Tally) {
    merge.fields = Fields::default();
    if merge.add(value) {
        tally.note_tier(merge.fields.service_tier);
        tally.note_usage(merge.usage(), String::from_utf8(value.to_vec()).ok());
    }
}

fn on_start(merge: &mut Merge, data: &[u8], tally: &mut Tally) {
    let Ok(Start { message, usage }) = serde_json::from_slice(data) else {
        return tally.doubt(data);
    };
    if let Some(model) = message.as_ref().and_then(|m| m.model.as_ref()) {
        tally.note_model(model);
    }
    let Some(usage) = message.and_then(|m| m.usage).or(usage) else {
        return;
    };
    if merge.add(usage.get().as_bytes()) {
        merge.start = Some(usage.get().to_owned());
        tally.note_tier(merge.fields.service_tier);
        tally.note_usage(merge.usage(), merge.raw());
    }
}

fn on_delta(merge: &mut Merge, data: &[u8], tally: &mut Tally) {
    let Ok(MessageDelta { usage, delta }) = serde_json::from_slice(data) else {
        return tally.doubt(data);
    };
    let usage = usage.or(delta.as_ref().and_then(|d| d.usage));
    if !tally.has_content && is_an_answer(delta.and_then(|d| d.stop_reason), usage) {
        tally.say();
    }
    let Some(usage) = usage else {
        return;
    };
    if merge.add(usage.get().as_bytes()) {
        merge.delta = Some(usage.get().to_owned());
        tally.note_tier(merge.fields.service_tier);
        tally.note_usage(merge.usage(), merge.raw());
        tally.is_final = true;
    }
}

/// Whether a message without content is what the model answered: it wrote something that does not show, calls a tool that
/// takes no input, refuses, or was stopped.
fn is_an_answer(stop_reason: Option<&RawValue>, usage: Option<&RawValue>) -> bool {
    let output = usage
        .and_then(|usage| object::<Fields>(usage.get().as_bytes()))
        .map_or(0, |fields| fields.output_tokens.get());
    let is_own = |reason: &RawValue| reason.get() == "\"end_turn\"";
    output > 0 || says_something(stop_reason.filter(|reason| !is_own(reason)))
}

fn delta_says_something(event: &Event<'_>, tally: &mut Tally) -> bool {
    if event.oversize {
        return true;
    }
    let delta = match serde_json::from_slice(event.data) {
        Ok(BlockDelta { delta: Some(delta) }) => delta,
        Ok(BlockDelta { delta: None }) => return false,
        Err(_) => {
            tally.doubt(event.data);
            return false;
        }
    };
    [
        delta.text,
        delta.thinking,
        delta.partial_json,
        delta.signature,
        delta.citation,
    ]
    .into_iter()
    .any(says_something)
}

/// Some blocks come whole in their start event; all others speak through deltas.
fn block_says_something(event: &Event<'_>, tally: &mut Tally) -> bool {
    if event.oversize {
        return true;
    }
    let block = match serde_json::from_slice(event.data) {
        Ok(BlockStart {
            content_block: Some(block),
        }) => block,
        Ok(BlockStart {
            content_block: None,
        }) => return false,
        Err(_) => {
            tally.doubt(event.data);
            return false;
        }
    };
    let kind = block.kind.as_deref().unwrap_or_default();
    matches!(kind, "redacted_thinking" | "container_upload")
        || kind.ends_with("_tool_result")
        || [block.text, block.thinking, block.input]
            .into_iter()
            .any(says_something)
}

// === impl Merge ===

impl Merge {
    /// Merges a usage object; false when it has no count we know.
    fn add(&mut self, value: &[u8]) -> bool {
        let Some(new) = object::<Fields>(value) else {
            return false;
        };
        let old = self.fields;
        let split = new.cache_creation.unwrap_or_default();
        let later = |new: Count, old: Count| match new.0 {
            Some(0) | None => old.or(new),
            Some(_) => new,
        };
        self.fields = Fields {
            input_tokens: later(new.input_tokens, old.input_tokens),
            output_tokens: later(new.output_tokens, old.output_tokens),
            cache_read_input_tokens: later(
                new.cache_read_input_tokens,
                old.cache_read_input_tokens,
            ),
            cache_creation_input_tokens: later(
                new.cache_creation_input_tokens,
                old.cache_creation_input_tokens,
            ),
            cache_creation_5m_input_tokens: later(
                split
                    .ephemeral_5m_input_tokens
                    .or(new.cache_creation_5m_input_tokens)
                    .or(new.claude_cache_creation_5_m_tokens),
                old.cache_creation_5m_input_tokens,
            ),
            cache_creation_1h_input_tokens: later(
                split
                    .ephemeral_1h_input_tokens
                    .or(new.cache_creation_1h_input_tokens)
                    .or(new.claude_cache_creation_1_h_tokens),
                old.cache_creation_1h_input_tokens,
            ),
            service_tier: new.service_tier.or(old.service_tier),
            ..Fields::default()
        };
        new.input_tokens
            .or(new.output_tokens)
            .or(new.cache_read_input_tokens)
            .or(new.cache_creation_input_tokens)
            .0
            .is_some()
    }

    /// Anthropic's buckets are disjoint already. What was written to the cache without saying for how long counts as five
    /// minutes, the API's default, unless all the rest was written for an hour.
    fn usage(&self) -> Usage {
        let fields = &self.fields;
        let mut short = fields.cache_creation_5m_input_tokens.get();
        let mut long = fields.cache_creation_1h_input_tokens.get();
        let total = fields.cache_creation_input_tokens.get();
        let unsplit = total.saturating_sub(short + long);
        if short == 0 && long > 0 {
            long += unsplit;
        } else {
            short += unsplit;
        }
        Usage {
            input_tokens: fields.input_tokens.get(),
            cache_read_tokens: fields.cache_read_input_tokens.get(),
            cache_write5m_tokens: short,
            cache_write1h_tokens: long,
            output_tokens: fields.output_tokens.get(),
            ..Usage::default()
        }
    }

    fn raw(&self) -> Option<String> {
        match (&self.start, &self.delta) {
            (Some(start), Some(delta)) => Some(format!("[{start},{delta}]")),
            (start, delta) => start.clone().or_else(|| delta.clone()),
        }
    }
}
