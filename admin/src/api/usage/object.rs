//! Usage as it is answered.

use chrono::{DateTime, Utc};
use entity::value;
use poem_openapi::{Enum, Object};

use crate::{api::decimal::usd, query::usage};

/// Sums of usage. Tokens are in disjoint buckets; `reasoningTokens` is a part of `outputTokens`.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Usage {
    /// Requests with a good credential, refused ones included.
    pub requests: i64,
    /// Those of them that were answered with an error; those left by their client do not count.
    pub failures: i64,
    /// Attempts at providers that may have cost something.
    pub attempts: i64,
    /// Prompt tokens neither read from nor written to a cache.
    pub input_tokens: i64,
    /// Prompt tokens read from a cache.
    pub cache_read_tokens: i64,
    /// Prompt tokens written to a cache for five minutes.
    pub cache_write5m_tokens: i64,
    /// Prompt tokens written to a cache for an hour.
    pub cache_write1h_tokens: i64,
    /// Generated tokens.
    pub output_tokens: i64,
    /// The part of them spent on reasoning.
    pub reasoning_tokens: i64,
    /// Image tokens of prompts.
    pub image_input_tokens: i64,
    /// Image tokens generated.
    pub image_output_tokens: i64,
    /// Tokens of all kinds.
    pub total_tokens: i64,
    /// US dollars, a decimal.
    pub cost_usd: String,
    /// Attempts with usage that had no price: their cost is not in `costUsd`.
    pub unpriced_attempts: i64,
    /// Attempts by where their usage comes from.
    pub settled_from: SettledFrom,
}

/// Attempts by where their usage comes from.
#[derive(Debug, Object)]
pub struct SettledFrom {
    /// The upstream's final word.
    pub terminal: i64,
    /// What the upstream had said before it was cut.
    pub partial: i64,
    /// An estimate.
    pub estimate: i64,
    /// None is known.
    pub none: i64,
}

/// Usage of a span of time.
#[derive(Debug, Object)]
pub struct UsagePoint {
    /// When the hour or the day begins.
    pub start: DateTime<Utc>,
    /// What was used in it.
    pub usage: Usage,
}

/// Usage over time.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UsageSeries {
    /// The time zone of the days.
    pub time_zone: String,
    /// Every hour or day, the first one first, those without usage included.
    pub items: Vec<UsagePoint>,
    /// The largest, the largest first; null where it is not sorted out. What is missing to `items` is everybody else's.
    #[oai(nullable)]
    pub members: Option<Vec<UsageMember>>,
}

/// One user, key, provider, model or client of a series.
#[derive(Debug, Object)]
pub struct UsageMember {
    /// Its id; null for a model or client, and for requests no provider served.
    #[oai(nullable)]
    pub id: Option<i64>,
    /// Its name; null where there is none any more.
    #[oai(nullable)]
    pub name: Option<String>,
    /// What was used in all of the span.
    pub usage: Usage,
    /// Its part of each of the series' `items`, in their order.
    pub slices: Vec<UsageSlice>,
}

/// What was used in an hour or a day, in short.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UsageSlice {
    /// Requests.
    pub requests: i64,
    /// Those of them that were answered with an error.
    pub failures: i64,
    /// Tokens of all kinds.
    pub total_tokens: i64,
    /// US dollars, a decimal.
    pub cost_usd: String,
}

/// Usage of one user, key, provider, model or client.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UsageShare {
    /// Its place, from 1.
    pub rank: u64,
    /// Its id; null for a model or client, and for requests no provider served.
    #[oai(nullable)]
    pub id: Option<i64>,
    /// Its name; null where there is none any more.
    #[oai(nullable)]
    pub name: Option<String>,
    /// What was used.
    pub usage: Usage,
}

/// A page of shares.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UsageShareList {
    /// The shares, the largest first.
    pub items: Vec<UsageShare>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// Who used how much in a span of time.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Leaderboard {
    /// Where the span begins.
    pub from: DateTime<Utc>,
    /// Where it ends.
    pub to: DateTime<Utc>,
    /// The shares, the largest first.
    pub items: Vec<UsageShare>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// What one user, key or provider has used.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UsageSummary {
    /// The time zone of day, week and month.
    pub time_zone: String,
    /// Since midnight.
    pub today: Usage,
    /// Since Monday.
    pub week: Usage,
    /// Since the first of the month.
    pub month: Usage,
    /// At all.
    pub total: Usage,
}

/// Steps of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum UsageInterval {
    /// Hours.
    Hour,
    /// Days in the system's time zone.
    Day,
}

