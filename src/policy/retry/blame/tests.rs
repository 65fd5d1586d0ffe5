//! Tests of the blame: real wordings of real providers and relays.

use super::*;

const PAGE: &str = "<!DOCTYPE html><html>Attention required</html>";
const JSON: &str = r#"{"error":{"message":"no"}}"#;

fn fault(status: u16, body: &str) -> Fault {
    let blame = classify(status, body.as_bytes(), |_| None);
    assert_eq!(
        (blame.override_status, &blame.override_message),
        (None, &None)
    );
    blame.fault
}

fn openai(message: &str, kind: &str, code: &str) -> String {
    serde_json::json!({"error": {"message": message, "type": kind, "code": code}}).to_string()
}

fn anthropic(kind: &str, message: &str) -> String {
    serde_json::json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
}

#[test]
fn a_bad_request_is_the_clients_unless_its_words_say_otherwise() {
    let invalid = "invalid_request_error";
    for (body, expected) in [
        (anthropic(invalid, "messages: at least one message is required"), Fault::Client),
        (anthropic(invalid, "prompt is too long: 210000 tokens > 200000 maximum"), Fault::Client),
        (anthropic(invalid, "max_tokens: 90000 > 64000, the maximum allowed for claude-x"), Fault::Client),
        (anthropic(invalid, "Your credit balance is too low to access the Anthropic API."), Fault::Key),
        (anthropic(invalid, "This organization has been disabled."), Fault::Key),
        (anthropic("overloaded_error", "Overloaded"), Fault::Provider),
        (anthropic(invalid, "tool_use ids were found without tool_result blocks"), Fault::Client),
        (openai("The requested model 'gpt-9' does not exist.", invalid, "model_not_found"), Fault::Model),
        (openai("The model `gpt-9` does not exist or you do not have access to it.", invalid, ""), Fault::Model),
        (openai("The 'gpt-5' model is not supported when using Codex with a ChatGPT account.", "", ""), Fault::Model),
        (openai("model gpt-9 not found", "", ""), Fault::Model),
        (openai("Model: claude-9 is currently unavailable", "", ""), Fault::Model),
        (openai("models/gemini-9 is not found for API version v1beta", "", ""), Fault::Model),
        (openai("unknown model gpt-9", "", ""), Fault::Model),
        (openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", invalid, "unsupported_parameter"), Fault::Client),
        (openai("This model's maximum context length is 8192 tokens.", invalid, "context_length_exceeded"), Fault::Client),
        (openai("This model does not support image inputs", invalid, ""), Fault::Client),
        (openai("当前分组 default 下对于模型 gpt-9 无可用渠道", "new_api_error", ""), Fault::Model),
        (openai("no available accounts", "", ""), Fault::Model),
        (openai("user quota is not enough", "new_api_error", "insufficient_user_quota"), Fault::Key),
        (openai("disk storage creation failed: disk free-space floor reached", "", ""), Fault::Provider),
        (r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#.into(), Fault::Key),
        (r#"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#.into(), Fault::Provider),
        (r#"{"error":{"code":400,"message":"Invalid JSON payload received.","status":"INVALID_ARGUMENT"}}"#.into(), Fault::Client),
        ("<html><title>400 The plain HTTP request was sent to HTTPS port</title>".into(), Fault::Provider),
        (String::new(), Fault::Client),
    ] {
        assert_eq!(fault(400, &body), expected, "{body}");
        assert_eq!(fault(422, &body), expected, "{body}");
    }
}

/// A status, a body and whose fault they are.
const STATUSES: &[(u16, &str, Fault)] = &[
    (302, "", Fault::Provider),
    (302, PAGE, Fault::Provider),
    (199, "", Fault::Provider),
    (200, JSON, Fault::Provider),
    (401, JSON, Fault::Key),
    (402, "", Fault::Key),
    (403, JSON, Fault::Key),
    (403, PAGE, Fault::Provider),
    (401, PAGE, Fault::Provider),
    (
        403,
        r#"{"error":{"message":"Project `p` does not have access to model `m`","code":"model_not_found"}}"#,
        Fault::Model,
    ),
    (404, "", Fault::Model),
    (404, PAGE, Fault::Model),
    (404, JSON, Fault::Model),
    (
        404,
        r#"{"error":{"message":"The model does not exist","code":"model_not_found"}}"#,
        Fault::Model,
    ),
    (
        404,
        r#"{"error":{"message":"Not supported by any configured account in this group"}}"#,
        Fault::Model,
    ),
    (
        404,
        r#"{"error":{"message":"Previous response with id 'resp_1' not found.","code":"previous_response_not_found"}}"#,
        Fault::Client,
    ),
    (405, JSON, Fault::Client),
    (408, JSON, Fault::Provider),
    (409, JSON, Fault::Provider),
    (413, JSON, Fault::Client),
    (
        413,
        r#"{"error":{"message":"prompt is too long"}}"#,
        Fault::Client,
    ),
    (413, PAGE, Fault::Provider),
    (429, JSON, Fault::Provider),
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
        Fault::Key,
    ),
    (499, JSON, Fault::Provider),
    (500, PAGE, Fault::Provider),
    (500, JSON, Fault::Provider),
    (
        500,
        r#"{"error":{"type":"invalid_request_error","message":"prompt is too long"}}"#,
        Fault::Provider,
    ),
    (
        503,
        r#"{"error":{"message":"No available channel for model m","code":"model_not_found"}}"#,
        Fault::Model,
    ),
    (529, JSON, Fault::Provider),
];

#[test]
fn other_statuses_speak_for_themselves() {
    for (status, body, expected) in STATUSES {
        assert_eq!(fault(*status, body), *expected, "{status} {body}");
    }
}

#[test]
fn rules_come_first_and_see_the_whole_text() {
    let verdict = |fault| Blame {
        fault,
        override_status: Some(418),
        override_message: Some("no tea".into()),
    };
    let mut seen = String::new();
    let blame = classify(500, b"{\"error\":\"Tea\"}", |text| {
        text.clone_into(&mut seen);
        Some(verdict(Fault::Client))
    });
    assert_eq!(blame, verdict(Fault::Client));
    assert_eq!(seen, "{\"error\":\"Tea\"}");
    let blame = classify(401, b"<html>", |_| Some(verdict(Fault::Model)));
    assert_eq!(blame.fault, Fault::Model);
    let blame = classify(401, b" \n", |_| panic!("there is nothing to match"));
    assert_eq!(blame.fault, Fault::Key);
}
