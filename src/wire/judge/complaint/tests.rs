//! Tests of complaints: errors in the shapes of providers and of the relays between.

use super::*;

/// A body, the message in it and the status it tells.
const SHAPES: &[(&str, &str, Option<u16>)] = &[
    (
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        "Overloaded",
        Some(529),
    ),
    (
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
        "Your credit balance is too low to access the Anthropic API.",
        Some(402),
    ),
    (
        r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#,
        "Incorrect API key provided",
        Some(401),
    ),
    (
        r#"{"error":{"message":"x","type":"invalid_request_error","code":"model_not_found"}}"#,
        "x",
        Some(404),
    ),
    (
        r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
        "You exceeded your current quota",
        Some(402),
    ),
    (
        r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
        "The model is overloaded.",
        Some(503),
    ),
    (
        r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]"#,
        "m",
        Some(429),
    ),
    (
        r#"{"error":{"message":"m","status":"RESOURCE_EXHAUSTED"}}"#,
        "m",
        Some(429),
    ),
    (
        r#"{"error":"Rate limit reached"}"#,
        "Rate limit reached",
        Some(429),
    ),
    (r#"{"code":"429","msg":"busy"}"#, "busy", None),
    (r#"{"code":429,"msg":"busy"}"#, "busy", Some(429)),
    (
        r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
        r#"[{"loc":["body"],"msg":"field required"}]"#,
        None,
    ),
    (
        r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"m"}}}"#,
        "m",
        Some(500),
    ),
    (
        r#"{"error":{"message":"upstream: {\"error\":{\"type\":\"permission_error\",\"message\":\"in\"}}"}}"#,
        "in",
        Some(403),
    ),
    (
        r#"{"error":{"message":"m","details":[{"reason":"API_KEY_INVALID"}]}}"#,
        "m",
        Some(401),
    ),
    (
        r#"{"error":{"message":"m","type":"something_else"}}"#,
        "m",
        None,
    ),
    (r#""no such model""#, "no such model", Some(404)),
    ("upstream timed out", "upstream timed out", Some(504)),
    (
        r#"{"error":{"message":"cut of"#,
        r#"{"error":{"message":"cut of"#,
        None,
    ),
    (
        "event: error\ndata: {\"error\":{\"type\":\"api_error\",\"message\":\"m\"}}\n\n",
        "m",
        Some(500),
    ),
    ("data: {\"error\":{\"message\":\"m\"}}", "m", None),
    (r#"{"error":null}"#, "", None),
    ("", "", None),
];

#[test]
fn every_shape_is_read() {
    for (body, message, status) in SHAPES {
        let complaint = Complaint::read(body.as_bytes());
        assert_eq!(complaint.message, *message, "{body}");
        assert_eq!(complaint.status(), *status, "{body}");
    }
}

#[test]
fn a_message_is_bounded_and_no_nesting_goes_on_for_ever() {
    let long = format!(r#"{{"error":"{}"}}"#, "é".repeat(5000));
    assert_eq!(Complaint::read(long.as_bytes()).message.len(), MAX_MESSAGE);
    let deep = format!("{}{}", r#"{"error":"#.repeat(90), "1");
    let deep = format!("{deep}{}", "}".repeat(90));
    assert_eq!(Complaint::read(deep.as_bytes()).message, "");
    assert!(Complaint::read("{\"error\":\"NO Such\"}".as_bytes()).says("no such"));
}
