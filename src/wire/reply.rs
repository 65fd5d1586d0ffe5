//! What the gateway says itself, in the caller's dialect.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::protocol::{Dialect, Protocol};
use crate::domain::refusal::{Reason, Refusal};

/// The JSON body of a refusal. The status is `refusal.reason.status()`; `request_id` is in the body where the dialect has
/// a place for it.
#[must_use]
pub fn refusal(dialect: Dialect, refusal: &Refusal, request_id: &str) -> Bytes {
    let Refusal { reason, message } = refusal;
    let body = match dialect {
        Dialect::Anthropic => json!({
            "type": "error",
            "error": {"type": anthropic_type(*reason), "message": message},
            "request_id": request_id,
        }),
        Dialect::Openai => json!({
            "error": {
                "message": message,
                "type": openai_type(*reason),
                "param": openai_param(*reason),
                "code": reason.code(),
            },
        }),
        Dialect::Gemini => json!({
            "error": {
                "code": reason.status().as_u16(),
                "message": message,
                "status": rpc_status(*reason),
            },
        }),
    };
    Bytes::from(body.to_string())
}

/// The event that ends a stream which broke after it had begun. It starts with a blank line, so that an event cut in the
/// middle cannot swallow it.
#[must_use]
pub fn stream_error(protocol: Protocol, message: &str) -> Bytes {
    let (event, data): (&str, Value) = match protocol {
        Protocol::Anthropic => (
            "event: error\n",
            json!({"type": "error", "error": {"type": "api_error", "message": message}}),
        ),
        Protocol::Responses => (
            "event: error\n",
            json!({"type": "error", "code": "server_error", "message": message, "param": null}),
        ),
        Protocol::Openai => (
            "",
            json!({"error": {
                "message": message, "type": "server_error", "param": null, "code": "stream_error",
            }}),
        ),
        Protocol::Gemini | Protocol::GeminiCli => (
            "",
            json!({"error": {"code": 502, "message": message, "status": "UNAVAILABLE"}}),
        ),
    };
    Bytes::from(format!("\n\n{event}data: {data}\n\n"))
}

fn anthropic_type(reason: Reason) -> &'static str {
    match reason {
        Reason::MissingCredential
        | Reason::ConflictingCredentials
        | Reason::InvalidKey
        | Reason::KeyDisabled
        | Reason::KeyExpired
        | Reason::UserDisabled
        | Reason::UserExpired => "authentication_error",
        Reason::BadBody | Reason::MissingModel | Reason::BodyTimeout | Reason::Unsupported => {
            "invalid_request_error"
        }
        Reason::ModelNotAllowed => "permission_error",
        Reason::TooLarge => "request_too_large",
        Reason::UnknownEndpoint => "not_found_error",
        Reason::Overloaded => "overloaded_error",
        Reason::Upstream(status) => match status.as_u16() {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        },
        Reason::NoProvider | Reason::Internal => "api_error",
    }
}

fn openai_type(reason: Reason) -> &'static str {
    if reason.status().is_server_error() {
        "server_error"
    } else {
        "invalid_request_error"
    }
}

fn openai_param(reason: Reason) -> Option<&'static str> {
    matches!(reason, Reason::MissingModel | Reason::ModelNotAllowed).then_some("model")
}

/// The name of the `google.rpc.Code` that goes with a reason.
fn rpc_status(reason: Reason) -> &'static str {
    match reason {
        Reason::MissingCredential
        | Reason::ConflictingCredentials
        | Reason::InvalidKey
        | Reason::KeyDisabled
        | Reason::KeyExpired
        | Reason::UserDisabled
        | Reason::UserExpired => "UNAUTHENTICATED",
        Reason::BadBody | Reason::MissingModel | Reason::TooLarge => "INVALID_ARGUMENT",
        Reason::ModelNotAllowed => "PERMISSION_DENIED",
        Reason::BodyTimeout => "DEADLINE_EXCEEDED",
        Reason::UnknownEndpoint => "NOT_FOUND",
        Reason::Unsupported => "UNIMPLEMENTED",
        Reason::NoProvider | Reason::Overloaded => "UNAVAILABLE",
        Reason::Upstream(status) => match status.as_u16() {
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            504 => "DEADLINE_EXCEEDED",
            500 => "INTERNAL",
            501.. => "UNAVAILABLE",
            _ => "INVALID_ARGUMENT",
        },
        Reason::Internal => "INTERNAL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(dialect: Dialect, reason: Reason) -> Value {
        let bytes = refusal(dialect, &Refusal::new(reason, "no \"way\""), "req-1");
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn a_refusal_has_the_shape_of_each_dialect() {
        assert_eq!(
            body(Dialect::Anthropic, Reason::InvalidKey),
            json!({"type": "error", "error": {"type": "authentication_error", "message": "no \"way\""}, "request_id": "req-1"})
        );
        assert_eq!(
            body(Dialect::Openai, Reason::MissingModel),
            json!({"error": {"message": "no \"way\"", "type": "invalid_request_error", "param": "model", "code": "missing_model"}})
        );
        assert_eq!(
            body(Dialect::Gemini, Reason::NoProvider),
            json!({"error": {"code": 503, "message": "no \"way\"", "status": "UNAVAILABLE"}})
        );
    }

    #[test]
    fn a_type_follows_the_reason() {
        for (reason, anthropic, openai, rpc) in [
            (
                Reason::TooLarge,
                "request_too_large",
                "invalid_request_error",
                "INVALID_ARGUMENT",
            ),
            (
                Reason::ModelNotAllowed,
                "permission_error",
                "invalid_request_error",
                "PERMISSION_DENIED",
            ),
            (
                Reason::UnknownEndpoint,
                "not_found_error",
                "invalid_request_error",
                "NOT_FOUND",
            ),
            (
                Reason::Overloaded,
                "overloaded_error",
                "server_error",
                "UNAVAILABLE",
            ),
            (Reason::Internal, "api_error", "server_error", "INTERNAL"),
        ] {
            assert_eq!(body(Dialect::Anthropic, reason)["error"]["type"], anthropic);
            assert_eq!(body(Dialect::Openai, reason)["error"]["type"], openai);
            assert_eq!(body(Dialect::Gemini, reason)["error"]["status"], rpc);
        }
    }

    #[test]
    fn a_stream_error_is_one_event_of_its_protocol() {
        let text = |p| String::from_utf8(stream_error(p, "cut\noff").to_vec()).unwrap();
        assert!(text(Protocol::Anthropic).starts_with("\n\nevent: error\ndata: {"));
        assert!(text(Protocol::Responses).contains(r#""type":"error""#));
        for protocol in [Protocol::Openai, Protocol::Gemini, Protocol::GeminiCli] {
            let text = text(protocol);
            let data = text.trim().strip_prefix("data: ").unwrap();
            let value: Value = serde_json::from_str(data).unwrap();
            assert_eq!(value["error"]["message"], "cut\noff");
            assert!(text.ends_with("\n\n"));
        }
    }
}
