//! Writing down what happened, without ever making a request wait, and without losing what money depends on.
//!
//! Two kinds of rows arrive here, and they are not worth the same. A row of the request log tells a story; under pressure the newest are
//! dropped, and counted. A usage line is money; it takes this way:
//!
//! ```text
//!  record ─► queue ─► keeper: journal, fdatasync ─► backlog in memory ─► poster: database ─► journal lets go of it
//!            memory   at most 100 ms later                 │                    ▲
//!                                                          └── full: forgotten, read again from the journal
//! ```
//!
//! So the journal is written first, in groups, and a line is in the journal until the database has committed it:
//!
//! - `kill -9` loses the lines of the last 100 ms and the time of one sync. The next start posts what the journal holds; a line's id makes
//!   posting it twice the same as once.
//! - The database away: the poster keeps its batch and tries again, the journal grows up to its bound, memory does not.
//! - The disk full, or the journal at its bound: said loudly once; lines go on from memory to the database, and traffic goes on.
//! - Both at once: lines are kept in memory up to the bounds below. Only beyond them is a line lost, counted and said loudly.
//!
//! The keeper and the poster are two loops of one task: the journal must go on being written while the database is being waited for.

mod archive;
mod batch;
mod blocking;
mod columns;
mod fit;
mod journal;
mod keeper;
mod line;
mod poster;
mod request;
mod rollup;
mod rows;
mod tally;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use entity::usage;
use sea_orm::DatabaseConnection;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Stop, stopped};
use crate::domain::client_name;
pub use archive::Archive;
use journal::Journal;
use keeper::{Backlog, Keeper};
use poster::Poster;
pub use request::Request;
pub use rows::PostError;
use tally::Tally;

/// How often it is looked whether the journal is posted.
const LOOK: Duration = Duration::from_millis(10);

/// What is written about one client request.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its row in the request log.
    pub request: Request,
    /// A line for each attempt that may have cost something.
    pub lines: Vec<usage::Model>,
}

/// How much may wait, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Request rows in memory. Default 10,000.
    pub requests: usize,
    /// Usage lines in memory that are not in the journal yet. Default 100,000.
    pub lines: usize,
    /// Usage lines in memory that wait for the database. Default 20,000; more wait in the journal alone.
    pub backlog: usize,
    /// Bytes of journal. Default 1 GiB.
    pub journal_bytes: u64,
}

/// How the ledger is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Request rows that wait in memory.
    pub queued_requests: usize,
    /// Usage lines that wait in memory, for the journal or for the database.
    pub queued_lines: usize,
    /// Request rows dropped since the start.
    pub dropped_requests: u64,
    /// Usage lines lost since the start: anything but 0 is an incident.
    pub lost_lines: u64,
    /// Usage lines the database refused for what is in them; they are kept in `usage.rejected` in the data directory.
    pub rejected_lines: u64,
    /// Bytes of journal that the database has not confirmed.
    pub journal_bytes: u64,
    /// Whether the last posting succeeded.
    pub is_database_ok: bool,
    /// Whether the last write of the journal succeeded.
    pub is_journal_ok: bool,
}

/// The ledger. Shared by everything that settles requests.
#[derive(Debug)]
pub struct Ledger {
    requests: mpsc::Sender<Request>,
    lines: mpsc::Sender<usage::Model>,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    /// Held by whoever writes: `run` until it is stopped, then `flush`.
    writer: Mutex<Writer>,
    closing: watch::Sender<bool>,
}

#[derive(Debug)]
struct Writer {
    keeper: Keeper,
    poster: Poster,
}

// === impl Ledger ===

