//! Where an attempt goes: a provider is chosen, its body derived, one of its addresses reached.

use std::time::Instant;

use chrono::Utc;
use pingora::ErrorType;
use pingora::prelude::{Error, HttpPeer, Result};
use uuid::Uuid;

use super::attempt::{Attempt, Plan};
use super::parts::Parts;
use crate::domain::chain::How;
use crate::domain::limits::Refused;
use crate::domain::protocol::Operation;
use crate::domain::provider::Provider;
use crate::policy::quota::{Reservation, Wanted};
use crate::policy::routing::{Question, Tried};
use crate::wire::include_usage;
use crate::wire::patch::{self, Edit};

/// Chooses a provider for the attempt and says how to reach it.
///
/// # Errors
/// When no provider is left, or the chosen one has no address that may be used.
pub async fn choose(attempt: &mut Attempt, parts: &Parts) -> Result<HttpPeer> {
    let plan = attempt.plan.clone();
    while !take_seat(attempt, &plan, parts).await? {}
    let Some(provider) = attempt.provider().cloned() else {
        return Err(explained("no provider is left"));
    };
    derive_body(attempt, &provider);
    connect_to(attempt, &provider, parts).await
}

/// Chooses a provider and takes what an attempt at it needs. Between the choice and the taking another request may have been faster: then it
/// says no, and the choice is made again without that provider.
async fn take_seat(attempt: &mut Attempt, plan: &Plan, parts: &Parts) -> Result<bool> {
    let routing = &parts.routing;
    let leeway = &attempt.leeway;
    let question = Question {
        snapshot: &plan.snapshot,
        caller: &plan.caller,
        protocol: plan.endpoint.protocol,
        model: plan.model.as_deref(),
        client: plan.client(),
        session: plan.session,
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
        wall: Utc::now(),
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
    let Ok(reservation) = reserve(plan, &provider, parts).await else {
        attempt.leeway.exhausted.push(provider.id);
        return Ok(false);
    };
    attempt.report.reservation = reservation;
    attempt.seat = Some(seat);
    attempt.report.permit = Some(permit);
    attempt.report.endpoint = endpoint;
    attempt.choose(choice);
    Ok(true)
}

/// Room in the provider's own limits; none where it is asked for nothing that counts.
async fn reserve(
    plan: &Plan,
    provider: &Provider,
    parts: &Parts,
) -> std::result::Result<Option<Reservation>, Refused> {
    if !plan.endpoint.operation.is_limited() {
        return Ok(None);
    }
    let wanted = Wanted {
        id: Uuid::now_v7(),
        parties: provider.parties.clone(),
        model: plan.model.as_deref().unwrap_or_default(),
        session: plan.session,
        may_wait: false,
    };
    let reservation = parts.routing.quota.admit(&wanted, Utc::now()).await?;
    Ok(Some(reservation))
}

/// The first of the provider's addresses, healthy ones before others, that was not out of reach in this request and whose breaker is closed; where
/// there is none, the first that was not out of reach.
fn endpoint(attempt: &Attempt, provider: &Provider, parts: &Parts, now: Instant) -> usize {
    if provider.endpoints.len() == 1 {
        return 0;
    }
    let failed = &attempt.leeway.endpoints;
    let mut spare = None;
    for index in parts.upstreams.order(provider) {
        if failed.contains(&(provider.id, index)) {
            continue;
        }
        if parts.routing.is_reachable(provider, index, now) {
            return index;
        }
        spare = spare.or(Some(index));
    }
    spare.unwrap_or(0)
}

/// The body as this provider gets it: the client's own, but for the model's name where it is redirected, and for the request to report
/// usage where a stream would not. A resource that is passed through stays as it is.
fn derive_body(attempt: &mut Attempt, provider: &Provider) {
    let plan = attempt.plan.clone();
    let mut edits = Vec::new();
    if plan.endpoint.operation != Operation::Passthrough {
        edits.extend(redirect(attempt, &plan, provider));
    }
    if let Some(demand) = include_usage::demand(&plan.endpoint, &plan.peek, &plan.body) {
        attempt.report.edits.push(demand.note.to_owned());
        attempt.hide_usage_chunk();
        edits.push(demand.edit);
    }
    attempt.body = patch::apply(&plan.body, edits);
}

/// Notes the model that the asked one is redirected to, and puts it in the old one's place where the body names it: with the `models/`
/// in front of it that Code Assist's token counting has.
fn redirect(attempt: &mut Attempt, plan: &Plan, provider: &Provider) -> Option<Edit> {
    let model = plan.model.as_deref()?;
    let target = provider.redirect(model)?;
    attempt.report.model = Some(target.to_owned());
    attempt
        .report
        .edits
        .push(format!("model: {model} -> {target}"));
    let span = plan.peek.model_span.clone()?;
    let prefix = if plan.body[span.clone()].starts_with(b"\"models/") {
        "models/"
    } else {
        ""
    };
    let text = patch::json_string(&format!("{prefix}{target}")).into();
    Some(Edit { span, text })
}

async fn connect_to(attempt: &mut Attempt, provider: &Provider, parts: &Parts) -> Result<HttpPeer> {
    let policy = attempt.plan.snapshot.settings.egress_policy;
    let endpoint = attempt.report.endpoint;
    match parts.upstreams.reach(provider, endpoint, policy).await {
        Ok(reached) => {
            let base = &provider.endpoints[endpoint];
            Ok(reached.peer(provider, base))
        }
        Err(e) => {
            attempt.fail(e.fault(), e.to_string());
            Err(explained("the provider has no usable address"))
        }
    }
}

fn explained(what: &'static str) -> Box<Error> {
    Error::explain(ErrorType::HTTPStatus(503), what)
}
