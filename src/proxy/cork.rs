//! Head and body of a request to a provider leave in one packet.
//!
//! Pingora sends a request's head as soon as it has it, and then its body. On a connection that holds nothing back (`TCP_NODELAY`) these are
//! two packets, and a packet is what costs: the way through the kernel, and waking whoever waits at the other end. So from the moment the head is
//! ready until the body has been written the connection is corked (`TCP_CORK`). The kernel fills
//! whole packets meanwhile and keeps the rest; it gives up waiting after 200 ms by itself, so that a cork that were forgotten could do
//! no harm but that. A long body is not worth waiting for: see `exchange/h1.rs`.
//!
//! Pingora lends nobody its sockets. Therefore direct connections are made here, with its own function, and a second handle of each is hung on
//! what it remembers of the connection ([`ProxyDigest`]); the handle goes when the connection does.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use async_trait::async_trait;
use pingora::ErrorType;
use pingora::connectors::L4Connect;
use pingora::http::ResponseHeader;
use pingora::prelude::{Error, Result};
use pingora::protocols::l4::ext;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{Digest, GetProxyDigest};
use socket2::SockRef;

/// Connects as Pingora does, and keeps a second handle.
#[derive(Debug)]
pub struct Direct;

/// A connection that can be corked.
#[derive(Debug, Clone)]
pub struct Corkable(Arc<ProxyDigest>);

/// What is written is held back until this is dropped.
#[derive(Debug)]
pub struct Cork(Corkable);

/// The second handle.
#[derive(Debug)]
struct Handle(OwnedFd);

#[async_trait]
impl L4Connect for Direct {
    async fn connect(&self, at: &SocketAddr) -> Result<Stream> {
        let Some(at) = at.as_inet() else {
            return Error::e_explain(ErrorType::InternalError, "not an internet address");
        };
        let socket = ext::connect(at, None).await?;
        let handle = socket.as_fd().try_clone_to_owned();
        let mut stream = Stream::from(socket);
        // Without one, as when there are no more to be had, the connection is as good, but for this.
        if let Ok(handle) = handle {
            let nothing = Box::new(ResponseHeader::build(200, Some(0))?);
            let handle = Box::new(Handle(handle));
            stream.set_proxy_digest(ProxyDigest::new(nothing, Some(handle)));
        }
        Ok(stream)
    }
}

// === impl Corkable ===

impl Corkable {
    /// The connection that this is said of, if it was made here.
    pub fn of(digest: &Digest) -> Option<Self> {
        let this = Self(digest.proxy_digest.clone()?);
        this.handle().is_some().then_some(this)
    }

    /// Holds back what is written from now on.
    pub fn cork(self) -> Cork {
        self.set(true);
        Cork(self)
    }

    fn handle(&self) -> Option<&Handle> {
        self.0.user_data.as_ref()?.downcast_ref()
    }

    /// A failure is of no interest: a socket that cannot be told anything any more is found out by whoever writes to it.
    fn set(&self, is_corked: bool) {
        if let Some(Handle(handle)) = self.handle() {
            let _ = SockRef::from(handle).set_tcp_cork(is_corked);
        }
    }
}

// === impl Cork ===

impl Drop for Cork {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_is_corked_until_the_cork_is_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = SocketAddr::Inet(listener.local_addr().unwrap());
        let mut ours = Direct.connect(&at).await.unwrap();
        let (mut theirs, _) = listener.accept().await.unwrap();
        let digest = Digest {
            proxy_digest: ours.get_proxy_digest(),
            ..Digest::default()
        };
        let corkable = Corkable::of(&digest).unwrap();
        let socket = || SockRef::from(&corkable.handle().unwrap().0);
        assert!(!socket().tcp_cork().unwrap());
        let cork = corkable.clone().cork();
        assert!(socket().tcp_cork().unwrap());
        ours.write_all(b"head and body").await.unwrap();
        ours.flush().await.unwrap();
        drop(cork);
        assert!(!socket().tcp_cork().unwrap());
        let mut text = [0; 13];
        theirs.read_exact(&mut text).await.unwrap();
        assert_eq!(&text, b"head and body");
        assert!(Corkable::of(&Digest::default()).is_none());
    }
}
