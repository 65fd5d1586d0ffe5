//! An attempt: one try at one upstream, seen from the upstream's side of the gateway. Its state, and what is done on its way (`exchange.rs`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use http::header::{self, HeaderName};
use http::{Method, StatusCode, Version};
use pingora::ErrorType;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::{Error, Result};
use pingora::protocols::http::HttpTask;

use super::fault;
use super::line::{Line, Piece};
use super::report::Report;
use super::tries::Leeway;
use crate::domain::caller::Caller;
use crate::domain::fault::Fault;
use crate::domain::provider::Provider;
use crate::policy::affinity::{Ask, Nominee};
use crate::policy::flights::{About, Passenger, Progress};
use crate::policy::inflight::InflightGuard;
use crate::policy::quota::Session;
use crate::policy::retry;
use crate::policy::select::Choice;
use crate::store::snapshot::Snapshot;
use crate::wire::encoding::StreamDecoder;
use crate::wire::endpoint::Endpoint;
use crate::wire::include_usage::UsageChunk;
use crate::wire::meter::Meter;
use crate::wire::peek::Peek;

/// What all attempts of a journey share. The body is the client's own, decompressed: every attempt derives its own from it.
pub struct Plan {
    /// The configuration the journey began with.
    pub snapshot: Arc<Snapshot>,
    /// What is asked for.
    pub endpoint: Endpoint,
    /// The client's head, as far as it goes on.
    pub head: RequestHeader,
    /// Who asks.
    pub caller: Caller,
    /// The model asked for.
    pub model: Option<String>,
    /// What the body says of itself.
    pub peek: Peek,
    /// Whether the client wants a stream.
    pub wants_stream: bool,
    /// The pristine body.
    pub body: Bytes,
    /// The client's address.
    pub client_ip: Option<String>,
    /// What limits count its session by.
    pub session: Option<Session>,
    /// A number that the turns of one conversation have in common.
    pub conversation: u64,
    /// The provider that the conversation was with.
    pub bound: Option<Nominee>,
    /// How far it is, for those who look on.
    pub progress: Progress,
}

/// One attempt.
pub struct Attempt {
    /// What it shares with its siblings.
    pub plan: Arc<Plan>,
    /// What it must keep to.
    pub leeway: Leeway,
    /// The body as this provider gets it.
    pub body: Bytes,
    /// How it goes.
    pub report: Report,
    /// Its place among the provider's requests, until it ends.
    pub seat: Option<InflightGuard>,
    decoder: Option<StreamDecoder>,
    meter: Option<Meter>,
    /// Takes out of the stream what was asked for on our own account.
    hidden: Option<UsageChunk>,
    line: Arc<Line>,
}

// === impl Plan ===

impl Plan {
    /// What affinity knows the conversation by.
    pub fn ask(&self) -> Ask<'_> {
        let seconds = self.snapshot.settings.sticky_seconds;
        Ask {
            key_id: self.caller.key.id,
            protocol: self.endpoint.protocol,
            model: self.model.as_deref(),
            session_id: self.peek.session_id.as_deref(),
            prefix: self.peek.prefix.as_ref(),
            keep: Duration::from_secs(seconds.into()),
        }
    }

    /// The client's `User-Agent`.
    pub fn client(&self) -> Option<&str> {
        self.head.headers.get(header::USER_AGENT)?.to_str().ok()
    }
}

impl Passenger for Plan {
    fn about(&self) -> About<'_> {
        About {
            caller: &self.caller,
            session_id: self.peek.session_id.as_deref(),
            protocol: self.endpoint.protocol,
            model: self.model.as_deref(),
            wants_stream: self.wants_stream,
        }
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

// === impl Attempt ===

impl Attempt {
    /// A new attempt.
    pub fn new(plan: Arc<Plan>, leeway: Leeway, line: Arc<Line>) -> Self {
        Self {
            body: plan.body.clone(),
            report: Report::new(plan.model.clone()),
            plan,
            leeway,
            seat: None,
            decoder: None,
            meter: None,
            hidden: None,
            line,
        }
    }

    /// The chosen provider, once there is one.
    pub fn provider(&self) -> Option<&Arc<Provider>> {
        self.report.choice.as_ref().map(|choice| &choice.provider)
    }

    /// Notes the choice and tells the journey.
    pub fn choose(&mut self, choice: Choice) {
        self.line.choose(choice.provider.clone());
        self.report.choice = Some(choice);
    }

    /// Notes what went wrong; the first word counts.
    pub fn fail(&mut self, fault: Fault, what: impl Into<String>) {
        self.report
            .failure
            .get_or_insert_with(|| (fault, what.into()));
    }

    /// The usage was asked for on our own account: the chunk that brings it is kept from the client.
    pub fn hide_usage_chunk(&mut self) {
        self.hidden = Some(UsageChunk::default());
    }

    /// The body that goes out.
    pub fn take_body(&mut self) -> Bytes {
        std::mem::take(&mut self.body)
    }

