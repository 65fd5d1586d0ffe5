//! Why a provider has no address to connect to, and why it has no answer to a question of our own.

use std::sync::Arc;
use std::time::Duration;

use pingora::prelude::Error;

use crate::domain::fault::Fault;

/// Why a provider has no address to connect to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReachError {
    /// It has no endpoint of that number.
    #[error("the provider has no such endpoint")]
    NoEndpoint,
    /// Its name could not be looked up.
    #[error("{0}")]
    Name(Arc<str>),
    /// None of its addresses may be used.
    #[error("the provider's address is in a range that is never used or that egressPolicy forbids")]
    Forbidden,
    /// Its proxy has no address.
    #[error("the proxy {proxy} has no usable address: {why}")]
    Proxy {
        /// The proxy, without its credentials.
        proxy: String,
        /// What is wrong with it.
        why: Box<ReachError>,
    },
}

/// Why a question of our own has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is nowhere to connect to.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// The connection, or what was said on it, failed.
    #[error("{}", .0.root_cause())]
    Exchange(#[from] Box<Error>),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

// === impl ReachError ===

impl ReachError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Forbidden => Fault::Provider,
            Self::NoEndpoint => Fault::Us,
            Self::Name(_) | Self::Proxy { .. } => Fault::Network,
        }
    }
}
