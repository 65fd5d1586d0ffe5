//! Table `usage_lines`: the only truth for money. One line per attempt that may have cost something.

use sea_orm::entity::prelude::*;

use crate::value::{ClientName, Multiplier};

/// What one attempt used. Token buckets are disjoint; `reasoning_tokens` is a part of `output_tokens`.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_lines")]
pub struct Model {
    /// `UUIDv7`; a line written twice is one line.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The request.
    pub request_id: Uuid,
    /// 1 for its first attempt.
    pub attempt: i32,
    /// When the attempt ended.
    pub created_at: DateTimeUtc,
    /// Who pays.
    pub user_id: i64,
    /// With which key.
    pub key_id: i64,
    /// Who served.
    pub provider_id: i64,
    /// The model the client asked for.
    pub requested_model: Option<String>,
    /// The model the provider was asked for.
    pub model: Option<String>,
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
    /// Image tokens of the prompt.
    pub image_input_tokens: i64,
    /// Image tokens generated.
    pub image_output_tokens: i64,
    /// Nano-USD; none while it has no price.
    pub cost_nano_usd: Option<i64>,
    /// The price it was priced by, as [`crate::value::price::Priced::reference`] has it; none while it has no price.
    pub price_ref: Option<String>,
    /// The tier of service it was served in, as [`crate::value::price::ServiceTier`] names it; none is the list price.
    pub service_tier: Option<String>,
    /// The provider's factor when it was served; none is one.
    pub provider_multiplier: Option<Multiplier>,
    /// The group's factor when it was served; none is one.
    pub group_multiplier: Option<Multiplier>,
    /// The program that called. The ledger fills it in, by the request's `User-Agent`.
    pub client: ClientName,
    /// `terminal`, `partial`, `estimate` or `none`.
    pub settled_from: String,
    /// The upstream's own usage object, kept for reading again.
    pub raw: Option<String>,
}

/// Relations: none, history outlives what it points at.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
