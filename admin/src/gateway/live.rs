//! What runs on this node now.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRequest {
    /// Its id.
    pub id: Uuid,
    /// When it arrived, to the millisecond.
    pub created_at: DateTime<Utc>,
    /// Whose.
    pub user_id: i64,
    /// With which key.
    pub key_id: i64,
    /// The provider asked last.
    pub provider_id: Option<i64>,
    /// The client's session, if it names one.
    pub session_id: Option<String>,
    /// Protocol name.
    pub protocol: &'static str,
    /// The model asked for.
    pub model: Option<String>,
    /// Whether the client wants a stream.
    pub is_stream: bool,
    /// Attempts begun.
    pub attempts: u32,
    /// Bytes of the answer sent so far.
    pub bytes: u64,
}

/// This node, as it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Requests of clients under way.
    pub requests_in_flight: usize,
    /// Usage lines that wait for the database, in memory.
    pub queued_lines: usize,
    /// Bytes of journal that the database has not confirmed.
    pub journal_bytes: u64,
    /// Bytes free where the data directory is; none when that cannot be told.
    pub disk_free_bytes: Option<u64>,
    /// Bytes there in all.
    pub disk_total_bytes: Option<u64>,
}

/// Why a log filter is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFilterError {
    /// It is none.
    #[error("{0}")]
    Bad(String),
    /// Somebody else set up this process's logging.
    #[error("This process's logging is not the gateway's to change.")]
    NotOurs,
}
