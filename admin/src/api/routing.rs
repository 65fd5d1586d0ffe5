//! `/routing`: what would happen to a request.

use std::sync::Arc;

use http::StatusCode;
use poem_openapi::{Enum, Object, OpenApi, payload::Json};

use super::{
    Tag,
    answers::TryRefused,
    body::{Body, Input},
    rules,
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    gateway,
    problem::{Mistake, Problem},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// A client protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum Protocol {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Responses.
    Responses,
    /// OpenAI Chat Completions.
    Openai,
    /// Gemini API.
    Gemini,
    /// Code Assist, the Gemini CLI's backend.
    GeminiCli,
}

/// A request that might come.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ExplainRequest {
    /// The protocol its client speaks.
    pub protocol: Protocol,
    /// The model it asks for.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub model: String,
    /// The client key it is sent with, by its id.
    pub key_id: i64,
    /// The session it belongs to, as the client names it.
    #[oai(nullable, validator(min_length = 1, max_length = 256))]
    pub session_id: Option<String>,
    /// Its `User-Agent`, by which the client is told.
    #[oai(nullable, validator(max_length = 512))]
    pub user_agent: Option<String>,
    /// Whether it asks for a stream. Default false, as in the protocols themselves.
    #[oai(nullable)]
    pub is_stream: Option<bool>,
}

/// What is left of it when the fields with mistakes are taken out.
#[derive(Object)]
pub struct LooseExplainRequest {
    /// The model it asks for.
    pub model: Option<String>,
}

/// What would happen to a request.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Explanation {
    /// Every provider, kept or not.
    pub candidates: Vec<ExplainedCandidate>,
    /// The provider it belongs to by its conversation.
    #[oai(nullable)]
    pub nominee: Option<ExplainedNominee>,
    /// The tier the choice is made from; null when no provider is left.
    #[oai(nullable)]
    pub chosen_tier: Option<i32>,
    /// What else is to be said, in words.
    pub notes: Vec<String>,
}

/// A provider in the choice.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ExplainedCandidate {
    /// The provider.
    pub provider_id: i64,
    /// Its name.
    pub provider_name: String,
    /// Whether it may be chosen.
    pub kept: bool,
    /// Why it may not be; none when it may.
    pub reasons: Vec<ExplainedReason>,
    /// Its tier for this caller.
    pub tier: i32,
    /// Its weight.
    pub weight: u32,
    /// Its chance of being the first that is tried, 0 to 1.
    pub probability: f64,
    /// Whether it is the nominee.
    pub is_nominee: bool,
}

/// A check that a provider does not pass.
#[derive(Debug, Object)]
pub struct ExplainedReason {
    /// Which.
    pub code: ExplainedReasonCode,
    /// In words.
    pub text: String,
}

/// The checks, in the order in which they are made. The chain of a request names them alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ExplainedReasonCode {
    /// It is switched off.
    Disabled,
    /// Its weight is 0.
    NoWeight,
    /// It does not speak the client's protocol.
    Protocol,
    /// It shares no group with the key.
    Group,
    /// It is not for this client.
    Client,
    /// It may not be asked for the model.
    Model,
    /// Not at this hour.
    Schedule,
    /// It has no tries left.
    Exhausted,
    /// Its breaker is open.
    BreakerOpen,
    /// It asked to be left alone for a while.
    Resting,
    /// It has as many requests as it may have at once.
    Busy,
    /// Its budget is spent.
    OverBudget,
}

/// The provider a conversation belongs to.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ExplainedNominee {
    /// The provider.
    pub provider_id: i64,
    /// What ties the conversation to it.
    pub by: String,
    /// Whether the request stays there, and why; in words.
    pub reason: String,
}

