//! Floor 1: what the gateway talks about. Pure values: no async, no IO, no HTTP library beyond its constants.

pub mod caller;
pub mod chain;
pub mod client;
pub mod client_name;
pub mod error_rule;
pub mod fault;
pub mod json;
pub mod limits;
pub mod money;
pub mod notice;
pub mod outbound;
pub mod pattern;
pub mod price;
pub mod protocol;
pub mod provider;
pub mod refusal;
pub mod usage;
pub mod window;
