//! Gemini and Code Assist, which wraps every answer as `{"response": {…}}`.
//!
//! Usage stands in every event or only in the last; it is cumulative, so the last one counts. Thoughts are not part of the
//! candidates' tokens, so they are added; cached and image tokens are part of the prompt's, so they are taken out.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::find::{has_value, is_of_another, is_whole, object, offer_from_tail, says_something};
use super::number::Count;
use super::tally::Tally;
use super::tier::Tier;
use crate::domain::usage::Usage;
use crate::wire::sse::Event;

pub(super) const KEYS: &[&str] = &[
    "usageMetadata",
    "modelVersion",
    "error",
    "candidates",
    "promptFeedback",
];

/// The reasons for which the service itself gave up. All others are the model's own, its budget's or a filter's: the answer to
/// this request, whoever gives it.
const BREAKDOWNS: [&str; 6] = [
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "OTHER",
    "IMAGE_OTHER",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(borrow, default)]
    response: Option<Box<Chunk<'a>>>,
    #[serde(borrow, default)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
}

/// A refused prompt has no candidates: nothing follows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<Content<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    inline_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function_response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    executable_code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    code_execution_result: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    prompt_token_count: Count,
    cached_content_token_count: Count,
    candidates_token_count: Count,
    thoughts_token_count: Count,
    /// What tools put into the prompt, beside `promptTokenCount`.
    tool_use_prompt_token_count: Count,
    prompt_tokens_details: Option<Vec<Detail>>,
    cache_tokens_details: Option<Vec<Detail>>,
    candidates_tokens_details: Option<Vec<Detail>>,
    service_tier: Tier,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    modality: Option<String>,
    token_count: Count,
}

pub(super) fn on_event(event: Event<'_>, tally: &mut Tally) {
    if event.oversize {
        tally.say();
        offer_from_tail(event.tail, b"\"usageMetadata\"", &mut |value| {
            on_usage(value, tally)
        });
        if is_whole(&event) && has_value(event.tail, b"\"finishReason\"") {
            tally.close();
        }
        return;
    }
    let data = event.data;
    let is_worth_parsing = !tally.has_content
        || has_value(data, b"\"usageMetadata\"")
        || has_value(data, b"\"finishReason\"")
        || has_value(data, b"\"promptFeedback\"")
        || has_value(data, b"\"error\"");
    if !is_worth_parsing {
        return;
    }
    match serde_json::from_slice::<Chunk<'_>>(data) {
        Ok(chunk) => on_chunk(&chunk, data, tally),
        Err(_) => tally.doubt(data),
    }
    if event.event == b"error" {
        tally.fail_frame(data);
    }
}

/// The candidates of an answer that is no stream of events.
pub(super) fn on_candidates(value: &[u8], tally: &mut Tally) {
    if let Ok(candidates) = serde_json::from_slice::<Vec<Candidate<'_>>>(value) {
        for candidate in candidates {
            on_candidate(&candidate, value, tally);
        }
    }
}

/// The verdict on the prompt of an answer that is no stream of events.
pub(super) fn on_feedback(value: &[u8], tally: &mut Tally) {
    if let Some(feedback) = object::<Feedback<'_>>(value) {
        feedback.judge(tally);
    }
}

/// Notes a usage object; false when it has no count we know.
pub(super) fn on_usage(value: &[u8], tally: &mut Tally) -> bool {
    let metadata = object::<Metadata>(value).unwrap_or_default();
    let tier = metadata.service_tier;
    let usage = read(metadata);
    if let Some(usage) = usage {
        tally.note_tier(tier);
        tally.note_usage(usage, String::from_utf8(value.to_vec()).ok());
    }
    usage.is_some()
}

fn on_chunk(chunk: &Chunk<'_>, data: &[u8], tally: &mut Tally) {
    tally.fail_raw(chunk.error, data);
    let chunk = chunk.response.as_deref().unwrap_or(chunk);
    tally.fail_raw(chunk.error, data);
    if let Some(model) = &chunk.model_version {
        tally.note_model(model);
    }
    if let Some(metadata) = chunk.usage_metadata {
        on_usage(metadata.get().as_bytes(), tally);
    }
    if let Some(feedback) = &chunk.prompt_feedback {
        feedback.judge(tally);
    }
    match &chunk.candidates {
        Some(candidates) => {
            for candidate in candidates {
                on_candidate(candidate, data, tally);
            }
        }
        None if is_of_another(data, &[b"\"choices\"", b"\"content_block\""]) => tally.foreign(data),
        None => {}
    }
}

fn on_candidate(candidate: &Candidate<'_>, data: &[u8], tally: &mut Tally) {
    let mut parts = candidate.content.iter().flat_map(|c| &c.parts).flatten();
    if parts.any(Part::says_something) {
        tally.say();
    }
    let reason = candidate.finish_reason.map_or("", RawValue::get);
    match reason.trim_matches('"') {
        "" | "FINISH_REASON_UNSPECIFIED" => {}
        "STOP" => tally.close(),
        reason if BREAKDOWNS.contains(&reason) => {
            if !tally.has_content {
                tally.note_error(format!("finish reason {reason}").as_bytes());
                tally.fail_frame(data);
            }
            tally.close();
        }
        _ => {
            tally.say();
            tally.close();
        }
    }
}

fn read(raw: Metadata) -> Option<Usage> {
    raw.prompt_token_count.or(raw.candidates_token_count).0?;
    let cached = raw.cached_content_token_count.get();
    let image_input =
        images(raw.prompt_tokens_details).saturating_sub(images(raw.cache_tokens_details));
    let image_output = images(raw.candidates_tokens_details);
    let thoughts = raw.thoughts_token_count.get();
    let prompt = raw.prompt_token_count.get();
    let candidates = raw.candidates_token_count.get();
    Some(Usage {
        input_tokens: prompt.saturating_sub(cached + image_input)
            + raw.tool_use_prompt_token_count.get(),
        cache_read_tokens: cached,
        output_tokens: candidates.saturating_sub(image_output) + thoughts,
        reasoning_tokens: thoughts,
        image_input_tokens: image_input,
        image_output_tokens: image_output,
        ..Usage::default()
    })
}

fn images(details: Option<Vec<Detail>>) -> u64 {
    let is_image = |d: &Detail| {
        let modality = d.modality.as_deref().unwrap_or_default();
        modality.eq_ignore_ascii_case("IMAGE")
    };
    details
        .iter()
        .flatten()
        .filter(|d| is_image(d))
        .map(|d| d.token_count.get())
        .fold(0, u64::saturating_add)
}

// === impl Feedback ===

impl Feedback<'_> {
    /// A prompt that is blocked is the answer to this request: no other provider of the model would take it.
    fn judge(&self, tally: &mut Tally) {
        let Some(reason) = self
            .block_reason
            .filter(|reason| says_something(Some(reason)))
        else {
            return;
        };
        tally.note_error(format!("prompt blocked: {reason}").as_bytes());
        tally.say();
        tally.close();
    }
}

// === impl Part ===

impl Part<'_> {
    fn says_something(&self) -> bool {
        [
            self.text,
            self.inline_data,
            self.file_data,
            self.function_call,
            self.function_response,
            self.executable_code,
            self.code_execution_result,
        ]
        .into_iter()
        .any(says_something)
    }
}
