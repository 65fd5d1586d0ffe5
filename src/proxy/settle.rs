//! The only place that settles: once per journey, whatever became of it, its usage lines and its log row go to the ledger.

use std::time::Instant;

use chrono::Utc;
use entity::usage;
use entity::value::ClientName;
use uuid::Uuid;

use super::facts::{Facts, Tried};
use super::parts::Parts;
use crate::domain::chain::{self, Outcome};
use crate::domain::fault::Fault;
use crate::domain::refusal::Reason;
use crate::domain::usage::{Provenance, Usage};
use crate::store::ledger::{Entry, Request};
use crate::telemetry::metrics::{Ended, Sample};

/// The status in the log of a client that left before it got one, as nginx calls it.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// Texts in the log are cut to what their columns take.
const MAX_NAME: usize = 256;
const MAX_ENDPOINT: usize = 512;
/// Bytes that an attempt takes in the chain, if nothing went wrong.
const CHAIN_LINK: usize = 1024;

/// Settles a journey; the second time does nothing.
pub fn settle(facts: &mut Facts, parts: &Parts) {
    if !std::mem::take(&mut facts.is_unsettled) {
        return;
    }
    stick(facts, parts);
    charge(facts);
    let lines = usage_lines(facts);
    let request = row(facts);
    parts.metrics.record(&sample(facts, &request));
    if request.status >= 500 {
        tracing::warn!(
            request.id = %facts.id,
            status = request.status,
            error = request.error_message.as_deref().unwrap_or_default(),
            "request failed"
        );
    } else {
        tracing::debug!(request.id = %facts.id, status = request.status, "request settled");
    }
    parts.ledger.record(Entry { request, lines });
}

/// What is counted of it.
fn sample(facts: &Facts, row: &Request) -> Sample {
    let ended = if facts.is_ended() {
        Ended::ByHand
    } else if facts.answer.client_left {
        Ended::ClientLeft
    } else if facts.answer.cut.is_some() {
        Ended::Cut
    } else if facts.refusal.is_some() && facts.attempts.is_empty() {
        Ended::Refused
    } else if row.status >= 400 {
        Ended::Failed
    } else {
        Ended::Completed
    };
    let count = |tokens: i64| tokens.unsigned_abs();
    Sample {
        provider: row.provider_id,
        ended,
        duration_ms: count(row.duration_ms),
        ttft_ms: row.ttft_ms.map(count),
        tokens: [
            count(row.input_tokens),
            count(row.cache_read_tokens),
            count(row.cache_write5m_tokens),
            count(row.cache_write1h_tokens),
            count(row.output_tokens),
        ],
        cost_nano_usd: row.cost_nano_usd.map_or(0, count),
    }
}

/// Writes down what the attempts that have ended so far are billed, and gives their places back. A request may go on for minutes with
/// another attempt, or with reading one on that lost, and neither money nor places may hang on that.
pub fn bill(facts: &mut Facts, parts: &Parts) {
    facts.attempts.iter_mut().for_each(Tried::charge);
    let lines = usage_lines(facts);
    if !lines.is_empty() {
        let user_agent = facts.user_agent.as_deref();
        parts.ledger.record_lines(lines, user_agent);
    }
}

/// The conversation stays with the provider that answered it, and leaves one that failed it.
fn stick(facts: &Facts, parts: &Parts) {
    let plan = facts.plan.as_ref();
    let Some(plan) = plan.filter(|plan| plan.endpoint.operation.is_metered()) else {
        return;
    };
    let ask = plan.ask();
    let affinity = &parts.routing.affinity;
    for tried in &facts.attempts {
        let record = &tried.record;
        let Some(provider) = record.provider_id else {
            continue;
        };
        let is_its_fault = record.fault.is_some_and(Fault::moves_on);
        match record.outcome {
            Outcome::Completed if record.fault.is_none() => {
                affinity.commit(&ask, provider, Instant::now());
            }
            Outcome::Failed | Outcome::Cut if is_its_fault => affinity.forget(&ask, provider),
            _ => {}
        }
    }
}

