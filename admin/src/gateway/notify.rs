//! Trying out where messages go.

/// What came of sending a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetReport {
    /// It was taken.
    pub is_ok: bool,
    /// What went wrong, in words, without secrets.
    pub error: Option<String>,
    /// The answer's status.
    pub status: Option<u16>,
    /// The beginning of the answer, without secrets.
    pub excerpt: String,
    /// Milliseconds of all of it.
    pub total_ms: u64,
}
