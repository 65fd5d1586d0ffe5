//! The client gets an attempt's answer, and the attempt comes to its end.

use std::sync::Arc;

use bytes::BytesMut;
use pingora::proxy::Session;

use super::blame::Blame;
use super::contender::Contender;
use super::facts::Facts;
use super::parts::Parts;
use super::relay::{self, End};
use super::stop::Stop;
use crate::domain::chain::Outcome;
use crate::domain::fault::Fault;

/// Relays the answer to its end, and takes the attempt into the chain.
///
/// # Errors
/// When the answer was cut in a way that only closing the connection can tell the client.
pub async fn deliver(
    facts: &mut Facts,
    session: &mut Session,
    parts: &Arc<Parts>,
    mut contender: Contender,
    blame: Option<Blame>,
) -> Result<(), Stop> {
    let failure = blame.map(|blame| (blame.fault, blame.what));
    let mut excerpt = BytesMut::new();
    let keep = failure.is_some().then_some(&mut excerpt);
    let end = relay::relay(facts, session, parts, &mut contender, keep).await;
    let running = contender.running;
    let (outcome, report) = match &end {
        End::Complete if failure.is_some() => (Outcome::Failed, running.finish().await),
        End::Complete => (Outcome::Completed, running.finish().await),
        End::ClientLeft => (
            Outcome::ClientLeft,
            relay::drain(running, parts, true).await,
        ),
        End::Cut(_, _) => (Outcome::Cut, running.stop()),
    };
    if let Some(mut report) = report {
        let in_stream = report.reading.as_ref().and_then(|r| r.error.clone());
        let is_complete = matches!(end, End::Complete);
        let (outcome, failure) = match (&end, failure, in_stream) {
            (End::Cut(fault, what), _, _) => (outcome, Some((*fault, what.clone()))),
            // Its own error event has told the client.
            (_, None, Some(error)) if is_complete => (Outcome::Cut, Some((Fault::Provider, error))),
            (_, failure, _) => (outcome, failure.or(report.failure.take())),
        };
        report.failure = failure;
        let excerpt = (!excerpt.is_empty()).then_some(&excerpt[..]);
        if let Some(tried) = facts.note(report, outcome, excerpt) {
            tried.tell();
        }
    }
    match end {
        End::Cut(fault, what) => relay::end_cut(facts, session, fault, what).await,
        End::Complete | End::ClientLeft => Ok(()),
    }
}
