//! Model lists: answered from what the caller may use, where the configuration says it.

use std::collections::BTreeSet;

use bytes::Bytes;
use pingora::proxy::Session;

use crate::domain::caller::Caller;
use crate::domain::pattern::Pattern;
use crate::domain::protocol::{Operation, Protocol};
use crate::domain::refusal::{Reason, Refusal};
use crate::policy::select::eligible;
use crate::store::snapshot::Snapshot;
use crate::wire::endpoint::Endpoint;
use crate::wire::models;
use crate::wire::percent;

/// The answer to a model list or to one model; `None` when only a provider can tell, because none that the caller may reach
/// names its models.
///
/// # Errors
/// 404 when one model is asked for that is not among those the caller may use.
pub fn answer(
    session: &Session,
    snapshot: &Snapshot,
    caller: &Caller,
    endpoint: &Endpoint,
) -> Result<Option<Bytes>, Refusal> {
    let known = known_models(snapshot, caller, endpoint.protocol);
    if known.is_empty() {
        return Ok(None);
    }
    if endpoint.operation == Operation::ListModels {
        let ids: Vec<&str> = known.into_iter().collect();
        return Ok(Some(models::list(endpoint.protocol, &ids)));
    }
    let path = session.req_header().uri.path();
    let id = match &endpoint.model {
        Some(span) => &path[span.clone()],
        None => path.rsplit('/').next().unwrap_or_default(),
    };
    let id = percent::decode(id);
    if known.contains(id.as_ref()) {
        Ok(Some(models::one(endpoint.protocol, &id)))
    } else {
        Err(Refusal::new(
            Reason::UnknownEndpoint,
            format!("There is no model {id:?} here."),
        ))
    }
}

/// The user's own list if it has one; else every name that an eligible provider is configured with. OpenAI's list serves Codex
/// as well as chat clients, so it shows both.
pub fn known_models<'a>(
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    protocol: Protocol,
) -> BTreeSet<&'a str> {
    let allowed = &caller.key.user.allowed_models;
    if !allowed.is_empty() {
        return allowed.iter().map(String::as_str).collect();
    }
    let protocols: &[Protocol] = match protocol {
        Protocol::Openai | Protocol::Responses => &[Protocol::Openai, Protocol::Responses],
        Protocol::Anthropic => &[Protocol::Anthropic],
        Protocol::Gemini | Protocol::GeminiCli => &[Protocol::Gemini, Protocol::GeminiCli],
    };
    let mut known = BTreeSet::new();
    for &protocol in protocols {
        for provider in eligible(&snapshot.providers, protocol, caller.groups()) {
            known.extend(provider.allowed_models.iter().filter_map(Pattern::name));
            let redirects = provider.model_redirects.iter();
            known.extend(redirects.filter_map(|redirect| redirect.source.name()));
        }
    }
    known
}