impl Ledger {
    /// Opens the journal in `data_dir`. What an earlier process left in it is posted once [`Ledger::run`] runs.
    ///
    /// # Errors
    /// When the journal cannot be opened, or another process has it open.
    pub fn open(db: DatabaseConnection, data_dir: &Path, bounds: Bounds) -> io::Result<Self> {
        super::make_data_dir(data_dir)?;
        let tally = Arc::new(Tally::default());
        let journal = Journal::open(data_dir, bounds.journal_bytes)?;
        tally.set_journal_bytes(journal.bytes());
        let backlog = Arc::new(Backlog::new(journal, bounds.backlog));
        let (requests, requests_rx) = mpsc::channel(bounds.requests.max(1));
        let (lines, lines_rx) = mpsc::channel(bounds.lines.max(1));
        let closing = watch::Sender::new(false);
        let keeper = Keeper::new(
            lines_rx,
            Arc::clone(&backlog),
            Arc::clone(&tally),
            closing.subscribe(),
        );
        let poster = Poster::new(
            db,
            requests_rx,
            Arc::clone(&backlog),
            Arc::clone(&tally),
            closing.subscribe(),
        );
        Ok(Self {
            requests,
            lines,
            backlog,
            tally,
            writer: Mutex::new(Writer { keeper, poster }),
            closing,
        })
    }

    /// Takes an entry. Never blocks, never waits: where a bound is reached the newest row is what is left out, and counted.
    pub fn record(&self, entry: Entry) {
        self.record_lines(entry.lines, entry.request.user_agent.as_deref());
        if self.requests.try_send(entry.request).is_err() {
            self.tally.drop_requests(1);
        }
    }

    /// Takes lines of a request that goes on; those that it is recorded with in the end are others. As [`Ledger::record`] otherwise.
    pub fn record_lines(&self, lines: Vec<usage::Model>, user_agent: Option<&str>) {
        let client = client_name::name_of(user_agent);
        for mut line in lines {
            line.client = client;
            if self.lines.try_send(line).is_err() {
                self.tally.lose_lines(1);
            }
        }
    }

    /// Writes until told to stop, or until [`Ledger::flush`]. What is queued then is for `flush` to write.
    pub async fn run(&self, mut stop: Stop) {
        let mut closed = self.closing.subscribe();
        let mut writer = self.writer.lock().await;
        let Writer { keeper, poster } = &mut *writer;
        let ending = async {
            tokio::select! {
                () = stopped(&mut stop) => { self.closing.send_replace(true); }
                () = stopped(&mut closed) => {}
            }
        };
        tokio::join!(keeper.run(), poster.run(), ending);
    }

    /// Ends [`Ledger::run`] and writes everything that is queued: usage lines to the journal, then all rows to the database for as long as
    /// `limit` allows. Nothing is taken any more: what is recorded after it is counted as dropped and lost. True when the database has it all; otherwise usage lines stay in the journal for the next start, and request rows
    /// are counted as dropped.
    pub async fn flush(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        self.closing.send_replace(true);
        let Ok(mut writer) = timeout_at(until, self.writer.lock()).await else {
            tracing::error!("the ledger could not be flushed: its writer did not end");
            return false;
        };
        let Writer { keeper, poster } = &mut *writer;
        keeper.drain().await;
        poster.drain(until).await
    }

    /// Whether the history lacks lines that only the journal has: those of an earlier process, or of a time without database.
    pub fn is_behind(&self) -> bool {
        self.tally.is_behind()
    }

    /// Waits until the history has what an earlier process left in the journal; false when it has not within `limit`. [`Ledger::run`] must
    /// run.
    pub async fn caught_up(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while self.is_behind() {
            if Instant::now() >= until {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }

    /// How it is doing.
    pub fn stats(&self) -> Stats {
        let queued = |capacity: usize, most: usize| most - capacity;
        let mut stats = self.tally.stats();
        stats.queued_requests += queued(self.requests.capacity(), self.requests.max_capacity());
        stats.queued_lines +=
            queued(self.lines.capacity(), self.lines.max_capacity()) + self.backlog.len();
        stats
    }
}

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Self {
            requests: 10_000,
            lines: 100_000,
            backlog: 20_000,
            journal_bytes: 1 << 30,
        }
    }
}
