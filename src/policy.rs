//! Floor 3: decisions. Each takes only the facts it needs and knows neither HTTP hooks nor tables.

pub mod access;
pub mod affinity;
pub mod authn;
pub mod breaker;
pub mod egress;
pub mod flights;
pub mod hedge;
pub mod inflight;
pub mod notify;
pub mod pricing;
pub mod quota;
pub mod retry;
pub mod routing;
pub mod select;
