//! The adapter between the admin crate and the running gateway: implements the admin crate's port over policy and store.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use admin::gateway::{
    Breaker, BreakerState, EndpointHealth, Explain, ExplainError, Explanation, Figures, Gateway,
    GatewayHealth, Gauge, LiveRequest, LogFilterError, Part, Prune, Pruned, Subject, System,
    TargetReport, Trial, TrialReport,
};
use admin::{Admin, Listen, Throttle};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::notification_target;
use entity::value::{Limits, Sealer};
use sea_orm::{DatabaseConnection, DbErr};
use tokio::net::{TcpStream, UnixStream};

use super::budgets::Budgets;
use super::error::StartError;
use super::guesses;
use super::insight;
use super::lifecycle::Lifecycle;
use super::monitor::{self, Monitor};
use super::notifier;
use super::retention;
use super::trial;
use crate::domain::limits::{self, Dimension, Party};
use crate::domain::window::{Span, Windows};
use crate::policy::quota::Session;
use crate::policy::routing::Routing;
use crate::proxy::Upstreams;
use crate::settings::Settings;
use crate::store::bus::Bus;
use crate::store::counters::Reading;
use crate::store::ledger::{Ledger, Stats};
use crate::store::secrets::Secrets;
use crate::store::snapshot::Snapshot;
use crate::store::watch::Watch;
use crate::telemetry::LogControl;

/// The longest path a Unix socket can have on Linux, its terminating zero left out.
const MAX_SOCKET_PATH: usize = 107;

/// What the admin side may know and ask of the running gateway.
pub struct Control {
    /// The configuration in force.
    pub config: Arc<Watch>,
    /// Opens the credentials of providers that are tried out.
    pub sealer: Arc<Sealer>,
    /// How other nodes are told.
    pub bus: Option<Arc<Bus>>,
    /// Where requests go.
    pub routing: Arc<Routing>,
    /// How providers are reached.
    pub upstreams: Arc<Upstreams>,
    /// What is counted against limits.
    pub budgets: Arc<Budgets>,
    /// Where usage goes.
    pub ledger: Arc<Ledger>,
    /// Whether it is stopping.
    pub lifecycle: Lifecycle,
    /// What this node is doing.
    pub monitor: Monitor,
    /// What changes the process's log filter, if it is ours.
    pub log: Option<LogControl>,
    /// Where history is.
    pub db: DatabaseConnection,
}

#[async_trait]
impl Gateway for Control {
    fn revision(&self) -> i64 {
        self.config.revision()
    }

    async fn reload(&self) {
        let revision = match self.config.reload().await {
            Ok(revision) => revision,
            Err(error) => {
                tracing::error!(%error, "a change is saved but not live yet; it will be tried again within a second");
                self.config.poke();
                return;
            }
        };
        if let Some(bus) = &self.bus
            && !bus.announce(revision).await
        {
            tracing::debug!(
                revision,
                "Redis did not take the announcement; other nodes poll"
            );
        }
    }

    fn time_zone(&self) -> chrono_tz::Tz {
        self.config.current().time_zone
    }

