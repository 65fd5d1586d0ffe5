//! Keeps what the breakers know: in the table for the next start, and among the nodes.
//!
//! Each node's breakers are its own; what it hears from others is advice, except a reset, which a person meant for all. What changes
//! is written at most once a second, whoever wrote last owns the row, and the database being away only makes the batch wait (it is
//! bounded by the breakers themselves). Every two seconds one cheap query tells whether anybody wrote; then the rows are read:
//! a new mark of a reset is followed, and what another node has opened is taken as advice. Redis, where there is one, says the same
//! sooner and is not relied on.

mod pending;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, DbErr};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use crate::policy::breaker::{Advice, Breakers, Moment, Row, SavedPhase, Scope, Which};
use crate::store::Stop;
use crate::store::breakers::{self, Fingerprint};
use crate::store::bus::{Bus, Notice};
use pending::{Pending, Stored, scope_of, which_of};

/// What notices about breakers are called.
const KIND: &str = "breaker";
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// The table is looked at every so many saves.
const POLL_EVERY: u32 = 2;
/// However much changes, it is looked at ten times a second at most.
const COLLECT_EVERY: Duration = Duration::from_millis(100);
/// Notices of one collection; they are hints, and what is beyond is read from the table.
const MOST_TOLD: usize = 256;

/// The task that keeps the breakers.
pub struct BreakerKeeper {
    breakers: Breakers,
    db: DatabaseConnection,
    bus: Option<Arc<Bus>>,
    node: Uuid,
    /// The version of the last export.
    exported: u64,
    pending: Pending,
    seen: Option<Fingerprint>,
    is_restored: bool,
    is_away: bool,
    /// What the others were told is open, and until when.
    told: HashMap<Scope, DateTime<Utc>>,
    /// What others said is open, and until when.
    heard: HashMap<Scope, DateTime<Utc>>,
}

/// What a notice says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Opened(Advice),
    Closed(Scope),
    Reset(Which),
}

// === impl BreakerKeeper ===

impl BreakerKeeper {
    /// Restores what an earlier process knew. When the database cannot be read that is said, and tried again by [`Self::run`].
    pub async fn open(breakers: Breakers, db: DatabaseConnection, bus: Option<Arc<Bus>>) -> Self {
        let node = bus.as_ref().map_or_else(Uuid::new_v4, |bus| bus.node());
        let mut keeper = Self {
            breakers,
            db,
            bus,
            node,
            exported: 0,
            pending: Pending::default(),
            seen: None,
            is_restored: false,
            is_away: false,
            told: HashMap::new(),
            heard: HashMap::new(),
        };
        let polled = keeper.poll().await;
        keeper.note(polled);
        keeper
    }

