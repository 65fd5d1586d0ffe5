//! How providers are reached: their addresses, their health, and the proxies on the way.
//!
//! Each endpoint of a provider is a load balancer of Pingora's with DNS as its service discovery. Endpoints are known by
//! their address and check, not by their provider, so that providers at the same address share look-ups and checks. The table of endpoints is
//! read without a lock; a name that is not in it yet is put there by the first request, or by [`Upstreams::sync`] when the
//! configuration changes, which also forgets what is no longer configured. Names are renewed and addresses checked by one background
//! task (`app/health_checks.rs`), which asks [`Upstreams::due`] every second.
//!
//! A literal address needs none of this on a request's way: it is parsed, checked against the egress policy and used.
//!
//! Through a proxy (`tunnel.rs`) the peer's address is the proxy's and the provider is named inside the tunnel. What the provider resolves to is
//! then known only with `socks5`, and checks are skipped, because they would say something about another way.

mod dns;
pub(super) mod endpoint;
pub(super) mod error;
mod models;
mod probe;
mod reached;
mod site;
pub(super) mod tools;
mod trial;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use entity::value::{EgressPolicy, HealthCheckKind};
use http::StatusCode;
use parking_lot::Mutex;
use pingora::protocols::ALPN;

use super::tunnel::{Bypass, Fallback, Target, Tunnel};
use crate::domain::outbound::{OutboundProxy, ProxyScheme};
use crate::domain::provider::{BaseUrl, Provider};
use crate::policy::egress;
use dns::{Names, System};
use endpoint::Terms;
pub use endpoint::{Endpoint, EndpointHealth};
pub use error::{AskError, ReachError};
pub use reached::Reached;
use site::{Place, Site};
use tools::Tools;
pub use trial::{Told, Trial};

/// Endpoints remembered at most; providers are few.
const CAPACITY: usize = 4096;
/// Endpoints of one provider whose health counts when they are put in order.
const MOST_ENDPOINTS: usize = 64;

/// The endpoints of all providers.
pub struct Upstreams {
    /// By the hash of their place.
    table: ArcSwap<HashMap<u64, Arc<Endpoint>>>,
    /// Held while the table is replaced.
    writing: Mutex<()>,
    /// Which providers are reached past their proxy.
    bypasses: Mutex<HashMap<i64, Arc<Bypass>>>,
    hasher: RandomState,
    names: Arc<dyn Names>,
    tools: Arc<Tools>,
    terms: Terms,
}

// === impl Upstreams ===

impl Upstreams {
    /// No endpoints yet. `ca_file` holds the certificates that providers and proxies are trusted by; none means the system's.
    #[must_use]
    pub fn new(ca_file: Option<PathBuf>) -> Self {
        Self::with(Arc::new(System), Tools::new(ca_file), Terms::default())
    }

    fn with(names: Arc<dyn Names>, tools: Tools, terms: Terms) -> Self {
        Self {
            table: ArcSwap::default(),
            writing: Mutex::new(()),
            bypasses: Mutex::default(),
            hasher: RandomState::new(),
            names,
            tools: Arc::new(tools),
            terms,
        }
    }

    /// Takes a changed configuration over: endpoints that stay keep their state, others are forgotten.
    pub fn sync(&self, providers: &[Arc<Provider>]) {
        let enabled = || providers.iter().filter(|provider| provider.is_enabled);
        let _writing = self.writing.lock();
        let old = self.table.load();
        let mut table = HashMap::new();
        for provider in enabled() {
            let own = provider.endpoints.iter().map(|base| place(provider, base));
            for place in own.chain(provider.proxy.as_ref().map(proxy_place)) {
                if table.len() == CAPACITY {
                    break;
                }
                let key = self.hasher.hash_one(place);
                let kept = old.get(&key).filter(|endpoint| endpoint.site().is(place));
                table
                    .entry(key)
                    .or_insert_with(|| kept.cloned().unwrap_or_else(|| self.make(place)));
            }
        }
        self.table.store(Arc::new(table));
        let is_avoidable = |provider: &&Arc<Provider>| {
            provider.proxy.is_some() && provider.proxy_fallback_to_direct
        };
        let avoidable: Vec<i64> = enabled().filter(is_avoidable).map(|p| p.id).collect();
        self.bypasses.lock().retain(|id, _| avoidable.contains(id));
    }

