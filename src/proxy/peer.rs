//! `upstream_peer` of an attempt: a provider is selected, its body derived, its address resolved and checked.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use chrono::{Timelike, Utc};
use entity::value::TimeOfDay;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::protocols::l4::ext::TcpKeepalive;
use pingora::{ErrorType, ImmutStr};

use super::attempt::Attempt;
use super::parts::Parts;
use crate::domain::fault::Fault;
use crate::domain::protocol::Operation;
use crate::domain::provider::Provider;
use crate::policy::egress;
use crate::policy::select::{Draw, Hindrance, Nomination, Nominee, Standing, Wanted, select};
use crate::wire::patch;

/// How long an idle connection to a provider is kept. Shorter than most servers' own limit, so that few are found dead.
const IDLE_CONNECTION: Duration = Duration::from_secs(55);

/// A standing in which nobody is hindered.
struct Unhindered;

impl Standing for Unhindered {
    fn hindrance(&self, _: &Provider, _: Option<&str>) -> Option<Hindrance> {
        None
    }

    fn badness(&self, _: &Provider, _: Option<&str>) -> Option<u64> {
        None
    }
}

/// Selects a provider for the attempt and says how to reach it.
///
/// # Errors
/// When no provider is left, or the chosen one has no address that may be used.
pub async fn choose(attempt: &mut Attempt, parts: &Parts) -> Result<Box<HttpPeer>> {
    let plan = attempt.plan.clone();
    let now = Utc::now();
    let wanted = Wanted {
        protocol: plan.endpoint.protocol,
        model: plan.model.as_deref(),
        groups: plan.caller.groups(),
        client: None,
        minute: TimeOfDay::from_minutes(now.hour() * 60 + now.minute()),
        exhausted: &attempt.exhausted,
        tried: &attempt.exhausted,
        nominee: attempt.nominee.map(|provider| Nominee {
            provider,
            by: Nomination::Retry,
        }),
        draw: Draw::Random(fastrand::f64()),
        allows_last_resort: false,
    };
    let Ok(choice) = select(&plan.snapshot.providers, &wanted, &Unhindered) else {
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
    let base = &provider.endpoints[0];
    let addresses = match parts.resolver.resolve(&base.host, base.port).await {
        Ok(addresses) => addresses,
        Err(e) => {
            attempt.fail(Fault::Network, e.to_string());
            return Err(explained("the provider's host name does not resolve"));
        }
    };
    let policy = attempt.plan.snapshot.settings.egress_policy;
    let start = fastrand::usize(..addresses.len());
    let Some(address) = (0..addresses.len())
        .map(|i| addresses[(start + i) % addresses.len()])
        .find(|address| egress::permits(policy, address.ip()))
    else {
        attempt.fail(
            Fault::Provider,
            "the provider's address is in a range that is never used or that egressPolicy forbids",
        );
        return Err(explained("the provider's address is not allowed"));
    };
    let sni = if base.is_tls {
        base.host.clone()
    } else {
        String::new()
    };
    let mut peer = HttpPeer::new(address, base.is_tls, sni);
    let timeouts = &provider.timeouts;
    let quiet = if attempt.plan.wants_stream {
        timeouts.first_byte_ms.max(timeouts.idle_ms)
    } else {
        timeouts.total_ms
    };
    let options = &mut peer.options;
    options.connection_timeout = millis(timeouts.connect_ms);
    options.total_connection_timeout = millis(timeouts.connect_ms);
    options.read_timeout = millis(quiet);
    options.write_timeout = millis(timeouts.total_ms);
    options.idle_timeout = Some(IDLE_CONNECTION);
    options.tcp_keepalive = Some(TcpKeepalive {
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(10),
        count: 3,
        user_timeout: Duration::ZERO,
    });
    Ok(Box::new(peer))
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
