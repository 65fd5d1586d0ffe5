//! The decision chain: what was tried for a request, in order, and why. It is stored as JSON with the request's log row.

use entity::value::Multiplier;
use serde::Serialize;

use super::fault::Fault;
use super::usage::{Provenance, Usage};

/// One attempt, as people read it afterwards.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptRecord {
    /// 1 for the first.
    pub attempt: u32,
    /// The provider tried; none when nobody was left.
    pub provider_id: Option<i64>,
    /// Its name at that time.
    pub provider_name: Option<String>,
    /// Which of its addresses: host, and port unless it is the scheme's own.
    pub endpoint: Option<String>,
    /// The model asked of it, after redirects.
    pub model: Option<String>,
    /// Why this provider and not another.
    pub selection: Selection,
    /// The provider's factor on prices.
    pub provider_multiplier: Multiplier,
    /// The factor of the group it was reached through.
    pub group_multiplier: Multiplier,
    /// The upstream's status, if it answered.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose fault, if it failed.
    pub fault: Option<Fault>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// The start of a failed attempt's body.
    pub error_body: Option<String>,
    /// Milliseconds the upstream asked to be left alone.
    pub retry_after_ms: Option<u64>,
    /// Microseconds from the request's arrival to the attempt's start.
    pub started_us: u64,
    /// Milliseconds the attempt took.
    pub duration_ms: u64,
    /// Milliseconds from the attempt's start to the first byte of the upstream's answer.
    pub ttfb_ms: Option<u64>,
    /// Milliseconds from the attempt's start to its first content.
    pub ttft_ms: Option<u64>,
    /// Edits made to the client's body for this attempt.
    pub edits: Vec<String>,
    /// Tokens reported.
    pub usage: Usage,
    /// Where the tokens come from.
    pub settled_from: Provenance,
}

/// Why a provider was chosen.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// The tier it was chosen from: lower goes first.
    pub tier: i32,
    /// Its weight.
    pub weight: u32,
    /// Its chance in that tier, 0 to 1.
    pub probability: f64,
    /// Providers considered at all.
    pub considered: usize,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client has the whole answer.
    Completed,
    /// It failed; the next attempt followed or the failure was passed on.
    Failed,
    /// The upstream broke off after the answer had begun.
    Cut,
    /// The client left before the end.
    ClientLeft,
    /// Another attempt of the same request was faster.
    Lost,
    /// There was nobody to try.
    Unserved,
}
