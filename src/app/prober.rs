//! The background task that asks providers with an open breaker whether they are back, where the setting `probeSeconds` wants that.
//!
//! A provider is asked for its list of models, which costs no tokens. A good answer is told to the breaker as a forced attempt that
//! succeeded: an open one goes on trial before its time, and each further one counts towards closing it. The permit is taken only
//! once the answer is there: held while a provider hangs, it would take the place of the requests that may be tried meanwhile. So that the
//! answer is no older than what it is told to, it counts only if the breaker still is as it was when the question was sent. A bad answer
//! is told to nobody: the breaker stays as it is, for as long as it would have.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::value::EgressPolicy;
use http::StatusCode;
use tokio::task::{AbortHandle, JoinSet};

use super::runtime::Stop;
use crate::domain::provider::Provider;
use crate::policy::breaker::{Scope, Target};
use crate::policy::routing::Routing;
use crate::proxy::Upstreams;
use crate::store::watch::Watch;

/// How often it is looked at what is due.
const TICK: Duration = Duration::from_secs(1);
/// Providers asked at once.
const AT_ONCE: usize = 4;

/// The task.
pub struct Prober {
    routing: Arc<Routing>,
    upstreams: Arc<Upstreams>,
    config: Arc<Watch>,
    waits: Waits,
    jobs: JoinSet<()>,
}

/// The providers whose breakers are open, and since when each waits for its next probe.
#[derive(Default)]
struct Waits(HashMap<i64, Wait>);

struct Wait {
    /// When it was last asked, or first seen open.
    since: Instant,
    /// The probe under way, or the last.
    probe: Option<AbortHandle>,
}

/// A probe that is due: the provider, and until when its breaker was open then.
type Due = (i64, Instant);

/// One question.
struct Probe {
    routing: Arc<Routing>,
    upstreams: Arc<Upstreams>,
    provider: Arc<Provider>,
    policy: EgressPolicy,
    until: Instant,
}

// === impl Prober ===

impl Prober {
    /// Nobody is asked yet.
    pub fn new(routing: Arc<Routing>, upstreams: Arc<Upstreams>, config: Arc<Watch>) -> Self {
        Self {
            routing,
            upstreams,
            config,
            waits: Waits::default(),
            jobs: JoinSet::new(),
        }
    }

