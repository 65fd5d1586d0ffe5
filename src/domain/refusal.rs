//! Every reason the gateway itself says no. Upstream errors are not refusals: they are passed on as they came.

use http::StatusCode;

use super::limits::Refused;

/// A refusal: status, a stable code for programs and a sentence for people. `wire::reply` puts it in the caller's dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Why, as a closed set.
    pub reason: Reason,
    /// What is wrong and what to do, for the person at the client. Names no provider and no secret.
    pub message: String,
}

/// The closed set of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No credential was presented.
    MissingCredential,
    /// Two different credentials were presented.
    ConflictingCredentials,
    /// The credential is not a key we know.
    InvalidKey,
    /// The key is switched off.
    KeyDisabled,
    /// The key's time is over.
    KeyExpired,
    /// The key's user is switched off.
    UserDisabled,
    /// The user's time is over.
    UserExpired,
    /// The body is not what its headers say: bad JSON, bad encoding, cut short.
    BadBody,
    /// The request names no model where one is needed.
    MissingModel,
    /// The caller may not use this model.
    ModelNotAllowed,
    /// The caller may not call with this client.
    ClientNotAllowed,
    /// A limit of the key or its user keeps the request out.
    Limit(Refused),
    /// The body is over the configured limit.
    TooLarge,
    /// The client did not send its body in time.
    BodyTimeout,
    /// No such endpoint.
    UnknownEndpoint,
    /// The endpoint exists, this way of calling it does not (such as WebSocket upgrade).
    Unsupported,
    /// No provider can serve the request, or all that could have failed without an answer of their own.
    NoProvider,
    /// The gateway is shedding load or shutting down.
    Overloaded,
    /// Somebody ended the request's session by hand.
    SessionEnded,
    /// An upstream refused the request, and an error rule says what the client sees of it: this status.
    Upstream(StatusCode),
    /// A defect of ours.
    Internal,
}

// === impl Refusal ===

impl Refusal {
    /// A refusal with its message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    /// An upstream's refusal in words of our own. A status that is no error becomes 400.
    #[must_use]
    pub fn upstream(status: u16, message: Option<String>) -> Self {
        let status = StatusCode::from_u16(status).ok();
        let status = status.filter(|s| s.is_client_error() || s.is_server_error());
        Self {
            reason: Reason::Upstream(status.unwrap_or(StatusCode::BAD_REQUEST)),
            message: message.unwrap_or_else(|| "The request was refused upstream.".to_owned()),
        }
    }
}

// === impl Reason ===

impl Reason {
    /// The HTTP status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::MissingCredential
            | Self::ConflictingCredentials
            | Self::InvalidKey
            | Self::KeyDisabled
            | Self::KeyExpired
            | Self::UserDisabled
            | Self::UserExpired => StatusCode::UNAUTHORIZED,
            Self::BadBody | Self::MissingModel => StatusCode::BAD_REQUEST,
            Self::ModelNotAllowed | Self::ClientNotAllowed | Self::SessionEnded => {
                StatusCode::FORBIDDEN
            }
            Self::Limit(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UnknownEndpoint => StatusCode::NOT_FOUND,
            Self::Unsupported => StatusCode::UPGRADE_REQUIRED,
            Self::NoProvider | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Upstream(status) => status,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable code, as logged and as sent where the dialect has a place for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingCredential => "missing_credential",
            Self::ConflictingCredentials => "conflicting_credentials",
            Self::InvalidKey => "invalid_api_key",
            Self::KeyDisabled => "key_disabled",
            Self::KeyExpired => "key_expired",
            Self::UserDisabled => "user_disabled",
            Self::UserExpired => "user_expired",
            Self::BadBody => "invalid_body",
            Self::MissingModel => "missing_model",
            Self::ModelNotAllowed => "model_not_allowed",
            Self::ClientNotAllowed => "client_not_allowed",
            Self::Limit(refused) => refused.dimension.code(),
            Self::TooLarge => "request_too_large",
            Self::BodyTimeout => "request_timeout",
            Self::UnknownEndpoint => "unknown_endpoint",
            Self::Unsupported => "unsupported",
            Self::NoProvider => "no_provider_available",
            Self::Overloaded => "overloaded",
            Self::SessionEnded => "session_ended",
            Self::Upstream(_) => "upstream_error",
            Self::Internal => "internal_error",
        }
    }
}
