//! What this node is doing, in the admin side's words and in Prometheus's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use admin::gateway::{LiveRequest, System};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::policy::breaker::{Moment, State, Which};
use crate::policy::flights::Flights;
use crate::policy::routing::Routing;
use crate::store::bus::Bus;
use crate::store::ledger::Ledger;
use crate::store::watch::Watch;
use crate::telemetry::metrics::{Metrics, Page};

/// What it is told from.
pub struct Monitor {
    /// The configuration in force.
    pub config: Arc<Watch>,
    /// Redis, where it is used.
    pub bus: Option<Arc<Bus>>,
    /// Where requests go.
    pub routing: Arc<Routing>,
    /// Where usage goes.
    pub ledger: Arc<Ledger>,
    /// Requests under way.
    pub flights: Flights,
    /// What is counted of requests.
    pub metrics: Arc<Metrics>,
    /// Where the journal is.
    pub data_dir: PathBuf,
    /// When this node started.
    pub started_at: DateTime<Utc>,
}

/// The requests under way.
pub fn live(flights: &Flights) -> Vec<LiveRequest> {
    let told = flights.list().into_iter().map(|flight| LiveRequest {
        created_at: time_of(flight.id),
        id: flight.id,
        user_id: flight.user_id,
        key_id: flight.key_id,
        provider_id: flight.provider_id,
        session_id: flight.session_id,
        protocol: flight.protocol.name(),
        model: flight.model,
        is_stream: flight.wants_stream,
        attempts: flight.attempts,
        bytes: flight.bytes,
    });
    told.collect()
}

/// How this node runs.
pub fn system(monitor: &Monitor) -> System {
    let ledger = monitor.ledger.stats();
    let disk = rustix::fs::statvfs(&monitor.data_dir).ok();
    System {
        started_at: monitor.started_at,
        requests_in_flight: monitor.flights.count(),
        queued_lines: ledger.queued_lines,
        journal_bytes: ledger.journal_bytes,
        disk_free_bytes: disk
            .as_ref()
            .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        disk_total_bytes: disk
            .as_ref()
            .map(|disk| disk.f_blocks.saturating_mul(disk.f_frsize)),
    }
}

/// All metrics of this node.
pub fn metrics(monitor: &Monitor) -> String {
    let mut page = Page::default();
    let snapshot = monitor.config.current();
    let name_of = |id| snapshot.provider_name(id);
    monitor.metrics.write(&mut page, name_of);
    breakers(monitor, &mut page, name_of);
    gauges(monitor, &mut page);
    counters(monitor, &mut page);
    page.family("switchyard_build_info", "gauge", "The program's version.");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.line("switchyard_build_info", &version, 1);
    page.into_text()
}

fn gauges(monitor: &Monitor, page: &mut Page) {
    let ledger = monitor.ledger.stats();
    let flag = |is: bool| u64::from(is);
    for (name, help, value) in [
        (
            "switchyard_requests_in_flight",
            "Requests of clients under way.",
            monitor.flights.count() as u64,
        ),
        (
            "switchyard_ledger_queued_requests",
            "Request rows that wait for the database.",
            ledger.queued_requests as u64,
        ),
        (
            "switchyard_ledger_queued_lines",
            "Usage lines that wait for the database in memory.",
            ledger.queued_lines as u64,
        ),
        (
            "switchyard_ledger_journal_bytes",
            "Bytes of journal that the database has not confirmed.",
            ledger.journal_bytes,
        ),
        (
            "switchyard_ledger_database_up",
            "Whether the last posting to the database succeeded.",
            flag(ledger.is_database_ok),
        ),
        (
            "switchyard_ledger_journal_up",
            "Whether the last write of the journal succeeded.",
            flag(ledger.is_journal_ok),
        ),
        (
            "switchyard_config_revision",
            "The revision of the configuration in force.",
            monitor.config.revision().unsigned_abs(),
        ),
        (
            "switchyard_redis_up",
            "Whether Redis is connected; 1 where none is used.",
            flag(monitor.bus.as_ref().is_none_or(|bus| bus.is_connected())),
        ),
    ] {
        page.family(name, "gauge", help);
        page.line(name, &[], value);
    }
}

fn counters(monitor: &Monitor, page: &mut Page) {
    let ledger = monitor.ledger.stats();
    for (name, help, value) in [
        (
            "switchyard_ledger_dropped_requests_total",
            "Request rows dropped.",
            ledger.dropped_requests,
        ),
        (
            "switchyard_ledger_lost_lines_total",
            "Usage lines lost: anything but 0 is an incident.",
            ledger.lost_lines,
        ),
        (
            "switchyard_ledger_rejected_lines_total",
            "Usage lines the database refused.",
            ledger.rejected_lines,
        ),
    ] {
        page.family(name, "counter", help);
        page.line(name, &[], value);
    }
}

/// How many of a provider's breakers are in each state but closed.
fn breakers(monitor: &Monitor, page: &mut Page, name_of: impl Fn(i64) -> Option<String>) {
    const FAMILY: &str = "switchyard_breakers";
    page.family(
        FAMILY,
        "gauge",
        "Breakers of a provider, its addresses and models, that are not closed.",
    );
    let moment = Moment {
        at: Instant::now(),
        wall: Utc::now(),
    };
    let views = monitor.routing.breakers.list(Which::All, moment);
    let mut counts = BTreeMap::<(i64, &str), u64>::new();
    for view in views {
        let state = match view.state {
            State::Closed => continue,
            State::Open => "open",
            State::HalfOpen => "half_open",
            State::Resting => "resting",
        };
        *counts.entry((view.scope.provider(), state)).or_default() += 1;
    }
    for ((provider, state), count) in counts {
        if let Some(name) = name_of(provider) {
            page.line(FAMILY, &[("provider", &name), ("state", state)], count);
        }
    }
}

/// When a request arrived: its id begins with the milliseconds since 1970.
fn time_of(id: Uuid) -> DateTime<Utc> {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or_default();
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}
