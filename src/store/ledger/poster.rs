//! Takes rows to the database: what has just happened first, then what the journal still holds from before.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use entity::usage;
use sea_orm::DatabaseConnection;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::batch::Batch;
use super::fit;
use super::journal::Replay;
use super::keeper::{Backlog, with_journal};
use super::request::Request;
use super::rows::{Inserts, PostError};
use super::tally::Tally;
use crate::store::database::within;
use crate::store::{Stop, stopped};

/// Rows of each kind in one transaction.
const BATCH: usize = 512;
/// How long the first row of a batch waits for others.
const GATHER: Duration = Duration::from_millis(200);
/// How long a transaction may take.
const POST_LIMIT: Duration = Duration::from_secs(10);
/// Pauses between tries while the database is away: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Reads the backlog and the queue of request rows, writes the database.
#[derive(Debug)]
pub(super) struct Poster {
    inserts: Inserts,
    queue: mpsc::Receiver<Request>,
    /// What is being posted. Whoever does that has it too, for as long as it takes.
    batch: Arc<Batch>,
    /// The segment of the journal that each line of it is in, if it is.
    segments: Vec<Option<u64>>,
    /// Read from the journal and not posted yet.
    replay: Option<Replay>,
    /// Cleared when the journal has nothing to read, until the backlog forgets lines again.
    may_have_unread: bool,
    pause: Duration,
    backlog: Arc<Backlog>,
    tally: Arc<Tally>,
    closing: Stop,
}

// === impl Poster ===

impl Poster {
    pub(super) fn new(
        db: DatabaseConnection,
        queue: mpsc::Receiver<Request>,
        backlog: Arc<Backlog>,
        tally: Arc<Tally>,
        closing: Stop,
    ) -> Self {
        // Until it has been looked what an earlier process left.
        tally.set_behind(true);
        Self {
            inserts: Inserts::new(&db),
            queue,
            batch: Arc::default(),
            segments: Vec::new(),
            replay: None,
            may_have_unread: true,
            pause: FIRST_PAUSE,
            backlog,
            tally,
            closing,
        }
    }

    /// Posts until the ledger closes. What is in hand then stays in hand, for [`Poster::drain`].
    pub(super) async fn run(&mut self) {
        let mut closing = self.closing.clone();
        tokio::select! {
            () = stopped(&mut closing) => {}
            () = self.work() => {}
        }
    }

