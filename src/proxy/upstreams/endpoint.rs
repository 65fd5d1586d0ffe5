//! One endpoint: a load balancer over the addresses of its name, and how fresh they are.
//!
//! An answer of DNS is good for [`Terms::fresh`]; for [`Terms::stale`] more it is still used at once, while the background task asks again,
//! so that a slow DNS server shows up in nobody's latency. Only names in use are asked for again. Without an answer a request
//! waits for one; all that wait for the same name wait for the same look-up and share its result, a failure included. The failure is
//! not remembered: who comes after it has the name looked up again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use entity::value::EgressPolicy;
use parking_lot::Mutex;
use pingora::lb::selection::RoundRobin;
use pingora::lb::{Backend, Backends, LoadBalancer};

use super::dns::{Dns, Names};
use super::error::ReachError;
use super::probe::{Probe, Record};
use super::site::Site;
use super::tools::Tools;
use crate::policy::egress;

/// Steps over the addresses when one is chosen, enough to come past each of them.
const STEPS: usize = 128;

/// One endpoint.
pub struct Endpoint {
    site: Site,
    balancer: LoadBalancer<RoundRobin>,
    record: Arc<Mutex<Record>>,
    terms: Terms,
    /// What the times below count from.
    epoch: Instant,
    /// When the addresses were learnt; 0 is never. Times are milliseconds after the epoch, at least 1.
    answered: AtomicU64,
    /// When an address was last asked for.
    used: AtomicU64,
    /// When they were last asked for again.
    renewed: AtomicU64,
    /// When the next check is due.
    next_check: AtomicU64,
    is_tended: AtomicBool,
    /// Look-ups begun and ended, counted, see [`Endpoint::answer`].
    begun: AtomicU64,
    ended: AtomicU64,
    looking: tokio::sync::Mutex<Option<Failure>>,
}

/// How long answers are good for.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// How long an answer is used without asking again.
    pub fresh: Duration,
    /// How much longer it is used while it is being asked for again.
    pub stale: Duration,
    /// How long between two tries to renew it.
    pub retry: Duration,
    /// How long after its last use it is still renewed.
    pub used: Duration,
}

/// What operators see of an endpoint.
#[derive(Debug, Clone)]
pub struct EndpointHealth {
    /// Its address.
    pub url: String,
    /// Whether requests go there first.
    pub healthy: bool,
    /// When it was last checked; never where checks are off.
    pub checked_at: Option<DateTime<Utc>>,
    /// The addresses known, and whether each is healthy.
    pub addresses: Vec<(SocketAddr, bool)>,
    /// What the last check found wrong.
    pub error: Option<String>,
    /// Why it is not checked, where it is not.
    pub unchecked: Option<&'static str>,
}

/// The last look-up, when it failed: its number, and why.
struct Failure(u64, Arc<str>);

/// Held while an endpoint is tended.
struct Tending<'a>(&'a AtomicBool);

impl Default for Terms {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(30),
            stale: Duration::from_secs(300),
            retry: Duration::from_secs(5),
            used: Duration::from_secs(300),
        }
    }
}

