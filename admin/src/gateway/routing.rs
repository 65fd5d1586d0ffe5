//! What the running gateway knows of providers, and what it would do with a request.

use chrono::{DateTime, Utc};

/// A breaker as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaker {
    /// The provider it belongs to.
    pub provider_id: i64,
    /// How much of the provider it holds back.
    pub scope: BreakerScope,
    /// The endpoint's address (without credentials) or the model's name; none for the whole provider.
    pub subject: Option<String>,
    /// Whether requests pass.
    pub state: BreakerState,
    /// Why it opened last, in words.
    pub reason: Option<String>,
    /// When it opened last; none while it never did since its last reset.
    pub opened_at: Option<DateTime<Utc>>,
    /// Until when it stays open; none while it is closed.
    pub open_until: Option<DateTime<Utc>>,
    /// Failures in a row, up to now.
    pub consecutive_failures: u32,
    /// Times in a row it opened without having closed, which is what its time open grows by.
    pub times_opened: u32,
    /// Whether it is open on another node's word rather than from failures seen here.
    pub advised: bool,
    /// The last failures, newest first.
    pub samples: Vec<BreakerSample>,
}

/// What a breaker holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerScope {
    /// The whole provider.
    Provider,
    /// One of its addresses.
    Endpoint,
    /// One of its models.
    Model,
}

/// Whether requests pass a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// All do.
    Closed,
    /// None does.
    Open,
    /// A few do, to see.
    HalfOpen,
    /// It asked to be left alone for a while, and is, as long as there is another.
    Resting,
}

/// One failure a breaker has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose fault, by the name it has in the decision chain.
    pub fault: String,
    /// The upstream's status, if it answered.
    pub status: Option<u16>,
    /// What went wrong, in words, without any secret.
    pub message: String,
}

/// How one address of a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHealth {
    /// The address, without credentials.
    pub url: String,
    /// Whether requests are sent there: the last check was good, or there was none.
    pub healthy: bool,
    /// When it was last checked; none when nothing has been checked yet.
    pub checked_at: Option<DateTime<Utc>>,
    /// What its name resolved to, as address and port.
    pub addresses: Vec<String>,
    /// What the last check found wrong.
    pub error: Option<String>,
}

/// A request that might come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explain {
    /// The protocol its client speaks.
    pub protocol: Protocol,
    /// The model it asks for.
    pub model: String,
    /// The client key it is sent with.
    pub key_id: i64,
    /// The session it belongs to, as the client names it.
    pub session_id: Option<String>,
    /// Its `User-Agent`, by which the client is told.
    pub user_agent: Option<String>,
    /// Whether it asks for a stream.
    pub is_stream: bool,
}

/// A client protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Responses.
    Responses,
    /// OpenAI Chat Completions.
    Openai,
    /// Gemini API.
    Gemini,
    /// Code Assist, the Gemini CLI's backend.
    GeminiCli,
}

/// What would happen to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Every provider, kept or not.
    pub candidates: Vec<Candidate>,
    /// The provider it belongs to by its conversation, if there is one.
    pub nominee: Option<Nominee>,
    /// The tier the choice is made from; none when no provider is left.
    pub chosen_tier: Option<i32>,
    /// What else is to be said, in words.
    pub notes: Vec<String>,
}

/// A provider in the choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The provider.
    pub provider_id: i64,
    /// Its name.
    pub provider_name: String,
    /// Whether it may be chosen.
    pub kept: bool,
    /// Why it may not be.
    pub reasons: Vec<Reason>,
    /// Its tier for this caller.
    pub tier: i32,
    /// Its weight.
    pub weight: u32,
    /// Its chance of being the first that is tried, 0 to 1.
    pub probability: f64,
    /// Whether it is the nominee.
    pub is_nominee: bool,
}

/// A check that a provider does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which.
    pub code: ReasonCode,
    /// In words.
    pub text: String,
}

/// The checks, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonCode {
    /// It is switched off.
    Disabled,
    /// Its weight is 0.
    NoWeight,
    /// It does not speak the client's protocol.
    Protocol,
    /// It shares no group with the caller.
    Group,
    /// It is not for this client.
    Client,
    /// It may not be asked for the model.
    Model,
    /// Not at this hour.
    Schedule,
    /// No tries left in this request.
    Exhausted,
    /// Its breaker is open.
    BreakerOpen,
    /// It asked to be left alone for a while.
    Resting,
    /// It has as many requests as it may have at once.
    Busy,
    /// Its budget is spent.
    OverBudget,
}

/// The provider a conversation belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nominee {
    /// The provider.
    pub provider_id: i64,
    /// What ties the conversation to it, such as `session` or `prefix`.
    pub by: String,
    /// Whether the request stays there, and why; in words.
    pub reason: String,
}

/// Why a request cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The gateway serves no such key.
    #[error("The gateway knows no such key.")]
    UnknownKey,
    /// It cannot be said now; says why.
    #[error("{0}")]
    Unavailable(String),
}
