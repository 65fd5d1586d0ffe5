//! A request as it is answered.

use chrono::{DateTime, Utc};
use entity::request_log;
use poem_openapi::Object;
use uuid::Uuid;

use super::chain::{self, Attempt};
use crate::{
    api::{decimal::usd, usage::ClientName},
    auth::identity::Identity,
};

/// Tokens in disjoint buckets; `reasoningTokens` is a part of `outputTokens`.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct RequestUsage {
    /// Prompt tokens neither read from nor written to a cache.
    pub input_tokens: i64,
    /// Prompt tokens read from a cache.
    pub cache_read_tokens: i64,
    /// Prompt tokens written to a cache for five minutes.
    #[oai(rename = "cacheWrite5mTokens")]
    pub cache_write5m_tokens: i64,
    /// Prompt tokens written to a cache for an hour.
    #[oai(rename = "cacheWrite1hTokens")]
    pub cache_write1h_tokens: i64,
    /// Generated tokens.
    pub output_tokens: i64,
    /// The part of them spent on reasoning.
    pub reasoning_tokens: i64,
}

/// One request of the log.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct RequestRow {
    /// The request's id, as in `x-request-id`.
    pub id: Uuid,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// The user, if the credential was good.
    #[oai(nullable)]
    pub user_id: Option<i64>,
    /// The key, if the credential was good.
    #[oai(nullable)]
    pub key_id: Option<i64>,
    /// The provider whose answer the client got; for admins.
    #[oai(nullable)]
    pub provider_id: Option<i64>,
    /// The client's session, if it names one.
    #[oai(nullable)]
    pub session_id: Option<String>,
    /// Protocol name; empty when the path belongs to none.
    pub protocol: String,
    /// Method and path, without the query.
    pub endpoint: String,
    /// The model the client asked for.
    #[oai(nullable)]
    pub requested_model: Option<String>,
    /// The model the provider was asked for.
    #[oai(nullable)]
    pub model: Option<String>,
    /// The status the client got; 499 when it left before one.
    pub status: i32,
    /// Whether the answer was a stream.
    pub is_stream: bool,
    /// Tokens.
    pub usage: RequestUsage,
    /// US dollars, as a decimal; null while it has no price.
    #[oai(nullable)]
    pub cost_usd: Option<String>,
    /// Where the tokens come from: `terminal`, `partial`, `estimate` or `none`.
    pub settled_from: String,
    /// Milliseconds from arrival to the last byte.
    pub duration_ms: i64,
    /// Milliseconds from arrival to the first byte sent to the client.
    #[oai(nullable)]
    pub ttfb_ms: Option<i64>,
    /// Milliseconds from arrival to the first content.
    #[oai(nullable)]
    pub ttft_ms: Option<i64>,
    /// Milliseconds, with fractions, from arrival to the first attempt: what the gateway added.
    pub overhead_ms: f64,
    /// Bytes of the request's body, decompressed.
    pub request_bytes: i64,
    /// Bytes of the answer's body.
    pub response_bytes: i64,
    /// The client's address.
    #[oai(nullable)]
    pub client_ip: Option<String>,
    /// The client's `User-Agent`.
    #[oai(nullable)]
    pub user_agent: Option<String>,
    /// The program that called.
    pub client: ClientName,
    /// The gateway's own reason when it refused.
    #[oai(nullable)]
    pub error_code: Option<String>,
    /// The failure in words; for admins.
    #[oai(nullable)]
    pub error_message: Option<String>,
}

/// One request with its decision chain.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct RequestDetail {
    /// The row.
    #[oai(flatten)]
    pub row: RequestRow,
    /// What was tried, in order, and why; empty for callers who are not admins.
    pub chain: Vec<Attempt>,
}

/// A page of requests.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct RequestList {
    /// The requests, newest first.
    pub items: Vec<RequestRow>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
    /// How far back the search came, where it ended before the page was full; null otherwise.
    #[oai(nullable)]
    pub searched_to: Option<DateTime<Utc>>,
}

// === impl RequestRow ===

impl RequestRow {
    /// What `caller` is told of a row. Which providers there are, and what they said, is the operator's own affair.
    pub fn new(caller: &Identity, row: &request_log::Model) -> Self {
        let is_admin = caller.only_user().is_none();
        Self {
            id: row.id,
            created_at: row.created_at,
            user_id: row.user_id,
            key_id: row.key_id,
            provider_id: row.provider_id.filter(|_| is_admin),
            session_id: row.session_id.clone(),
            protocol: row.protocol.clone(),
            endpoint: row.endpoint.clone(),
            requested_model: row.requested_model.clone(),
            model: row.model.clone(),
            status: row.status,
            is_stream: row.is_stream,
            usage: RequestUsage::from(row),
            cost_usd: row.cost_nano_usd.map(usd),
            settled_from: row.settled_from.clone(),
            duration_ms: row.duration_ms,
            ttfb_ms: row.ttfb_ms,
            ttft_ms: row.ttft_ms,
            overhead_ms: row.overhead_us as f64 / 1000.0,
            request_bytes: row.request_bytes,
            response_bytes: row.response_bytes,
            client_ip: row.client_ip.clone(),
            user_agent: row.user_agent.clone(),
            client: row.client.into(),
            error_code: row.error_code.clone(),
            error_message: row.error_message.clone().filter(|_| is_admin),
        }
    }
}

impl From<&request_log::Model> for RequestUsage {
    fn from(row: &request_log::Model) -> Self {
        Self {
            input_tokens: row.input_tokens,
            cache_read_tokens: row.cache_read_tokens,
            cache_write5m_tokens: row.cache_write5m_tokens,
            cache_write1h_tokens: row.cache_write1h_tokens,
            output_tokens: row.output_tokens,
            reasoning_tokens: row.reasoning_tokens,
        }
    }
}

// === impl RequestDetail ===

impl RequestDetail {
    /// What `caller` is told of a row and its chain.
    pub fn new(caller: &Identity, row: &request_log::Model) -> Self {
        let is_admin = caller.only_user().is_none();
        Self {
            row: RequestRow::new(caller, row),
            chain: if is_admin {
                chain::read(&row.chain)
            } else {
                Vec::new()
            },
        }
    }
}
