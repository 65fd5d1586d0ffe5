//! A journey: one client request, from identify to the last byte. This file is the plot; each step is a file of its own.

pub mod models;
mod receive;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chrono::Utc;
use http::{HeaderMap, Method, header};
use pingora::http::RequestHeader;
use pingora::prelude::{Error, Result};
use pingora::proxy::{FailToProxy, Session};
use uuid::Uuid;

use super::attempt::Plan;
use super::client_address;
use super::facts::{Answer, Facts};
use super::live::LiveGuard;
use super::parts::Parts;
use super::stop::Stop;
use super::{losers, reply, rewrite, run, settle};
use crate::domain::caller::Caller;
use crate::domain::chain::Outcome;
use crate::domain::protocol::{Operation, Protocol};
use crate::domain::refusal::{Reason, Refusal};
use crate::policy::flights::Progress;
use crate::policy::quota::{self, Wanted};
use crate::policy::{access, affinity, authn};
use crate::wire::credential;
use crate::wire::endpoint::{self, Endpoint};
use crate::wire::limit;
use crate::wire::peek::{self, Peek};
use crate::wire::percent;

/// One client request under way.
pub struct Journey {
    facts: Facts,
    parts: Arc<Parts>,
    _live: LiveGuard,
}

// === impl Journey ===

impl Journey {
    /// A request has arrived: nothing is known but its head.
    pub fn begin(session: &Session, parts: &Arc<Parts>) -> Self {
        let head = session.req_header();
        let path = head.uri.path();
        let id = Uuid::now_v7();
        let endpoint = endpoint::classify(&head.method, path, &head.headers);
        let facts = Facts {
            id,
            id_text: id.to_string(),
            arrived: Instant::now(),
            created_at: Utc::now(),
            snapshot: parts.watch.current(),
            dialect: endpoint.as_ref().map_or_else(
                || endpoint::dialect_for(path, &head.headers),
                |endpoint| endpoint.protocol.dialect(),
            ),
            endpoint,
            caller: None,
            plan: None,
            request_bytes: 0,
            attempts: Vec::new(),
            losers: Vec::new(),
            reservation: None,
            flight: None,
            aboard: None,
            refusal: None,
            answer: Answer::default(),
            is_unsettled: true,
            is_cross_origin: head.headers.contains_key(header::ORIGIN),
            target: [head.method.as_str(), " ", path].concat(),
            user_agent: head
                .headers
                .get(header::USER_AGENT)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            client_ip: client_address::of(session, &parts.trusted_proxies)
                .map(client_address::text),
        };
        Self {
            facts,
            parts: parts.clone(),
            _live: parts.live.enter(),
        }
    }

    /// The whole of it: the answer is written when this returns. An error means the connection must not be used again.
    ///
    /// # Errors
    /// When the client is gone, or its answer was cut in a way that only closing the connection can tell it.
    pub async fn run(&mut self, session: &mut Session, parts: &Arc<Parts>) -> Result<bool> {
        receive::settle_connection(session);
        if self.answer_probe(session).await? {
            return Ok(true);
        }
        match self.steps(session, parts).await {
            Ok(()) => {}
            Err(Stop::Refused(refusal)) => self.refuse(session, refusal).await?,
            Err(Stop::Broken(e)) => return Err(e),
        }
        Ok(true)
    }

    async fn steps(&mut self, session: &mut Session, parts: &Arc<Parts>) -> Result<(), Stop> {
        let identified = self.identify(session, parts);
        self.facts.caller = identified.as_ref().ok().cloned();
        let endpoint = self.endpoint(session)?;
        let caller = identified?;
        access::permit_client(&caller, self.facts.user_agent.as_deref())?;
        if parts.shutdown.is_refusing() {
            return Err(Refusal::new(Reason::Overloaded, "This gateway is shutting down.").into());
        }
        if matches!(
            endpoint.operation,
            Operation::ListModels | Operation::GetModel
        ) && let Some(body) = models::answer(session, &self.facts.snapshot, &caller, &endpoint)?
        {
            return Ok(reply::json(&mut self.facts, session, http::StatusCode::OK, body).await?);
        }
        let body = receive::body(session, parts.max_request_bytes).await?;
        self.facts.request_bytes = body.len();
        let plan = self.plan(session, endpoint, caller, body)?;
        access::permit_model(&plan.caller, plan.model.as_deref())?;
        if !self.admit(session, &plan).await? {
            self.facts.answer.client_left = true;
            return Ok(());
        }
        run::attempts(&mut self.facts, session, parts, plan).await
    }

