//! Sends the messages that are due.
//!
//! One message a target is under way at a time, so that what opened is told before what closed, and a target that hangs keeps nobody else
//! waiting. A message is taken from the table for a minute (`store::notices::take`), so nodes do not send it twice, and one whose node
//! died is sent by the next that looks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use entity::value::{Sealer, TargetKind};
use entity::{notification_delivery as delivery, notification_target as target};
use sea_orm::{DatabaseConnection, DbErr};
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::sending::{Sent, send};
use crate::app::runtime::Stop;
use crate::domain::notice::Notice;
use crate::domain::notice::words::words;
use crate::policy::notify::again;
use crate::store::database::within;
use crate::store::notices::{self, Ended};
use crate::store::watch::Watch;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::metrics::notices::Told;

/// How often it is looked for what is due without being woken: for pauses that end, and for what other nodes left.
const POLL: Duration = Duration::from_secs(1);
/// Messages under way at once.
const MOST: usize = 16;
/// When a message that was taken is taken for lost. Longer than sending takes.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long the database is waited for.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is tried to write down how an attempt ended.
const WRITES: u32 = 5;
/// How long the end waits for what is under way.
const ENDING: Duration = Duration::from_secs(12);
/// How often it is counted what waits.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How often the log is cut to its length, and that length.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
const KEPT: TimeDelta = TimeDelta::days(30);

/// The task that sends.
pub struct Deliverer {
    /// The configuration in force.
    pub config: Arc<Watch>,
    /// Where messages wait.
    pub db: DatabaseConnection,
    /// Opens targets' addresses.
    pub sealer: Arc<Sealer>,
    /// Counts what becomes of them.
    pub metrics: Arc<Metrics>,
    /// Says that there is something new.
    pub wake: Arc<Notify>,
}

// === impl Deliverer ===

impl Deliverer {
    /// Sends until told to stop, and lets what is under way come to its end.
    pub async fn run(self, mut stop: Stop) {
        let deliverer = Arc::new(self);
        let mut sending = JoinSet::new();
        let mut busy = HashSet::new();
        let mut forgotten = Instant::now();
        let mut counted = None;
        let mut is_away = false;
        loop {
            tokio::select! {
                // An error means that nobody is left who could say stop.
                _ = stop.wait_for(|stop| *stop) => break,
                Some(done) = sending.join_next() => match done {
                    Ok(target) => _ = busy.remove(&target),
                    // It never is: nothing in it panics. If it does, all are asked anew.
                    Err(_) => busy.clear(),
                },
                () = deliverer.wake.notified() => {}
                () = sleep(POLL) => {}
            }
            let mut looked = deliverer.look(&mut busy, &mut sending).await;
            if looked.is_ok() && counted.is_none_or(|at: Instant| at.elapsed() >= COUNT_EVERY) {
                looked = deliverer.count().await;
                counted = Some(Instant::now());
            }
            match (&looked, is_away) {
                (Err(error), false) => {
                    tracing::warn!(%error, "messages to people wait for the database")
                }
                (Ok(()), true) => tracing::info!("messages to people are sent again"),
                (Ok(()), false) | (Err(_), true) => {}
            }
            is_away = looked.is_err();
            if forgotten.elapsed() >= FORGET_EVERY && !is_away {
                forgotten = Instant::now();
                deliverer.forget().await;
            }
        }
        let ending = async { while sending.join_next().await.is_some() {} };
        // What does not end is sent again by the next process.
        let _ = timeout(ENDING, ending).await;
    }

    /// Begins with what is due.
    async fn look(
        self: &Arc<Self>,
        busy: &mut HashSet<i64>,
        sending: &mut JoinSet<i64>,
    ) -> Result<(), DbErr> {
        if busy.len() >= MOST {
            return Ok(());
        }
        let skipped: Vec<i64> = busy.iter().copied().collect();
        let due = notices::due(&self.db, Utc::now(), &skipped, MOST as u64);
        for delivery in within(PATIENCE, due).await? {
            if busy.len() < MOST && busy.insert(delivery.target_id) {
                let deliverer = self.clone();
                sending.spawn(async move {
                    let target = delivery.target_id;
                    deliverer.attempt(delivery).await;
                    target
                });
            }
        }
        Ok(())
    }

