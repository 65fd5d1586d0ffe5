//! `upstream_peer` of an attempt: a provider is selected, its body derived, its address resolved and checked.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::{ErrorType, ImmutStr};

use super::attempt::Attempt;
use super::parts::Parts;
use crate::domain::protocol::Operation;
use crate::domain::provider::Provider;
use crate::policy::select::{Wanted, select};
use crate::wire::patch;

/// Selects a provider for the attempt and says how to reach it.
///
/// # Errors
/// When no provider is left, or the chosen one has no address that may be used.
pub async fn choose(attempt: &mut Attempt, parts: &Parts) -> Result<Box<HttpPeer>> {
    let plan = attempt.plan.clone();
    let wanted = Wanted {
        protocol: plan.endpoint.protocol,
        model: plan.model.as_deref(),
        groups: plan.caller.groups(),
        exhausted: &attempt.exhausted,
        nominee: attempt.nominee,
    };
    let Some(choice) = select(&plan.snapshot.providers, &wanted, fastrand::f64()) else {
        return Err(explained("no provider is left"));
    };
    let provider = choice.provider.clone();
    attempt.choose(choice);
    derive_body(attempt, &provider);
    connect_to(attempt, &provider, parts).await
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
    match parts.upstreams.reach(provider, 0, policy).await {
        Ok(reached) => {
            let base = &provider.endpoints[0];
            let peer = reached.peer(provider, base, attempt.plan.wants_stream);
            Ok(Box::new(peer))
        }
        Err(e) => {
            attempt.fail(e.fault(), e.to_string());
            Err(explained("the provider has no usable address"))
        }
    }
}

/// A duration of so many milliseconds; 0 is none.
pub fn millis(ms: u64) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}

fn explained(what: &'static str) -> Box<Error> {
    let mut e = Error::explain(ErrorType::HTTPStatus(503), ImmutStr::from(what));
    e.set_retry(false);
    e
}
