//! How an attempt went, as it tells its journey when it is over.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::domain::chain::Nobody;
use crate::domain::fault::Fault;
use crate::policy::breaker::Permit;
use crate::policy::quota::Reservation;
use crate::policy::select::Choice;
use crate::wire::meter::Reading;

/// How an attempt went.
pub struct Report {
    /// The provider and why; none when nobody was left.
    pub choice: Option<Choice>,
    /// Why nobody was left.
    pub nobody: Option<Nobody>,
    /// Which of the provider's addresses.
    pub endpoint: usize,
    /// The breakers' leave, to be told how it went.
    pub permit: Option<Permit>,
    /// What it takes up of the provider's limits.
    pub reservation: Option<Reservation>,
    /// How long the upstream asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The model it was asked for.
    pub model: Option<String>,
    /// Edits made to the body.
    pub edits: Vec<String>,
    /// Whether its connection came out of the pool.
    pub reused_connection: bool,
    /// The upstream's status.
    pub status: Option<u16>,
    /// What went wrong.
    pub failure: Option<(Fault, String)>,
    /// When it began.
    pub started: Instant,
    /// When the upstream began to answer.
    pub first_byte: Option<Instant>,
    /// When its first content came.
    pub first_content: Option<Instant>,
    /// When it ended.
    pub ended: Instant,
    /// The same on the wall.
    pub ended_at: DateTime<Utc>,
    /// What it used; none when nothing was metered.
    pub reading: Option<Reading>,
}

// === impl Report ===

impl Report {
    /// Nothing has happened yet. `model` is the one it begins with.
    pub fn new(model: Option<String>) -> Self {
        let now = Instant::now();
        Self {
            choice: None,
            nobody: None,
            endpoint: 0,
            permit: None,
            reservation: None,
            retry_after: None,
            model,
            edits: Vec::new(),
            reused_connection: false,
            status: None,
            failure: None,
            started: now,
            first_byte: None,
            first_content: None,
            ended: now,
            ended_at: DateTime::<Utc>::UNIX_EPOCH,
            reading: None,
        }
    }

    /// All of it, leaving an empty one behind.
    pub fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(None))
    }
}
