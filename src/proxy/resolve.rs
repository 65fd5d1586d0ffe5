//! Host names to addresses, without blocking a request longer than it must.
//!
//! Pingora's own peer resolves names with a blocking call and panics when one does not resolve, so names are resolved here
//! and Pingora is handed addresses. An answer is good for [`FRESH`]; for [`STALE`] more it is still used at once while one
//! request looks it up again, so that a slow DNS server shows up in nobody's latency. A failed look-up is an error of that one
//! request and is not remembered.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is used without asking again.
const FRESH: Duration = Duration::from_secs(30);
/// How much longer it is used while it is being asked for again.
const STALE: Duration = Duration::from_secs(300);
/// How long one look-up may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Names remembered at most; providers are few.
const CAPACITY: usize = 4096;

/// A cache of DNS answers over the system's resolver.
#[derive(Clone, Default)]
pub struct Resolver(Arc<Mutex<HashMap<HostPort, Answer>>>);

type HostPort = (Box<str>, u16);

struct Answer {
    addresses: Arc<[SocketAddr]>,
    asked: Instant,
    is_being_renewed: bool,
}

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The resolver said no.
    #[error("the host name does not resolve: {0}")]
    Failed(#[from] std::io::Error),
    /// The resolver said nothing in time.
    #[error("the host name did not resolve within {} s", DEADLINE.as_secs())]
    TimedOut,
    /// The resolver knows the name, without addresses.
    #[error("the host name has no address")]
    Empty,
}

// === impl Resolver ===

impl Resolver {
    /// The addresses of a host. A literal address is its own.
    ///
    /// # Errors
    /// When the name does not resolve in time.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Arc<[SocketAddr]>, ResolveError> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(Arc::new([SocketAddr::new(ip, port)]));
        }
        match self.cached(host, port) {
            Some((addresses, false)) => Ok(addresses),
            Some((addresses, true)) => {
                self.renew(host.to_owned(), port);
                Ok(addresses)
            }
            None => self.ask(host, port).await,
        }
    }

    /// A usable answer, and whether the caller is the one to renew it.
    fn cached(&self, host: &str, port: u16) -> Option<(Arc<[SocketAddr]>, bool)> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get_mut(&(Box::from(host), port) as &HostPort)?;
        let age = answer.asked.elapsed();
        if age < FRESH {
            return Some((answer.addresses.clone(), false));
        }
        if age > FRESH + STALE {
            return None;
        }
        let is_first = !std::mem::replace(&mut answer.is_being_renewed, true);
        Some((answer.addresses.clone(), is_first))
    }

    fn renew(&self, host: String, port: u16) {
        let resolver = self.clone();
        tokio::spawn(async move {
            if resolver.ask(&host, port).await.is_err() {
                let mut answers = resolver.0.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(answer) =
                    answers.get_mut(&(Box::from(host.as_str()), port) as &HostPort)
                {
                    answer.is_being_renewed = false;
                }
            }
        });
    }

    async fn ask(&self, host: &str, port: u16) -> Result<Arc<[SocketAddr]>, ResolveError> {
        let found = tokio::time::timeout(DEADLINE, tokio::net::lookup_host((host, port)))
            .await
            .map_err(|_| ResolveError::TimedOut)??;
        let addresses: Arc<[SocketAddr]> = found.collect();
        if addresses.is_empty() {
            return Err(ResolveError::Empty);
        }
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= CAPACITY {
            answers.clear();
        }
        answers.insert(
            (Box::from(host), port),
            Answer {
                addresses: addresses.clone(),
                asked: Instant::now(),
                is_being_renewed: false,
            },
        );
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_and_literals_resolve_and_nonsense_does_not() {
        let resolver = Resolver::default();
        let literal = resolver.resolve("127.0.0.1", 80).await.unwrap();
        assert_eq!(literal[0], "127.0.0.1:80".parse().unwrap());
        let name = resolver.resolve("localhost", 81).await.unwrap();
        assert!(name.iter().all(|a| a.ip().is_loopback() && a.port() == 81));
        assert!(Arc::ptr_eq(
            &name,
            &resolver.resolve("localhost", 81).await.unwrap()
        ));
        assert!(resolver.resolve("no-such-host.invalid", 80).await.is_err());
    }
}
