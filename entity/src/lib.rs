//! Floor 0: the tables, one file each, and the typed values their columns hold.
//!
//! Knows the shape of what is stored and how a stored secret is sealed; knows nothing of requests, of HTTP or of who reads it.

pub mod admin_session;
pub mod api_key;
pub mod audit;
pub mod breaker_state;
pub mod error_rule;
pub mod idempotency;
pub mod import;
pub mod key_origin;
pub mod notification_delivery;
pub mod notification_quiet;
pub mod notification_rule;
pub mod notification_target;
pub mod price;
pub mod provider;
pub mod provider_group;
pub mod request_log;
pub mod revision;
pub mod setting;
pub mod usage;
pub mod usage_hourly;
pub mod usage_span;
pub mod user;
pub mod value;