    /// Where to connect to, to reach this endpoint of the provider.
    ///
    /// # Errors
    /// When there is no address, or none that may be used.
    pub async fn reach(
        &self,
        provider: &Provider,
        endpoint: usize,
        policy: EgressPolicy,
    ) -> Result<Reached, ReachError> {
        let base = provider
            .endpoints
            .get(endpoint)
            .ok_or(ReachError::NoEndpoint)?;
        match &provider.proxy {
            None => self.reach_directly(provider, base, policy).await,
            Some(proxy) => self.reach_through(provider, proxy, base, policy).await,
        }
    }

    /// Asks the provider for its list of models, on the way and with the credential that a request would have, and answers the status. It
    /// costs no tokens, and takes ten seconds at most.
    ///
    /// # Errors
    /// When there is no address, or no answer.
    pub async fn ask_models(
        &self,
        provider: &Provider,
        endpoint: usize,
        policy: EgressPolicy,
    ) -> Result<StatusCode, AskError> {
        let base = provider.endpoints.get(endpoint);
        let base = base.ok_or(ReachError::NoEndpoint)?;
        let limit = models::DEADLINE;
        let asking = async {
            let reached = self.reach(provider, endpoint, policy).await?;
            let request = models::request(provider, base)?;
            let mut peer = reached.peer(provider, base);
            // One question is not worth a connection for many.
            peer.options.alpn = ALPN::H1;
            Ok(self.tools.status(&peer, request, limit).await?)
        };
        let asked = tokio::time::timeout(limit, asking).await;
        asked.unwrap_or(Err(AskError::TimedOut(limit)))
    }

    /// The provider's endpoints in the order in which they should be tried: as configured, healthy ones first.
    pub fn order(&self, provider: &Provider) -> impl Iterator<Item = usize> + use<> {
        let count = provider.endpoints.len();
        let mut healthy = u64::MAX;
        if count > 1 && is_checked(provider) {
            for (i, base) in provider.endpoints.iter().enumerate().take(MOST_ENDPOINTS) {
                let known = self.known(place(provider, base));
                if known.is_some_and(|endpoint| !endpoint.is_healthy()) {
                    healthy &= !(1 << i);
                }
            }
        }
        let is_healthy = move |i: &usize| *i >= MOST_ENDPOINTS || healthy & (1 << *i) != 0;
        let is_not = move |i: &usize| !is_healthy(i);
        (0..count)
            .filter(is_healthy)
            .chain((0..count).filter(is_not))
    }

    /// What is known of the provider's endpoints.
    pub fn health(&self, provider: &Provider) -> Vec<EndpointHealth> {
        let unchecked = match &provider.proxy {
            _ if provider.health_check.kind == HealthCheckKind::Off => Some("checks are off"),
            Some(_) => Some("it is reached through a proxy, which checks do not use"),
            None => None,
        };
        let of = |base: &BaseUrl| {
            let scheme = if base.is_tls { "https" } else { "http" };
            let url = format!("{scheme}://{}{}", base.authority, base.path);
            let endpoint = self.endpoint(place(provider, base));
            endpoint.health(url, unchecked)
        };
        provider.endpoints.iter().map(of).collect()
    }

    /// Whether a provider is being reached directly because its proxy failed.
    pub fn is_bypassed(&self, provider: i64) -> bool {
        let bypasses = self.bypasses.lock();
        bypasses.get(&provider).is_some_and(|bypass| bypass.is_on())
    }

    /// Endpoints to be tended now, the longest overdue first.
    pub fn due(&self) -> Vec<Arc<Endpoint>> {
        let table = self.table.load();
        let mut due: Vec<_> = table
            .values()
            .filter_map(|endpoint| Some((endpoint.overdue()?, endpoint.clone())))
            .collect();
        due.sort_by_key(|(overdue, _)| Reverse(*overdue));
        due.into_iter().map(|(_, endpoint)| endpoint).collect()
    }

    async fn reach_directly(
        &self,
        provider: &Provider,
        base: &BaseUrl,
        policy: EgressPolicy,
    ) -> Result<Reached, ReachError> {
        let address = match literal(base, policy)? {
            Some(address) => address,
            None => self.endpoint(place(provider, base)).address(policy).await?,
        };
        Ok(Reached::direct(address))
    }

