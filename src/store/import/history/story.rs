//! What is told of a request beside its figures: its protocol and its attempts.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::row::{Row, cut};
use crate::domain::protocol::Protocol;

/// Characters of an attempt's error that are kept.
const ERROR: usize = 500;

/// A step of the chain there: an attempt, or something that was thought on the way to one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Step {
    pub(super) id: Option<i64>,
    name: Option<String>,
    reason: Option<String>,
    status_code: Option<u16>,
    error_message: Option<String>,
}

/// The steps of a request, as far as they can be read.
pub(super) fn steps(log: Option<&Row>) -> Vec<Step> {
    let json = log.and_then(|row| row.json("provider_chain"));
    let items: Vec<Value> = json
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| Step::deserialize(item).ok())
        .collect()
}

/// The attempts among the steps, as the decision chain here is written.
pub(super) fn chain(steps: &[Step], providers: &HashMap<i64, i64>) -> String {
    let attempts = steps.iter().filter_map(|step| {
        let outcome = outcome(step.reason.as_deref()?)?;
        Some((step, outcome))
    });
    let attempts = attempts.zip(1..).map(|((step, outcome), attempt)| {
        let error = step
            .error_message
            .as_deref()
            .filter(|_| outcome != "completed");
        json!({
            "attempt": attempt,
            "providerId": step.id.and_then(|id| providers.get(&id)),
            "providerName": step.name,
            "status": step.status_code,
            "outcome": outcome,
            "error": error.map(|error| cut(error, ERROR)),
        })
    });
    Value::Array(attempts.collect()).to_string()
}

/// How an attempt ended; none for a step that is none.
fn outcome(reason: &str) -> Option<&'static str> {
    match reason {
        "request_success" | "retry_success" | "hedge_winner" => Some("completed"),
        "retry_failed"
        | "system_error"
        | "resource_not_found"
        | "client_error_non_retryable"
        | "retry_with_official_instructions"
        | "retry_with_cached_instructions"
        | "vendor_type_all_timeout" => Some("failed"),
        "hedge_loser_cancelled" | "hedge_loser_billed" => Some("lost"),
        "client_abort" => Some("client_left"),
        _ => None,
    }
}

/// The protocol that a path belongs to; empty where it belongs to none.
pub(super) fn protocol(path: &str) -> &'static str {
    let path = path.to_ascii_lowercase();
    let begins = |with: &str| path.starts_with(with);
    if begins("/v1/messages") {
        Protocol::Anthropic.name()
    } else if begins("/v1/responses") {
        Protocol::Responses.name()
    } else if begins("/v1internal") {
        Protocol::GeminiCli.name()
    } else if begins("/v1beta") || path.contains("generatecontent") {
        Protocol::Gemini.name()
    } else if begins("/v1/") {
        Protocol::Openai.name()
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_told_and_thoughts_are_not() {
        let row = Row::parse(
            r#"{"id": 1, "provider_chain": [{"id": 7, "name": "a", "reason": "initial_selection"}, "nonsense",
                {"id": 7, "name": "a", "reason": "retry_failed", "statusCode": 502, "errorMessage": "bad gateway"},
                {"id": 8, "name": "b", "reason": "retry_success", "statusCode": 200, "errorMessage": "x"}]}"#,
        )
        .unwrap();
        let steps = steps(Some(&row));
        assert_eq!(steps.last().unwrap().id, Some(8));
        let chain: Value = serde_json::from_str(&chain(&steps, &HashMap::from([(8, 80)]))).unwrap();
        let expected = json!([
            {"attempt": 1, "providerId": null, "providerName": "a", "status": 502, "outcome": "failed", "error": "bad gateway"},
            {"attempt": 2, "providerId": 80, "providerName": "b", "status": 200, "outcome": "completed", "error": null},
        ]);
        assert_eq!(chain, expected);
    }

    #[test]
    fn paths_have_their_protocols() {
        for (path, name) in [
            ("/v1/messages", "anthropic"),
            ("/v1/responses/compact", "responses"),
            ("/v1/chat/completions", "openai"),
            ("/v1beta/models/gemini-3:streamGenerateContent", "gemini"),
            ("/v1internal:generateContent", "gemini-cli"),
            ("", ""),
        ] {
            assert_eq!(protocol(path), name, "{path}");
        }
    }
}
