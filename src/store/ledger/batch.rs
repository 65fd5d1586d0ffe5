//! Rows that are posted together.

use entity::usage;

use super::request::Request;

/// Usage lines and rows of the request log, to be posted in one transaction.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    pub(super) lines: Vec<usage::Model>,
    pub(super) requests: Vec<Request>,
}

// === impl Batch ===

impl Batch {
    pub(super) fn of_line(line: usage::Model) -> Self {
        Self {
            lines: vec![line],
            requests: Vec::new(),
        }
    }

    pub(super) fn of_request(request: Request) -> Self {
        Self {
            lines: Vec::new(),
            requests: vec![request],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.requests.is_empty()
    }
}