    /// Keeps them until told to stop, and writes a last time then.
    pub async fn run(mut self, mut stop: Stop) {
        let mut notices = self.bus.as_ref().map(|bus| bus.notices());
        let mut due = interval(SAVE_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks: u32 = 0;
        let breakers = self.breakers.clone();
        loop {
            let changed = async {
                sleep(COLLECT_EVERY).await;
                breakers.changed().await;
            };
            tokio::select! {
                () = stopped(&mut stop) => break,
                () = changed => self.collect().await,
                notice = next(&mut notices) => self.follow(&notice),
                _ = due.tick() => {
                    ticks = ticks.wrapping_add(1);
                    // Notices may come so often that this is all that is left of it.
                    self.collect().await;
                    self.keep(ticks.is_multiple_of(POLL_EVERY)).await;
                }
            }
        }
        self.collect().await;
        self.keep(false).await;
    }

    /// Takes up what changed, and tells the other nodes of it.
    async fn collect(&mut self) {
        let changes = self.breakers.export(self.exported, now());
        self.exported = changes.version;
        let mut words = Vec::new();
        for which in changes.resets {
            self.pending.reset(which, self.node);
            self.forget(which);
            words.push(Word::Reset(which));
        }
        for scope in changes.removed {
            self.told.remove(&scope);
            self.pending.remove(scope);
        }
        for row in changes.rows {
            words.extend(self.word(&row));
            self.pending.put(row, self.node);
        }
        let wall = Utc::now();
        self.told.retain(|_, until| *until > wall);
        self.heard.retain(|_, until| *until > wall);
        let Some(bus) = &self.bus else { return };
        for word in words.into_iter().take(MOST_TOLD) {
            let Ok(body) = serde_json::to_value(word) else {
                continue;
            };
            // One that is not taken will not be followed by one that is.
            if !bus.tell(KIND, body).await {
                break;
            }
        }
    }

    /// What the others should know of a change.
    fn word(&mut self, row: &Row) -> Option<Word> {
        let scope = &row.scope;
        if let Some(open_until) = row.state.open_until() {
            let before = self.told.insert(scope.clone(), open_until);
            return (before != Some(open_until)).then(|| {
                Word::Opened(Advice {
                    scope: scope.clone(),
                    open_until,
                    reason: row.state.reason.clone(),
                })
            });
        }
        let was_told = row.state.phase == SavedPhase::Closed && self.told.remove(scope).is_some();
        was_told.then(|| Word::Closed(scope.clone()))
    }

    /// Does what another node says.
    fn follow(&mut self, notice: &Notice) {
        if notice.kind != KIND {
            return;
        }
        match Word::deserialize(&notice.body) {
            Ok(Word::Opened(advice)) => self.take_advice(advice),
            Ok(Word::Closed(scope)) => {
                self.heard.remove(&scope);
                self.breakers.dismiss(&scope);
            }
            Ok(Word::Reset(which)) => self.follow_reset(which),
            Err(error) => tracing::debug!(%error, "a notice about breakers is not understood"),
        }
    }

    fn take_advice(&mut self, advice: Advice) {
        let open_until = advice.open_until;
        // Once: a success here may have dismissed it since.
        if self.heard.insert(advice.scope.clone(), open_until) != Some(open_until) {
            self.breakers.advise(&advice, now());
        }
    }

    fn follow_reset(&mut self, which: Which) {
        self.breakers.follow_reset(which, Instant::now());
        self.forget(which);
        self.pending.forget(which);
    }

    fn forget(&mut self, which: Which) {
        self.told.retain(|scope, _| !which.has(scope.provider()));
        self.heard.retain(|scope, _| !which.has(scope.provider()));
    }

    /// Writes what waits, and looks at the table when it is time or not even the start's reading came about.
    async fn keep(&mut self, is_poll_due: bool) {
        let mut done = self.save().await;
        if done.is_ok() && (is_poll_due || !self.is_restored) {
            done = self.poll().await;
        }
        self.note(done);
    }

    async fn save(&mut self) -> Result<(), DbErr> {
        if let Some(batch) = self.pending.batch() {
            breakers::save(&self.db, &batch).await?;
            self.pending.saved();
        }
        Ok(())
    }

    async fn poll(&mut self) -> Result<(), DbErr> {
        let found = breakers::fingerprint(&self.db).await?;
        if self.seen == Some(found) {
            return Ok(());
        }
        let rows = breakers::load(&self.db).await?;
        if self.is_restored {
            self.heed(&rows);
        } else {
            self.restore(&rows);
        }
        self.pending.learn(&rows);
        self.seen = Some(found);
        Ok(())
    }

    fn restore(&mut self, rows: &[breakers::Row]) {
        let states = rows.iter().filter(|row| row.key.scope != breakers::RESET);
        let count = states.clone().count();
        let states: Vec<Row> = states.filter_map(read).map(|(row, _)| row).collect();
        let skipped = count - states.len();
        if skipped > 0 {
            tracing::warn!(skipped, "rows of breakers are not understood and left out");
        }
        tracing::info!(breakers = states.len(), "breakers restored");
        self.breakers.restore(states, now());
        self.is_restored = true;
    }

    /// Follows what other nodes wrote.
    fn heed(&mut self, rows: &[breakers::Row]) {
        let fresh = |row: &&breakers::Row| !self.pending.knows(row);
        let fresh: Vec<&breakers::Row> = rows.iter().filter(fresh).collect();
        for which in fresh.iter().filter_map(|row| which_of(&row.key)) {
            self.follow_reset(which);
        }
        let wall = Utc::now();
        for (row, node) in fresh.into_iter().filter_map(read) {
            let open_until = row.state.open_until().filter(|until| *until > wall);
            if let (Some(open_until), true) = (open_until, node != self.node) {
                self.take_advice(Advice {
                    scope: row.scope,
                    open_until,
                    reason: row.state.reason,
                });
            }
        }
    }

    /// Says it when the database goes away and when it is back, and not in between.
    fn note(&mut self, done: Result<(), DbErr>) {
        match (done, self.is_away) {
            (Err(error), false) => {
                self.is_away = true;
                tracing::error!(%error, "the breakers' states cannot be kept, they stay in memory");
            }
            (Ok(()), true) => {
                self.is_away = false;
                tracing::info!("the breakers' states are kept again");
            }
            (Ok(()), false) | (Err(_), true) => {}
        }
    }
}

/// The breaker that a row tells of, and the node that wrote it.
fn read(row: &breakers::Row) -> Option<(Row, Uuid)> {
    let scope = scope_of(&row.key)?;
    let Stored { node, state } = Stored::deserialize(&row.state).ok()?;
    Some((Row { scope, state }, node))
}

/// The next notice; never, where there is no Redis.
async fn next(notices: &mut Option<broadcast::Receiver<Notice>>) -> Notice {
    while let Some(receiver) = notices {
        match receiver.recv().await {
            Ok(notice) => return notice,
            // What was lost is read from the table.
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => *notices = None,
        }
    }
    std::future::pending().await
}

async fn stopped(stop: &mut Stop) {
    // An error means that nobody is left who could say stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn now() -> Moment {
    Moment {
        at: Instant::now(),
        wall: Utc::now(),
    }
}

#[cfg(test)]
mod tests;
