//! OpenAI's usage object, of Chat Completions, Completions, Embeddings and Responses alike.

use serde::Deserialize;

use super::find::object;
use super::number::Count;
use super::tally::Tally;
use crate::domain::usage::Usage;

/// Both generations of names. Prompt tokens contain the cached ones, and those written to a cache as far as they stand in
/// the details; output tokens contain reasoning.
#[derive(Deserialize, Default)]
#[serde(default)]
struct OpenaiUsage {
    prompt_tokens: Count,
    completion_tokens: Count,
    input_tokens: Count,
    output_tokens: Count,
    prompt_tokens_details: Option<InputDetails>,
    input_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
    output_tokens_details: Option<OutputDetails>,
    /// `DeepSeek`'s name of the cached part.
    prompt_cache_hit_tokens: Count,
    /// Anthropic's names, as relays add them: the first is part of the prompt, the second is not.
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Count,
    cache_write_tokens: Count,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Count,
}

/// Notes a usage object; false when it is null or has no count we know.
pub(super) fn on_usage(value: &[u8], tally: &mut Tally) -> bool {
    let usage = read(value);
    if let Some(usage) = usage {
        tally.note_usage(usage, String::from_utf8(value.to_vec()).ok());
    }
    usage.is_some()
}

fn read(value: &[u8]) -> Option<Usage> {
    let raw: OpenaiUsage = object(value)?;
    let prompt = raw.input_tokens.or(raw.prompt_tokens);
    let output = raw.output_tokens.or(raw.completion_tokens);
    prompt.or(output).0?;
    let input_details = raw
        .input_tokens_details
        .or(raw.prompt_tokens_details)
        .unwrap_or_default();
    let output_details = raw
        .output_tokens_details
        .or(raw.completion_tokens_details)
        .unwrap_or_default();
    let cached = raw
        .cache_read_input_tokens
        .or(input_details.cached_tokens)
        .or(raw.prompt_cache_hit_tokens)
        .get();
    let written_inside = match raw.cache_creation_input_tokens.0 {
        None => input_details.cache_write_tokens.get(),
        Some(_) => 0,
    };
    let written = raw.cache_creation_input_tokens.get() + written_inside;
    Some(Usage {
        input_tokens: prompt.get().saturating_sub(cached + written_inside),
        cache_read_tokens: cached,
        cache_write5m_tokens: written,
        output_tokens: output.get(),
        reasoning_tokens: output_details.reasoning_tokens.get().min(output.get()),
        ..Usage::default()
    })
}
