//! What the gateway says itself, in the caller's dialect. How a limit says no is in `limit.rs`.

use bytes::Bytes;
use serde_json::{Value, json};

use super::sse::framing::Framing;
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

/// Why a stream ended early, for people: the upstream broke its answer off.
pub const BROKE_OFF: &str = "The upstream broke off its answer.";
/// As [`BROKE_OFF`]: the upstream said nothing for too long.
pub const STALLED: &str = "The upstream stopped answering.";
/// As [`BROKE_OFF`]: this gateway is going away.
pub const SHUTTING_DOWN: &str = "The gateway is shutting down. Send the request again.";
/// As [`BROKE_OFF`]: somebody ended the session in the admin API.
pub const ENDED: &str = "An administrator ended this session.";

/// What keeps a stream of events alive while the upstream says nothing; only between two events, see
/// [`Framing`].
///
/// Anthropic has an event for it, which its clients skip. Those of OpenAI's protocols skip comments, and so does Gemini CLI where it
/// speaks to Code Assist. Gemini's API has nothing of the kind: Google's own SDKs for Go and Python take a comment for a
/// broken answer, the older ones for JavaScript never get past it, and some of them not even past an additional blank line.
#[must_use]
pub fn ping(protocol: Protocol) -> Option<Bytes> {
    match protocol {
        Protocol::Anthropic => Some(Bytes::from_static(
            b"event: ping\ndata: {\"type\": \"ping\"}\n\n",
        )),
        Protocol::Responses | Protocol::Openai | Protocol::GeminiCli => {
            Some(Bytes::from_static(b": ping\n\n"))
        }
        Protocol::Gemini => None,
    }
}

/// The event that ends a stream which broke after it had begun. It starts with a blank line, so that an event cut in the
/// middle cannot swallow it.
#[must_use]
pub fn stream_error(protocol: Protocol, message: &str) -> Bytes {
    error_event(protocol, message, "\n\n")
}

/// As [`stream_error`], without that blank line where the stream stands between two events: some clients of Gemini's API do not
/// forgive one.
#[must_use]
pub fn stream_error_at(place: Framing, protocol: Protocol, message: &str) -> Bytes {
    error_event(
        protocol,
        message,
        if place.is_between() { "" } else { "\n\n" },
    )
}

fn error_event(protocol: Protocol, message: &str, before: &str) -> Bytes {
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
    Bytes::from(format!("{before}{event}data: {data}\n\n"))
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
        Reason::ModelNotAllowed | Reason::ClientNotAllowed | Reason::SessionEnded => {
            "permission_error"
        }
        Reason::Limit(_) => "rate_limit_error",
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
        Reason::ModelNotAllowed | Reason::ClientNotAllowed | Reason::SessionEnded => {
            "PERMISSION_DENIED"
        }
        Reason::Limit(_) => "RESOURCE_EXHAUSTED",
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
    use crate::domain::protocol::Operation;
    use crate::wire::meter::{Meter, Phase};
    use crate::wire::sse::Splitter;

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

    const ALL: [Protocol; 5] = [
        Protocol::Anthropic,
        Protocol::Responses,
        Protocol::Openai,
        Protocol::Gemini,
        Protocol::GeminiCli,
    ];

    /// The events of a text, each with its name.
    fn events(text: &[u8]) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        let own = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Splitter::default().feed(text, &mut |e| seen.push((own(e.event), own(e.data))));
        seen
    }

    #[test]
    fn a_stream_error_is_one_event_of_its_protocol() {
        for protocol in ALL {
            for message in [BROKE_OFF, STALLED, SHUTTING_DOWN, "cut\noff"] {
                let cut = [b"data: {\"half", &stream_error(protocol, message)[..]].concat();
                let seen = events(&cut);
                assert_eq!(seen.len(), 2, "{protocol:?}");
                let (name, data) = &seen[1];
                let value: Value = serde_json::from_str(data).unwrap();
                let is_named = matches!(protocol, Protocol::Anthropic | Protocol::Responses);
                assert_eq!(name, if is_named { "error" } else { "" });
                assert_eq!(value["type"] == "error", is_named);
                let said = match protocol {
                    Protocol::Responses => &value["message"],
                    _ => &value["error"]["message"],
                };
                assert_eq!(said, message, "{protocol:?}");
                let mut meter = Meter::new(protocol, Operation::Generate, None, None);
                meter.feed(&stream_error(protocol, message));
                assert_eq!(meter.phase(), Phase::Failed, "{protocol:?}");
                assert_eq!(meter.finish().error.as_deref(), Some(message));
            }
        }
    }

    #[test]
    fn an_error_between_two_events_has_no_blank_line_before_it() {
        for protocol in ALL {
            let mut place = Framing::default();
            let plain = stream_error_at(place, protocol, BROKE_OFF);
            assert!(!plain.starts_with(b"\n"), "{protocol:?}");
            place.feed(b"data: x");
            assert_eq!(
                stream_error_at(place, protocol, BROKE_OFF),
                stream_error(protocol, BROKE_OFF)
            );
            assert_eq!(
                [b"\n\n", &plain[..]].concat(),
                stream_error(protocol, BROKE_OFF)
            );
        }
    }

    #[test]
    fn a_ping_says_nothing_and_leaves_the_stream_between_events() {
        for protocol in ALL {
            let Some(ping) = ping(protocol) else {
                assert_eq!(protocol, Protocol::Gemini);
                continue;
            };
            let mut place = Framing::default();
            place.feed(&ping);
            assert!(place.is_between(), "{protocol:?}");
            let mut meter = Meter::new(protocol, Operation::Generate, None, None);
            meter.feed(&ping);
            assert!(meter.phase() <= Phase::Open, "{protocol:?}");
            let expected = match protocol {
                Protocol::Anthropic => vec![("ping".into(), "{\"type\": \"ping\"}".into())],
                _ => Vec::new(),
            };
            assert_eq!(events(&ping), expected);
        }
    }
}
