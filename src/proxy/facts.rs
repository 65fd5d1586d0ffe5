//! What is known of a journey, noted as it becomes known. What it becomes in the log is decided by what stands here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use entity::value::Multiplier;
use uuid::Uuid;

use super::attempt::Plan;
use super::losers::Loser;
use super::report::Report;
use crate::domain::caller::Caller;
use crate::domain::chain::{AttemptRecord, Outcome};
use crate::domain::money::usd;
use crate::domain::protocol::Dialect;
use crate::domain::refusal::Refusal;
use crate::domain::usage::Provenance;
use crate::policy::affinity::Flight;
use crate::policy::breaker::{Failure, Permit};
use crate::policy::flights::FlightGuard;
use crate::policy::pricing::{self, Bill};
use crate::policy::quota::Reservation;
use crate::policy::select::Choice;
use crate::store::snapshot::Snapshot;
use crate::wire::endpoint::Endpoint;
use crate::wire::meter::Reading;
use crate::wire::sse::framing::Framing;

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
    /// What lost against another attempt and is still read on.
    pub losers: Vec<Loser>,
    /// What it takes up of the key's and the user's limits.
    pub reservation: Option<Reservation>,
    /// Its place among the requests of its session.
    pub flight: Option<Flight>,
    /// Its place among the requests that people can look at.
    pub aboard: Option<FlightGuard>,
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
    /// What it costs.
    pub bill: Bill,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// When its first content came.
    pub first_content: Option<Instant>,
    /// Whether its failure may be the request's own doing, see `blame.rs`.
    pub is_ambiguous: bool,
    /// Whether its usage line is written.
    pub is_billed: bool,
    permit: Option<Permit>,
    reservation: Option<Reservation>,
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
    /// Where a stream stands between its events.
    pub framing: Framing,
    /// What broke it off after it had begun.
    pub cut: Option<String>,
}

/// How much of a failed answer's body goes into the chain.
const EXCERPT: usize = 2 << 10;

// === impl Facts ===

impl Facts {
    /// Whether somebody has ended it by hand.
    pub fn is_ended(&self) -> bool {
        let plan = self.plan.as_ref();
        plan.is_some_and(|plan| plan.progress.is_ended())
    }

    /// Takes an attempt into the chain.
    pub fn note(
        &mut self,
        report: Report,
        outcome: Outcome,
        error_body: Option<&[u8]>,
    ) -> Option<&mut Tried> {
        let ms = |later: Instant, earlier| {
            u64::try_from(later.saturating_duration_since(earlier).as_millis()).unwrap_or(u64::MAX)
        };
        let since_arrival = report.started.saturating_duration_since(self.arrived);
        let (fault, error) = report.failure.unzip();
        let reading = report.reading;
        let mut record = AttemptRecord {
            attempt: u32::try_from(self.attempts.len()).unwrap_or(u32::MAX) + 1,
            provider_id: None,
            provider_name: None,
            endpoint: None,
            model: report.model,
            selection: None,
            nobody: None,
            provider_multiplier: Multiplier::ONE,
            group_multiplier: Multiplier::ONE,
            status: report.status,
            outcome,
            fault,
            error,
            error_body: error_body
                .map(|body| String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]).into_owned()),
            retry_after_ms: report
                .retry_after
                .map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)),
            started_us: u64::try_from(since_arrival.as_micros()).unwrap_or(u64::MAX),
            duration_ms: ms(report.ended, report.started),
            ttfb_ms: report.first_byte.map(|at| ms(at, report.started)),
            ttft_ms: report.first_content.map(|at| ms(at, report.started)),
            edits: report.edits,
            cost_usd: None,
            usage: reading.as_ref().map(|r| r.usage).unwrap_or_default(),
            settled_from: reading.as_ref().map(|r| r.provenance).unwrap_or_default(),
        };
        match (report.choice, report.nobody) {
            (Some(choice), _) => self.describe(&mut record, choice, report.endpoint),
            // Where others were tried before, their story is told already.
            (None, Some(nobody)) if self.attempts.is_empty() => {
                record.outcome = Outcome::Unserved;
                (record.fault, record.error) = (None, None);
                record.nobody = Some(nobody);
            }
            (None, _) => return None,
        }
        let bill = reading
            .as_ref()
            .map(|reading| self.bill(&record, reading, report.ended_at));
        record.cost_usd = bill.as_ref().and_then(|bill| bill.cost_nano_usd).map(usd);
        self.attempts.push(Tried {
            record,
            reading,
            bill: bill.unwrap_or_default(),
            ended_at: report.ended_at,
            first_content: report.first_content,
            is_ambiguous: false,
            is_billed: false,
            permit: report.permit,
            reservation: report.reservation,
        });
        self.attempts.last_mut()
    }

    /// By the prices and factors that hold now.
    fn bill(&self, record: &AttemptRecord, reading: &Reading, ended_at: DateTime<Utc>) -> Bill {
        pricing::bill(
            &self.snapshot.prices,
            &pricing::Attempt {
                model: record.model.as_deref(),
                ended_at,
                usage: &reading.usage,
                provenance: reading.provenance,
                service: reading.service_tier,
                provider: record.provider_multiplier,
                group: record.group_multiplier,
            },
        )
    }

    fn describe(&self, record: &mut AttemptRecord, choice: Choice, endpoint: usize) {
        let provider = &choice.provider;
        let group = self.snapshot.groups.get(choice.group());
        record.provider_id = Some(provider.id);
        record.provider_name = Some(provider.name.clone());
        let endpoint = provider.endpoints.get(endpoint);
        record.endpoint = endpoint.map(|endpoint| endpoint.authority.clone());
        record.provider_multiplier = provider.cost_multiplier;
        record.group_multiplier = group.copied().unwrap_or_default();
        record.selection = Some(choice.selection);
    }
}

// === impl Tried ===

impl Tried {
    /// Tells the breakers how it went; the second time does nothing.
    pub fn tell(&mut self) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        let record = &self.record;
        match (record.outcome, record.fault) {
            (Outcome::Completed, _) => permit.success(Instant::now()),
            (Outcome::Failed | Outcome::Cut, Some(fault)) => permit.failure(
                Failure {
                    fault,
                    status: record.status,
                    message: record.error.clone().unwrap_or_default(),
                    retry_after: record.retry_after_ms.map(Duration::from_millis),
                },
                Instant::now(),
            ),
            // Neither good nor bad: the permit is returned as it is dropped.
            _ => {}
        }
    }

    /// What it cost takes the place of what was reserved with the provider. What cost nothing gives its place back.
    pub fn charge(&mut self) {
        let reservation = self.reservation.take();
        if let (Some(reservation), Some(_)) = (reservation, &self.reading) {
            let spent = self.is_known();
            let spent = spent.then(|| self.bill.cost_nano_usd.unwrap_or(0));
            reservation.settle_now(spent, self.ended_at);
        }
    }

    /// Whether the upstream has said what was used.
    pub fn is_known(&self) -> bool {
        let reading = self.reading.as_ref();
        reading.is_some_and(|reading| reading.provenance != Provenance::None)
    }

    /// The breakers do not hear of it.
    pub fn forgive(&mut self) {
        self.permit = None;
    }
}
