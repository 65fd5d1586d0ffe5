//! Through a proxy to a provider: what Pingora calls in the place of connecting.
//!
//! Four kinds: `CONNECT` over plain HTTP or over TLS (`tunnel/connect.rs`), and SOCKS5 with the provider's name resolved here or there. TLS to
//! the provider, where it has that, is Pingora's own on top of what comes back. Everything happens within the provider's time for
//! connecting; where the provider may be reached directly when the proxy fails, the proxy gets half of it. Errors say what the proxy answered
//! and never who we said we are.
//!
//! Pingora keeps connections by the address of the peer, which is the proxy's, and by its group key, which `upstreams.rs` makes of the proxy,
//! its credentials and the provider. A connection that bypasses the proxy, and one with TLS to the proxy, has no socket that the pool
//! could recognise, and is therefore never taken out of it again.

mod bypass;
mod connect;
mod socket;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use entity::value::EgressPolicy;
use pingora::ErrorType;
use pingora::connectors::L4Connect;
use pingora::prelude::{Error, Result};
use pingora::protocols::l4::socket::SocketAddr as PeerAddress;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::VirtualSocketStream;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_socks::TargetAddr;
use tokio_socks::tcp::Socks5Stream;

use super::upstreams::endpoint::Endpoint;
use super::upstreams::error::ReachError;
use super::upstreams::tools::Tools;
use crate::domain::outbound::{OutboundProxy, ProxyScheme};
pub use bypass::Bypass;
use connect::Refused;
use socket::Socket;

/// How long connecting may take where the provider has no limit of its own.
const NO_LIMIT: Duration = Duration::from_secs(60);

/// A way through a proxy.
pub struct Tunnel {
    proxy: OutboundProxy,
    target: Target,
    limit: Duration,
    fallback: Option<Fallback>,
    tools: Arc<Tools>,
}

/// What is at the other end.
#[derive(Debug, Clone)]
pub enum Target {
    /// This address.
    Address(SocketAddr),
    /// This name and port: the proxy looks it up.
    Name(String, u16),
}

/// What is done when the proxy fails.
pub struct Fallback {
    /// Remembers that it failed.
    pub bypass: Arc<Bypass>,
    /// The provider itself.
    pub direct: Arc<Endpoint>,
    /// Where it may be.
    pub policy: EgressPolicy,
}

/// Why a tunnel is not there.
#[derive(Debug, thiserror::Error)]
enum TunnelError {
    #[error("the proxy {proxy} cannot be reached: {why}")]
    Unreachable { proxy: String, why: std::io::Error },
    #[error("no TLS with the proxy {proxy}: {why}")]
    Tls { proxy: String, why: std::io::Error },
    #[error("the proxy {proxy} {why}")]
    Http { proxy: String, why: Refused },
    #[error("the proxy {proxy} does not let us through: {why}")]
    Socks {
        proxy: String,
        why: tokio_socks::Error,
    },
    #[error("the proxy {proxy} did not answer in time")]
    TimedOut { proxy: String },
    #[error("{proxy}; and directly: {direct}")]
    NeitherWay {
        proxy: Box<TunnelError>,
        direct: DirectError,
    },
    #[error("the proxy's address is not an internet address")]
    NoAddress,
}

#[derive(Debug, thiserror::Error)]
enum DirectError {
    #[error("{0}")]
    Reach(#[from] ReachError),
    #[error("{0}")]
    Connect(#[from] std::io::Error),
    #[error("connecting timed out")]
    TimedOut,
}

// === impl Target ===

impl Target {
    /// As `CONNECT` names it.
    fn authority(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Name(host, port) => format!("{host}:{port}"),
        }
    }

    /// As SOCKS names it.
    fn for_socks(&self) -> TargetAddr<'_> {
        match self {
            Self::Address(address) => TargetAddr::Ip(*address),
            Self::Name(host, port) => TargetAddr::Domain(host.into(), *port),
        }
    }
}

// === impl Tunnel ===

impl Tunnel {
    /// A way through `proxy` to `target` in `connect_ms` milliseconds; 0 means as long as it takes, within reason.
    pub fn new(
        proxy: OutboundProxy,
        target: Target,
        connect_ms: u64,
        fallback: Option<Fallback>,
        tools: Arc<Tools>,
    ) -> Self {
        let limit = match connect_ms {
            0 => NO_LIMIT,
            ms => Duration::from_millis(ms),
        };
        let share = if fallback.is_some() { 2 } else { 1 };
        Self {
            proxy,
            target,
            limit: limit / share,
            fallback,
            tools,
        }
    }

