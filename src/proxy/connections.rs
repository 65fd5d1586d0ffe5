//! Connections to providers: one that stands idle, or a new one.
//!
//! New ones are Pingora's, and so are those of HTTP/2, which many requests share. Idle ones of HTTP/1.1 are kept here. Pingora's own pool puts a task
//! on every idle connection, to notice at once when its server hangs up; a request that takes one wakes that task and waits until it has let
//! go, and one that gives it back starts another. At a request each that was a tenth of all that a small request cost. What stands idle here is
//! watched by nobody: it is looked at when it is taken, which finds what is closed as surely, and once a second all of them are, so that what was
//! closed meanwhile, or has stood for too long, is let go.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use parking_lot::Mutex;
use pingora::connectors::http::Connector;
use pingora::prelude::{HttpPeer, Result};
use pingora::protocols::Stream;
use pingora::protocols::http::client::HttpSession;
use pingora::protocols::http::v1;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::upstreams::peer::Peer;
use tokio::io::AsyncReadExt;
use tokio::task::unconstrained;

use super::upstreams::tools::connector_options;

/// Connections to providers.
pub struct Connections {
    connector: Connector,
    idle: Mutex<Idle>,
}

/// Those that stand idle, by what their peers are told apart by; the last to come is the first to go.
#[derive(Default)]
struct Idle {
    by_peer: HashMap<u64, Vec<Standing>>,
    count: usize,
}

/// A connection that stands idle.
struct Standing {
    address: SocketAddr,
    stream: Stream,
    since: Instant,
    limit: Duration,
}

/// Idle connections kept in all.
const MOST: usize = 1024;

// === impl Connections ===

impl Connections {
    /// None yet. Providers are trusted by what is in `ca_file`, if there is one, or by what the system trusts.
    #[must_use]
    pub fn new(ca_file: Option<&Path>) -> Self {
        Self {
            connector: Connector::new(Some(connector_options(ca_file, MOST))),
            idle: Mutex::default(),
        }
    }

    /// A connection to a peer, and whether it was used before.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn get(&self, peer: &HttpPeer) -> Result<(HttpSession, bool)> {
        match self.take_idle(peer) {
            Some(stream) => {
                let session = v1::client::HttpSession::new_with_options(stream, peer);
                Ok((HttpSession::H1(session), true))
            }
            None => self.connector.get_http_session(peer).await,
        }
    }

    /// Gives one back. What cannot be used again is closed.
    pub async fn put_back(&self, session: HttpSession, peer: &HttpPeer) {
        match session {
            HttpSession::H1(mut session) => {
                session.respect_keepalive();
                if let Some(stream) = session.reuse().await {
                    self.keep(stream, peer);
                }
            }
            session => {
                self.connector
                    .release_http_session(session, peer, peer.idle_timeout())
                    .await;
            }
        }
    }

    /// A peer that was offered HTTP/2 and is no good at it gets HTTP/1.1 from now on.
    pub fn prefer_h1(&self, peer: &HttpPeer) {
        self.connector.prefer_h1(peer);
    }

    /// Lets go of those that are closed or have stood for too long.
    pub fn sweep(&self, now: Instant) {
        let mut idle = self.idle.lock();
        let mut count = 0;
        idle.by_peer.retain(|_, standing| {
            standing.retain_mut(|one| one.may_stay(now) && is_open(&mut one.stream));
            count += standing.len();
            !standing.is_empty()
        });
        idle.count = count;
    }

    fn take_idle(&self, peer: &HttpPeer) -> Option<Stream> {
        let key = peer.reuse_hash();
        loop {
            let mut one = self.idle.lock().pop(key)?;
            if one.address == peer._address && is_open(&mut one.stream) {
                return Some(one.stream);
            }
        }
    }

    fn keep(&self, stream: Stream, peer: &HttpPeer) {
        let limit = peer.idle_timeout().unwrap_or(Duration::MAX);
        if limit.is_zero() {
            return;
        }
        let one = Standing {
            address: peer._address.clone(),
            stream,
            since: Instant::now(),
            limit,
        };
        self.idle.lock().push(peer.reuse_hash(), one);
    }
}

