//! What the running gateway knows of its providers, in the admin side's words.

use std::time::Instant;

use admin::gateway::{
    Breaker, BreakerSample, BreakerScope, BreakerState, Candidate, EndpointHealth, Explain,
    ExplainError, Explanation, Nominee, Protocol as AdminProtocol, Reason, ReasonCode,
};
use chrono::Utc;

use crate::domain::caller::Caller;
use crate::domain::chain::{Dropped, How};
use crate::domain::protocol::Protocol;
use crate::domain::refusal::Refusal;
use crate::policy::affinity::{self, Ask, Signal};
use crate::policy::breaker::{Moment, Scope, State, View, Which};
use crate::policy::routing::{Question, Routing, Tried};
use crate::policy::{access, authn, quota};
use crate::proxy::{Upstreams, known_models};
use crate::store::snapshot::Snapshot;
use crate::wire::limit;

/// The breakers of one provider, or of all.
pub fn breakers(routing: &Routing, snapshot: &Snapshot, provider: Option<i64>) -> Vec<Breaker> {
    let moment = Moment {
        at: Instant::now(),
        wall: Utc::now(),
    };
    let views = routing.breakers.list(which(provider), moment);
    views
        .into_iter()
        .map(|view| breaker(view, snapshot))
        .collect()
}

/// How each address of a provider is.
pub fn health(upstreams: &Upstreams, snapshot: &Snapshot, provider: i64) -> Vec<EndpointHealth> {
    let mut providers = snapshot.providers.iter();
    let Some(provider) = providers.find(|candidate| candidate.id == provider) else {
        return Vec::new();
    };
    let health = upstreams.health(provider).into_iter();
    health
        .map(|endpoint| EndpointHealth {
            url: endpoint.url,
            healthy: endpoint.healthy,
            checked_at: endpoint.checked_at,
            addresses: endpoint
                .addresses
                .iter()
                .map(|(address, _)| address.to_string())
                .collect(),
            error: endpoint.error,
        })
        .collect()
}

/// The models the holder of a key may ask for, as far as the configuration names them; none when there is no such key.
pub fn models(snapshot: &Snapshot, key_id: i64) -> Vec<String> {
    let mut keys = snapshot.keys.values();
    let Some(key) = keys.find(|key| key.id == key_id) else {
        return Vec::new();
    };
    let caller = Caller { key: key.clone() };
    let protocols = [Protocol::Anthropic, Protocol::Openai, Protocol::Gemini];
    let mut models: Vec<String> = protocols
        .into_iter()
        .flat_map(|protocol| known_models(snapshot, &caller, protocol))
        .map(str::to_owned)
        .collect();
    models.sort();
    models.dedup();
    models
}

/// One provider, or all.
pub fn which(provider: Option<i64>) -> Which {
    provider.map_or(Which::All, Which::Provider)
}

fn breaker(view: View, snapshot: &Snapshot) -> Breaker {
    let provider_id = view.scope.provider();
    let (scope, subject) = match view.scope {
        Scope::Provider(_) => (BreakerScope::Provider, None),
        Scope::Model(_, model) => (BreakerScope::Model, Some(model.to_string())),
        Scope::Endpoint(_, index) => {
            let provider = snapshot.provider(provider_id);
            let endpoint = provider.and_then(|provider| provider.endpoints.get(index));
            let subject = endpoint.map(|endpoint| endpoint.authority.clone());
            (BreakerScope::Endpoint, subject)
        }
    };
    let is_open = matches!(view.state, State::Open | State::HalfOpen);
    Breaker {
        provider_id,
        scope,
        subject,
        state: match view.state {
            State::Closed => BreakerState::Closed,
            State::Open => BreakerState::Open,
            State::HalfOpen => BreakerState::HalfOpen,
            State::Resting => BreakerState::Resting,
        },
        reason: Some(view.reason).filter(|reason| !reason.is_empty()),
        opened_at: is_open.then_some(view.since),
        open_until: view.until,
        consecutive_failures: view.consecutive_failures,
        times_opened: view.opened,
        advised: view.is_advice,
        samples: view
            .samples
            .into_iter()
            .rev()
            .map(|sample| BreakerSample {
                at: sample.at,
                fault: sample.fault.name().to_owned(),
                status: sample.status,
                message: sample.message,
            })
            .collect(),
    }
}

/// The provider that a conversation is with.
fn bound(routing: &Routing, ask: &Ask<'_>, at: Instant) -> Option<affinity::Nominee> {
    let flight = routing.affinity.begin(ask);
    routing.affinity.nominate(ask, &flight, at)
}