#[OpenApi(prefix_path = "/api/v1/routing", tag = "Tag::Routing")]
impl Api {
    /// Explain what would happen to a request
    ///
    /// Decided by the code that decides real requests, with the state of this node. Nothing is sent and nothing is changed.
    #[oai(path = "/explain", method = "post", operation_id = "explainRouting")]
    async fn explain(
        &self,
        _caller: ForAdmin,
        body: Body<ExplainRequest>,
    ) -> Result<Json<Explanation>, TryRefused> {
        let explained = self.0.gateway.explain(body.0.into()).await;
        let explanation = explained.map_err(Problem::from)?;
        Ok(Json(explanation.into()))
    }
}

impl Input for ExplainRequest {
    type Loose = LooseExplainRequest;

    fn rules(loose: &LooseExplainRequest, out: &mut Vec<Mistake>) {
        rules::name("model", loose.model.as_ref(), out);
    }
}

// === conversions ===

impl From<gateway::ExplainError> for Problem {
    fn from(error: gateway::ExplainError) -> Self {
        match error {
            gateway::ExplainError::UnknownKey => {
                Self::invalid(vec![Mistake::new("keyId", "not_found", "is no key")])
            }
            gateway::ExplainError::Unavailable(why) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", why)
            }
        }
    }
}

impl From<ExplainRequest> for gateway::Explain {
    fn from(ask: ExplainRequest) -> Self {
        Self {
            protocol: match ask.protocol {
                Protocol::Anthropic => gateway::Protocol::Anthropic,
                Protocol::Responses => gateway::Protocol::Responses,
                Protocol::Openai => gateway::Protocol::Openai,
                Protocol::Gemini => gateway::Protocol::Gemini,
                Protocol::GeminiCli => gateway::Protocol::GeminiCli,
            },
            model: ask.model,
            key_id: ask.key_id,
            session_id: ask.session_id,
            user_agent: ask.user_agent,
            is_stream: ask.is_stream.unwrap_or(false),
        }
    }
}

impl From<gateway::Explanation> for Explanation {
    fn from(explanation: gateway::Explanation) -> Self {
        let candidates = explanation.candidates.into_iter();
        Self {
            candidates: candidates.map(ExplainedCandidate::from).collect(),
            nominee: explanation.nominee.map(|nominee| ExplainedNominee {
                provider_id: nominee.provider_id,
                by: nominee.by,
                reason: nominee.reason,
            }),
            chosen_tier: explanation.chosen_tier,
            notes: explanation.notes,
        }
    }
}

impl From<gateway::Candidate> for ExplainedCandidate {
    fn from(candidate: gateway::Candidate) -> Self {
        Self {
            provider_id: candidate.provider_id,
            provider_name: candidate.provider_name,
            kept: candidate.kept,
            reasons: candidate
                .reasons
                .into_iter()
                .map(ExplainedReason::from)
                .collect(),
            tier: candidate.tier,
            weight: candidate.weight,
            probability: candidate.probability,
            is_nominee: candidate.is_nominee,
        }
    }
}

impl From<gateway::Reason> for ExplainedReason {
    fn from(reason: gateway::Reason) -> Self {
        use gateway::ReasonCode;
        let code = match reason.code {
            ReasonCode::Disabled => ExplainedReasonCode::Disabled,
            ReasonCode::NoWeight => ExplainedReasonCode::NoWeight,
            ReasonCode::Protocol => ExplainedReasonCode::Protocol,
            ReasonCode::Group => ExplainedReasonCode::Group,
            ReasonCode::Client => ExplainedReasonCode::Client,
            ReasonCode::Model => ExplainedReasonCode::Model,
            ReasonCode::Schedule => ExplainedReasonCode::Schedule,
            ReasonCode::Exhausted => ExplainedReasonCode::Exhausted,
            ReasonCode::BreakerOpen => ExplainedReasonCode::BreakerOpen,
            ReasonCode::Resting => ExplainedReasonCode::Resting,
            ReasonCode::Busy => ExplainedReasonCode::Busy,
            ReasonCode::OverBudget => ExplainedReasonCode::OverBudget,
        };
        Self {
            code,
            text: reason.text,
        }
    }
}
