//! What a request carries through the hooks.

use std::sync::Arc;

use pingora::proxy::Session;

use super::admin_side;
use super::journey::Journey;
use super::live::LiveGuard;
use super::parts::Parts;

/// A request's state, by its kind.
pub enum Context {
    /// Before the first hook.
    Unset,
    /// Dashboard, admin API and health, counted as under way.
    Admin(LiveGuard),
    /// A client's request.
    Journey(Box<Journey>),
}

/// Tells what kind of request this is.
pub fn of(session: &Session, parts: &Arc<Parts>) -> Context {
    if admin_side::is_for_admin(session.req_header(), &parts.admin) {
        return Context::Admin(parts.live.enter());
    }
    Context::Journey(Box::new(Journey::begin(session, parts)))
}
