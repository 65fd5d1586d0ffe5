//! An attempt's way: choose an upstream, connect, ask, hand on the answer, give the connection back.
//!
//! Pingora's proxying forwards one request to one upstream: a body that was read before is replayed only through a 64 KiB buffer, the answer goes
//! straight to the client, and what it does between the two is done for every request. Its subrequests lift the limits by running that whole
//! pipeline a second time, with a session and channels of its own, for a third of all that a small request cost here. An attempt needs none
//! of it. So it stands on the floor below: connections (`connections.rs`), and Pingora's client sessions for HTTP/1.1 (`h1.rs`) and HTTP/2 (`h2.rs`),
//! which read and write messages and know when a connection may be used again. What happens to request and answer between them is the attempt's own.
//!
//! It is no task of its own either: whoever waits for its answer polls it (`running.rs`). Nobody is woken between the upstream's socket and
//! the client's; an attempt that is dropped ends where it stands, its connection with it; and the upstream is held back while the client is
//! being written to.

mod h1;
mod h2;

use std::sync::Arc;

use pingora::ErrorType;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::protocols::http::client::HttpSession;
use pingora::protocols::http::v2::client::Http2Session;

use super::attempt::Attempt;
use super::connections::Connections;
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
    talk(attempt, &parts.connections, &peer)
        .await
        .map_err(|e| e.more_context(format!("peer {}", peer._address)))
}

async fn talk(attempt: &mut Attempt, connections: &Connections, peer: &HttpPeer) -> Result<()> {
    let (session, is_reused) = connections.get(peer).await.map_err(Error::into_up)?;
    attempt.report.reused_connection = is_reused;
    match session {
        HttpSession::H1(mut h1) => {
            if h1::ask(attempt, &mut h1, peer).await? {
                connections.put_back(HttpSession::H1(h1), peer).await;
            }
            Ok(())
        }
        HttpSession::H2(h2) => talk_h2(attempt, connections, peer, h2).await,
        HttpSession::Custom(()) => Error::e_explain(ErrorType::InternalError, "no such protocol"),
    }
}

/// An HTTP/2 connection is shared: this request's part of it goes back however it went.
async fn talk_h2(
    attempt: &mut Attempt,
    connections: &Connections,
    peer: &HttpPeer,
    mut h2: Http2Session,
) -> Result<()> {
    let asked = h2::ask(attempt, &mut h2, peer).await;
    connections.put_back(HttpSession::H2(h2), peer).await;
    if let Err(e) = &asked
        && matches!(e.etype(), ErrorType::H2Downgrade | ErrorType::InvalidH2)
    {
        connections.prefer_h1(peer);
    }
    asked
}
