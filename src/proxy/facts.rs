//! What is known of a journey, noted as it becomes known. What it becomes in the log is decided by what stands here.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::attempt::{Plan, Report};
use crate::domain::caller::Caller;
use crate::domain::chain::{AttemptRecord, Outcome};
use crate::domain::protocol::Dialect;
use crate::domain::refusal::Refusal;
use crate::store::snapshot::Snapshot;
use crate::wire::endpoint::Endpoint;
use crate::wire::meter::Reading;

/// What is known of one client request.
pub struct Facts {
    /// Its id, sent back as `x-request-id`.
    pub id: Uuid,
    /// The same as text.
    pub id_text: String,
    /// When it arrived.
    pub arrived: Instant,
    /// The same on the wall.
    pub created_at: DateTime<Utc>,
    /// The configuration it goes by, to its end.
    pub snapshot: Arc<Snapshot>,
    /// The shape of our own errors.
    pub dialect: Dialect,
    /// What is asked for, if it is anything we know.
    pub endpoint: Option<Endpoint>,
    /// Who asks, once the credential is checked.
    pub caller: Option<Caller>,
    /// What the attempts share, once the body is there.
    pub plan: Option<Arc<Plan>>,
    /// Bytes of the body, decompressed.
    pub request_bytes: usize,
    /// What was tried.
    pub attempts: Vec<Tried>,
    /// Why we refused, if we did.
    pub refusal: Option<Refusal>,
    /// What the client got.
    pub answer: Answer,
    /// Whether the request is still to be settled. Probes and preflights never are.
    pub is_unsettled: bool,
    /// Whether a page asks, which needs leave to read the answer.
    pub is_cross_origin: bool,
    /// Method and path.
    pub target: String,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's address.
    pub client_ip: Option<String>,
}

/// One attempt, as it goes into the chain and onto the bill.
pub struct Tried {
    /// For the chain.
    pub record: AttemptRecord,
    /// For the bill; none when nothing was metered.
    pub reading: Option<Reading>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// When its first content came.
    pub first_content: Option<Instant>,
}

/// What the client got.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status; 0 while there is none.
    pub status: u16,
    /// When the first byte was on its way.
    pub first_byte: Option<Instant>,
    /// Whether it was an event stream.
    pub is_stream: bool,
    /// Bytes of the body.
    pub bytes: u64,
    /// Whether the client left before the end.
    pub client_left: bool,
    /// What broke it off after it had begun.
    pub cut: Option<String>,
}

/// How much of a failed answer's body goes into the chain.
const EXCERPT: usize = 2 << 10;

// === impl Facts ===

impl Facts {
    /// Takes an attempt into the chain.
    pub fn note(&mut self, report: Report, outcome: Outcome, error_body: Option<&[u8]>) {
        let Some(choice) = report.choice else { return };
        let ms = |later: std::time::Instant, earlier| {
            u64::try_from(later.saturating_duration_since(earlier).as_millis()).unwrap_or(u64::MAX)
        };
        let (fault, error) = match report.failure {
            Some((fault, what)) => (Some(fault), Some(what)),
            None => (None, None),
        };
        let reading = report.reading;
        let record = AttemptRecord {
            attempt: u32::try_from(self.attempts.len()).unwrap_or(u32::MAX) + 1,
            provider_id: choice.provider.id,
            provider_name: choice.provider.name.clone(),
            model: report.model,
            selection: choice.selection,
            status: report.status,
            outcome,
            fault,
            error,
            error_body: error_body
                .map(|body| String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]).into_owned()),
            started_us: u64::try_from(
                report
                    .started
                    .saturating_duration_since(self.arrived)
                    .as_micros(),
            )
            .unwrap_or(u64::MAX),
            duration_ms: ms(report.ended, report.started),
            ttfb_ms: report.first_byte.map(|at| ms(at, report.started)),
            edits: report.edits,
            usage: reading.as_ref().map(|r| r.usage).unwrap_or_default(),
            settled_from: reading.as_ref().map(|r| r.provenance).unwrap_or_default(),
        };
        self.attempts.push(Tried {
            record,
            reading,
            ended_at: report.ended_at,
            first_content: report.first_content,
        });
    }
}