    /// Posts all that is queued and all that the journal holds, for the end; true when the database has it. Nothing is taken after it.
    pub(super) async fn drain(&mut self, until: Instant) -> bool {
        self.queue.close();
        self.pause = FIRST_PAUSE;
        self.may_have_unread = true;
        while !self.is_done() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.give_up();
                return false;
            }
            if let Err(error) = within(left, self.post_next()).await {
                self.tally.database_failed(&error);
                sleep(self.next_pause().min(left)).await;
            }
        }
        self.inserts.rest();
        true
    }

    /// Each step keeps what it works on in `self`, so that it may be dropped at any await.
    async fn work(&mut self) {
        loop {
            match self.post_next().await {
                Ok(()) => {
                    self.pause = FIRST_PAUSE;
                    self.tally.database_worked();
                    self.gather().await;
                }
                Err(error) => {
                    self.tally.database_failed(&error);
                    sleep(self.next_pause()).await;
                }
            }
        }
    }

    /// One batch of what has just happened, and one from the journal if it has any.
    async fn post_next(&mut self) -> Result<(), PostError> {
        self.fill();
        within(POST_LIMIT, self.post()).await?;
        self.read_again().await;
        within(POST_LIMIT, self.post_replay()).await
    }

    /// Until something arrives, and then until there is a batch of it or enough time has gone by. A transaction costs the same for one
    /// row as for many, so also a busy poster waits; and nobody wakes it meanwhile, so that to record costs no wake-up.
    async fn gather(&mut self) {
        if self.is_done() {
            self.inserts.rest();
            let arrived = tokio::select! {
                arrived = self.queue.recv() => arrived,
                () = self.backlog.arrived.notified() => None,
            };
            if let Some(row) = arrived {
                take(Arc::make_mut(&mut self.batch), row);
            }
            self.fill();
        }
        let has_batch = self.batch.requests.len() >= BATCH || self.batch.lines.len() >= BATCH;
        if !has_batch && self.replay.is_none() {
            sleep(GATHER).await;
        }
    }

    fn fill(&mut self) {
        if self.backlog.has_forgotten() {
            self.may_have_unread = true;
            self.tally.set_behind(true);
        }
        let batch = Arc::make_mut(&mut self.batch);
        while batch.requests.len() < BATCH
            && let Ok(row) = self.queue.try_recv()
        {
            take(batch, row);
        }
        if batch.lines.len() < BATCH {
            for kept in self.backlog.take(BATCH - batch.lines.len()) {
                batch.lines.push(kept.line);
                self.segments.push(kept.segment);
            }
        }
        self.tally.hold(batch.requests.len(), batch.lines.len());
    }

    /// Whether there is nothing to do until something arrives.
    fn is_done(&mut self) -> bool {
        self.fill();
        self.batch.is_empty() && self.replay.is_none() && !self.may_have_unread
    }

    /// Posts what is in hand and lets go of it.
    async fn post(&mut self) -> Result<(), PostError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        match self.inserts.post(&self.batch).await {
            Err(PostError::Refused(_)) => self.post_one_by_one().await?,
            posted => posted?,
        }
        self.let_go().await;
        Ok(())
    }

    /// One row of the batch is refused for what is in it: finds which, and does without it.
    async fn post_one_by_one(&mut self) -> Result<(), PostError> {
        for line in &self.batch.lines {
            self.post_line(line).await?;
        }
        for row in &self.batch.requests {
            let alone = Arc::new(Batch::of_request(row.clone()));
            match self.inserts.post(&alone).await {
                Err(PostError::Refused(error)) => {
                    tracing::error!(request_id = %row.id, error, "the database refuses a request log row");
                    self.tally.drop_requests(1);
                }
                posted => posted?,
            }
        }
        Ok(())
    }

    /// Posts a line alone, which is done without when the database refuses it.
    async fn post_line(&self, line: &usage::Model) -> Result<(), PostError> {
        let alone = Arc::new(Batch::of_line(line.clone()));
        match self.inserts.post(&alone).await {
            Err(PostError::Refused(error)) => {
                tracing::error!(line_id = %line.id, error, "the database refuses a usage line; it is kept in usage.rejected");
                let kept = with_journal(&self.backlog, move |journal| {
                    alone.lines.iter().try_for_each(|line| journal.reject(line))
                });
                match kept.await {
                    Ok(()) => self.tally.reject_line(),
                    Err(error) => {
                        self.tally.journal_failed(&error);
                        self.tally.lose_lines(1);
                    }
                }
                Ok(())
            }
            posted => posted,
        }
    }

    /// Empties the batch, and tells the journal which lines the database has now.
    async fn let_go(&mut self) {
        let batch = Arc::make_mut(&mut self.batch);
        batch.lines.clear();
        batch.requests.clear();
        let mut counts = BTreeMap::<u64, usize>::new();
        for number in self.segments.drain(..).flatten() {
            *counts.entry(number).or_default() += 1;
        }
        self.tally.hold(0, 0);
        if counts.is_empty() {
            return;
        }
        let (done, bytes) = with_journal(&self.backlog, move |journal| {
            let mut done = Ok(());
            for (number, count) in counts {
                done = done.and(journal.posted(number, count));
            }
            (done, journal.bytes())
        })
        .await;
        self.note(done, bytes);
    }

    /// Takes the next lines from the journal that are in memory no longer.
    async fn read_again(&mut self) {
        if self.replay.is_some() || !self.may_have_unread {
            return;
        }
        match with_journal(&self.backlog, |journal| journal.read(BATCH)).await {
            Ok(replay) => {
                self.may_have_unread = replay.is_some();
                self.tally.set_behind(self.may_have_unread);
                self.replay = replay;
            }
            Err(error) => self.tally.journal_failed(&error),
        }
    }

    async fn post_replay(&mut self) -> Result<(), PostError> {
        let Some(replay) = &self.replay else {
            return Ok(());
        };
        match self.inserts.post(&replay.batch).await {
            Err(PostError::Refused(_)) => {
                for line in &replay.batch.lines {
                    self.post_line(line).await?;
                }
            }
            posted => posted?,
        }
        let Some(replay) = self.replay.take() else {
            return Ok(());
        };
        tracing::info!(
            lines = replay.batch.lines.len(),
            "posted usage lines from the journal"
        );
        let (done, bytes) = with_journal(&self.backlog, move |journal| {
            (journal.replayed(&replay), journal.bytes())
        })
        .await;
        self.note(done, bytes);
        Ok(())
    }

    fn note(&self, done: std::io::Result<()>, bytes: u64) {
        self.tally.set_journal_bytes(bytes);
        if let Err(error) = done {
            self.tally.journal_failed(&error);
        }
    }

    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LAST_PAUSE);
        pause
    }

    /// The end, and the database has not taken all: counts what is lost with this process.
    fn give_up(&mut self) {
        let mut requests = self.batch.requests.len();
        while self.queue.try_recv().is_ok() {
            requests += 1;
        }
        self.batch = Arc::default();
        let mut segments = mem::take(&mut self.segments);
        let waiting = self.backlog.take(usize::MAX);
        segments.extend(waiting.iter().map(|kept| kept.segment));
        let kept = segments.iter().flatten().count();
        let unkept = segments.len() - kept;
        if requests > 0 {
            self.tally.drop_requests(requests as u64);
        }
        if unkept > 0 {
            self.tally.lose_lines(unkept as u64);
        }
        tracing::warn!(
            kept,
            requests,
            unkept,
            "stopped without the database: usage lines are kept in the journal for the next start"
        );
    }
}

/// Takes a row of the request log into a batch.
fn take(batch: &mut Batch, mut row: Request) {
    fit::request(&mut row);
    batch.requests.push(row);
}
