//! Errors as each provider words them.

use serde_json::{Value, json};

use super::ask::Dialect;
use super::behaviour::Behaviour;

/// An error before it has a shape.
pub(super) struct Fault {
    status: u16,
    kind: Option<String>,
    code: Option<String>,
    message: String,
}

const EVENT_STATUS: u16 = 503;

// === impl Fault ===

impl Fault {
    /// The error of an answer with this status.
    pub(super) fn of_status(status: u16, behaviour: &Behaviour) -> Self {
        Self {
            status,
            kind: behaviour.error_type.clone(),
            code: behaviour.error_code.clone(),
            message: behaviour
                .error_message
                .clone()
                .unwrap_or_else(|| format!("The mock upstream was told to answer {status}.")),
        }
    }

    /// The error inside a stream that began well.
    pub(super) fn of_event(behaviour: &Behaviour) -> Self {
        let mut fault = Self::of_status(behaviour.error_status.unwrap_or(EVENT_STATUS), behaviour);
        if behaviour.error_message.is_none() {
            "The mock upstream was told to fail here.".clone_into(&mut fault.message);
        }
        fault
    }

    /// A request that cannot be understood.
    pub(super) fn bad_request(message: String) -> Self {
        Self {
            status: 400,
            kind: None,
            code: None,
            message,
        }
    }

    /// The error object as an answer's body.
    pub(super) fn body(&self, dialect: Dialect) -> Value {
        match dialect {
            Dialect::Anthropic => {
                let id = uuid::Uuid::now_v7().simple().to_string();
                json!({ "type": "error", "error": self.anthropic(), "request_id": format!("req_{id}") })
            }
            Dialect::Openai | Dialect::Responses => json!({ "error": self.openai() }),
            Dialect::Gemini => json!({ "error": self.gemini() }),
        }
    }

    /// Anthropic's `error` member.
    pub(super) fn anthropic(&self) -> Value {
        let kind = match self.status {
            400 => "invalid_request_error",
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            503 | 529 => "overloaded_error",
            504 => "timeout_error",
            _ => "api_error",
        };
        json!({ "type": self.kind(kind), "message": self.message })
    }

    /// `OpenAI`'s `error` member.
    pub(super) fn openai(&self) -> Value {
        let (kind, code) = match self.status {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            404 => ("invalid_request_error", Some("model_not_found")),
            429 => ("requests", Some("rate_limit_exceeded")),
            400..500 => ("invalid_request_error", None),
            503 | 529 => ("service_unavailable_error", Some("server_is_overloaded")),
            _ => ("server_error", None),
        };
        json!({
            "message": self.message,
            "type": self.kind(kind),
            "param": null,
            "code": self.code.as_deref().or(code),
        })
    }

    /// Responses' `code`: it has no `type`.
    pub(super) fn responses_code(&self) -> &str {
        let code = match self.status {
            429 => "rate_limit_exceeded",
            400..500 => "invalid_prompt",
            503 | 529 => "server_is_overloaded",
            _ => "server_error",
        };
        self.code
            .as_deref()
            .or(self.kind.as_deref())
            .unwrap_or(code)
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Gemini's `error` member.
    pub(super) fn gemini(&self) -> Value {
        let status = match self.status {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            409 => "ABORTED",
            429 => "RESOURCE_EXHAUSTED",
            499 => "CANCELLED",
            503 | 529 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            _ => "INTERNAL",
        };
        json!({ "code": self.status, "message": self.message, "status": self.kind(status) })
    }

    fn kind<'a>(&'a self, usual: &'a str) -> &'a str {
        self.kind.as_deref().unwrap_or(usual)
    }
}
