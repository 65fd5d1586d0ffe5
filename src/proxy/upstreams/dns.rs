//! DNS as a load balancer's service discovery.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::lb::Backend;
use pingora::lb::discovery::ServiceDiscovery;
use pingora::prelude::{Error, Result};
use pingora::protocols::l4::socket::SocketAddr as PeerAddress;
use pingora::{ErrorType, lb};

/// How long one look-up may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Addresses of one name that are used at most.
const MOST_ADDRESSES: usize = 32;

/// Who knows the addresses of names.
#[async_trait]
pub trait Names: Send + Sync {
    /// The addresses of a host.
    ///
    /// # Errors
    /// When it has none.
    async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver. It runs on a thread of its own, because the system's call blocks.
pub struct System;

/// One host name, or a literal address.
pub struct Dns {
    /// Who is asked.
    pub names: Arc<dyn Names>,
    /// The name.
    pub host: String,
    /// The port of its addresses.
    pub port: u16,
}

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
enum LookupError {
    #[error("the host name does not resolve: {0}")]
    Failed(#[from] io::Error),
    #[error("the host name did not resolve within {} s", DEADLINE.as_secs())]
    TimedOut,
    #[error("the host name has no address")]
    Empty,
}

#[async_trait]
impl Names for System {
    async fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

// === impl Dns ===

#[async_trait]
impl ServiceDiscovery for Dns {
    async fn discover(&self) -> Result<(BTreeSet<Backend>, HashMap<u64, bool>)> {
        let addresses = self
            .addresses()
            .await
            .map_err(|e| Error::because(ErrorType::ConnectNoRoute, "looking a name up", e))?;
        let backends = addresses.into_iter().map(|address| Backend {
            addr: PeerAddress::Inet(address),
            weight: 1,
            ext: lb::Extensions::new(),
        });
        Ok((backends.collect(), HashMap::new()))
    }
}

impl Dns {
    async fn addresses(&self) -> Result<Vec<SocketAddr>, LookupError> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        let looking = self.names.lookup(&self.host, self.port);
        let mut found = tokio::time::timeout(DEADLINE, looking)
            .await
            .map_err(|_| LookupError::TimedOut)??;
        found.truncate(MOST_ADDRESSES);
        if found.is_empty() {
            return Err(LookupError::Empty);
        }
        // Most providers have IPv6 addresses and many machines, containers above all, no way there.
        let (routed, lost): (Vec<_>, Vec<_>) = found.into_iter().partition(has_route);
        Ok(if routed.is_empty() { lost } else { routed })
    }
}

/// Whether the system knows a way to an address. Nothing is sent.
fn has_route(address: &SocketAddr) -> bool {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0)).is_ok_and(|socket| socket.connect(address).is_ok())
}
