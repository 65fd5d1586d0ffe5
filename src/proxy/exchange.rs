//! An attempt's way: choose an upstream, connect, ask, hand on the answer, give the connection back.
//!
//! Pingora's proxying forwards one request to one upstream: a body that was read before is replayed only through a 64 KiB buffer, the answer goes
//! straight to the client, and what it does between the two is done for every request. Its subrequests lift the limits by running that whole
//! pipeline a second time, with a session and channels of its own, for a third of all that a small request cost here. An attempt needs none
//! of it. So it stands on the floor below: Pingora's pool of connections, and its client sessions for HTTP/1.1 (`h1.rs`) and HTTP/2 (`h2.rs`), which
//! read and write messages and know when a connection may be used again. What happens to request and answer between them is the attempt's own.
//!
//! It is no task of its own either: whoever waits for its answer polls it (`running.rs`). Nobody is woken between the upstream's socket and
//! the client's; an attempt that is dropped ends where it stands, its connection with it; and the upstream is held back while the client is
//! being written to.

mod h1;
mod h2;

use std::sync::Arc;

use pingora::ErrorType;
use pingora::connectors::http::Connector;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::protocols::http::client::HttpSession;
use pingora::protocols::http::v2::client::Http2Session;
use pingora::upstreams::peer::Peer;

use super::attempt::Attempt;
use super::parts::Parts;
use super::peer;

/// Goes all the way. How it went stands in the attempt's report.
pub async fn run(mut attempt: Box<Attempt>, parts: Arc<Parts>) {
    if let Err(e) = go(&mut attempt, &parts).await {
        attempt.failed(&e);
    }
}

async fn go(attempt: &mut Attempt, parts: &Parts) -> Result<()> {
    let peer = peer::choose(attempt, parts).await?;
    talk(attempt, &parts.connector, &peer)
        .await
        .map_err(|e| e.more_context(format!("peer {}", peer._address)))
}

async fn talk(attempt: &mut Attempt, connector: &Connector, peer: &HttpPeer) -> Result<()> {
    let (session, is_reused) = connector
        .get_http_session(peer)
        .await
        .map_err(Error::into_up)?;
    attempt.report.reused_connection = is_reused;
    match session {
        HttpSession::H1(mut h1) => {
            if h1::ask(attempt, &mut h1, peer).await? {
                let session = HttpSession::H1(h1);
                connector
                    .release_http_session(session, peer, peer.idle_timeout())
                    .await;
            }
            Ok(())
        }
        HttpSession::H2(h2) => talk_h2(attempt, connector, peer, h2).await,
        HttpSession::Custom(()) => Error::e_explain(ErrorType::InternalError, "no such protocol"),
    }
}

/// An HTTP/2 connection is shared: this request's part of it goes back however it went.
async fn talk_h2(
    attempt: &mut Attempt,
    connector: &Connector,
    peer: &HttpPeer,
    mut h2: Http2Session,
) -> Result<()> {
    let asked = h2::ask(attempt, &mut h2, peer).await;
    connector
        .release_http_session(HttpSession::H2(h2), peer, peer.idle_timeout())
        .await;
    if let Err(e) = &asked
        && matches!(e.etype(), ErrorType::H2Downgrade | ErrorType::InvalidH2)
    {
        connector.prefer_h1(peer);
    }
    asked
}