    /// How the proxy is spoken to.
    pub fn scheme(&self) -> ProxyScheme {
        self.proxy.scheme
    }

    async fn open(&self, at: SocketAddr) -> Result<Stream, TunnelError> {
        let proxy = || self.proxy.to_string();
        let socket = TcpStream::connect(at)
            .await
            .map_err(|why| TunnelError::Unreachable {
                proxy: proxy(),
                why,
            })?;
        match self.proxy.scheme {
            ProxyScheme::Http => self.ask(socket).await.map(|(socket, rest)| {
                let mut stream = Stream::from(socket);
                stream.rewind(&rest);
                stream
            }),
            ProxyScheme::Https => {
                let tls = self.wrap(socket).await.map_err(|why| TunnelError::Tls {
                    proxy: proxy(),
                    why,
                })?;
                let (tls, rest) = self.ask(tls).await?;
                let mut stream = Stream::from(VirtualSocketStream::new(Box::new(Socket(tls))));
                stream.rewind(&rest);
                Ok(stream)
            }
            ProxyScheme::Socks5 | ProxyScheme::Socks5h => self
                .ask_socks(socket)
                .await
                .map(Stream::from)
                .map_err(|why| TunnelError::Socks {
                    proxy: proxy(),
                    why,
                }),
        }
    }

    async fn wrap(
        &self,
        socket: TcpStream,
    ) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.proxy.host.clone()).map_err(std::io::Error::other)?;
        // What is small must not wait for the answer to what went before.
        socket.set_nodelay(true)?;
        self.tools.tls().connect(name, socket).await
    }

    async fn ask<S>(&self, mut socket: S) -> Result<(S, Vec<u8>), TunnelError>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let authority = self.target.authority();
        match connect::ask(&mut socket, &authority, self.proxy.credentials.as_ref()).await {
            Ok(rest) => Ok((socket, rest)),
            Err(why) => Err(TunnelError::Http {
                proxy: self.proxy.to_string(),
                why,
            }),
        }
    }

    async fn ask_socks(&self, socket: TcpStream) -> Result<TcpStream, tokio_socks::Error> {
        let target = self.target.for_socks();
        let stream = match &self.proxy.credentials {
            None => Socks5Stream::connect_with_socket(socket, target).await?,
            Some((user, password)) => {
                let password = password.expose();
                Socks5Stream::connect_with_password_and_socket(socket, target, user, password)
                    .await?
            }
        };
        Ok(stream.into_inner())
    }
}

#[async_trait]
impl L4Connect for Tunnel {
    async fn connect(&self, at: &PeerAddress) -> Result<Stream> {
        let opening = async {
            let at = at.as_inet().ok_or(TunnelError::NoAddress)?;
            self.open(*at).await
        };
        let opened = timeout(self.limit, opening).await;
        let why = match opened {
            Ok(Ok(stream)) => {
                if let Some(fallback) = &self.fallback {
                    fallback.bypass.end();
                }
                return Ok(stream);
            }
            Ok(Err(why)) => why,
            Err(_) => TunnelError::TimedOut {
                proxy: self.proxy.to_string(),
            },
        };
        let why = match &self.fallback {
            None => why,
            Some(fallback) => {
                fallback.bypass.begin(&why);
                match fallback.connect_within(self.limit).await {
                    Ok(stream) => return Ok(stream),
                    Err(direct) => TunnelError::NeitherWay {
                        proxy: Box::new(why),
                        direct,
                    },
                }
            }
        };
        Error::e_because(ErrorType::ConnectProxyFailure, "", why)
    }
}

/// Without credentials, and without what is behind the fallback.
impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tunnel({} to {:?})", self.proxy, self.target)
    }
}

// === impl Fallback ===

impl Fallback {
    async fn connect_within(&self, limit: Duration) -> Result<Stream, DirectError> {
        timeout(limit, self.connect())
            .await
            .map_err(|_| DirectError::TimedOut)?
    }

    async fn connect(&self) -> Result<Stream, DirectError> {
        let address = self.direct.address(self.policy).await?;
        let socket = TcpStream::connect(address).await?;
        Ok(VirtualSocketStream::new(Box::new(Socket(socket))).into())
    }
}

#[cfg(test)]
mod tests;
