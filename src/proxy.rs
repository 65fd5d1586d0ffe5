//! Floor 4: Pingora's hooks in firing order. Each delegates; what happens is in the file it names.
//!
//! The same hooks run for three kinds of request, told apart by their `Context`:
//!
//! - a **journey** is a client's request: it lives in `request_filter` from identify to the last byte (`journey.rs`), trying
//!   one **attempt** after another (`run.rs`), holding each answer until it is known to be one (`contender.rs`, `blame.rs`) and relaying
//!   the good one (`deliver.rs`, `relay.rs`); what is known of it stands in `facts.rs` and is settled in `settle.rs`;
//! - an **attempt** is a subrequest started by a journey (`subrequest.rs`) and passes the upstream hooks (`peer.rs`, `rewrite.rs`, `attempt.rs`);
//! - **admin** traffic is proxied to the admin service's socket as it is (`admin_side.rs`).

mod admin_side;
mod alarm;
mod attempt;
mod blame;
mod client_address;
mod contender;
mod context;
mod cork;
mod deliver;
mod facts;
mod fault;
mod in_place;
mod journey;
mod line;
mod live;
mod losers;
mod nudged;
mod parts;
mod peer;
mod relay;
mod reply;
mod report;
mod rewrite;
mod run;
mod settle;
mod shutdown;
mod stop;
mod subrequest;
mod tries;
mod tunnel;
mod upstream_head;
mod upstreams;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};

pub use admin_side::AdminSide;
use context::Context;
pub use journey::models::known_models;
pub use live::Live;
pub use parts::Parts;
pub use shutdown::Shutdown;
pub use subrequest::Template;
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

    fn allow_spawning_subrequest(&self, _session: &Session, ctx: &Context) -> bool {
        matches!(ctx, Context::Journey(_))
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
        ctx: &mut Context,
    ) -> Result<Box<HttpPeer>> {
        match ctx {
            Context::Attempt(attempt) => peer::choose(attempt, &self.parts).await,
            _ => self.parts.admin.peer(),
        }
    }

    async fn connected_to_upstream(
        &self,
        _session: &mut Session,
        reused: bool,
        _peer: &HttpPeer,
        _fd: std::os::unix::io::RawFd,
        digest: Option<&Digest>,
        ctx: &mut Context,
    ) -> Result<()> {
        if let Context::Attempt(attempt) = ctx {
            attempt.connected(reused, digest);
        }
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut Context,
    ) -> Result<()> {
        match ctx {
            Context::Attempt(attempt) => rewrite::request(attempt, request),
            _ => admin_side::request(session, request, &self.parts.trusted_proxies),
        }
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        ctx: &mut Context,
    ) -> Result<()> {
        if let Context::Attempt(attempt) = ctx {
            attempt.put_body(body, end_of_stream);
        }
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        _session: &mut Session,
        response: &mut ResponseHeader,
        ctx: &mut Context,
    ) -> Result<()> {
        if let Context::Attempt(attempt) = ctx {
            attempt.answered(response);
        }
        Ok(())
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        ctx: &mut Context,
    ) -> Result<Option<std::time::Duration>> {
        if let Context::Attempt(attempt) = ctx {
            attempt.passes(body, end_of_stream);
        }
        Ok(None)
    }

    fn error_while_proxy(
        &self,
        peer: &HttpPeer,
        _session: &mut Session,
        e: Box<Error>,
        _ctx: &mut Context,
        _client_reused: bool,
    ) -> Box<Error> {
        fault::final_error(peer, e)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        e: &Error,
        ctx: &mut Context,
    ) -> FailToProxy {
        match ctx {
            Context::Attempt(attempt) => attempt.failed(e),
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
        matches!(ctx, Context::Attempt(_) | Context::Journey(_))
    }
}