    /// Asks whom it is time to ask until told to stop. Probes under way end with it.
    pub async fn run(mut self, mut stop: Stop) {
        loop {
            self.tick();
            tokio::select! {
                // An error means that nobody is left who could say stop.
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    fn tick(&mut self) {
        while self.jobs.try_join_next().is_some() {}
        let snapshot = self.config.current();
        let settings = &snapshot.settings;
        let now = Instant::now();
        let open = if settings.probe_seconds == 0 {
            Vec::new()
        } else {
            self.open(now)
        };
        let every = Duration::from_secs(settings.probe_seconds.into());
        for (id, until) in self.waits.due(&open, every, now) {
            if self.jobs.len() >= AT_ONCE {
                break;
            }
            let provider = snapshot.provider(id);
            let is_wanted = |provider: &&Arc<Provider>| {
                provider.is_enabled && provider.breaker.failure_threshold > 0
            };
            let Some(provider) = provider.filter(is_wanted) else {
                continue;
            };
            let probe = Probe {
                routing: self.routing.clone(),
                upstreams: self.upstreams.clone(),
                provider: provider.clone(),
                policy: settings.egress_policy,
                until,
            };
            let handle = self.jobs.spawn(probe.run());
            self.waits.asked(id, handle, now);
        }
    }

    fn open(&self, now: Instant) -> Vec<Due> {
        let due = self.routing.breakers.due_probes(now);
        due.into_iter()
            .map(|(scope, until)| (scope.provider(), until))
            .collect()
    }
}

// === impl Waits ===

impl Waits {
    /// Of the open ones those that have waited long enough, the longest first, so that a few that hang do not keep the others from
    /// being asked. Forgets who is no longer open.
    fn due(&mut self, open: &[Due], every: Duration, now: Instant) -> Vec<Due> {
        self.0
            .retain(|id, wait| wait.is_asked() || open.iter().any(|(open, _)| open == id));
        let mut due = Vec::new();
        for (id, until) in open {
            let wait = self.0.entry(*id).or_insert(Wait {
                since: now,
                probe: None,
            });
            let waited = now.saturating_duration_since(wait.since);
            if waited >= every && !wait.is_asked() {
                due.push((wait.since, (*id, *until)));
            }
        }
        due.sort_unstable();
        due.into_iter().map(|(_, due)| due).collect()
    }

    fn asked(&mut self, id: i64, probe: AbortHandle, now: Instant) {
        let wait = Wait {
            since: now,
            probe: Some(probe),
        };
        self.0.insert(id, wait);
    }
}

// === impl Wait ===

impl Wait {
    fn is_asked(&self) -> bool {
        let probe = self.probe.as_ref();
        probe.is_some_and(|probe| !probe.is_finished())
    }
}

// === impl Probe ===

impl Probe {
    async fn run(self) {
        let (id, provider) = (self.provider.id, &self.provider);
        let endpoint = self.upstreams.order(provider).next().unwrap_or(0);
        let asking = self.upstreams.ask_models(provider, endpoint, self.policy);
        match asking.await {
            Ok(status) if is_good(status) => self.tell(endpoint, status),
            Ok(status) => {
                tracing::debug!(provider = id, %status, "a probe says that it is not back");
            }
            Err(error) => tracing::debug!(provider = id, %error, "a probe failed"),
        }
    }

    fn tell(&self, endpoint: usize, status: StatusCode) {
        let (provider, breakers) = (&self.provider, &self.routing.breakers);
        let now = Instant::now();
        let as_it_was = (Scope::Provider(provider.id), self.until);
        if !breakers.due_probes(now).contains(&as_it_was) {
            return;
        }
        let target = Target {
            provider: provider.id,
            endpoint: (provider.endpoints.len() > 1).then_some(endpoint),
            model: None,
        };
        if let Some(permit) = breakers.admit(target, &provider.breaker, now, true) {
            permit.success(now);
            tracing::info!(provider = provider.id, %status, "a probe found the provider well");
        }
    }
}

/// Whether an answer says that requests may work: not that the server is broken, nor that our credential is refused or used up. Many relays
/// have no list of models, so that it is missing is good.
fn is_good(status: StatusCode) -> bool {
    status.as_u16() < 500 && !matches!(status.as_u16(), 401 | 402 | 403 | 429)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_good_unless_it_is_broken_or_refuses_us() {
        for (status, expected) in [
            (200, true),
            (302, true),
            (400, true),
            (404, true),
            (405, true),
            (401, false),
            (402, false),
            (403, false),
            (429, false),
            (500, false),
            (503, false),
            (529, false),
            (600, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_good(status), expected, "{status}");
        }
    }

    #[tokio::test]
    async fn each_waits_its_time_and_the_longest_waiting_goes_first() {
        const EVERY: Duration = Duration::from_secs(5);
        let mut waits = Waits::default();
        let mut jobs = JoinSet::new();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let open = |ids: &[i64]| -> Vec<Due> { ids.iter().map(|id| (*id, at(600))).collect() };
        let ids = |due: Vec<Due>| -> Vec<i64> { due.into_iter().map(|(id, _)| id).collect() };

        assert!(waits.due(&open(&[1, 2]), EVERY, at(0)).is_empty());
        assert!(waits.due(&open(&[1, 2, 3]), EVERY, at(4)).is_empty());
        assert_eq!(ids(waits.due(&open(&[3, 2, 1]), EVERY, at(5))), [1, 2]);
        // One hangs, the other is asked again only after the one that was not asked yet.
        waits.asked(1, jobs.spawn(std::future::pending()), at(5));
        waits.asked(2, jobs.spawn(async {}), at(5));
        jobs.join_next().await;
        assert_eq!(ids(waits.due(&open(&[1, 2, 3]), EVERY, at(10))), [3, 2]);
        // A breaker that was closed in between waits anew.
        assert!(waits.due(&open(&[1]), EVERY, at(11)).is_empty());
        assert!(waits.due(&open(&[1, 2]), EVERY, at(12)).is_empty());
        assert_eq!(ids(waits.due(&open(&[1, 2]), EVERY, at(17))), [2]);
        jobs.shutdown().await;
        assert_eq!(ids(waits.due(&open(&[1, 2]), EVERY, at(17))), [1, 2]);
        assert!(waits.due(&[], EVERY, at(18)).is_empty());
        assert!(waits.0.is_empty());
    }
}
