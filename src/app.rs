//! Floor 5: the wiring. [`App::start`] names every part in the order in which it starts, [`App::stop`] in the order in which it stops.

mod breaker_keeper;
mod budgets;
pub mod cli;
mod control;
mod error;
mod forgetter;
mod guesses;
mod health;
mod health_checks;
mod import;
mod insight;
mod lifecycle;
mod listener;
mod monitor;
mod notifier;
mod prober;
mod retention;
mod runtime;
mod spans;
mod sweeper;
mod trial;
mod trust;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use sea_orm::DatabaseConnection;
use tokio::sync::Semaphore;
use tokio::sync::watch;

use crate::policy::flights::Flights;
use crate::policy::quota::Quota;
use crate::policy::routing::Routing;
use crate::proxy::{AdminSide, Connections, Gateway, Live, Parts, Upstreams};
use crate::settings::Settings;
use crate::store::bus::Bus;
use crate::store::counters::{Counters, Tuning};
use crate::store::database;
use crate::store::ledger::{Bounds, Ledger};
use crate::store::secrets::{GeneratedToken, Secrets};
use crate::store::watch::Watch;
use crate::telemetry::LogControl;
use crate::telemetry::metrics::Metrics;
use breaker_keeper::BreakerKeeper;
use budgets::Budgets;
use control::Control;
pub use error::StartError;
use lifecycle::Lifecycle;
use monitor::Monitor;
use notifier::Notifier;
use prober::Prober;
use runtime::{Runtimes, Tasks};

/// Upstreams read on at once after their client left.
const DRAINS: usize = 512;
/// How long the ledger may take to put everything away at the end.
const FLUSH: Duration = Duration::from_secs(20);

/// How long the database is waited for at the start: after a reboot it may come up later than we do.
const DATABASE_WAIT: Duration = Duration::from_secs(60);

/// A gateway that runs.
pub struct App {
    address: SocketAddr,
    generated_token: Option<GeneratedToken>,
    lifecycle: Lifecycle,
    live: Live,
    ledger: Arc<Ledger>,
    drain: Duration,
    listener_stop: watch::Sender<bool>,
    tasks: Tasks,
    runtimes: Runtimes,
}

// === impl App ===

