//! Deleting old history.

use chrono::{DateTime, Utc};

/// History that can be deleted by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prunable {
    /// Rows of the request log.
    Requests,
    /// Decision chains and errors' words in it.
    Details,
    /// Usage lines.
    UsageLines,
}

/// What is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prune {
    /// What.
    pub what: Prunable,
    /// Of requests that arrived, or attempts that were settled, before this.
    pub before: DateTime<Utc>,
    /// Whether only to count.
    pub is_dry: bool,
}

/// What was deleted, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Rows.
    pub rows: u64,
    /// Whether that is all there is: else the time was up.
    pub is_done: bool,
}
