//! The admin side through its front door: one module a capability.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod audit;
mod backup;
mod batch;
mod conforms;
mod document;
mod error_rules;
mod groups;
mod identity;
mod input;
mod lifecycle;
mod limits;
mod live;
mod login_sessions;
mod notifications;
mod once;
mod prices;
mod requests;
mod requests_search;
mod resources;
mod routing;
mod secrets;
mod serve;
mod settings;
mod support;
mod trials;
mod usage;
