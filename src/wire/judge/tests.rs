//! Tests of the judge: answers that are none, and good ones that look like them.

use proptest::prelude::proptest;

use super::*;

const A: Protocol = Protocol::Anthropic;
const O: Protocol = Protocol::Openai;
const R: Protocol = Protocol::Responses;
const G: Protocol = Protocol::Gemini;
const C: Protocol = Protocol::GeminiCli;
const JSON: Option<&str> = Some("application/json");

fn whole(protocol: Protocol, body: &str) -> Option<Flaw> {
    judge(protocol, Operation::Generate, JSON, body.as_bytes(), true)
}

fn failed(message: &str, status: Option<u16>) -> Option<Flaw> {
    Some(Flaw::Error {
        message: message.to_owned(),
        status,
    })
}

#[test]
fn bodies_that_are_no_answer() {
    for (protocol, body, flaw) in [
        (A, "", Some(Flaw::Empty)),
        (A, " \r\n\t", Some(Flaw::Empty)),
        (A, "<!DOCTYPE html><html>", Some(Flaw::Html)),
        (O, "\u{feff}\n<html>", Some(Flaw::Html)),
        (O, "OK", Some(Flaw::Foreign)),
        (O, r#"{"id":"x","choices":[{"#, Some(Flaw::Foreign)),
        (O, r#"{"choices":[}"#, Some(Flaw::Foreign)),
        (O, r#"{"choices":[]}"#, Some(Flaw::NoContent)),
        (O, "{}", Some(Flaw::NoContent)),
        (
            O,
            r#"{"error":{"message":"no","type":"rate_limit_error"}}"#,
            failed("no", Some(429)),
        ),
        (O, r#"{"choices":[],"error":"no"}"#, failed("no", None)),
        (O, r#"{"error":true,"message":"no"}"#, failed("no", None)),
        (
            O,
            r#"{"success":false,"message":"insufficient balance"}"#,
            failed("insufficient balance", Some(402)),
        ),
    ] {
        assert_eq!(whole(protocol, body), flaw, "{body}");
    }
}

#[test]
fn answers_that_report_an_error_or_nothing() {
    for (protocol, body, flaw) in [
        (
            A,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"no"}}"#,
            failed("no", Some(529)),
        ),
        (A, r#"{"type":"error","message":"no"}"#, failed("no", None)),
        (
            A,
            r#"{"type":"message","content":[],"usage":{"input_tokens":9,"output_tokens":0}}"#,
            Some(Flaw::NoContent),
        ),
        (
            R,
            r#"{"status":"failed","error":{"code":"server_error","message":"no"}}"#,
            failed("no", Some(500)),
        ),
        (
            R,
            r#"{"status":"failed","error":null,"output":[]}"#,
            failed("", None),
        ),
        (
            R,
            r#"{"status":"completed","error":null,"output":[]}"#,
            Some(Flaw::NoContent),
        ),
        (
            G,
            r#"{"error":{"code":503,"message":"no","status":"UNAVAILABLE"}}"#,
            failed("no", Some(503)),
        ),
        (
            G,
            r#"[{"error":{"code":503,"message":"no"}}]"#,
            failed("no", Some(503)),
        ),
        (G, r#"{"candidates":[]}"#, Some(Flaw::NoContent)),
        (
            G,
            r#"{"candidates":[{"finishReason":"STOP"}]}"#,
            Some(Flaw::NoContent),
        ),
        (
            C,
            r#"{"response":{"usageMetadata":{"promptTokenCount":3}}}"#,
            Some(Flaw::NoContent),
        ),
        (
            A,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"no\"}}\n\n",
            failed("no", None),
        ),
    ] {
        assert_eq!(whole(protocol, body), flaw, "{body}");
    }
}

#[test]
fn a_model_that_broke_down_is_an_error() {
    assert!(matches!(
        whole(
            G,
            r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#
        ),
        Some(Flaw::Error { .. })
    ));
}

#[test]
fn good_answers_are_left_alone() {
    for error in ["0", "12", "false", "null", "\"\"", "{}", "[]"] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"a"}}}}],"error":{error}}}"#);
        assert_eq!(whole(O, &body), None, "{body}");
    }
    for (protocol, body) in [
        (
            A,
            r#"{"type":"message","content":[{"type":"text","text":"\"error\": <html>"}]}"#,
        ),
        (
            A,
            r#"{"type":"message","content":[{"type":"tool_use","input":{"error":"x","type":"error"}}]}"#,
        ),
        (
            A,
            r#"{"type":"message","content":[],"usage":{"output_tokens":3}}"#,
        ),
        (
            A,
            r#"{"type":"message","content":[],"stop_reason":"refusal","usage":{"output_tokens":0}}"#,
        ),
        (O, r#"{"choices":[{"text":"a"}]}"#),
        (R, r#"{"status":"incomplete","output":[]}"#),
        (R, r#"{"status":"queued","output":[]}"#),
        (
            R,
            r#"{"object":"response.compaction","output":[{"type":"compaction"}]}"#,
        ),
        (G, r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#),
        (G, r#"{"candidates":[{"finishReason":"SAFETY"}]}"#),
        (
            G,
            "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n,\n{\"usageMetadata\":{}}]",
        ),
        (
            C,
            r#"{"response":{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}}"#,
        ),
        (A, "data: {\"type\":\"message_start\"}\n\n"),
    ] {
        assert_eq!(whole(protocol, body), None, "{body}");
    }
}

#[test]
fn other_operations_owe_other_things() {
    let of = |operation, body: &str| judge(O, operation, JSON, body.as_bytes(), true);
    assert_eq!(
        of(Operation::Embed, r#"{"data":[{"embedding":[1]}]}"#),
        None
    );
    assert_eq!(
        of(Operation::Embed, r#"{"error":"no"}"#),
        failed("no", None)
    );
    assert_eq!(of(Operation::CountTokens, r#"{"input_tokens":3}"#), None);
    assert_eq!(of(Operation::CountTokens, "<html>"), Some(Flaw::Html));
    for body in ["", "<html>", "plain", r#"{"error":"no"}"#] {
        assert_eq!(of(Operation::Passthrough, body), None, "{body}");
    }
}

#[test]
fn content_types_lie_and_sometimes_tell() {
    let of = |kind, body: &str| judge(O, Operation::Generate, kind, body.as_bytes(), true);
    assert_eq!(
        of(Some("text/html; charset=utf-8"), "Bad gateway"),
        Some(Flaw::Html)
    );
    assert_eq!(of(Some("Text/HTML"), r#"{"choices":[{}]}"#), None);
    assert_eq!(of(None, "<html>"), Some(Flaw::Html));
    let stream = Some("text/event-stream");
    assert_eq!(of(stream, r#"{"error":"no"}"#), failed("no", None));
    assert_eq!(of(stream, "<html>"), Some(Flaw::Html));
}

#[test]
fn a_part_is_judged_by_what_it_has() {
    let part = |body: &str| judge(O, Operation::Generate, JSON, body.as_bytes(), false);
    assert_eq!(part(""), None);
    assert_eq!(part(r#"{"id":"x","cho"#), None);
    assert_eq!(part("<ht"), Some(Flaw::Html));
    assert_eq!(part("plain text"), Some(Flaw::Foreign));
    assert_eq!(part(r#"{"error":{"message":"no"},"#), failed("no", None));
    let pad = "x".repeat(LIMIT);
    assert_eq!(
        whole(O, &format!(r#"{{"pad":"{pad}","error":"no"}}"#)),
        None
    );
    assert_eq!(whole(O, &format!(r#"{{"pad":"{pad}"#)), None);
    let late = format!(r#"{{"error":{{"message":"no"}},"pad":"{pad}"}}"#);
    assert_eq!(whole(O, &late), failed("no", None));
}

proptest! {
    #[test]
    fn no_bytes_panic(body: Vec<u8>, text in r#"[\[\]{}",:a-z<0 ]{0,60}"#, is_whole: bool) {
        for protocol in [A, O, R, G, C] {
            for body in [&body[..], text.as_bytes()] {
                let _ = judge(protocol, Operation::Generate, None, body, is_whole);
                let _ = Complaint::read(body).status();
            }
        }
    }
}
