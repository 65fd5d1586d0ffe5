//! The integration tests: one binary, a module per capability. All of them go through the front door: the production assembly on a free
//! port, a scriptable fake upstream behind it.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

mod support;

mod aborts;
mod admin_side;
mod bodies;
mod credentials;
mod failover;
mod floors;
mod hot_reload;
mod logging;
mod refusals;
mod rewriting;
mod shutdown;
mod sizes;
mod streaming;
mod tls;
