//! Examples in the document: one for every body and every answer.
//!
//! Bodies that say something are written by hand in `examples.json`, by the name of their schema. Everything else is put together from the
//! schema: a field has the value that `examples.json` gives for its name, where that is of the field's type, else one that its type suggests.
//! So what is new has an example, too, and a test holds every example against its schema.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// Schemas within schemas that are followed.
const DEEPEST: usize = 12;

static WRITTEN: LazyLock<Value> = LazyLock::new(|| {
    // It is part of the program, and a test reads it.
    serde_json::from_str(include_str!("examples.json")).unwrap_or_default()
});

/// Which fields of an object are in its example.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    All,
    Required,
}

/// Gives every body and every answer of a converted document its example.
pub fn add(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    document["components"]["examples"] = problems();
    let items = document["paths"].as_object_mut().into_iter().flatten();
    let operations = items
        .filter_map(|(_, item)| item.as_object_mut())
        .flatten()
        .map(|(_, operation)| operation);
    for operation in operations {
        if let Some(body) = operation.get_mut("requestBody") {
            fill(&schemas, body, Fields::Required);
        }
        let responses = operation["responses"].as_object_mut().into_iter().flatten();
        for (status, response) in responses {
            let problem = format!("problem{status}");
            let content = response.get_mut("content");
            match content.and_then(|content| content.get_mut("application/problem+json")) {
                Some(media) => {
                    let target = format!("#/components/examples/{problem}");
                    media["examples"] = json!({ problem: { "$ref": target } });
                }
                None => fill(&schemas, response, Fields::All),
            }
        }
    }
}

fn fill(schemas: &Value, holder: &mut Value, fields: Fields) {
    let content = holder.get_mut("content").and_then(Value::as_object_mut);
    for (_, media) in content.into_iter().flatten() {
        let example = example(schemas, &media["schema"], "", fields, 0);
        if media["schema"].is_object() {
            media["example"] = example;
        }
    }
}

fn example(schemas: &Value, schema: &Value, field: &str, fields: Fields, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().unwrap_or_default();
        let written = &WRITTEN["schemas"][name];
        if !written.is_null() {
            return written.clone();
        }
        return example(schemas, &schemas[name], field, fields, depth + 1);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let first = choices.iter().find(|choice| choice["type"] != "null");
        return first.map_or(Value::Null, |choice| {
            example(schemas, choice, field, fields, depth + 1)
        });
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    let known = &WRITTEN["fields"][field];
    // Lists by name are lists of words.
    let is_of_words = kind != Some("array") || schema["items"]["type"] == "string";
    if is_of_words && fits(known, kind) {
        return known.clone();
    }
    match kind {
        Some("object") => object(schemas, schema, fields, depth),
        Some("array") => {
            let item = example(schemas, &schema["items"], field, fields, depth + 1);
            json!([item])
        }
        Some("integer" | "number") => {
            let least = schema["minimum"].as_i64().unwrap_or(0);
            Value::from(least.max(1))
        }
        Some("boolean") => json!(true),
        Some("string") => text(schema),
        _ => Value::Null,
    }
}

fn object(schemas: &Value, schema: &Value, fields: Fields, depth: usize) -> Value {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|r| r == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    let filled = properties
        .filter(|(name, _)| fields == Fields::All || is_required(name))
        .map(|(name, property)| {
            let value = example(schemas, property, name, fields, depth + 1);
            (name.clone(), value)
        });
    Value::Object(filled.collect::<Map<_, _>>())
}

fn text(schema: &Value) -> Value {
    match schema["format"].as_str() {
        Some("date-time") => json!("2026-01-31T12:00:00Z"),
        Some("uuid") => json!("01920000-0000-7000-8000-000000000000"),
        _ => json!("text"),
    }
}

fn fits(value: &Value, kind: Option<&str>) -> bool {
    match kind {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        _ => false,
    }
}

/// One for each status.
fn problems() -> Value {
    let problem = |status: u16, title: &str, code: &str, detail: &str| {
        let problem = json!({
            "type": format!("urn:switchyard:problem:{code}"),
            "title": title,
            "status": status,
            "code": code,
            "detail": detail,
        });
        (format!("problem{status}"), json!({ "value": problem }))
    };
    let mut all: Map<String, Value> = [
        problem(400, "Bad Request", "malformed_json", "The body is not JSON."),
        problem(401, "Unauthorized", "invalid_credential", "The credential is wrong, switched off or expired."),
        problem(403, "Forbidden", "forbidden", "This needs the role admin."),
        problem(404, "Not Found", "not_found", "There is no such user."),
        problem(409, "Conflict", "conflict", "There is already a user with this name."),
        problem(412, "Precondition Failed", "precondition_failed", "It was changed meanwhile. Read it again and decide anew."),
        problem(413, "Payload Too Large", "body_too_large", "The body is too large."),
        problem(415, "Unsupported Media Type", "unsupported_media_type", "Send the body as application/json."),
        problem(422, "Unprocessable Entity", "validation_failed", "The input has mistakes: name is required."),
        problem(429, "Too Many Requests", "too_many_failures", "Too many wrong credentials from this address."),
        problem(500, "Internal Server Error", "internal_error", "Something went wrong on our side."),
        problem(502, "Bad Gateway", "upstream_failed", "The provider was asked and did not answer as it should: the provider answered 401 Unauthorized."),
        problem(503, "Service Unavailable", "database_unavailable", "The database does not answer. Try again."),
    ]
    .into_iter()
    .collect();
    all["problem422"]["value"]["errors"] =
        json!([{ "path": "name", "code": "required", "message": "is required" }]);
    Value::Object(all)
}
