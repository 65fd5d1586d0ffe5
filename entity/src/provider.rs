//! Table `providers`.

use sea_orm::entity::prelude::*;

use crate::value::{
    ActiveTime, BreakerSettings, GroupPriorities, Headers, HealthCheck, Limits, ModelRedirects,
    Multiplier, NameRules, ProviderType, Sealed, Strings, Timeouts,
};

/// Where `api_key` is sealed for, see [`crate::value::Sealer`].
pub const API_KEY_PLACE: &str = "provider/api_key";

/// Where `proxy_url` is sealed for.
pub const PROXY_URL_PLACE: &str = "provider/proxy_url";

/// An upstream that answers requests.
#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "providers")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Unique among providers that are not deleted.
    pub name: String,
    /// What it speaks.
    pub r#type: ProviderType,
    /// Its main address.
    pub url: String,
    /// Further addresses that answer the same.
    pub endpoints: Strings,
    /// Its credential, sealed.
    pub api_key: Sealed,
    /// Free text.
    pub note: String,
    /// Switched on.
    pub is_enabled: bool,
    /// Share among providers of the same tier, 0 to 100; 0 means never chosen.
    pub weight: i32,
    /// Tier: lower goes first.
    pub priority: i32,
    /// Tier per group, which wins over `priority`.
    pub group_priorities: GroupPriorities,
    /// Groups it belongs to; empty means `default`.
    pub group_tags: Strings,
    /// Models it may be asked for; empty means all.
    pub allowed_models: NameRules,
    /// Model names replaced on the way.
    pub model_redirects: ModelRedirects,
    /// Clients it is for; empty means all.
    pub allowed_clients: Strings,
    /// Clients it is not for, which wins.
    pub blocked_clients: Strings,
    /// The hours in which it is used; none means always.
    pub active_time: Option<ActiveTime>,
    /// Factor on the prices of what it answers.
    pub cost_multiplier: Multiplier,
    /// Tries at this provider in one request, 1 to 10.
    pub max_attempts: i32,
    /// Timeouts of one attempt.
    pub timeouts: Timeouts,
    /// When its breaker opens and closes.
    pub breaker: BreakerSettings,
    /// How its addresses are checked.
    pub health_check: HealthCheck,
    /// Milliseconds without content after which a second attempt starts beside one at this provider; 0 means never.
    pub hedge_after_ms: i64,
    /// Requests it may have at once; 0 means any number.
    pub max_concurrent: i32,
    /// What it may be used for; the requests it may have at once are `max_concurrent` and not in here.
    pub limits: Limits,
    /// The proxy on the way to it, sealed because it may hold a password.
    pub proxy_url: Option<Sealed>,
    /// Whether it is reached directly when the proxy cannot be.
    pub proxy_fallback_to_direct: bool,
    /// Headers added to every request.
    pub custom_headers: Headers,
    /// Whether the client's address is passed on.
    pub preserve_client_ip: bool,
    /// When created.
    pub created_at: DateTimeUtc,
    /// When last changed.
    pub updated_at: DateTimeUtc,
    /// When deleted.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Relations: none.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
