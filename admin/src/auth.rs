//! Who calls, and whether they may.

pub mod guard;
pub mod identity;
pub mod once;
pub mod peer;
pub mod session;
pub mod throttle;

/// The session cookie's name.
pub const COOKIE: &str = "switchyard-session";

/// The header that proves a cookie request was meant.
pub const CSRF_HEADER: &str = "x-csrf-token";