impl App {
    /// Starts a gateway. It has runtimes of its own, so it can be started from within any other.
    ///
    /// # Errors
    /// Says which part does not start, and why.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::start_logged(settings, None).await
    }

    /// As [`App::start`], in a process whose logging the gateway may change.
    ///
    /// # Errors
    /// Says which part does not start, and why.
    pub async fn start_logged(
        settings: Settings,
        log: Option<LogControl>,
    ) -> Result<Self, StartError> {
        runtime::install_crypto();
        let runtimes = Runtimes::build(settings.server.threads)?;
        let control = runtimes.control().clone();
        match control.spawn(Self::assemble(settings, log, runtimes)).await {
            Ok(app) => app,
            Err(e) => Err(e.into()),
        }
    }

    #[expect(clippy::too_many_lines, reason = "the whole assembly, on one screen")]
    async fn assemble(
        settings: Settings,
        log: Option<LogControl>,
        runtimes: Runtimes,
    ) -> Result<Self, StartError> {
        let mut tasks = Tasks::on(runtimes.control().clone());
        let (secrets, generated_token) = Secrets::open(
            &settings.data_dir,
            settings.admin.secret_key.as_ref(),
            settings.admin.token.as_ref(),
        )?;
        let listener = listener::bind(settings.server.listen)?;
        let address = listener.local_addr()?;
        let tls = settings.server.tls.as_ref();
        listener::check_tls(tls)?;

        let db = connect(&settings).await?;
        if settings.database.auto_migrate {
            database::migrate(&db).await?;
        }
        let config = Watch::open(db.clone(), secrets.sealer.clone(), settings.time_zone).await?;
        let config = Arc::new(config);
        tasks.spawn("watch", {
            let config = config.clone();
            |stop| async move { config.run(stop).await }
        });
        let bus = settings.redis.url.as_ref().map(Bus::connect).transpose()?;
        let bus = bus.map(Arc::new);
        if let Some(bus) = bus.clone() {
            let config = config.clone();
            tasks.spawn("bus", |stop| async move { bus.run(&config, stop).await });
        }
        let bounds = Bounds::default();
        let ledger = Arc::new(Ledger::open(db.clone(), &settings.data_dir, bounds)?);
        tasks.spawn_last("ledger", {
            let ledger = ledger.clone();
            |stop| async move { ledger.run(stop).await }
        });

        let counters = Arc::new(match &settings.redis.url {
            Some(url) => Counters::connect(url, &tuning(&settings, &secrets))?,
            None => Counters::in_process(&tuning(&settings, &secrets)),
        });
        let zone = config.current().time_zone;
        let quota = Quota::new(counters.clone(), zone, settings.limits.enabled);
        tasks.spawn_last("counters", {
            let counters = counters.clone();
            |stop| async move { counters.run(stop).await }
        });
        let budgets = Arc::new(Budgets::new(
            quota.clone(),
            counters,
            config.clone(),
            ledger.clone(),
            db.clone(),
        ));
        let is_begun = budgets.begin().await;
        tasks.spawn("budgets", {
            let budgets = budgets.clone();
            |stop| async move { budgets.run(is_begun, stop).await }
        });

        let routing = Arc::new(Routing::new(Instant::now(), quota));
        let keeper = BreakerKeeper::open(routing.breakers.clone(), db.clone(), bus.clone()).await;
        tasks.spawn_last("breakers", |stop| async move { keeper.run(stop).await });
        let ca_file = trust::bundle(settings.upstream.ca_file.as_deref(), &settings.data_dir)?;
        let upstreams = Arc::new(Upstreams::new(ca_file.clone()));
        let connections = Arc::new(Connections::new(ca_file.as_deref()));
        tasks.spawn("connections", {
            let connections = connections.clone();
            |stop| sweeper::run(connections, stop)
        });
        tasks.spawn("health checks", {
            let (upstreams, config) = (upstreams.clone(), config.clone());
            |stop| health_checks::run(upstreams, config, stop)
        });
        let prober = Prober::new(routing.clone(), upstreams.clone(), config.clone());
        tasks.spawn("prober", |stop| prober.run(stop));
        tasks.spawn("forgetter", {
            let (routing, config) = (routing.clone(), config.clone());
            |stop| forgetter::run(routing, config, stop)
        });

        tasks.spawn("retention", {
            let (db, config) = (db.clone(), config.clone());
            |stop| retention::run(db, config, stop)
        });
        tasks.spawn("spans", {
            let (db, config) = (db.clone(), config.clone());
            |stop| spans::run(db, config, stop)
        });

        let lifecycle = Lifecycle::default();
        let live = Live::default();
        let flights = Flights::default();
        let metrics = Arc::new(Metrics::default());
        let socket = control::socket_path(&settings.data_dir);
        let notifier = Notifier {
            config: config.clone(),
            db: db.clone(),
            sealer: secrets.sealer.clone(),
            routing: routing.clone(),
            quota: budgets.quota().clone(),
            metrics: metrics.clone(),
        };
        notifier.spawn(&mut tasks);
        let monitor = Monitor {
            config: config.clone(),
            bus: bus.clone(),
            routing: routing.clone(),
            ledger: ledger.clone(),
            flights: flights.clone(),
            metrics: metrics.clone(),
            data_dir: settings.data_dir.clone(),
            started_at: Utc::now(),
        };
        let control = Control {
            monitor,
            config: config.clone(),
            bus: bus.clone(),
            sealer: secrets.sealer.clone(),
            routing: routing.clone(),
            upstreams: upstreams.clone(),
            budgets,
            ledger: ledger.clone(),
            lifecycle: lifecycle.clone(),
            log,
            db: db.clone(),
        };
        let admin = Arc::new(control::admin(&settings, &secrets, db, control));
        if let Some(bus) = bus {
            let admin = admin.clone();
            tasks.spawn("guesses", |stop| guesses::run(bus, admin, stop));
        }
        let listens = control::listens(&settings, &socket);
        for listen in listens.clone() {
            let admin = admin.clone();
            let drain = settings.server.drain;
            tasks.spawn("admin", move |mut stop| async move {
                let stopped = async move {
                    // An error means that nobody is left who could say stop.
                    let _ = stop.wait_for(|stop| *stop).await;
                };
                if let Err(e) = admin::serve(admin, listen, stopped, drain).await {
                    tracing::error!(error = %e, "the admin service stopped");
                }
            });
        }

        control::listening(&listens).await?;
        let parts = Arc::new(Parts {
            watch: config,
            ledger: ledger.clone(),
            hasher: secrets.hasher.clone(),
            routing,
            upstreams,
            connections,
            live: live.clone(),
            flights,
            metrics,
            admin: AdminSide {
                socket,
                is_public: settings.server.admin_listen.is_none(),
                has_metrics: settings.server.metrics_public,
            },
            trusted_proxies: settings.server.trusted_proxies.clone(),
            max_request_bytes: settings.server.max_request_bytes,
            drains: Semaphore::new(DRAINS),
            shutdown: lifecycle.shutdown(),
        });
        let listener_stop = listener::serve(
            runtimes.data(),
            listener,
            tls,
            Gateway::new(parts),
            settings.server.threads,
        )?;
        tracing::info!(%address, "switchyard is listening");
        Ok(Self {
            address,
            generated_token,
            lifecycle,
            live,
            ledger,
            drain: settings.server.drain,
            listener_stop,
            tasks,
            runtimes,
        })
    }

    /// Where the public port is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The admin token, if it was generated at this start: the only time it can be had.
    #[must_use]
    pub fn generated_token(&self) -> Option<&GeneratedToken> {
        self.generated_token.as_ref()
    }

    /// Requests under way.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.count()
    }

    /// Stops: readiness says so at once, requests under way come to their end (new ones are still served for a moment, until load
    /// balancers have noticed), the ledger is put away. Returns false if something had to be cut.
    pub async fn stop(mut self) -> bool {
        self.lifecycle.stop();
        tracing::info!(live = self.live.count(), "stopping");
        let is_drained = self.lifecycle.drained(&self.live, self.drain).await;
        if !is_drained {
            tracing::warn!(
                live = self.live.count(),
                "the drain time is over, cutting what is left"
            );
        }
        let _ = self.listener_stop.send(true);
        self.runtimes.cut_data();
        let is_stopped = self.tasks.stop(FLUSH).await;
        let is_flushed = self.ledger.flush(FLUSH).await;
        tracing::info!("stopped");
        self.runtimes.end();
        is_drained && is_stopped && is_flushed
    }
}

/// Installations that share a Redis keep their counters apart by their secret.
fn tuning(settings: &Settings, secrets: &Secrets) -> Tuning {
    let installation = secrets.hasher.hash("counters").to_hex();
    Tuning {
        session_ttl: settings.limits.session_ttl,
        deadline: settings.redis.deadline,
        prefix: format!("switchyard:{}", &installation[..16]),
        ..Tuning::default()
    }
}

async fn connect(settings: &Settings) -> Result<DatabaseConnection, StartError> {
    let begun = Instant::now();
    loop {
        match database::connect(&settings.database, &settings.data_dir).await {
            Ok(db) => return Ok(db),
            Err(error) if settings.database.dsn.is_none() || begun.elapsed() > DATABASE_WAIT => {
                return Err(format!("the database (DSN) cannot be used: {error}").into());
            }
            Err(error) => {
                tracing::warn!(%error, "waiting for the database");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
