//! What is asked of the request log, checked.

use chrono::{DateTime, Utc};
use poem_openapi::Enum;

use crate::{
    api::{
        decimal::{Decimal, to_nano},
        usage::ClientName,
    },
    auth::identity::Identity,
    problem::{Mistake, Problem},
    query::requests::{self, Filter, Text},
};

/// Statuses of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatusClass {
    /// Under 400.
    #[oai(rename = "success")]
    Success,
    /// 400 to 499.
    #[oai(rename = "4xx")]
    ClientError,
    /// 500 and over.
    #[oai(rename = "5xx")]
    ServerError,
    /// 400 and over.
    #[oai(rename = "error")]
    Error,
}

/// What the client spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum RequestProtocol {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Responses.
    Responses,
    /// Every other resource of OpenAI's.
    Openai,
    /// Gemini API.
    Gemini,
    /// Code Assist.
    GeminiCli,
}

/// What is asked, as it was asked.
pub struct Asked {
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub user_id: Option<i64>,
    pub key_id: Option<i64>,
    pub provider_id: Option<i64>,
    pub model: Option<String>,
    pub status: Option<i32>,
    pub class: Option<StatusClass>,
    pub session_id: Option<String>,
    pub protocol: Option<RequestProtocol>,
    pub endpoint: Option<String>,
    pub client: Option<ClientName>,
    pub is_stream: Option<bool>,
    pub error_code: Option<String>,
    pub min_cost_usd: Option<String>,
    pub max_cost_usd: Option<String>,
    pub min_duration_ms: Option<i64>,
    pub max_duration_ms: Option<i64>,
    pub text: Option<String>,
}

// === impl Asked ===

impl Asked {
    /// What `caller` may ask of it. A user who names another, or asks by provider, is refused rather than answered emptily.
    ///
    /// # Errors
    /// 403 for that; 422 for amounts that are none.
    pub fn of(self, caller: &Identity) -> Result<Filter, Problem> {
        let mut mistakes = Vec::new();
        let min_cost = amount("minCostUsd", self.min_cost_usd, &mut mistakes);
        let max_cost = amount("maxCostUsd", self.max_cost_usd, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(Problem::invalid(mistakes));
        }
        Ok(Filter {
            from: self.from,
            to: self.to,
            user_id: own_or(caller, self.user_id, self.provider_id)?,
            key_id: self.key_id,
            provider_id: self.provider_id,
            model: self.model,
            status: self.status,
            class: self.class.map(requests::StatusClass::from),
            session_id: self.session_id,
            protocol: self.protocol.map(|protocol| protocol.name().to_owned()),
            endpoint: self.endpoint,
            client: self.client.map(ClientName::into),
            is_stream: self.is_stream,
            error_code: self.error_code,
            min_cost,
            max_cost,
            min_duration_ms: self.min_duration_ms,
            max_duration_ms: self.max_duration_ms,
            text: self.text.map(|text| Text {
                text: text.trim().to_owned(),
                in_messages: caller.only_user().is_none(),
            }),
        })
    }
}

fn amount(path: &str, usd: Option<String>, mistakes: &mut Vec<Mistake>) -> Option<i64> {
    match to_nano(&Decimal(usd?)) {
        Ok(nano) => Some(nano),
        Err(wrong) => {
            mistakes.push(Mistake::new(path, "invalid", wrong));
            None
        }
    }
}

fn own_or(
    caller: &Identity,
    user_id: Option<i64>,
    provider_id: Option<i64>,
) -> Result<Option<i64>, Problem> {
    match caller.only_user() {
        None => Ok(user_id),
        Some(own) if user_id.is_some_and(|id| id != own) => {
            Err(Problem::forbidden("These requests are another user's."))
        }
        Some(_) if provider_id.is_some() => {
            Err(Problem::forbidden("Only an admin may ask by provider."))
        }
        Some(own) => Ok(Some(own)),
    }
}

// === impl StatusClass, RequestProtocol ===

impl From<StatusClass> for requests::StatusClass {
    fn from(class: StatusClass) -> Self {
        match class {
            StatusClass::Success => Self::Success,
            StatusClass::ClientError => Self::ClientError,
            StatusClass::ServerError => Self::ServerError,
            StatusClass::Error => Self::Error,
        }
    }
}

impl RequestProtocol {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Anthropic,
        Self::Responses,
        Self::Openai,
        Self::Gemini,
        Self::GeminiCli,
    ];

    /// As it is logged.
    fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Responses => "responses",
            Self::Openai => "openai",
            Self::Gemini => "gemini",
            Self::GeminiCli => "gemini-cli",
        }
    }
}
