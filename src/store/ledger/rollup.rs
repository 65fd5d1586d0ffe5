//! What a batch adds to the sums of each hour.
//!
//! Sums are added to, so that a row must be counted in the transaction that inserts it, and only if that did: a batch that is posted a
//! second time must add nothing. And they are added to by the batch: one key at work makes hundreds of lines in the time of one batch, and
//! all of them are one row here. Rows are in the order of their keys, in which every node locks them.

use std::collections::BTreeMap;

use entity::usage;
use entity::usage_hourly::{counted, hour_of, model_of};
use entity::value::ClientName;

use super::request::Request;
use crate::domain::client_name::name_of;

/// The status of a request whose client left.
const CLIENT_LEFT: i32 = 499;

/// Whose sums, and of which hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'r> {
    pub(super) hour: i64,
    pub(super) user_id: i64,
    pub(super) key_id: i64,
    pub(super) provider_id: i64,
    pub(super) model: &'r str,
    pub(super) client: ClientName,
}

/// What is added, by the names of the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) requests: i64,
    pub(super) failures: i64,
    pub(super) attempts_terminal: i64,
    pub(super) attempts_partial: i64,
    pub(super) attempts_estimate: i64,
    pub(super) attempts_none: i64,
    pub(super) attempts_unpriced: i64,
    pub(super) input_tokens: i64,
    pub(super) cache_read_tokens: i64,
    pub(super) cache_write5m_tokens: i64,
    pub(super) cache_write1h_tokens: i64,
    pub(super) output_tokens: i64,
    pub(super) reasoning_tokens: i64,
    pub(super) image_input_tokens: i64,
    pub(super) image_output_tokens: i64,
    pub(super) cost_nano_usd: i64,
}

/// A row of `usage_hourly` to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hourly<'r> {
    pub(super) place: Place<'r>,
    pub(super) sums: Sums,
}

/// What rows add, each place once and in order.
pub(super) fn rolled_up<'r>(
    lines: impl Iterator<Item = &'r usage::Model>,
    requests: impl Iterator<Item = &'r Request>,
) -> Vec<Hourly<'r>> {
    let mut places = BTreeMap::<Place<'r>, Sums>::new();
    for line in lines {
        places.entry(Place::of_line(line)).or_default().add(line);
    }
    for request in requests {
        if let Some(place) = Place::of_request(request) {
            let sums = places.entry(place).or_default();
            sums.requests += 1;
            sums.failures += i64::from(request.status >= 400 && request.status != CLIENT_LEFT);
        }
    }
    let rows = places.into_iter();
    rows.map(|(place, sums)| Hourly { place, sums }).collect()
}

// === impl Place ===

impl<'r> Place<'r> {
    fn of_line(line: &'r usage::Model) -> Self {
        Self {
            hour: hour_of(line.created_at),
            user_id: line.user_id,
            key_id: line.key_id,
            provider_id: line.provider_id,
            model: model_of(line.model.as_deref(), line.requested_model.as_deref()),
            client: line.client,
        }
    }

    /// None for a request without a good credential: it is nobody's.
    fn of_request(request: &'r Request) -> Option<Self> {
        Some(Self {
            hour: hour_of(request.created_at),
            user_id: request.user_id?,
            key_id: request.key_id?,
            provider_id: request.provider_id.unwrap_or(0),
            model: model_of(request.model.as_deref(), request.requested_model.as_deref()),
            client: name_of(request.user_agent.as_deref()),
        })
    }
}

// === impl Sums ===

impl Sums {
    fn add(&mut self, line: &usage::Model) {
        match line.settled_from.as_str() {
            "terminal" => self.attempts_terminal += 1,
            "partial" => self.attempts_partial += 1,
            "estimate" => self.attempts_estimate += 1,
            _ => self.attempts_none += 1,
        }
        let is_unpriced = line.cost_nano_usd.is_none() && line.settled_from != "none";
        self.attempts_unpriced += i64::from(is_unpriced);
        self.input_tokens += counted(line.input_tokens);
        self.cache_read_tokens += counted(line.cache_read_tokens);
        self.cache_write5m_tokens += counted(line.cache_write5m_tokens);
        self.cache_write1h_tokens += counted(line.cache_write1h_tokens);
        self.output_tokens += counted(line.output_tokens);
        self.reasoning_tokens += counted(line.reasoning_tokens);
        self.image_input_tokens += counted(line.image_input_tokens);
        self.image_output_tokens += counted(line.image_output_tokens);
        self.cost_nano_usd += counted(line.cost_nano_usd.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{request_row, usage_line};

    #[test]
    fn a_batch_is_one_row_for_each_place() {
        let mut lines = [usage_line(1), usage_line(2), usage_line(3), usage_line(4)];
        for line in &mut lines {
            line.created_at = "2026-01-01T10:59:59.999Z".parse().unwrap();
        }
        lines[1].settled_from = "partial".into();
        lines[1].cost_nano_usd = None;
        lines[2].model = None;
        lines[2].settled_from = "none".into();
        lines[2].cost_nano_usd = None;
        lines[3].created_at = "2026-01-01T11:00:00Z".parse().unwrap();
        lines[3].output_tokens = i64::MAX;
        lines[3].input_tokens = -1;
        let mut requests = [request_row(), request_row(), request_row(), request_row()];
        for (request, status) in requests.iter_mut().zip([200, 500, 499, 429]) {
            request.created_at = lines[0].created_at;
            request.status = status;
        }
        requests[3].key_id = None;
        let rows = rolled_up(lines.iter(), requests.iter());
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.place.hour, row.place.model, row.sums.requests))
            .collect();
        let hour = 490_906;
        assert_eq!(
            told,
            [
                (hour, "asked", 0),
                (hour, "served", 3),
                (hour + 1, "served", 0)
            ]
        );
        let sums = rows[1].sums;
        assert_eq!((sums.failures, sums.cost_nano_usd), (1, 123_456_789));
        assert_eq!((sums.attempts_terminal, sums.attempts_partial), (1, 1));
        assert_eq!((sums.attempts_unpriced, sums.input_tokens), (1, 20));
        assert_eq!(
            (rows[0].sums.attempts_none, rows[0].sums.attempts_unpriced),
            (1, 0)
        );
        assert_eq!(
            (rows[2].sums.output_tokens, rows[2].sums.input_tokens),
            (1_000_000_000_000_000, 0)
        );
    }
}