impl Drop for Tending<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// An endpoint that nothing is known of yet.
    pub fn new(site: Site, names: Arc<dyn Names>, tools: Arc<Tools>, terms: Terms) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let dns = Dns {
            names,
            host: site.host.clone(),
            port: site.port,
        };
        let mut backends = Backends::new(Box::new(dns));
        if site.is_checked() {
            backends.set_health_check(Box::new(Probe {
                site: site.clone(),
                tools,
                record: record.clone(),
            }));
        }
        Self {
            site,
            balancer: LoadBalancer::from_backends(backends),
            record,
            terms,
            epoch: Instant::now(),
            answered: AtomicU64::new(0),
            used: AtomicU64::new(0),
            renewed: AtomicU64::new(0),
            next_check: AtomicU64::new(0),
            is_tended: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            looking: tokio::sync::Mutex::new(None),
        }
    }

    /// What it is known by.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// An address to connect to: the next healthy one that the policy permits, or any that it permits when none is healthy.
    ///
    /// # Errors
    /// When the name does not resolve in time, or to nothing that may be used.
    pub async fn address(&self, policy: EgressPolicy) -> Result<SocketAddr, ReachError> {
        if !self.is_usable() {
            self.answer().await.map_err(ReachError::Name)?;
        }
        self.used.store(self.now(), Ordering::Relaxed);
        let permitted = |backend: &Backend| {
            let address = backend.addr.as_inet();
            address.is_some_and(|address| egress::permits(policy, address.ip()))
        };
        self.balancer
            .select_with(b"", STEPS, |backend, is_healthy| {
                is_healthy && permitted(backend)
            })
            .or_else(|| {
                self.balancer
                    .select_with(b"", STEPS, |backend, _| permitted(backend))
            })
            .and_then(|backend| backend.addr.as_inet().copied())
            .ok_or(ReachError::Forbidden)
    }

    /// Whether requests should go here rather than elsewhere. Where nothing is known, or nothing is checked, they should.
    pub fn is_healthy(&self) -> bool {
        if !self.site.is_checked() {
            return true;
        }
        let addresses = self.balancer.backends().get_backend();
        if addresses.is_empty() || !self.is_usable() {
            return !self.record.lock().has_no_address;
        }
        let is_ready = |backend| self.balancer.backends().ready(backend);
        addresses.iter().any(is_ready)
    }

    /// What operators see of it, under the given address.
    pub fn health(&self, url: String, unchecked: Option<&'static str>) -> EndpointHealth {
        let backends = self.balancer.backends();
        let addresses = backends.get_backend();
        let with_health = |backend: &Backend| {
            let address = backend.addr.as_inet().copied()?;
            Some((address, backends.ready(backend)))
        };
        let record = self.record.lock();
        let (checked_at, error) = (record.checked_at, record.error.clone());
        drop(record);
        EndpointHealth {
            url,
            healthy: self.is_healthy(),
            checked_at,
            addresses: addresses.iter().filter_map(with_health).collect(),
            error,
            unchecked,
        }
    }

    /// How long it has been waiting to be tended; none when it need not be.
    pub fn overdue(&self) -> Option<Duration> {
        if self.is_tended.load(Ordering::Acquire) {
            return None;
        }
        let now = self.now();
        let check = self.check_due(now).then(|| {
            let due = self.next_check.load(Ordering::Relaxed);
            Duration::from_millis(now - due)
        });
        check.or_else(|| self.renewal_due(now).then_some(Duration::ZERO))
    }

    /// Looks the name up again and checks the addresses, whichever is due.
    pub async fn tend(&self, policy: EgressPolicy) {
        if self.is_tended.swap(true, Ordering::AcqRel) {
            return;
        }
        let _tending = Tending(&self.is_tended);
        let now = self.now();
        if self.renewal_due(now) {
            self.renew().await;
        }
        if self.check_due(now) {
            let every = Duration::from_secs(u64::from(self.site.check.interval_seconds.max(1)));
            let next = every.mul_f64(0.9 + 0.2 * fastrand::f64());
            self.next_check
                .store(now.saturating_add(millis(next)), Ordering::Relaxed);
            self.record.lock().policy = policy;
            self.balancer.backends().run_health_check(false).await;
        }
    }

    /// Waits until the addresses are known.
    ///
    /// Look-ups run one at a time and are numbered. Who waited for one that was already under way takes its failure, or a later one's; who
    /// finds none under way begins one. A look-up whose request went away while it ran has no result: the next in line begins another.
    async fn answer(&self) -> Result<(), Arc<str>> {
        let begun = self.begun.load(Ordering::Acquire);
        let awaited = (self.ended.load(Ordering::Acquire) < begun).then_some(begun);
        let mut last = self.looking.lock().await;
        if self.is_usable() {
            return Ok(());
        }
        if let (Some(awaited), Some(Failure(number, why))) = (awaited, &*last)
            && *number >= awaited
        {
            return Err(why.clone());
        }
        self.look_up(&mut last).await
    }

    /// Asks again without letting anybody wait; what is known stays if nobody answers.
    async fn renew(&self) {
        self.renewed.store(self.now(), Ordering::Relaxed);
        let Ok(mut last) = self.looking.try_lock() else {
            return;
        };
        let outcome = self.look_up(&mut last).await;
        if let Err(why) = outcome {
            tracing::debug!(host = self.site.host, %why, "the name cannot be looked up again");
        }
    }

    async fn look_up(&self, last: &mut Option<Failure>) -> Result<(), Arc<str>> {
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let updated = self.balancer.update().await;
        let outcome = updated.map_err(|e| Arc::<str>::from(e.root_cause().to_string()));
        *last = outcome
            .as_ref()
            .err()
            .map(|why| Failure(number, why.clone()));
        if self.site.is_checked() {
            let mut record = self.record.lock();
            record.has_no_address = outcome.is_err();
            if let Err(why) = &outcome {
                record.checked_at = Some(Utc::now());
                record.error = Some(why.to_string());
            }
        }
        if outcome.is_ok() {
            self.answered.store(self.now(), Ordering::Release);
        }
        self.ended.store(number, Ordering::Release);
        outcome
    }

    fn is_usable(&self) -> bool {
        let answered = self.answered.load(Ordering::Acquire);
        answered > 0 && self.now() - answered < millis(self.terms.fresh + self.terms.stale)
    }

    fn renewal_due(&self, now: u64) -> bool {
        let answered = self.answered.load(Ordering::Acquire);
        let used = self.used.load(Ordering::Relaxed);
        let is_wanted = self.site.is_checked()
            || (used > 0 && now.saturating_sub(used) < millis(self.terms.used));
        let renewed = self.renewed.load(Ordering::Relaxed);
        is_wanted
            && (answered == 0 || now.saturating_sub(answered) >= millis(self.terms.fresh))
            && (renewed == 0 || now.saturating_sub(renewed) >= millis(self.terms.retry))
    }

    fn check_due(&self, now: u64) -> bool {
        self.site.is_checked() && now >= self.next_check.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        millis(self.epoch.elapsed()) + 1
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
