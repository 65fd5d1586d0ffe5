//! Whether an answer is what the document promises. Written for the document as served, apart from the crate's own check of
//! input: a generated client sees answers this way.

use serde_json::Value;

/// Whether a path is one of a template's.
pub fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(t, p)| t.starts_with('{') || t == p)
}

/// Panics where `value` is not what `schema` says, or says more.
pub fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(target) = schema["$ref"].as_str() {
        let schema = document.pointer(target.trim_start_matches('#')).unwrap();
        return check(document, schema, value, at);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let is_null = |choice: &&Value| choice["type"] == "null";
        let choice = choices.iter().find(|c| is_null(c) == value.is_null());
        return check(document, choice.unwrap(), value, at);
    }
    let named = &schema["type"];
    let types: Vec<_> = match named.as_array() {
        Some(types) => types.iter().filter_map(Value::as_str).collect(),
        None => named.as_str().into_iter().collect(),
    };
    assert!(
        types.iter().any(|name| has_type(name, value)),
        "{at} is {value}, not {named}"
    );
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(
            allowed.contains(value),
            "{at} is {value}, not one of {allowed:?}"
        );
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{at}[{i}]"));
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            fields.contains_key(name.as_str().unwrap()),
            "{at} lacks {name}"
        );
    }
    for (name, field) in fields {
        let at = format!("{at}.{name}");
        match (
            schema["properties"].get(name),
            schema.get("additionalProperties"),
        ) {
            (Some(schema), _) => check(document, schema, field, &at),
            (None, Some(schema)) if schema.is_object() => check(document, schema, field, &at),
            _ => panic!("{at} is not in the document"),
        }
    }
}

fn has_type(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}