// === impl Idle ===

impl Idle {
    fn pop(&mut self, key: u64) -> Option<Standing> {
        let one = self.by_peer.get_mut(&key)?.pop()?;
        self.count -= 1;
        Some(one)
    }

    /// One more than there may be is closed.
    fn push(&mut self, key: u64, one: Standing) {
        if self.count < MOST {
            self.by_peer.entry(key).or_default().push(one);
            self.count += 1;
        }
    }
}

// === impl Standing ===

impl Standing {
    fn may_stay(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < self.limit
    }
}

/// Whether a connection that stands idle is as it was left. A server that says anything without being asked says goodbye.
fn is_open(stream: &mut Stream) -> bool {
    let mut byte = [0];
    // Without a budget of its own a read that is ready may say that it is not.
    unconstrained(stream.read(&mut byte))
        .now_or_never()
        .is_none()
}

#[cfg(test)]
mod tests {
    use pingora::protocols::l4::stream::Stream as Socket;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair(listener: &TcpListener) -> (Stream, TcpStream) {
        let at = listener.local_addr().unwrap();
        let ours = TcpStream::connect(at).await.unwrap();
        let (theirs, _) = listener.accept().await.unwrap();
        (Box::new(Socket::from(ours)), theirs)
    }

    async fn settled(connections: &Connections, is: impl Fn(&Idle) -> bool) {
        for _ in 0..500 {
            connections.sweep(Instant::now());
            if is(&connections.idle.lock()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not come to that");
    }

    #[tokio::test]
    async fn the_last_to_come_is_the_first_to_go_and_only_to_its_own_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let connections = Connections::new(None);
        let peer = HttpPeer::new(at, false, String::new());
        let mut other = HttpPeer::new(at, false, String::new());
        other.group_key = 1;
        let (first, _first) = pair(&listener).await;
        let (second, _second) = pair(&listener).await;
        let ids = [first.id(), second.id()];
        connections.keep(first, &peer);
        connections.keep(second, &peer);
        assert!(connections.take_idle(&other).is_none());
        assert_eq!(connections.take_idle(&peer).unwrap().id(), ids[1]);
        assert_eq!(connections.take_idle(&peer).unwrap().id(), ids[0]);
        assert!(connections.take_idle(&peer).is_none());
        assert_eq!(connections.idle.lock().count, 0);
    }

    #[tokio::test]
    async fn what_was_closed_or_spoke_is_neither_used_nor_kept() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = HttpPeer::new(listener.local_addr().unwrap(), false, String::new());
        let connections = Connections::new(None);
        let (good, _kept) = pair(&listener).await;
        let (closed, theirs) = pair(&listener).await;
        let (chatty, mut says) = pair(&listener).await;
        let id = good.id();
        for stream in [good, closed, chatty] {
            connections.keep(stream, &peer);
        }
        drop(theirs);
        says.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
            .await
            .unwrap();
        settled(&connections, |idle| idle.count == 1).await;
        assert_eq!(connections.take_idle(&peer).unwrap().id(), id);
    }

    #[tokio::test]
    async fn what_stood_for_too_long_is_closed_and_what_must_not_stand_is_not_kept() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = HttpPeer::new(listener.local_addr().unwrap(), false, String::new());
        let connections = Connections::new(None);
        peer.options.idle_timeout = Some(Duration::ZERO);
        connections.keep(pair(&listener).await.0, &peer);
        assert_eq!(connections.idle.lock().count, 0);
        peer.options.idle_timeout = Some(Duration::from_secs(55));
        let (stream, mut theirs) = pair(&listener).await;
        connections.keep(stream, &peer);
        connections.sweep(Instant::now() + Duration::from_secs(54));
        assert_eq!(connections.idle.lock().count, 1);
        connections.sweep(Instant::now() + Duration::from_secs(56));
        assert!(connections.idle.lock().by_peer.is_empty());
        assert_eq!(theirs.read(&mut [0; 1]).await.unwrap(), 0, "it is closed");
    }
}