/// What was used takes the place of what was reserved. Where nothing was, the places are given back.
fn charge(facts: &mut Facts) {
    facts.attempts.iter_mut().for_each(Tried::charge);
    let reservation = facts.reservation.take();
    let is_used = facts.attempts.iter().any(|tried| tried.reading.is_some());
    if let Some(reservation) = reservation.filter(|_| is_used) {
        let is_known = facts.attempts.iter().any(Tried::is_known);
        let spent = is_known.then(|| cost(&facts.attempts).unwrap_or(0));
        reservation.settle_now(spent, Utc::now());
    }
}

/// Of the attempts that have none yet.
fn usage_lines(facts: &mut Facts) -> Vec<usage::Model> {
    let requested = requested_model(facts);
    let Some(caller) = &facts.caller else {
        return Vec::new();
    };
    facts
        .attempts
        .iter_mut()
        .filter_map(|tried| {
            if std::mem::replace(&mut tried.is_billed, true) {
                return None;
            }
            let reading = tried.reading.as_ref()?;
            let provider_id = tried.record.provider_id?;
            let used = reading.usage;
            Some(usage::Model {
                id: Uuid::now_v7(),
                request_id: facts.id,
                attempt: i32::try_from(tried.record.attempt).unwrap_or(i32::MAX),
                created_at: tried.ended_at,
                user_id: caller.key.user.id,
                key_id: caller.key.id,
                provider_id,
                requested_model: requested.clone(),
                model: tried.record.model.as_deref().map(|m| cut(m, MAX_NAME)),
                input_tokens: tokens(used.input_tokens),
                cache_read_tokens: tokens(used.cache_read_tokens),
                cache_write5m_tokens: tokens(used.cache_write5m_tokens),
                cache_write1h_tokens: tokens(used.cache_write1h_tokens),
                output_tokens: tokens(used.output_tokens),
                reasoning_tokens: tokens(used.reasoning_tokens),
                image_input_tokens: tokens(used.image_input_tokens),
                image_output_tokens: tokens(used.image_output_tokens),
                cost_nano_usd: tried.bill.cost_nano_usd,
                price_ref: tried.bill.price_ref.clone(),
                service_tier: reading.service_tier.map(|tier| tier.to_string()),
                provider_multiplier: Some(tried.record.provider_multiplier),
                group_multiplier: Some(tried.record.group_multiplier),
                client: ClientName::default(),
                settled_from: reading.provenance.name().into(),
                raw: reading.raw.clone(),
            })
        })
        .collect()
}

fn row(facts: &mut Facts) -> Request {
    let endpoint = shorten(std::mem::take(&mut facts.target), MAX_ENDPOINT);
    let user_agent = facts
        .user_agent
        .take()
        .map(|text| shorten(text, MAX_ENDPOINT));
    let client_ip = facts.client_ip.take();
    let answer = &facts.answer;
    let last = served(&facts.attempts);
    let (used, provenance) = total(&facts.attempts);
    let since = |at: Instant| at.saturating_duration_since(facts.arrived);
    let ms = |at: Instant| i64::try_from(since(at).as_millis()).unwrap_or(i64::MAX);
    Request {
        id: facts.id,
        created_at: facts.created_at,
        user_id: facts.caller.as_ref().map(|c| c.key.user.id),
        key_id: facts.caller.as_ref().map(|c| c.key.id),
        provider_id: last.and_then(|t| t.record.provider_id),
        session_id: facts
            .plan
            .as_ref()
            .and_then(|plan| plan.peek.session_id.clone()),
        protocol: facts.endpoint.as_ref().map_or("", |e| e.protocol.name()),
        endpoint,
        requested_model: requested_model(facts),
        model: last
            .and_then(|t| t.record.model.as_deref())
            .map(|m| cut(m, MAX_NAME)),
        status: i32::from(match answer.status {
            0 => CLIENT_CLOSED_REQUEST,
            status => status,
        }),
        is_stream: answer.is_stream,
        error_code: error_code(facts),
        error_message: error_message(facts),
        input_tokens: tokens(used.input_tokens),
        cache_read_tokens: tokens(used.cache_read_tokens),
        cache_write5m_tokens: tokens(used.cache_write5m_tokens),
        cache_write1h_tokens: tokens(used.cache_write1h_tokens),
        output_tokens: tokens(used.output_tokens),
        reasoning_tokens: tokens(used.reasoning_tokens),
        cost_nano_usd: cost(&facts.attempts),
        settled_from: provenance.name(),
        duration_ms: ms(Instant::now()),
        ttfb_ms: answer.first_byte.map(ms),
        ttft_ms: last.and_then(|t| t.first_content).map(ms),
        overhead_us: overhead_us(facts),
        request_bytes: i64::try_from(facts.request_bytes).unwrap_or(i64::MAX),
        response_bytes: i64::try_from(answer.bytes).unwrap_or(i64::MAX),
        client_ip,
        user_agent,
        chain: chain_of(&facts.attempts),
    }
}

