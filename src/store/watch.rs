//! Keeps the snapshot fresh.
//!
//! The database's revision number is asked for every second, and at once when somebody pokes: this process after its own change, or
//! Redis after another node's. Only a number that differs, in either direction, has the tables read: a restored backup counts too.
//! While the database is away the last snapshot stays, and that is said once, not every second.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono_tz::Tz;
use entity::value::Sealer;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::{Mutex, Notify, watch};
use tokio::time::{Instant, timeout};

use super::snapshot::{self, LeftOut, Snapshot};
use super::{Stop, database, stopped};

const POLL_EVERY: Duration = Duration::from_secs(1);
const POLL_LIMIT: Duration = Duration::from_secs(2);
const LOAD_LIMIT: Duration = Duration::from_secs(30);

/// The current snapshot and what keeps it current.
#[derive(Debug)]
pub struct Watch {
    db: DatabaseConnection,
    sealer: Arc<Sealer>,
    /// The time zone where the settings name none.
    fallback_zone: Tz,
    current: ArcSwap<Snapshot>,
    revision: watch::Sender<i64>,
    /// Held while the tables are read, so that an older reading never replaces a newer one. Keeps what was complained about.
    reading: Mutex<Vec<LeftOut>>,
    poked: Notify,
}

// === impl Watch ===

impl Watch {
    /// Reads the first snapshot. `fallback_zone` is its time zone, and that of all after it, where the settings name none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open(
        db: DatabaseConnection,
        sealer: Arc<Sealer>,
        fallback_zone: Tz,
    ) -> Result<Self, DbErr> {
        let opened = Self {
            db,
            sealer,
            fallback_zone,
            current: ArcSwap::default(),
            revision: watch::Sender::new(i64::MIN),
            reading: Mutex::default(),
            poked: Notify::new(),
        };
        opened.reload().await?;
        Ok(opened)
    }

    /// The snapshot as it is now. It never changes in the caller's hands.
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// The current snapshot's revision.
    pub fn revision(&self) -> i64 {
        *self.revision.borrow()
    }

    /// Tells of each new revision, once its snapshot is the current one.
    pub fn revisions(&self) -> watch::Receiver<i64> {
        self.revision.subscribe()
    }

    /// Reads the tables if their revision is not the snapshot's, and answers the revision that is current then.
    ///
    /// # Errors
    /// When the database fails or takes too long; the snapshot stays as it was.
    pub async fn reload(&self) -> Result<i64, DbErr> {
        let mut complaints = self.reading.lock().await;
        let found = database::within(POLL_LIMIT, snapshot::read_revision(&self.db)).await?;
        if found == self.revision() {
            return Ok(found);
        }
        let loading = snapshot::load(&self.db, &self.sealer);
        let mut fresh = database::within(LOAD_LIMIT, loading).await?;
        fresh.resolve_time_zone(self.fallback_zone);
        let revision = fresh.revision;
        complain(&complaints, &fresh.left_out);
        complaints.clone_from(&fresh.left_out);
        tracing::info!(
            revision,
            keys = fresh.keys.len(),
            providers = fresh.providers.len(),
            "configuration loaded"
        );
        self.current.store(Arc::new(fresh));
        self.revision.send_replace(revision);
        Ok(revision)
    }

    /// Has the revision looked at now instead of within a second.
    pub fn poke(&self) {
        self.poked.notify_one();
    }

    /// Keeps the snapshot fresh until told to stop.
    pub async fn run(&self, mut stop: Stop) {
        let mut gone_since: Option<Instant> = None;
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return,
                _ = timeout(POLL_EVERY, self.poked.notified()) => {}
            }
            let reloaded = tokio::select! {
                () = stopped(&mut stop) => return,
                reloaded = self.reload() => reloaded,
            };
            match (reloaded, gone_since) {
                (Err(error), None) => {
                    gone_since = Some(Instant::now());
                    tracing::error!(%error, "the configuration cannot be read, the last one stays in force");
                }
                (Ok(revision), Some(since)) => {
                    gone_since = None;
                    let away_ms = since.elapsed().as_millis();
                    tracing::info!(revision, away_ms, "the configuration can be read again");
                }
                (Ok(_), None) | (Err(_), Some(_)) => {}
            }
        }
    }
}

#[cfg(test)]
impl Watch {
    /// Resolves when it is poked, instead of [`Watch::run`] hearing it.
    pub(super) async fn was_poked(&self) {
        self.poked.notified().await;
    }
}

/// Says what is left out now and was not before.
fn complain(before: &[LeftOut], now: &[LeftOut]) {
    for left_out in now.iter().filter(|left_out| !before.contains(left_out)) {
        let LeftOut {
            kind,
            id,
            name,
            why,
        } = left_out;
        tracing::error!(kind, id, name, why, "left out of the configuration");
    }
}

#[cfg(test)]
mod tests;
