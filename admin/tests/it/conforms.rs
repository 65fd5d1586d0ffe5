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
    // Anything, without a word about what is in it.
    if schema["type"].is_null() && !schema["anyOf"].is_array() {
        return;
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choice = choices
            .iter()
            .find(|choice| may_be(document, choice, value));
        let choice = choice.unwrap_or_else(|| panic!("{at} is {value}, none of {choices:?}"));
        return check(document, choice, value, at);
    }
    assert!(
        may_be(document, schema, value),
        "{at} is {value}, not {}",
        schema["type"]
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

/// Whether a value has the type of a schema, or of one of its choices.
fn may_be(document: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(target) = schema["$ref"].as_str() {
        let schema = document.pointer(target.trim_start_matches('#')).unwrap();
        return may_be(document, schema, value);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().any(|choice| may_be(document, choice, value));
    }
    match &schema["type"] {
        // Anything.
        Value::Null => true,
        Value::Array(types) => types
            .iter()
            .any(|name| has_type(name.as_str().unwrap(), value)),
        name => has_type(name.as_str().unwrap_or_default(), value),
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
