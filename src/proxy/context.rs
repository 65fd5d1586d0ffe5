//! What a request carries through the hooks.

use std::sync::Arc;

use pingora::proxy::Session;

use super::attempt::Attempt;
use super::journey::Journey;
use super::live::LiveGuard;
use super::parts::Parts;
use super::{admin_side, subrequest};

/// A request's state, by its kind.
pub enum Context {
    /// Before the first hook.
    Unset,
    /// Dashboard, admin API and health, counted as under way.
    Admin(LiveGuard),
    /// A client's request.
    Journey(Box<Journey>),
    /// A try at an upstream, in a subrequest.
    Attempt(Box<Attempt>),
}

/// Tells what kind of request this is.
pub fn of(session: &mut Session, parts: &Arc<Parts>) -> Context {
    if session.subrequest_ctx.is_some() {
        return match subrequest::take_attempt(session) {
            Some(attempt) => Context::Attempt(attempt),
            None => Context::Unset,
        };
    }
    if admin_side::is_for_admin(session.req_header(), &parts.admin) {
        return Context::Admin(parts.live.enter());
    }
    Context::Journey(Box::new(Journey::begin(session, parts)))
}