    /// A piece of the answer: looked into, and handed on to the journey when it has room for it.
    ///
    /// # Errors
    /// When the upstream changes the protocol, which nobody asked it to.
    pub async fn hand_on(&mut self, task: HttpTask) -> Result<()> {
        let is_end = task.is_end();
        match task {
            HttpTask::Header(head, _) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                let what = "the upstream changed the protocol";
                return Err(Error::explain(ErrorType::InvalidHTTPHeader, what).into_up());
            }
            HttpTask::Header(head, _) if head.status.is_informational() => return Ok(()),
            HttpTask::Header(mut head, _) => {
                self.answered(&mut head);
                self.frame(&mut head)?;
                self.line.give(Piece::Head(head)).await;
            }
            HttpTask::Body(piece, _) => self.pass(piece.unwrap_or_default(), is_end).await,
            _ => self.pass(Bytes::new(), is_end).await,
        }
        if is_end {
            self.line.give(Piece::End).await;
        }
        Ok(())
    }

    /// Whether an answer that begins so may have a body (RFC 9110, section 6.4.1).
    pub fn may_have_body(&self, head: &ResponseHeader) -> bool {
        let has_none = matches!(
            head.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        !has_none && self.plan.head.method != Method::HEAD
    }

    /// An answer of unknown length goes on in chunks, whatever it came in.
    fn frame(&self, head: &mut ResponseHeader) -> Result<()> {
        head.set_version(Version::HTTP_11);
        let is_framed = head.headers.contains_key(header::TRANSFER_ENCODING)
            || head.headers.contains_key(header::CONTENT_LENGTH);
        if !is_framed && self.may_have_body(head) {
            head.insert_header(header::TRANSFER_ENCODING, "chunked")?;
        }
        Ok(())
    }

    /// The upstream began to answer.
    ///
    /// It was asked for an answer in the clear; one that compresses all the same is decoded here, because the client may not be able to.
    fn answered(&mut self, response: &mut ResponseHeader) {
        let status = response.status.as_u16();
        self.report.status = Some(status);
        self.report.first_byte = Some(Instant::now());
        self.decode(response);
        self.watch_for_usage_chunk(response);
        if !response.status.is_success() {
            self.report.retry_after = retry::retry_after(&response.headers, Utc::now());
        } else if self.plan.endpoint.operation.is_metered() {
            self.meter = Some(Meter::new(
                self.plan.endpoint.protocol,
                self.plan.endpoint.operation,
                text(response, &header::CONTENT_TYPE),
                text(response, &header::CONTENT_ENCODING),
            ));
        }
    }

    fn decode(&mut self, response: &mut ResponseHeader) {
        let encoding = text(response, &header::CONTENT_ENCODING);
        if encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity")) {
            return;
        }
        self.decoder = StreamDecoder::new(encoding);
        if self.decoder.is_some() {
            response.remove_header(&header::CONTENT_ENCODING);
            response.remove_header(&header::CONTENT_LENGTH);
        }
    }

    /// A stream that something may be taken out of has no length that is known before. What is no stream, or cannot be read, passes.
    fn watch_for_usage_chunk(&mut self, response: &mut ResponseHeader) {
        if self.hidden.is_none() {
            return;
        }
        let kind = text(response, &header::CONTENT_TYPE).unwrap_or_default();
        let is_readable = text(response, &header::CONTENT_ENCODING)
            .is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity"));
        if response.status.is_success() && is_readable && !kind.contains("json") {
            response.remove_header(&header::CONTENT_LENGTH);
        } else {
            self.hidden = None;
        }
    }

    /// A chunk of the answer passes.
    async fn pass(&mut self, mut chunk: Bytes, is_end: bool) {
        if !chunk.is_empty() {
            self.read(&mut chunk);
        }
        if is_end && let Some(meter) = &mut self.meter {
            meter.end();
            self.line.follow(meter);
            self.line.end(meter.is_complete());
        }
        if let Some(hidden) = &mut self.hidden {
            chunk = hidden.pass(chunk, is_end);
        }
        if !chunk.is_empty() {
            self.line.give(Piece::Body(chunk)).await;
        }
    }

    fn read(&mut self, chunk: &mut Bytes) {
        if let Some(decoder) = &mut self.decoder {
            let mut plain = BytesMut::new();
            decoder.feed(chunk, &mut |piece: &[u8]| plain.extend_from_slice(piece));
            *chunk = plain.freeze();
        }
        let Some(meter) = &mut self.meter else {
            return;
        };
        meter.feed(chunk);
        self.line.follow(meter);
        if self.report.first_content.is_none() && meter.has_content() {
            self.report.first_content = Some(Instant::now());
        }
    }

    /// It failed.
    pub fn failed(&mut self, e: &Error) {
        let (fault, what) = fault::of_error(e);
        self.fail(fault, what);
    }
}

impl Drop for Attempt {
    /// The report goes out however the attempt ends: complete, failed, or stopped where it stood.
    fn drop(&mut self) {
        drop(self.seat.take());
        let mut report = self.report.take();
        report.reading = self.meter.as_mut().map(Meter::finish);
        (report.ended, report.ended_at) = (Instant::now(), Utc::now());
        self.line.close(report);
    }
}

fn text<'a>(response: &'a ResponseHeader, name: &HeaderName) -> Option<&'a str> {
    response.headers.get(name)?.to_str().ok()
}
