//! Model lists and models, in the caller's dialect.

use serde_json::{Value, json};

use super::ask::Dialect;

const ANTHROPIC: [&str; 3] = ["claude-opus-4-8", "claude-sonnet-4-6", "claude-haiku-4-5"];
const OPENAI: [&str; 3] = ["gpt-5.6", "gpt-5.6-mini", "text-embedding-3-small"];
const GEMINI: [&str; 3] = ["gemini-2.5-pro", "gemini-2.5-flash", "gemini-embedding-001"];

/// The model list.
pub(super) fn list(dialect: Dialect) -> Value {
    let all = |names: [&str; 3]| names.map(|name| one(dialect, name));
    match dialect {
        Dialect::Anthropic => json!({
            "data": all(ANTHROPIC),
            "has_more": false,
            "first_id": ANTHROPIC[0],
            "last_id": ANTHROPIC[2],
        }),
        Dialect::Openai | Dialect::Responses => json!({ "object": "list", "data": all(OPENAI) }),
        Dialect::Gemini => json!({ "models": all(GEMINI) }),
    }
}

/// One model; any name has one.
pub(super) fn one(dialect: Dialect, name: &str) -> Value {
    match dialect {
        Dialect::Anthropic => json!({
            "id": name,
            "type": "model",
            "display_name": name,
            "created_at": "2026-01-01T00:00:00Z",
        }),
        Dialect::Openai | Dialect::Responses => json!({
            "id": name,
            "object": "model",
            "created": 1_767_225_600,
            "owned_by": "mock",
        }),
        Dialect::Gemini => json!({
            "name": format!("models/{name}"),
            "displayName": name,
            "version": "001",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        }),
    }
}
