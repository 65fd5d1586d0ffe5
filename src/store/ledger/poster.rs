//! Takes rows to the database: what has just happened first, then what the journal still holds from before.

use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::fit;
use super::journal::Replay;
use super::keeper::{Backlog, Kept, with_journal};
use super::request::Request;
use super::rows::Inserts;
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
    requests: Vec<Request>,
    lines: Vec<Kept>,
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
            requests: Vec::with_capacity(BATCH),
            lines: Vec::new(),
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
    async fn post_next(&mut self) -> Result<(), DbErr> {
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
            tokio::select! {
                _ = self.queue.recv_many(&mut self.requests, BATCH) => {}
                () = self.backlog.arrived.notified() => {}
            }
            self.fill();
        }
        let has_batch = self.requests.len() >= BATCH || self.lines.len() >= BATCH;
        if !has_batch && self.replay.is_none() {
            sleep(GATHER).await;
        }
    }

    fn fill(&mut self) {
        if self.backlog.has_forgotten() {
            self.may_have_unread = true;
            self.tally.set_behind(true);
        }
        while self.requests.len() < BATCH
            && let Ok(row) = self.queue.try_recv()
        {
            self.requests.push(row);
        }
        if self.lines.len() < BATCH {
            let room = BATCH - self.lines.len();
            self.lines.append(&mut self.backlog.take(room));
        }
        self.tally.hold(self.requests.len(), self.lines.len());
    }

    fn is_idle(&self) -> bool {
        self.requests.is_empty() && self.lines.is_empty()
    }

    /// Whether there is nothing to do until something arrives.
    fn is_done(&mut self) -> bool {
        self.fill();
        self.is_idle() && self.replay.is_none() && !self.may_have_unread
    }

    /// Posts what is in hand and lets go of it.
    async fn post(&mut self) -> Result<(), DbErr> {
        if self.is_idle() {
            return Ok(());
        }
        for row in &mut self.requests {
            fit::request(row);
        }
        let lines = self.lines.iter().map(|kept| &kept.line);
        match self.inserts.post(lines, &self.requests).await {
            Err(error) if self.inserts.is_refusal(&error) => self.post_one_by_one().await?,
            posted => posted?,
        }
        self.requests.clear();
        self.let_go().await;
        Ok(())
    }

    /// One row of the batch is refused for what is in it: finds which, and does without it.
    async fn post_one_by_one(&mut self) -> Result<(), DbErr> {
        for kept in &self.lines {
            let posted = self.inserts.post([&kept.line].into_iter(), &[]).await;
            self.without_refused_line(&kept.line, posted).await?;
        }
        for row in &self.requests {
            let posted = self
                .inserts
                .post([].into_iter(), slice::from_ref(row))
                .await;
            match posted {
                Err(error) if self.inserts.is_refusal(&error) => {
                    tracing::error!(request_id = %row.id, %error, "the database refuses a request log row");
                    self.tally.drop_requests(1);
                }
                posted => posted?,
            }
        }
        Ok(())
    }

    async fn without_refused_line(
        &self,
        line: &entity::usage::Model,
        posted: Result<(), DbErr>,
    ) -> Result<(), DbErr> {
        match posted {
            Err(error) if self.inserts.is_refusal(&error) => {
                tracing::error!(line_id = %line.id, %error, "the database refuses a usage line; it is kept in usage.rejected");
                let line = line.clone();
                let kept = with_journal(&self.backlog, move |journal| journal.reject(&line)).await;
                match kept {
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

    /// Tells the journal which lines the database has now.
    async fn let_go(&mut self) {
        let mut counts = BTreeMap::<u64, usize>::new();
        for number in self.lines.drain(..).filter_map(|kept| kept.segment) {
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

    async fn post_replay(&mut self) -> Result<(), DbErr> {
        let Some(replay) = &self.replay else {
            return Ok(());
        };
        match self.inserts.post(replay.lines.iter(), &[]).await {
            Err(error) if self.inserts.is_refusal(&error) => {
                for line in &replay.lines {
                    let posted = self.inserts.post([line].into_iter(), &[]).await;
                    self.without_refused_line(line, posted).await?;
                }
            }
            posted => posted?,
        }
        let Some(replay) = self.replay.take() else {
            return Ok(());
        };
        tracing::info!(
            lines = replay.lines.len(),
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
        let mut requests = self.requests.len();
        while self.queue.try_recv().is_ok() {
            requests += 1;
        }
        let mut lines = std::mem::take(&mut self.lines);
        lines.append(&mut self.backlog.take(usize::MAX));
        let unkept = lines.iter().filter(|kept| kept.segment.is_none()).count();
        let kept = lines.len() - unkept;
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