fn chain_of(attempts: &[Tried]) -> String {
    let mut text = Vec::with_capacity(CHAIN_LINK * attempts.len());
    chain::write(attempts.iter().map(|tried| &tried.record), &mut text);
    String::from_utf8(text).unwrap_or_else(|_| "[]".to_owned())
}

/// The attempt that the client has its answer from, else the last one.
fn served(attempts: &[Tried]) -> Option<&Tried> {
    let mut winners = attempts.iter().rev();
    winners
        .find(|tried| tried.record.outcome != Outcome::Lost)
        .or(attempts.last())
}

/// What all attempts used together, and the weakest provenance among those that used something.
fn total(attempts: &[Tried]) -> (Usage, Provenance) {
    let mut sum = Usage::default();
    let mut provenance = None;
    for reading in attempts.iter().filter_map(|t| t.reading.as_ref()) {
        sum.add(&reading.usage);
        provenance = Some(match (provenance, reading.provenance) {
            (None, own) => own,
            (Some(Provenance::Terminal), own) => own,
            (Some(worse), _) => worse,
        });
    }
    (sum, provenance.unwrap_or_default())
}

/// What all attempts cost together; none when none of them has a price.
fn cost(attempts: &[Tried]) -> Option<i64> {
    let mut costs = attempts.iter().filter_map(|tried| tried.bill.cost_nano_usd);
    let first = costs.next()?;
    Some(costs.fold(first, i64::saturating_add))
}

/// From arrival to the first attempt; to the end where there was none.
fn overhead_us(facts: &Facts) -> i64 {
    let spent = match facts.attempts.first() {
        Some(first) => return i64::try_from(first.record.started_us).unwrap_or(i64::MAX),
        None => facts.arrived.elapsed(),
    };
    i64::try_from(spent.as_micros()).unwrap_or(i64::MAX)
}

fn requested_model(facts: &Facts) -> Option<String> {
    let model = facts.plan.as_ref()?.model.as_deref()?;
    Some(cut(model, MAX_NAME))
}

fn error_code(facts: &Facts) -> Option<&'static str> {
    if let Some(refusal) = &facts.refusal {
        return Some(refusal.reason.code());
    }
    if facts.answer.cut.is_some() && facts.is_ended() {
        return Some(Reason::SessionEnded.code());
    }
    if facts.answer.cut.is_some() {
        return Some("upstream_cut");
    }
    if facts.answer.client_left {
        return Some("client_left");
    }
    (facts.answer.status >= 400).then_some("upstream_error")
}

fn error_message(facts: &Facts) -> Option<String> {
    if let Some(refusal) = &facts.refusal {
        return Some(refusal.message.clone());
    }
    if let Some(cut) = &facts.answer.cut {
        return Some(cut.clone());
    }
    let in_stream = served(&facts.attempts).and_then(|t| t.reading.as_ref()?.error.clone());
    if in_stream.is_some() {
        return in_stream;
    }
    if facts.answer.status < 400 {
        return None;
    }
    served(&facts.attempts).and_then(|t| t.record.error.clone())
}

fn tokens(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn shorten(mut text: String, max: usize) -> String {
    text.truncate(text.floor_char_boundary(max));
    text
}

fn cut(text: &str, max: usize) -> String {
    text[..text.floor_char_boundary(max)].to_owned()
}