    fn health(&self) -> GatewayHealth {
        let part = |name: &str, ok, detail: String| Part {
            name: name.into(),
            ok,
            detail,
            figures: Figures::default(),
        };
        let ledger = self.ledger.stats();
        let mut parts = vec![
            part(
                "configuration",
                true,
                format!("revision {}", self.config.revision()),
            ),
            Part {
                figures: figures(&ledger),
                ..part(
                    "ledger",
                    ledger.is_database_ok && ledger.is_journal_ok && ledger.lost_lines == 0,
                    format!(
                        "{} request rows and {} usage lines waiting, {} bytes of journal, {} rows dropped, {} lines lost",
                        ledger.queued_requests,
                        ledger.queued_lines,
                        ledger.journal_bytes,
                        ledger.dropped_requests,
                        ledger.lost_lines
                    ),
                )
            },
        ];
        if let Some(bus) = &self.bus {
            let ok = bus.is_connected();
            let detail = if ok { "connected" } else { "away, nodes poll" };
            parts.push(part("redis", ok, detail.into()));
        }
        GatewayHealth {
            stopping: self.lifecycle.is_stopping(),
            parts,
        }
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn breakers(&self, provider: Option<i64>) -> Vec<Breaker> {
        insight::breakers(&self.routing, &self.config.current(), provider)
    }

    async fn reset_breakers(&self, provider: Option<i64>) -> usize {
        let breakers = self.breakers(provider);
        let is_closed = |breaker: &&Breaker| breaker.state != BreakerState::Closed;
        self.routing
            .breakers
            .reset(insight::which(provider), Instant::now());
        breakers.iter().filter(is_closed).count()
    }

    fn provider_health(&self, provider: i64) -> Vec<EndpointHealth> {
        insight::health(&self.upstreams, &self.config.current(), provider)
    }

    async fn gauges(&self, subject: Subject, limits: Limits) -> Vec<Gauge> {
        let party = Party {
            subject: whose(subject),
            limits,
        };
        let now = Utc::now();
        let quota = self.budgets.quota();
        let reading = quota.read(&party, now).await;
        gauges(&party, &reading, &quota.windows(&limits, now))
    }

    async fn reset_limits(&self, subject: Subject) {
        let quota = self.budgets.quota();
        quota.reset(whose(subject), Utc::now()).await;
    }

    async fn rebuild_limits(&self) -> Option<usize> {
        let rebuilt = self.budgets.rebuild().await;
        rebuilt
            .inspect_err(|error| tracing::error!(%error, "budgets cannot be made from the history"))
            .ok()
    }

    fn live_requests(&self) -> Vec<LiveRequest> {
        monitor::live(&self.monitor.flights)
    }

    async fn end_session(&self, session_id: &str, user_id: Option<i64>, keys: &[i64]) -> usize {
        let flights = self.monitor.flights.list().into_iter();
        let of_it = flights.filter(|flight| {
            flight.session_id.as_deref() == Some(session_id)
                && user_id.is_none_or(|id| id == flight.user_id)
        });
        let keys: HashSet<i64> = of_it
            .map(|flight| flight.key_id)
            .chain(keys.iter().copied())
            .collect();
        let ended = self.monitor.flights.end_session(session_id, user_id);
        for key in &keys {
            self.routing.affinity.end_session(*key, session_id);
        }
        let subjects = counted(&self.config.current(), &keys);
        let session = Session::new(session_id);
        let quota = self.budgets.quota();
        quota.end_session(&subjects, session, Utc::now()).await;
        ended
    }

    async fn prune(&self, prune: Prune) -> Result<Pruned, DbErr> {
        retention::prune(&self.db, &prune).await
    }

    fn system(&self) -> System {
        monitor::system(&self.monitor)
    }

    fn metrics(&self) -> String {
        monitor::metrics(&self.monitor)
    }

    fn log_filter(&self) -> Option<String> {
        self.log.as_ref().map(LogControl::filter)
    }

    fn set_log_filter(&self, filter: &str) -> Result<(), LogFilterError> {
        let log = self.log.as_ref().ok_or(LogFilterError::NotOurs)?;
        log.set_filter(filter).map_err(LogFilterError::Bad)
    }

    async fn try_provider(&self, trial: Trial) -> TrialReport {
        let policy = self.config.current().settings.egress_policy;
        trial::run(&self.upstreams, &self.sealer, policy, trial).await
    }

    async fn try_target(&self, target: notification_target::Model) -> TargetReport {
        let config = self.config.current();
        notifier::try_target(&self.db, &self.sealer, &config, &target).await
    }

    fn models(&self, key_id: i64) -> Vec<String> {
        insight::models(&self.config.current(), key_id)
    }

    async fn tell_failure(&self, peer: Option<IpAddr>) {
        if let Some(bus) = &self.bus {
            guesses::tell(bus, peer).await;
        }
    }

    async fn explain(&self, ask: Explain) -> Result<Explanation, ExplainError> {
        insight::explain(&self.routing, &self.config.current(), &ask)
    }
}

/// Where sessions of these keys are counted: at the keys, at their users, and at providers that have a limit for them.
fn counted(snapshot: &Snapshot, keys: &HashSet<i64>) -> Vec<limits::Subject> {
    let callers = snapshot.keys.values().filter(|key| keys.contains(&key.id));
    let callers = callers.flat_map(|key| key.parties.iter());
    let providers = snapshot.providers.iter();
    let providers = providers.flat_map(|provider| provider.parties.iter());
    let limited = providers.filter(|party| party.limits.concurrent_sessions.is_some());
    let subjects: HashSet<_> = callers.chain(limited).map(|party| party.subject).collect();
    subjects.into_iter().collect()
}

/// What waits for the database, and what never got there.
fn figures(ledger: &Stats) -> Figures {
    let figure = |value: usize| i64::try_from(value).ok();
    let count = |value: u64| i64::try_from(value).ok();
    Figures {
        queued_requests: figure(ledger.queued_requests),
        queued_lines: figure(ledger.queued_lines),
        journal_bytes: count(ledger.journal_bytes),
        dropped_requests: count(ledger.dropped_requests),
        lost_lines: count(ledger.lost_lines),
    }
}

fn whose(subject: Subject) -> limits::Subject {
    match subject {
        Subject::Key(id) => limits::Subject::Key(id),
        Subject::User(id) => limits::Subject::User(id),
        Subject::Provider(id) => limits::Subject::Provider(id),
    }
}

/// Every limit with what is used of it; of money, what is spent.
fn gauges(party: &Party, reading: &Reading, windows: &Windows) -> Vec<Gauge> {
    let gauge = |dimension: Dimension| {
        let limit = dimension.limit(&party.limits);
        let used = reading.used[dimension.index()];
        let window = dimension.index().checked_sub(Dimension::Usd5h.index());
        let resets_at = window.and_then(|index| match windows[index] {
            Span::Fixed { end, .. } => end,
            Span::OnSpend { .. } => reading.frees_at[index],
            Span::Rolling { .. } => None,
        });
        Gauge {
            dimension: dimension.code().to_owned(),
            limit,
            current: Some(used),
            remaining: limit.map(|limit| limit.saturating_sub(used).max(0)),
            resets_at: resets_at.and_then(DateTime::from_timestamp_millis),
        }
    };
    Dimension::ALL.map(gauge).into()
}

/// The admin service over this gateway.
pub fn admin(
    settings: &Settings,
    secrets: &Secrets,
    db: DatabaseConnection,
    control: Control,
) -> Admin {
    Admin {
        db,
        gateway: Arc::new(control),
        sealer: secrets.sealer.clone(),
        hasher: secrets.hasher.clone(),
        admin_token_hash: secrets.admin_token_hash,
        secure_cookies: settings.admin.secure_cookies,
        trusted_proxies: settings.server.trusted_proxies.clone(),
        throttle: Throttle::default(),
    }
}

/// The private socket behind the public port; in the data directory, unless that is too deep for a socket.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    let path = data_dir.join("admin.sock");
    if path.as_os_str().len() <= MAX_SOCKET_PATH {
        return path;
    }
    std::env::temp_dir().join(format!("switchyard-{}.sock", uuid::Uuid::new_v4().simple()))
}

/// Where the admin service listens.
pub fn listens(settings: &Settings, socket: &Path) -> Vec<Listen> {
    let mut listens = vec![Listen::Unix(socket.to_owned())];
    listens.extend(settings.server.admin_listen.map(Listen::Tcp));
    listens
}

/// Waits until the admin service listens, so that whoever is let in finds all of it there.
///
/// # Errors
/// When it does not within five seconds; why is in the log.
pub async fn listening(listens: &[Listen]) -> Result<(), StartError> {
    for listen in listens {
        let mut left = 500;
        while !answers(listen).await {
            if left == 0 {
                return Err(format!("the admin service does not listen on {listen:?}").into());
            }
            left -= 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(())
}

async fn answers(listen: &Listen) -> bool {
    match listen {
        Listen::Unix(path) => UnixStream::connect(path).await.is_ok(),
        Listen::Tcp(address) => TcpStream::connect(address).await.is_ok(),
    }
}
