//! Table `request_log`: one row per client request. Bodies are never in it.

use sea_orm::entity::prelude::*;

use crate::value::ClientName;

/// What happened to one request. Its id is a `UUIDv7`, so ordering by id is ordering by time.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "request_log")]
pub struct Model {
    /// The request's id, as sent in `x-request-id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// When it arrived.
    pub created_at: DateTimeUtc,
    /// The user, if the credential was good.
    pub user_id: Option<i64>,
    /// The key, if the credential was good.
    pub key_id: Option<i64>,
    /// The provider whose answer the client got.
    pub provider_id: Option<i64>,
    /// The client's session, if it names one.
    pub session_id: Option<String>,
    /// Protocol name; empty when the path belongs to none.
    pub protocol: String,
    /// Method and path, without the query.
    pub endpoint: String,
    /// The model the client asked for.
    pub requested_model: Option<String>,
    /// The model the provider was asked for.
    pub model: Option<String>,
    /// The status the client got; 499 when it left before one.
    pub status: i32,
    /// Whether the answer was a stream.
    pub is_stream: bool,
    /// Our own reason when we refused.
    pub error_code: Option<String>,
    /// The failure in words.
    pub error_message: Option<String>,
    /// See `usage`.
    pub input_tokens: i64,
    /// See `usage`.
    pub cache_read_tokens: i64,
    /// See `usage`.
    pub cache_write5m_tokens: i64,
    /// See `usage`.
    pub cache_write1h_tokens: i64,
    /// See `usage`.
    pub output_tokens: i64,
    /// See `usage`.
    pub reasoning_tokens: i64,
    /// Nano-USD; none while it has no price.
    pub cost_nano_usd: Option<i64>,
    /// `terminal`, `partial`, `estimate` or `none`.
    pub settled_from: String,
    /// Milliseconds from arrival to the last byte.
    pub duration_ms: i64,
    /// Milliseconds from arrival to the first byte sent to the client.
    pub ttfb_ms: Option<i64>,
    /// Milliseconds from arrival to the first content.
    pub ttft_ms: Option<i64>,
    /// Microseconds from arrival to the first attempt: what we added before any upstream was asked.
    pub overhead_us: i64,
    /// Bytes of the request's body, decompressed.
    pub request_bytes: i64,
    /// Bytes of the answer's body.
    pub response_bytes: i64,
    /// The client's address.
    pub client_ip: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The program that called, by its `User-Agent`; unknown for requests older than the column.
    pub client: ClientName,
    /// The decision chain: an array of attempts.
    pub chain: Json,
}

/// Relations: none, history outlives what it points at.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
