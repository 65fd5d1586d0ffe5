//! Takes usage lines from the queue into the journal, and hands them on to the poster.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use entity::usage;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::blocking::blocking;
use super::fit;
use super::journal::Journal;
use super::tally::Tally;
use crate::store::{Stop, stopped};

/// How long the first line of a group waits for others before they are written together.
const GATHER: Duration = Duration::from_millis(100);
/// Lines of one group: at this many it does not wait.
const GROUP: usize = 1000;
/// How often the journal is tried again while there is no room for lines that it did not take.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Reads the queue, writes the journal.
#[derive(Debug)]
pub(super) struct Keeper {
    queue: mpsc::Receiver<usage::Model>,
    group: Vec<usage::Model>,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    closing: Stop,
}

/// Lines on their way to the database, and the journal they are in.
#[derive(Debug)]
pub(super) struct Backlog {
    lines: Mutex<VecDeque<Kept>>,
    most: usize,
    journal: Mutex<Journal>,
    /// Something arrived for the poster.
    pub(super) arrived: Notify,
    /// The poster has made room.
    room: Notify,
    /// Lines have been left to the journal since the poster last asked.
    has_forgotten: AtomicBool,
}

/// A line and the segment of the journal it is in, if it is.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) line: usage::Model,
    pub(super) segment: Option<u64>,
}

// === impl Keeper ===

impl Keeper {
    pub(super) fn new(
        queue: mpsc::Receiver<usage::Model>,
        backlog: Arc<Backlog>,
        tally: Arc<Tally>,
        closing: Stop,
    ) -> Self {
        Self {
            queue,
            group: Vec::new(),
            backlog,
            tally,
            closing,
        }
    }

    /// Keeps lines until the ledger closes.
    pub(super) async fn run(&mut self) {
        loop {
            tokio::select! {
                () = stopped(&mut self.closing) => return,
                _ = self.queue.recv_many(&mut self.group, GROUP) => {}
            }
            if self.group.len() < GROUP {
                tokio::select! {
                    () = stopped(&mut self.closing) => {}
                    () = sleep(GATHER) => {}
                }
                self.fill();
            }
            self.keep(false).await;
        }
    }

    /// Keeps all that is queued, for the end. Nothing is taken after it.
    pub(super) async fn drain(&mut self) {
        self.queue.close();
        self.fill();
        while !self.group.is_empty() {
            self.keep(true).await;
            self.fill();
        }
    }

    fn fill(&mut self) {
        while self.group.len() < GROUP
            && let Ok(line) = self.queue.try_recv()
        {
            self.group.push(line);
        }
    }

    /// Journals the group and hands it on. Lines the journal does not take are handed on too, but not more than the backlog has room
    /// for, until the ledger closes.
    async fn keep(&mut self, is_last: bool) {
        for line in &mut self.group {
            fit::line(line);
        }
        loop {
            let group = std::mem::take(&mut self.group);
            let (group, appended, bytes) = with_journal(&self.backlog, move |journal| {
                let appended = journal.append(group.iter());
                (group, appended, journal.bytes())
            })
            .await;
            self.tally.set_journal_bytes(bytes);
            match appended {
                Ok(segment) => {
                    self.tally.journal_worked();
                    self.backlog.hand_on(group, segment).await;
                    return;
                }
                Err(error) => self.tally.journal_failed(&error),
            }
            if is_last || self.backlog.has_room_for(group.len()) {
                self.backlog.hand_on_unkept(group);
                return;
            }
            self.group = group;
            tokio::select! {
                () = stopped(&mut self.closing) => return,
                () = self.backlog.room.notified() => {}
                () = sleep(TRY_AGAIN) => {}
            }
        }
    }
}

// === impl Backlog ===

impl Backlog {
    pub(super) fn new(journal: Journal, most: usize) -> Self {
        Self {
            lines: Mutex::default(),
            most,
            journal: Mutex::new(journal),
            arrived: Notify::new(),
            room: Notify::new(),
            has_forgotten: AtomicBool::new(false),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lines().len()
    }

    /// Up to `most` lines, oldest first.
    pub(super) fn take(&self, most: usize) -> Vec<Kept> {
        let mut lines = self.lines();
        let count = most.min(lines.len());
        let taken = lines.drain(..count).collect();
        drop(lines);
        self.room.notify_one();
        taken
    }

    /// Whether the journal has had to take lines alone since this was last asked.
    pub(super) fn has_forgotten(&self) -> bool {
        self.has_forgotten.swap(false, Relaxed)
    }

    /// Hands on lines that a segment of the journal has. Those that there is no room for it has alone.
    async fn hand_on(self: &Arc<Self>, group: Vec<usage::Model>, segment: u64) {
        let forgotten = {
            let mut lines = self.lines();
            let room = self.most.saturating_sub(lines.len());
            let count = group.len();
            let kept = group.into_iter().map(|line| Kept {
                line,
                segment: Some(segment),
            });
            lines.extend(kept.take(room));
            count.saturating_sub(room)
        };
        if forgotten > 0 {
            with_journal(self, move |journal| journal.forgotten(segment, forgotten)).await;
            self.has_forgotten.store(true, Relaxed);
        }
        self.arrived.notify_one();
    }

    /// Hands on lines that only memory has.
    fn hand_on_unkept(&self, group: Vec<usage::Model>) {
        let kept = group.into_iter().map(|line| Kept {
            line,
            segment: None,
        });
        self.lines().extend(kept);
        self.arrived.notify_one();
    }

    fn has_room_for(&self, count: usize) -> bool {
        self.len() + count <= self.most
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does something with the journal where blocking is allowed. Once begun it is done, whether or not it is waited for.
pub(super) async fn with_journal<T: Send + 'static>(
    backlog: &Arc<Backlog>,
    work: impl FnOnce(&mut Journal) -> T + Send + 'static,
) -> T {
    let backlog = Arc::clone(backlog);
    blocking(move || {
        let mut journal = backlog
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&mut journal)
    })
    .await
}