    /// Who calls, from the head alone: nothing is buffered before this.
    fn identify(&self, session: &Session, parts: &Parts) -> Result<Caller, Refusal> {
        let head = session.req_header();
        let presented = credential::present(&head.headers, head.uri.query())?;
        authn::authenticate(
            &self.facts.snapshot,
            &parts.hasher,
            &presented,
            self.facts.created_at,
        )
    }

    fn endpoint(&self, session: &Session) -> Result<Endpoint, Refusal> {
        let head = session.req_header();
        if session.is_upgrade_req() {
            return Err(Refusal::new(
                Reason::Unsupported,
                "WebSocket is not served here; use HTTP with server-sent events.",
            ));
        }
        self.facts.endpoint.clone().ok_or_else(|| {
            Refusal::new(
                Reason::UnknownEndpoint,
                format!("There is no endpoint {} {}.", head.method, head.uri.path()),
            )
        })
    }

    /// What the request says of itself, and with it all that the attempts need to know.
    fn plan(
        &mut self,
        session: &mut Session,
        endpoint: Endpoint,
        caller: Caller,
        body: Bytes,
    ) -> Result<Arc<Plan>, Refusal> {
        let head = session.req_header();
        let peek = look_into(&endpoint, &head.headers, &body)?;
        let model = match &endpoint.model {
            Some(span) => Some(percent::decode(&head.uri.path()[span.clone()]).into_owned()),
            None => peek.model.clone(),
        };
        if endpoint.operation.needs_model() && model.as_deref().is_none_or(str::is_empty) {
            return Err(Refusal::new(
                Reason::MissingModel,
                "The request names no model.",
            ));
        }
        let wants_stream = endpoint.operation == Operation::GenerateStream
            || (endpoint.protocol != Protocol::Gemini && peek.stream == Some(true));
        let mut plan = Plan {
            head: take_head(session)?,
            snapshot: self.facts.snapshot.clone(),
            endpoint,
            caller,
            model,
            peek,
            wants_stream,
            body,
            client_ip: self.facts.client_ip.clone(),
            session: None,
            conversation: 0,
            bound: None,
            progress: Progress::default(),
        };
        let ask = plan.ask();
        let affinity = &self.parts.routing.affinity;
        let conversation = affinity::conversation(&ask);
        // Counting tokens is not a turn, and a session is not busy with it.
        if plan.endpoint.operation.is_metered() {
            let flight = affinity.begin(&ask);
            let bound = affinity.nominate(&ask, &flight, self.facts.arrived);
            plan.bound = bound;
            self.facts.flight = Some(flight);
        }
        plan.session = plan.peek.session_id.as_deref().map(quota::Session::new);
        plan.conversation = conversation;
        let plan = Arc::new(plan);
        self.facts.plan = Some(plan.clone());
        let aboard = self.parts.flights.enter(self.facts.id, plan.clone());
        self.facts.aboard = Some(aboard);
        Ok(plan)
    }

    /// Takes room in the limits of the key and its user. May wait for money that others have only reserved; false when the client left
    /// meanwhile.
    async fn admit(&mut self, session: &mut Session, plan: &Plan) -> Result<bool, Refusal> {
        if !plan.endpoint.operation.is_limited() {
            return Ok(true);
        }
        let wanted = Wanted {
            id: self.facts.id,
            parties: plan.caller.key.parties.clone(),
            model: plan.model.as_deref().unwrap_or_default(),
            session: plan.session,
            may_wait: true,
        };
        let quota = self.parts.routing.quota.clone();
        let admitted = tokio::select! {
            biased;
            admitted = quota.admit(&wanted, Utc::now()) => admitted,
            _ = session.read_body_or_idle(true) => return Ok(false),
        };
        let reservation = admitted.map_err(|no| limit::refusal(no, Utc::now()))?;
        self.facts.reservation = Some(reservation);
        Ok(true)
    }

