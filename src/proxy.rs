//! Floor 4: Pingora's hooks in firing order. Each delegates; what happens is in the file it names.
//!
//! The same hooks run for two kinds of request, told apart by their `Context`:
//!
//! - a **journey** is a client's request: it lives in `request_filter` from identify to the last byte (`journey.rs`), trying
//!   one **attempt** after another (`run.rs`), holding each answer until it is known to be one (`contender.rs`, `blame.rs`) and relaying
//!   the good one (`deliver.rs`, `relay.rs`); what is known of it stands in `facts.rs` and is settled in `settle.rs`;
//! - **admin** traffic is proxied to the admin service's socket as it is (`admin_side.rs`).
//!
//! An attempt has no hooks. It is one exchange with an upstream (`exchange.rs`): a provider is chosen (`peer.rs`), the head made for it
//! (`rewrite.rs`), and the answer looked into on its way (`attempt.rs`); its journey holds it by `running.rs`.

mod admin_side;
mod alarm;
mod attempt;
mod blame;
mod client_address;
mod connections;
mod contender;
mod context;
mod cork;
mod deliver;
mod exchange;
mod facts;
mod fault;
mod in_place;
mod journey;
mod line;
mod live;
mod losers;
mod parts;
mod peer;
mod relay;
mod reply;
mod report;
mod rewrite;
mod run;
mod running;
mod settle;
mod shutdown;
mod stop;
mod tries;
mod tunnel;
mod upstream_head;
mod upstreams;

use std::sync::Arc;

use async_trait::async_trait;
use pingora::http::RequestHeader;
use pingora::modules::http::HttpModules;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::proxy::{FailToProxy, ProxyHttp, Session};

pub use admin_side::AdminSide;
pub use connections::Connections;
use context::Context;
pub use journey::models::known_models;
pub use live::Live;
pub use parts::Parts;
pub use shutdown::Shutdown;
pub use upstreams::{
    AskError, Endpoint, EndpointHealth, ReachError, Reached, Told, Trial, Upstreams,
};

/// The gateway as Pingora sees it.
pub struct Gateway {
    parts: Arc<Parts>,
}

impl Gateway {
    /// A gateway over its parts.
    #[must_use]
    pub fn new(parts: Arc<Parts>) -> Self {
        Self { parts }
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context::Unset
    }

    /// Pingora's own choice is to compress, switched off, which still takes part in every request.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, ctx: &mut Context) -> Result<()> {
        *ctx = context::of(session, &self.parts);
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Context) -> Result<bool> {
        match ctx {
            Context::Journey(journey) => {
                in_place::in_place(|| journey.run(session, &self.parts)).await
            }
            _ => Ok(false),
        }
    }

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _ctx: &mut Context,
    ) -> Result<Box<HttpPeer>> {
        self.parts.admin.peer()
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        _ctx: &mut Context,
    ) -> Result<()> {
        admin_side::request(session, request, &self.parts.trusted_proxies)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        e: &Error,
        ctx: &mut Context,
    ) -> FailToProxy {
        match ctx {
            Context::Journey(journey) => journey.failed(e),
            Context::Admin(_) | Context::Unset => admin_side::failed(session, e).await,
        }
    }

    async fn logging(&self, _session: &mut Session, _e: Option<&Error>, ctx: &mut Context) {
        if let Context::Journey(journey) = std::mem::replace(ctx, Context::Unset) {
            journey.finish();
        }
    }

    fn suppress_error_log(&self, _session: &Session, ctx: &Context, _error: &Error) -> bool {
        matches!(ctx, Context::Journey(_))
    }
}
