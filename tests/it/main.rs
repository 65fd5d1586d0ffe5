//! The integration tests: one binary, a module per capability. All of them go through the front door: the production assembly on a free
//! port, a scriptable fake upstream behind it.

#![allow(
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::field_reassign_with_default,
    reason = "a test that cannot go on should stop there, and reads best as one table"
)]

mod support;

/// As in the binary, and because it can tell how much is in use: see `aborts`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod aborts;
mod admin_side;
mod bad_providers;
mod bodies;
mod breakers;
mod budgets;
mod cluster;
mod credentials;
mod ending;
mod failover;
mod floors;
mod forgetting;
mod health_checks;
mod hedging;
mod hot_reload;
mod http2;
mod importing;
mod ledger;
mod logging;
mod metering;
mod notifying;
mod outbound;
mod probing;
mod refusals;
mod rewriting;
mod routing;
mod scripts;
mod secrets;
mod shutdown;
mod sizes;
mod stickiness;
mod streaming;
mod time_zone;
mod tls;
mod trials;
mod usage_spans;