/// What would happen to a request.
///
/// # Errors
/// When there is no such key.
pub fn explain(
    routing: &Routing,
    snapshot: &Snapshot,
    ask: &Explain,
) -> Result<Explanation, ExplainError> {
    let mut keys = snapshot.keys.values();
    let key = keys
        .find(|key| key.id == ask.key_id)
        .ok_or(ExplainError::UnknownKey)?;
    let caller = Caller { key: key.clone() };
    let affinity_ask = Ask {
        key_id: key.id,
        protocol: protocol(ask.protocol),
        model: Some(&ask.model),
        session_id: ask.session_id.as_deref(),
        prefix: None,
        keep: std::time::Duration::from_secs(snapshot.settings.sticky_seconds.into()),
    };
    let at = Instant::now();
    let bound = bound(routing, &affinity_ask, at);
    let question = Question {
        snapshot,
        caller: &caller,
        protocol: protocol(ask.protocol),
        model: Some(&ask.model),
        client: ask.user_agent.as_deref(),
        session: ask.session_id.as_deref().map(quota::Session::new),
        conversation: affinity::conversation(&affinity_ask),
        bound,
        tried: Tried::default(),
        at,
        wall: Utc::now(),
    };
    let survey = routing.explain(&question);
    let chosen = survey.outcome.as_ref().ok();
    let candidates = survey.candidates.iter().map(|candidate| Candidate {
        provider_id: candidate.provider.id,
        provider_name: candidate.provider.name.clone(),
        kept: candidate.reason.is_none(),
        reasons: candidate.reason.map(reason).into_iter().collect(),
        tier: candidate.tier.unwrap_or(candidate.provider.priority),
        weight: candidate.provider.weight,
        probability: candidate.probability,
        is_nominee: bound.is_some_and(|bound| bound.provider == candidate.provider.id),
    });
    let mut notes = refusals(routing, &question);
    if bound.is_none() {
        notes.push("A new conversation is spread by its own first words; the chances are over all conversations.".to_owned());
    }
    if chosen.is_some_and(|choice| choice.selection.by == How::LastResort) {
        notes.push("Nobody passes every check: the least bad is tried once.".to_owned());
    }
    Ok(Explanation {
        candidates: candidates.collect(),
        nominee: bound.map(|bound| Nominee {
            provider_id: bound.provider,
            by: match bound.by {
                Signal::Session => "session".to_owned(),
                Signal::Prefix => "prefix".to_owned(),
            },
            reason: nominee_reason(bound.provider, chosen.map(|choice| choice.provider.id)),
        }),
        chosen_tier: chosen.map(|choice| choice.selection.tier),
        notes,
    })
}

fn nominee_reason(bound: i64, chosen: Option<i64>) -> String {
    if chosen == Some(bound) {
        "The conversation stays: the provider passes every check.".to_owned()
    } else {
        "The conversation moves: the provider does not pass, or a better tier is worth more than its cached prefix.".to_owned()
    }
}

/// Why the request would be refused before any provider is asked.
fn refusals(routing: &Routing, question: &Question<'_>) -> Vec<String> {
    let caller = question.caller;
    let mut parties = caller.key.parties.iter();
    let over = parties.find_map(|party| {
        routing
            .quota
            .hindrance(party, question.session, question.wall)
    });
    let found = [
        authn::check(&caller.key, question.wall).err(),
        access::permit_client(caller, question.client).err(),
        access::permit_model(caller, question.model).err(),
        over.map(|refused| limit::refusal(refused, question.wall)),
    ];
    let told = |refusal: Refusal| {
        let status = refusal.reason.status().as_u16();
        format!("The request would be refused with {status}: {refusal}")
    };
    found.into_iter().flatten().map(told).collect()
}

fn reason(dropped: Dropped) -> Reason {
    let (code, text) = match dropped {
        Dropped::Disabled => (ReasonCode::Disabled, "It is switched off."),
        Dropped::NoWeight => (ReasonCode::NoWeight, "Its weight is 0."),
        Dropped::Protocol => (
            ReasonCode::Protocol,
            "It does not speak the client's protocol.",
        ),
        Dropped::Group => (ReasonCode::Group, "It shares no group with the key."),
        Dropped::Client => (ReasonCode::Client, "It is not for this client."),
        Dropped::Model => (ReasonCode::Model, "It may not be asked for this model."),
        Dropped::Schedule => (ReasonCode::Schedule, "Not at this hour."),
        Dropped::Exhausted => (ReasonCode::Exhausted, "It has no tries left."),
        Dropped::BreakerOpen => (ReasonCode::BreakerOpen, "Its breaker is open."),
        Dropped::Resting => (
            ReasonCode::Resting,
            "It asked to be left alone for a while.",
        ),
        Dropped::Busy => (
            ReasonCode::Busy,
            "It has as many requests as it may have at once.",
        ),
        Dropped::OverBudget => (ReasonCode::OverBudget, "Its budget is spent."),
    };
    Reason {
        code,
        text: text.to_owned(),
    }
}

fn protocol(protocol: AdminProtocol) -> Protocol {
    match protocol {
        AdminProtocol::Anthropic => Protocol::Anthropic,
        AdminProtocol::Responses => Protocol::Responses,
        AdminProtocol::Openai => Protocol::Openai,
        AdminProtocol::Gemini => Protocol::Gemini,
        AdminProtocol::GeminiCli => Protocol::GeminiCli,
    }
}