    async fn count(&self) -> Result<(), DbErr> {
        let waiting = within(PATIENCE, notices::waiting(&self.db)).await?;
        self.metrics.notices.set_waiting(waiting);
        Ok(())
    }

    async fn attempt(&self, delivery: delivery::Model) {
        let taken = notices::take(&self.db, &delivery, Utc::now(), LEASE);
        match within(PATIENCE, taken).await {
            Ok(true) => {}
            // Another node has it.
            Ok(false) => return,
            Err(error) => {
                tracing::debug!(%error, "a message to people is not taken yet");
                return;
            }
        }
        let attempts = delivery.attempts + 1;
        let target = within(PATIENCE, notices::target(&self.db, delivery.target_id)).await;
        let kind = match &target {
            Ok(Some(target)) => Some(target.kind),
            Ok(None) | Err(_) => None,
        };
        let sent = self.send(&delivery, target).await;
        let pause = again::pause(attempts, sent.wait, fastrand::f64());
        let pause = pause.filter(|_| sent.error.is_some() && !sent.is_final);
        let now = Utc::now();
        let again_at = pause.and_then(|pause| TimeDelta::from_std(pause).ok());
        let ended = Ended {
            status: sent.status,
            error: sent.error,
            again_at: again_at.map(|pause| now + pause),
        };
        self.tell_metrics(kind, &ended);
        match (&ended.error, ended.again_at) {
            (None, _) => tracing::info!(
                delivery = delivery.id,
                target = delivery.target_id,
                attempts,
                "a message to people arrived"
            ),
            (Some(error), again_at) => tracing::warn!(
                delivery = delivery.id,
                target = delivery.target_id,
                attempts,
                is_given_up = again_at.is_none(),
                error,
                "a message to people did not arrive"
            ),
        }
        self.write_down(delivery.id, attempts, &ended).await;
    }

    fn tell_metrics(&self, kind: Option<TargetKind>, ended: &Ended) {
        let notices = &self.metrics.notices;
        match (&ended.error, ended.again_at) {
            (None, _) => notices.ended(kind, Told::Delivered),
            (Some(_), Some(_)) => notices.retried(kind),
            (Some(_), None) => notices.ended(kind, Told::Failed),
        }
    }

    async fn send(
        &self,
        delivery: &delivery::Model,
        target: Result<Option<target::Model>, DbErr>,
    ) -> Sent {
        let target = match target {
            Ok(Some(target)) if target.is_enabled => target,
            Ok(Some(_)) => return Sent::hopeless("the target is switched off"),
            Ok(None) => return Sent::hopeless("the target is gone"),
            Err(error) => {
                return Sent {
                    error: Some(format!("the target cannot be read: {error}")),
                    ..Sent::default()
                };
            }
        };
        let Ok(notice) = Notice::deserialize(&delivery.notice) else {
            return Sent::hopeless("another version wrote this message, and it is not understood");
        };
        let config = self.config.current();
        let words = words(&notice, target.language, config.time_zone);
        let policy = config.settings.egress_policy;
        let told = (&notice, &words);
        send(&self.sealer, policy, &target, told, Utc::now()).await
    }

    /// What is not written down is sent again.
    async fn write_down(&self, id: i64, attempts: i32, ended: &Ended) {
        for _ in 0..WRITES {
            let written = notices::end(&self.db, id, attempts, ended, Utc::now());
            match within(PATIENCE, written).await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "how a message ended is not written yet"),
            }
            sleep(POLL).await;
        }
    }

    async fn forget(&self) {
        let now = Utc::now();
        match within(PATIENCE, notices::forget(&self.db, now - KEPT, now)).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "old deliveries were deleted"),
            Err(error) => tracing::warn!(%error, "old deliveries were not deleted"),
        }
    }
}
