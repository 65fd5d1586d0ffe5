//! What the hooks work with.

use std::sync::Arc;

use entity::value::{KeyHasher, Networks};
use tokio::sync::Semaphore;

use super::admin_side::AdminSide;
use super::connections::Connections;
use super::live::Live;
use super::shutdown::Shutdown;
use super::upstreams::Upstreams;
use crate::policy::flights::Flights;
use crate::policy::routing::Routing;
use crate::store::ledger::Ledger;
use crate::store::watch::Watch;
use crate::telemetry::metrics::Metrics;

/// Handles, shared by all requests.
pub struct Parts {
    /// The configuration as it is now.
    pub watch: Arc<Watch>,
    /// Where settled requests go.
    pub ledger: Arc<Ledger>,
    /// Hashes presented keys.
    pub hasher: Arc<KeyHasher>,
    /// Where requests go.
    pub routing: Arc<Routing>,
    /// How providers are reached.
    pub upstreams: Arc<Upstreams>,
    /// Requests under way.
    pub live: Live,
    /// The same, for people to look at and to end.
    pub flights: Flights,
    /// What is counted of requests.
    pub metrics: Arc<Metrics>,
    /// Connections to providers.
    pub connections: Arc<Connections>,
    /// Where admin traffic goes.
    pub admin: AdminSide,
    /// Proxies in front of us, which are believed about whom they forward for.
    pub trusted_proxies: Networks,
    /// Largest request body, in bytes, after decompression.
    pub max_request_bytes: usize,
    /// Upstreams read on at once after their client left, see `relay::drain`.
    pub drains: Semaphore,
    /// What a shutdown asks of requests.
    pub shutdown: Shutdown,
}
