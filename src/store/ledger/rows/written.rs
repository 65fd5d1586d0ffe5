//! Which rows of a batch were new, and what those add to the sums.

use super::super::batch::Batch;
use super::super::rollup::{Hourly, rolled_up};

/// What each statement wrote, the lines first and then the requests.
#[derive(Debug, Default)]
pub(super) struct Written(Vec<(usize, u64)>);

// === impl Written ===

impl Written {
    /// A statement of `rows` wrote `new` of them.
    pub(super) fn push(&mut self, rows: usize, new: u64) {
        self.0.push((rows, new));
    }

    /// What the new rows add; none when it cannot be told which of them are new.
    pub(super) fn additions<'b>(&self, batch: &'b Batch) -> Option<Vec<Hourly<'b>>> {
        let mut is_new = Vec::with_capacity(batch.lines.len() + batch.requests.len());
        for (rows, new) in &self.0 {
            match *new {
                new if new == *rows as u64 => is_new.resize(is_new.len() + rows, true),
                0 => is_new.resize(is_new.len() + rows, false),
                _ => return None,
            }
        }
        let (new_lines, new_requests) = is_new.split_at(batch.lines.len());
        let lines = batch.lines.iter().zip(new_lines);
        let requests = batch.requests.iter().zip(new_requests);
        Some(rolled_up(
            lines.filter_map(|(line, is_new)| is_new.then_some(line)),
            requests.filter_map(|(request, is_new)| is_new.then_some(request)),
        ))
    }
}
