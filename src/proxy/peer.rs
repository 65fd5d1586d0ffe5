//! `upstream_peer` of an attempt: a provider is chosen, its body derived, one of its addresses reached.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::{ErrorType, ImmutStr};

use super::attempt::{Attempt, Plan};
use super::parts::Parts;
use crate::domain::chain::How;
use crate::domain::protocol::Operation;
use crate::domain::provider::Provider;
use crate::policy::routing::{Question, Tried};
use crate::wire::patch;

/// Chooses a provider for the attempt and says how to reach it.
///
/// # Errors
/// When no provider is left, or the chosen one has no address that may be used.
pub async fn choose(attempt: &mut Attempt, parts: &Parts) -> Result<Box<HttpPeer>> {
    let plan = attempt.plan.clone();
    while !take_seat(attempt, &plan, parts)? {}
    let Some(provider) = attempt.provider().cloned() else {
        return Err(explained("no provider is left"));
    };
    derive_body(attempt, &provider);
    connect_to(attempt, &provider, parts).await
}

/// Chooses a provider and takes what an attempt at it needs. Between the choice and the taking another request may have been faster: then it
/// says no, and the choice is made again without that provider.
fn take_seat(attempt: &mut Attempt, plan: &Plan, parts: &Parts) -> Result<bool> {
    let routing = &parts.routing;
    let leeway = &attempt.leeway;
    let question = Question {
        snapshot: &plan.snapshot,
        caller: &plan.caller,
        protocol: plan.endpoint.protocol,
        model: plan.model.as_deref(),
        client: plan.client(),
        conversation: plan.conversation,
        bound: plan.bound,
        tried: Tried {
            exhausted: &leeway.exhausted,
            any: &leeway.tried,
            again: leeway.again,
            is_hedge: leeway.is_hedge,
            had_last_resort: leeway.had_last_resort,
        },
        at: Instant::now(),
        wall: chrono::Utc::now(),
    };
    let choice = match routing.choose(&question) {
        Ok(choice) => choice,
        Err(nobody) => {
            attempt.report.nobody = Some(nobody);
            return Err(explained("no provider is left"));
        }
    };
    let provider = choice.provider.clone();
    let is_forced = choice.selection.by == How::LastResort;
    let endpoint = endpoint(attempt, &provider, parts, question.at);
    let model = plan.model.as_deref();
    let Some((seat, permit)) = routing.enter(&provider, endpoint, model, question.at, is_forced)
    else {
        attempt.leeway.exhausted.push(provider.id);
        return Ok(false);
    };
    attempt.seat = Some(seat);
    attempt.report.permit = Some(permit);
    attempt.report.endpoint = endpoint;
    attempt.choose(choice);
    Ok(true)
}

/// The first of the provider's addresses that is healthy, was not out of reach in this request, and whose breaker is closed; the main one when
/// there is none.
fn endpoint(attempt: &Attempt, provider: &Provider, parts: &Parts, now: Instant) -> usize {
    if provider.endpoints.len() == 1 {
        return 0;
    }
    let failed = &attempt.leeway.endpoints;
    let mut order = parts.upstreams.order(provider);
    let first = order.find(|index| {
        !failed.contains(&(provider.id, *index))
            && parts.routing.is_reachable(provider, *index, now)
    });
    first.unwrap_or(0)
}

/// The body as this provider gets it: the client's own, but for the model's name where it is redirected.
fn derive_body(attempt: &mut Attempt, provider: &Provider) {
    let plan = attempt.plan.clone();
    let Some(model) = plan.model.as_deref() else {
        return;
    };
    let is_passed_through = plan.endpoint.operation == Operation::Passthrough;
    let Some(target) = provider.redirect(model).filter(|_| !is_passed_through) else {
        return;
    };
    attempt.report.model = Some(target.to_owned());
    attempt
        .report
        .edits
        .push(format!("model: {model} -> {target}"));
    if let Some(span) = plan.peek.model_span.clone() {
        attempt.body = splice_model(&plan.body, span, target);
    }
}

/// Puts another model in the old one's place, with the `models/` in front of it that Code Assist's token counting has.
fn splice_model(body: &Bytes, span: Range<usize>, model: &str) -> Bytes {
    let prefix = if body[span.clone()].starts_with(b"\"models/") {
        "models/"
    } else {
        ""
    };
    patch::splice(body, span, &patch::json_string(&format!("{prefix}{model}")))
}

async fn connect_to(
    attempt: &mut Attempt,
    provider: &Provider,
    parts: &Parts,
) -> Result<Box<HttpPeer>> {
    let policy = attempt.plan.snapshot.settings.egress_policy;
    let endpoint = attempt.report.endpoint;
    match parts.upstreams.reach(provider, endpoint, policy).await {
        Ok(reached) => {
            let base = &provider.endpoints[endpoint];
            let peer = reached.peer(provider, base, attempt.plan.wants_stream);
            Ok(Box::new(peer))
        }
        Err(e) => {
            attempt.fail(e.fault(), e.to_string());
            Err(explained("the provider has no usable address"))
        }
    }
}

fn explained(what: &'static str) -> Box<Error> {
    let mut e = Error::explain(ErrorType::HTTPStatus(503), ImmutStr::from(what));
    e.set_retry(false);
    e
}
