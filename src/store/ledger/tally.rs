//! Counts, and the saying of things once.

use std::fmt::Display;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use super::Stats;

/// What the ledger counts. Each kind of trouble is said when it begins and when it ends.
#[derive(Debug, Default)]
pub(super) struct Tally {
    dropped_requests: AtomicU64,
    lost_lines: AtomicU64,
    rejected_lines: AtomicU64,
    journal_bytes: AtomicU64,
    held_requests: AtomicUsize,
    held_lines: AtomicUsize,
    is_dropping: AtomicBool,
    is_losing: AtomicBool,
    dropped_before: AtomicU64,
    lost_before: AtomicU64,
    is_database_away: AtomicBool,
    is_behind: AtomicBool,
    is_journal_failing: AtomicBool,
}

// === impl Tally ===

impl Tally {
    pub(super) fn drop_requests(&self, count: u64) {
        self.dropped_requests.fetch_add(count, Relaxed);
        if !self.is_dropping.swap(true, Relaxed) {
            tracing::warn!(
                "request log rows are being dropped: more arrive than the database takes"
            );
        }
    }

    pub(super) fn lose_lines(&self, count: u64) {
        self.lost_lines.fetch_add(count, Relaxed);
        if !self.is_losing.swap(true, Relaxed) {
            tracing::error!(
                "USAGE LINES ARE BEING LOST: neither the journal nor the database takes them"
            );
        }
    }

    pub(super) fn reject_line(&self) {
        self.rejected_lines.fetch_add(1, Relaxed);
    }

    pub(super) fn set_journal_bytes(&self, bytes: u64) {
        self.journal_bytes.store(bytes, Relaxed);
    }

    /// Rows that are neither in a queue nor in the backlog, because they are just being written.
    pub(super) fn hold(&self, requests: usize, lines: usize) {
        self.held_requests.store(requests, Relaxed);
        self.held_lines.store(lines, Relaxed);
    }

    /// Whether the journal holds lines that are nowhere else and not in the database yet.
    pub(super) fn set_behind(&self, is_behind: bool) {
        self.is_behind.store(is_behind, Release);
    }

    pub(super) fn is_behind(&self) -> bool {
        self.is_behind.load(Acquire)
    }

    pub(super) fn journal_failed(&self, error: &std::io::Error) {
        if !self.is_journal_failing.swap(true, Relaxed) {
            tracing::error!(%error, "THE USAGE JOURNAL CANNOT BE WRITTEN: until it can, usage lines are safe only once the database has them");
        }
    }

    pub(super) fn journal_worked(&self) {
        if self.is_journal_failing.swap(false, Relaxed) {
            tracing::info!("the usage journal is being written again");
        }
    }

    pub(super) fn database_failed(&self, error: &dyn Display) {
        if !self.is_database_away.swap(true, Relaxed) {
            tracing::error!(%error, "the database does not take usage and request rows; they wait");
        }
    }

    pub(super) fn database_worked(&self) {
        if self.is_database_away.swap(false, Relaxed) {
            tracing::info!("the database takes usage and request rows again");
        }
        // It is over when nothing was left out since the posting before, or under load it would be said with every posting.
        let dropped = self.dropped_requests.load(Relaxed);
        if self.dropped_before.swap(dropped, Relaxed) == dropped
            && self.is_dropping.swap(false, Relaxed)
        {
            tracing::warn!(
                dropped,
                "request log rows were dropped, counted since the start"
            );
        }
        let lost = self.lost_lines.load(Relaxed);
        if self.lost_before.swap(lost, Relaxed) == lost && self.is_losing.swap(false, Relaxed) {
            tracing::error!(lost, "USAGE LINES WERE LOST, counted since the start");
        }
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            queued_requests: self.held_requests.load(Relaxed),
            queued_lines: self.held_lines.load(Relaxed),
            dropped_requests: self.dropped_requests.load(Relaxed),
            lost_lines: self.lost_lines.load(Relaxed),
            rejected_lines: self.rejected_lines.load(Relaxed),
            journal_bytes: self.journal_bytes.load(Relaxed),
            is_database_ok: !self.is_database_away.load(Relaxed),
            is_journal_ok: !self.is_journal_failing.load(Relaxed),
        }
    }
}