    /// Probes and preflights, which are answered before anybody is identified and leave no row.
    async fn answer_probe(&mut self, session: &mut Session) -> Result<bool> {
        let head = session.req_header();
        let status = match head.method {
            Method::HEAD if head.uri.path() == "/" => http::StatusCode::OK,
            Method::OPTIONS
                if head
                    .headers
                    .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) =>
            {
                http::StatusCode::NO_CONTENT
            }
            _ => return Ok(false),
        };
        self.facts.is_unsettled = false;
        reply::empty(&mut self.facts, session, status).await?;
        Ok(true)
    }

    async fn refuse(&mut self, session: &mut Session, refusal: Refusal) -> Result<()> {
        let written = reply::refusal(&mut self.facts, session, &refusal).await;
        self.facts.refusal = Some(refusal);
        // The row need not wait for a body that nobody reads.
        self.settle();
        receive::drain(session).await;
        written
    }

    /// Hook: it is over. What lost against the answer is waited for, without holding up the connection's next request.
    pub fn finish(mut self: Box<Self>) {
        self.facts.aboard = None;
        if self.facts.losers.is_empty() {
            return self.settle();
        }
        settle::bill(&mut self.facts, &self.parts);
        losers::spawn(async move {
            for loser in std::mem::take(&mut self.facts.losers) {
                if let Some(report) = loser.report().await {
                    self.facts.note(report, Outcome::Lost, None);
                }
            }
            self.settle();
        });
    }

    /// Settles it, once.
    fn settle(&mut self) {
        settle::settle(&mut self.facts, &self.parts);
    }

    /// Hook: the journey itself failed. The client is gone or its answer is cut: there is nothing left to write.
    pub fn failed(&mut self, _e: &Error) -> FailToProxy {
        FailToProxy {
            error_code: 0,
            can_reuse_downstream: false,
        }
    }
}

impl Drop for Journey {
    /// However a journey ends, it is settled.
    fn drop(&mut self) {
        self.settle();
    }
}

/// Takes the client's head out of its session for the attempts, without what is for us alone. The session is left with what writing the answer needs.
///
/// How the client wrote the names is forgotten: it means nothing (RFC 9110, section 5.1), and to keep it every attempt would copy and look
/// up each header twice.
fn take_head(session: &mut Session) -> Result<RequestHeader, Refusal> {
    let failed = |_| Refusal::new(Reason::Internal, "The gateway failed.");
    let head = session.req_header_mut();
    let mut left = RequestHeader::build(head.method.clone(), b"/", Some(0)).map_err(failed)?;
    left.set_version(head.version);
    let head = std::mem::replace(head, left);
    let mut head = RequestHeader::from(http::request::Parts::from(head));
    rewrite::strip(&mut head).map_err(failed)?;
    Ok(head)
}

/// What the body says of itself. A passed-through body may be anything and stays as it is; if it is JSON that names a model, the
/// model still decides who may ask and who may serve.
fn look_into(endpoint: &Endpoint, headers: &HeaderMap, body: &[u8]) -> Result<Peek, Refusal> {
    if body.is_empty() {
        return Ok(Peek::default());
    }
    match peek::peek(endpoint.protocol, headers, body) {
        Ok(peek) if endpoint.operation == Operation::Passthrough => Ok(Peek {
            model_span: None,
            ..peek
        }),
        Ok(peek) => Ok(peek),
        Err(_) if endpoint.operation == Operation::Passthrough => Ok(Peek::default()),
        Err(e) => Err(Refusal::new(
            Reason::BadBody,
            format!("The body is not valid JSON: {e}."),
        )),
    }
}