    async fn reach_through(
        &self,
        provider: &Provider,
        proxy: &OutboundProxy,
        base: &BaseUrl,
        policy: EgressPolicy,
    ) -> Result<Reached, ReachError> {
        let bypass = provider
            .proxy_fallback_to_direct
            .then(|| self.bypass(provider.id));
        if bypass.as_ref().is_some_and(|bypass| bypass.is_on()) {
            return self.reach_directly(provider, base, policy).await;
        }
        let target = match (literal(base, policy)?, proxy.scheme) {
            (Some(address), _) => Target::Address(address),
            (None, ProxyScheme::Socks5) => {
                let endpoint = self.endpoint(place(provider, base));
                Target::Address(endpoint.address(policy).await?)
            }
            (None, _) => Target::Name(base.host.clone(), base.port),
        };
        let at = self.endpoint(proxy_place(proxy));
        // Whoever set the proxy up may well have put it on a private address; the ranges that are never used are refused here, too.
        let address = match (at.address(EgressPolicy::AllowPrivate).await, &bypass) {
            (Ok(address), _) => address,
            (Err(why), Some(bypass)) => {
                bypass.begin(&why);
                return self.reach_directly(provider, base, policy).await;
            }
            (Err(why), None) => {
                return Err(ReachError::Proxy {
                    proxy: proxy.to_string(),
                    why: Box::new(why),
                });
            }
        };
        let fallback = bypass.map(|bypass| Fallback {
            bypass,
            direct: self.endpoint(place(provider, base)),
            policy,
        });
        let tunnel = Tunnel::new(
            proxy.clone(),
            target,
            provider.timeouts.connect_ms,
            fallback,
            self.tools.clone(),
        );
        Ok(Reached {
            address,
            group: self.group(proxy, base),
            tunnel: Some(Arc::new(tunnel)),
        })
    }

    /// A number for what must not share connections: the proxy, who we are to it, and what is behind it. Never 0, which is no proxy.
    fn group(&self, proxy: &OutboundProxy, base: &BaseUrl) -> u64 {
        let user = proxy.credentials.as_ref();
        let user = user.map(|(name, password)| (name, password.expose()));
        let place = (proxy.scheme as u8, &proxy.host, proxy.port);
        self.hasher.hash_one((place, user, &base.host, base.port)) | 1
    }

    fn bypass(&self, provider: i64) -> Arc<Bypass> {
        let mut bypasses = self.bypasses.lock();
        let made = || Arc::new(Bypass::of(provider));
        bypasses.entry(provider).or_insert_with(made).clone()
    }

    fn known(&self, place: Place<'_>) -> Option<Arc<Endpoint>> {
        let table = self.table.load();
        let endpoint = table.get(&self.hasher.hash_one(place))?;
        endpoint.site().is(place).then(|| endpoint.clone())
    }

    /// The endpoint at this place, made if there is none.
    fn endpoint(&self, place: Place<'_>) -> Arc<Endpoint> {
        if let Some(known) = self.known(place) {
            return known;
        }
        let _writing = self.writing.lock();
        if let Some(known) = self.known(place) {
            return known;
        }
        let made = self.make(place);
        let old = self.table.load();
        if old.len() < CAPACITY {
            let mut table = HashMap::clone(&old);
            table.insert(self.hasher.hash_one(place), made.clone());
            self.table.store(Arc::new(table));
        }
        made
    }

    fn make(&self, place: Place<'_>) -> Arc<Endpoint> {
        let (names, tools) = (self.names.clone(), self.tools.clone());
        Arc::new(Endpoint::new(Site::of(place), names, tools, self.terms))
    }
}

/// The address of an endpoint that is written as one.
fn literal(base: &BaseUrl, policy: EgressPolicy) -> Result<Option<SocketAddr>, ReachError> {
    match base.host.parse::<IpAddr>() {
        Err(_) => Ok(None),
        Ok(ip) if egress::permits(policy, ip) => Ok(Some(SocketAddr::new(ip, base.port))),
        Ok(_) => Err(ReachError::Forbidden),
    }
}

fn is_checked(provider: &Provider) -> bool {
    provider.proxy.is_none() && provider.health_check.kind != HealthCheckKind::Off
}

fn place<'a>(provider: &'a Provider, base: &'a BaseUrl) -> Place<'a> {
    Place {
        host: &base.host,
        port: base.port,
        is_tls: base.is_tls,
        check: is_checked(provider).then_some(&provider.health_check),
    }
}

fn proxy_place(proxy: &OutboundProxy) -> Place<'_> {
    Place {
        host: &proxy.host,
        port: proxy.port,
        is_tls: false,
        check: None,
    }
}

#[cfg(test)]
mod tests;
