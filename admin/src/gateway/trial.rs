//! Asking a provider something, to know whether it works.

use entity::provider;

/// A question to a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The provider, as it is stored or would be; its secrets sealed.
    pub provider: provider::Model,
    /// What it is asked.
    pub ask: TrialAsk,
}

/// What a provider is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialAsk {
    /// For its models.
    Models,
    /// To answer.
    Answer {
        /// The model, as a client would name it.
        model: String,
        /// What it is to answer.
        text: String,
        /// As a stream.
        is_stream: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrialReport {
    /// It works: the answer is good and whole.
    pub is_ok: bool,
    /// What is wrong, in words, without secrets.
    pub error: Option<String>,
    /// The address that was asked.
    pub url: Option<String>,
    /// The answer's status.
    pub status: Option<u16>,
    /// Its media type.
    pub content_type: Option<String>,
    /// Milliseconds from the beginning to a connection.
    pub connect_ms: Option<u64>,
    /// Milliseconds from the beginning to the answer's head.
    pub first_byte_ms: Option<u64>,
    /// Milliseconds of all of it.
    pub total_ms: u64,
    /// The beginning of the answer, without secrets.
    pub excerpt: String,
    /// There is more of it.
    pub is_cut: bool,
    /// The model that says it answered.
    pub model: Option<String>,
    /// What the answer says was used.
    pub usage: Option<TrialUsage>,
    /// Its models, when it was asked for them.
    pub models: Vec<String>,
}

/// Tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrialUsage {
    /// Of the prompt, those of the cache left aside.
    pub input_tokens: u64,
    /// Of the prompt, read from the cache.
    pub cache_read_tokens: u64,
    /// Of the prompt, written to the cache.
    pub cache_write_tokens: u64,
    /// Of the answer.
    pub output_tokens: u64,
    /// Of the answer, spent on reasoning.
    pub reasoning_tokens: u64,
}
