//! Model lists in the caller's dialect.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::domain::protocol::{Dialect, Protocol};

/// We know no dates of models; clients only need a valid one.
const CREATED_AT: &str = "1970-01-01T00:00:00Z";
const OWNER: &str = "switchyard";

/// The answer to a request for all models the caller may use, in the order given.
#[must_use]
pub fn list(protocol: Protocol, ids: &[&str]) -> Bytes {
    let models: Vec<Value> = ids.iter().map(|id| model(protocol, id)).collect();
    let body = match protocol.dialect() {
        Dialect::Anthropic => json!({
            "data": models,
            "has_more": false,
            "first_id": ids.first(),
            "last_id": ids.last(),
        }),
        Dialect::Openai => json!({"object": "list", "data": models}),
        Dialect::Gemini => json!({"models": models}),
    };
    Bytes::from(body.to_string())
}

/// The answer to a request for one model.
#[must_use]
pub fn one(protocol: Protocol, id: &str) -> Bytes {
    Bytes::from(model(protocol, id).to_string())
}

fn model(protocol: Protocol, id: &str) -> Value {
    match protocol.dialect() {
        Dialect::Anthropic => json!({
            "type": "model",
            "id": id,
            "display_name": id,
            "created_at": CREATED_AT,
        }),
        Dialect::Openai => json!({"id": id, "object": "model", "created": 0, "owned_by": OWNER}),
        Dialect::Gemini => json!({
            "name": format!("models/{id}"),
            "displayName": id,
            "supportedGenerationMethods": [
                "generateContent",
                "streamGenerateContent",
                "countTokens",
            ],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(bytes: &Bytes) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn each_dialect_lists_in_its_own_shape() {
        let ids = ["claude-x", "claude-y"];
        let anthropic = parsed(&list(Protocol::Anthropic, &ids));
        assert_eq!(anthropic["data"][1]["id"], "claude-y");
        assert_eq!(anthropic["data"][0]["type"], "model");
        assert_eq!(anthropic["last_id"], "claude-y");
        assert_eq!(anthropic["has_more"], false);
        let openai = parsed(&list(Protocol::Openai, &ids));
        assert_eq!(openai["object"], "list");
        assert_eq!(openai["data"][0]["object"], "model");
        let gemini = parsed(&list(Protocol::Gemini, &ids));
        assert_eq!(gemini["models"][0]["name"], "models/claude-x");
    }

    #[test]
    fn nothing_to_list_is_an_empty_list() {
        let anthropic = parsed(&list(Protocol::Anthropic, &[]));
        assert_eq!(anthropic["data"], json!([]));
        assert_eq!(anthropic["first_id"], Value::Null);
    }

    #[test]
    fn one_model_stands_alone() {
        assert_eq!(parsed(&one(Protocol::Openai, "gpt\"5"))["id"], "gpt\"5");
        assert_eq!(parsed(&one(Protocol::Gemini, "g"))["name"], "models/g");
    }
}