/// What usage is sorted out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum UsageBy {
    /// Who pays.
    User,
    /// With which key.
    Key,
    /// Who served.
    Provider,
    /// Which model.
    Model,
    /// Which program called.
    Client,
}

/// What shares are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum UsageSort {
    /// What was spent.
    Cost,
    /// Requests.
    Requests,
    /// Tokens of all kinds.
    Tokens,
}

/// The span of a leaderboard, in the system's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum LeaderboardPeriod {
    /// Today.
    Day,
    /// This week, from Monday.
    Week,
    /// This month.
    Month,
    /// As `from` and `to` say.
    Custom,
}

/// The program that called, whatever its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum ClientName {
    /// Claude Code on any surface.
    ClaudeCode,
    /// Codex on any surface.
    CodexCli,
    /// The Gemini CLI.
    GeminiCli,
    /// The coding agent of that name.
    Opencode,
    /// A program that uses Anthropic's SDK.
    AnthropicSdk,
    /// A program that uses OpenAI's SDK.
    OpenaiSdk,
    /// A program that uses Google's SDK.
    GoogleSdk,
    /// It said nothing of itself.
    Unknown,
    /// Any other program.
    Other,
}

// === conversions ===

impl From<usage::Sums> for Usage {
    fn from(sums: usage::Sums) -> Self {
        let settled_from = SettledFrom {
            terminal: sums.attempts_terminal,
            partial: sums.attempts_partial,
            estimate: sums.attempts_estimate,
            none: sums.attempts_none,
        };
        Self {
            requests: sums.requests,
            failures: sums.failures,
            attempts: settled_from.terminal
                + settled_from.partial
                + settled_from.estimate
                + settled_from.none,
            total_tokens: sums.tokens(),
            input_tokens: sums.input_tokens,
            cache_read_tokens: sums.cache_read_tokens,
            cache_write5m_tokens: sums.cache_write5m_tokens,
            cache_write1h_tokens: sums.cache_write1h_tokens,
            output_tokens: sums.output_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            image_input_tokens: sums.image_input_tokens,
            image_output_tokens: sums.image_output_tokens,
            cost_usd: usd(sums.cost_nano_usd),
            unpriced_attempts: sums.attempts_unpriced,
            settled_from,
        }
    }
}

impl From<&usage::Slice> for UsageSlice {
    fn from(slice: &usage::Slice) -> Self {
        Self {
            requests: slice.requests,
            failures: slice.failures,
            total_tokens: slice.tokens,
            cost_usd: usd(slice.cost_nano_usd),
        }
    }
}

impl From<UsageBy> for usage::By {
    fn from(by: UsageBy) -> Self {
        match by {
            UsageBy::User => Self::User,
            UsageBy::Key => Self::Key,
            UsageBy::Provider => Self::Provider,
            UsageBy::Model => Self::Model,
            UsageBy::Client => Self::Client,
        }
    }
}

impl From<UsageSort> for usage::Sort {
    fn from(sort: UsageSort) -> Self {
        match sort {
            UsageSort::Cost => Self::Cost,
            UsageSort::Requests => Self::Requests,
            UsageSort::Tokens => Self::Tokens,
        }
    }
}

impl From<value::ClientName> for ClientName {
    fn from(client: value::ClientName) -> Self {
        match client {
            value::ClientName::ClaudeCode => Self::ClaudeCode,
            value::ClientName::CodexCli => Self::CodexCli,
            value::ClientName::GeminiCli => Self::GeminiCli,
            value::ClientName::Opencode => Self::Opencode,
            value::ClientName::AnthropicSdk => Self::AnthropicSdk,
            value::ClientName::OpenaiSdk => Self::OpenaiSdk,
            value::ClientName::GoogleSdk => Self::GoogleSdk,
            value::ClientName::Unknown => Self::Unknown,
            value::ClientName::Other => Self::Other,
        }
    }
}

impl From<ClientName> for value::ClientName {
    fn from(client: ClientName) -> Self {
        match client {
            ClientName::ClaudeCode => Self::ClaudeCode,
            ClientName::CodexCli => Self::CodexCli,
            ClientName::GeminiCli => Self::GeminiCli,
            ClientName::Opencode => Self::Opencode,
            ClientName::AnthropicSdk => Self::AnthropicSdk,
            ClientName::OpenaiSdk => Self::OpenaiSdk,
            ClientName::GoogleSdk => Self::GoogleSdk,
            ClientName::Unknown => Self::Unknown,
            ClientName::Other => Self::Other,
        }
    }
}
