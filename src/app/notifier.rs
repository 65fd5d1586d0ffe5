//! Tells people by message what happens: finds what is worth telling ([`watcher`]), and sends it ([`deliverer`]).
//!
//! Both are background tasks beside the traffic: no request waits for them, and they read what there is anyway (breakers' states, counters of
//! requests and of money, the sums of each hour). Between them lies a table, so that what is to be sent outlives the process and is sent
//! by one node.

mod deliverer;
mod sending;
mod watcher;

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use entity::value::Sealer;
use sea_orm::DatabaseConnection;
use tokio::sync::Notify;

use super::runtime::Tasks;
use crate::policy::breaker::{Moment, View, Which};
use crate::policy::quota::Quota;
use crate::policy::routing::Routing;
use crate::store::watch::Watch;
use crate::telemetry::metrics::Metrics;
use deliverer::Deliverer;
pub use sending::try_target;
use watcher::Watcher;

/// What it is told from.
pub struct Notifier {
    /// The configuration in force.
    pub config: Arc<Watch>,
    /// Where rules, targets and messages are.
    pub db: DatabaseConnection,
    /// Opens targets' addresses.
    pub sealer: Arc<Sealer>,
    /// Where the breakers are.
    pub routing: Arc<Routing>,
    /// What is spent.
    pub quota: Arc<Quota>,
    /// What becomes of requests, and of messages.
    pub metrics: Arc<Metrics>,
}

// === impl Notifier ===

impl Notifier {
    /// Starts both tasks.
    pub fn spawn(self, tasks: &mut Tasks) {
        let wake = Arc::new(Notify::new());
        let deliverer = Deliverer {
            config: self.config.clone(),
            db: self.db.clone(),
            sealer: self.sealer.clone(),
            metrics: self.metrics.clone(),
            wake: wake.clone(),
        };
        let watcher = Watcher::new(self, wake);
        tasks.spawn("notices", |stop| watcher.run(stop));
        tasks.spawn("deliveries", |stop| deliverer.run(stop));
    }

    /// How the breakers stand.
    fn breakers(&self) -> Vec<View> {
        let moment = Moment {
            at: Instant::now(),
            wall: Utc::now(),
        };
        self.routing.breakers.list(Which::All, moment)
    }
}
