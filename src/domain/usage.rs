//! Token counts in disjoint buckets. Each protocol's own arithmetic is undone once, at the edge (`wire`).

use serde::Serialize;

use super::json::Object;

/// Tokens of one attempt. The buckets are disjoint, so a cost is the sum of bucket times price;
/// the one exception is `reasoning`, which is a part of `output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Prompt tokens served from the provider's cache.
    #[serde(skip_serializing_if = "is_none")]
    pub cache_read_tokens: u64,
    /// Prompt tokens written to the cache with a lifetime of five minutes.
    #[serde(skip_serializing_if = "is_none")]
    pub cache_write5m_tokens: u64,
    /// Prompt tokens written to the cache with a lifetime of one hour.
    #[serde(skip_serializing_if = "is_none")]
    pub cache_write1h_tokens: u64,
    /// Generated tokens, reasoning included.
    pub output_tokens: u64,
    /// The part of `output_tokens` spent on reasoning.
    #[serde(skip_serializing_if = "is_none")]
    pub reasoning_tokens: u64,
    /// Image tokens of the prompt, not counted in `input_tokens`.
    #[serde(skip_serializing_if = "is_none")]
    pub image_input_tokens: u64,
    /// Image tokens generated, not counted in `output_tokens`.
    #[serde(skip_serializing_if = "is_none")]
    pub image_output_tokens: u64,
}

/// A record says nothing of tokens that there are none of.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
fn is_none(tokens: &u64) -> bool {
    *tokens == 0
}

/// Where a usage figure comes from, and so how far it can be trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// The upstream's final figure.
    Terminal,
    /// The last figure seen before the stream was cut.
    Partial,
    /// Our own estimate.
    Estimate,
    /// Nothing was reported.
    #[default]
    None,
}

// === impl Usage ===

impl Usage {
    /// Adds another attempt's tokens, bucket by bucket.
    pub fn add(&mut self, other: &Self) {
        self.input_tokens += other.input_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write5m_tokens += other.cache_write5m_tokens;
        self.cache_write1h_tokens += other.cache_write1h_tokens;
        self.output_tokens += other.output_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
        self.image_input_tokens += other.image_input_tokens;
        self.image_output_tokens += other.image_output_tokens;
    }

    /// Writes its members: of the buckets that may be empty, only those that are not.
    pub fn write(&self, object: &mut Object<'_>) {
        let some = |tokens: u64| (tokens > 0).then_some(tokens);
        object.number("inputTokens", self.input_tokens);
        object.maybe_number("cacheReadTokens", some(self.cache_read_tokens));
        object.maybe_number("cacheWrite5mTokens", some(self.cache_write5m_tokens));
        object.maybe_number("cacheWrite1hTokens", some(self.cache_write1h_tokens));
        object.number("outputTokens", self.output_tokens);
        object.maybe_number("reasoningTokens", some(self.reasoning_tokens));
        object.maybe_number("imageInputTokens", some(self.image_input_tokens));
        object.maybe_number("imageOutputTokens", some(self.image_output_tokens));
    }
}

// === impl Provenance ===

impl Provenance {
    /// The stable name, as stored and served.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Partial => "partial",
            Self::Estimate => "estimate",
            Self::None => "none",
        }
    }
}
