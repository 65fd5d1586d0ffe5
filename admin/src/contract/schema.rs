//! Checks a JSON value against a schema of the document and names every mistake, not the first.
//!
//! Knows what poem-openapi writes: references, types with formats, `nullable`, enumerations, bounds, `items`, `properties`,
//! `additionalProperties`, `allOf` (a reference with a description beside it) and `anyOf` (choices that differ by type). An object with properties and without
//! `additionalProperties` is closed.

use serde_json::{Map, Value};

use crate::problem::Mistake;

/// Every mistake of `value`, which is at `path`.
pub fn check(document: &Value, schema: &Value, value: &Value, path: &str, out: &mut Vec<Mistake>) {
    let schema = resolve(document, schema);
    if value.is_null() && schema["nullable"].as_bool() == Some(true) {
        return;
    }
    if let Some(parts) = schema["allOf"].as_array() {
        for part in parts.iter().filter(|p| p.get("$ref").is_some()) {
            check(document, part, value, path, out);
        }
        return;
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let mut choices_of_type = choices.iter().map(|choice| resolve(document, choice));
        match choices_of_type.find(|choice| has_type(choice, value)) {
            Some(choice) => check(document, choice, value, path, out),
            None => {
                let names: Vec<_> = choices
                    .iter()
                    .map(|choice| type_name(resolve(document, choice)))
                    .collect();
                out.push(wrong_type(path, value, &names.join(" or ")));
            }
        }
        return;
    }
    if !has_type(schema, value) {
        out.push(wrong_type(path, value, type_name(schema)));
        return;
    }
    match value {
        Value::String(text) => check_text(schema, text, path, out),
        Value::Number(_) => check_number(schema, value, path, out),
        Value::Array(items) => check_items(document, schema, items, path, out),
        Value::Object(fields) => check_fields(document, schema, fields, path, out),
        _ => {}
    }
}

fn wrong_type(path: &str, value: &Value, wanted: &str) -> Mistake {
    let found = if value.is_null() {
        "must not be null".to_owned()
    } else {
        format!("must be {wanted}")
    };
    Mistake::new(at(path), "wrong_type", found)
}

/// Reads a parameter's text as the type its schema names; text that is not of the type stays text, for `check` to name.
pub fn from_text(document: &Value, schema: &Value, text: &str) -> Value {
    let read = match resolve(document, schema)["type"].as_str() {
        Some("integer") => text.parse::<i64>().ok().map(Value::from),
        Some("number") => text.parse::<f64>().ok().map(Value::from),
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"]
        .as_str()
        .and_then(|r| document.pointer(r.trim_start_matches('#')))
        .unwrap_or(schema)
}

fn has_type(schema: &Value, value: &Value) -> bool {
    match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    }
}

fn type_name(schema: &Value) -> &'static str {
    match schema["type"].as_str() {
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        _ => "an object",
    }
}

fn check_text(schema: &Value, text: &str, path: &str, out: &mut Vec<Mistake>) {
    if let Some(allowed) = schema["enum"].as_array() {
        if !allowed.iter().any(|a| a == text) {
            let names: Vec<_> = allowed.iter().filter_map(Value::as_str).collect();
            let message = format!("must be one of {}", names.join(", "));
            out.push(Mistake::new(at(path), "not_allowed", message));
        }
        return;
    }
    if text.contains('\0') {
        let message = "must not contain the character U+0000";
        out.push(Mistake::new(at(path), "invalid", message));
    }
    let wrong_format = match schema["format"].as_str() {
        Some("date-time") => chrono::DateTime::parse_from_rfc3339(text)
            .err()
            .map(|_| "must be a time such as 2030-01-31T12:00:00Z"),
        Some("uuid") => uuid::Uuid::try_parse(text).err().map(|_| "must be a UUID"),
        _ => None,
    };
    if let Some(message) = wrong_format {
        out.push(Mistake::new(at(path), "wrong_format", message));
    }
    let length = text.chars().count() as u64;
    check_size(
        schema,
        ["minLength", "maxLength"],
        length,
        "characters",
        path,
        out,
    );
}

fn check_number(schema: &Value, value: &Value, path: &str, out: &mut Vec<Mistake>) {
    let (low, high) = bounds(schema);
    let number = value.as_f64().unwrap_or(f64::NAN);
    if low.is_some_and(|low| number < low) || high.is_some_and(|high| number > high) {
        let message = match (low, high) {
            (Some(low), Some(high)) => format!("must be from {low} to {high}"),
            (Some(low), None) => format!("must be at least {low}"),
            (None, Some(high)) => format!("must be at most {high}"),
            (None, None) => String::new(),
        };
        out.push(Mistake::new(at(path), "out_of_range", message));
    }
}

/// The schema's own bounds, else those of its format.
fn bounds(schema: &Value) -> (Option<f64>, Option<f64>) {
    let (low, high) = match schema["format"].as_str() {
        Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
        Some("uint16") => (Some(0.0), Some(f64::from(u16::MAX))),
        Some("uint32") => (Some(0.0), Some(f64::from(u32::MAX))),
        Some("uint64") => (Some(0.0), None),
        _ => (None, None),
    };
    (
        schema["minimum"].as_f64().or(low),
        schema["maximum"].as_f64().or(high),
    )
}

fn check_items(
    document: &Value,
    schema: &Value,
    items: &[Value],
    path: &str,
    out: &mut Vec<Mistake>,
) {
    check_size(
        schema,
        ["minItems", "maxItems"],
        items.len() as u64,
        "entries",
        path,
        out,
    );
    for (i, item) in items.iter().enumerate() {
        check(
            document,
            &schema["items"],
            item,
            &format!("{path}[{i}]"),
            out,
        );
    }
}

fn check_fields(
    document: &Value,
    schema: &Value,
    fields: &Map<String, Value>,
    path: &str,
    out: &mut Vec<Mistake>,
) {
    let properties = schema["properties"].as_object();
    let others = schema.get("additionalProperties").filter(|o| o.is_object());
    for (name, value) in fields {
        let at = join(path, name);
        match (properties.and_then(|p| p.get(name)), others) {
            (Some(schema), _) | (None, Some(schema)) => check(document, schema, value, &at, out),
            (None, None) if properties.is_some() => {
                out.push(Mistake::new(
                    at,
                    "unknown_field",
                    "is not a field of this object",
                ));
            }
            (None, None) => {}
        }
    }
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            out.push(Mistake::new(join(path, name), "required", "is required"));
        }
    }
}

fn check_size(
    schema: &Value,
    [min, max]: [&str; 2],
    size: u64,
    unit: &str,
    path: &str,
    out: &mut Vec<Mistake>,
) {
    let (low, high) = (schema[min].as_u64(), schema[max].as_u64());
    if size == 0 && low == Some(1) {
        out.push(Mistake::new(at(path), "empty", "must not be empty"));
    } else if let Some(low) = low.filter(|low| size < *low) {
        let message = format!("must have at least {low} {unit}");
        out.push(Mistake::new(at(path), "too_short", message));
    } else if let Some(high) = high.filter(|high| size > *high) {
        let message = format!("must have at most {high} {unit}");
        out.push(Mistake::new(at(path), "too_long", message));
    }
}

/// The body itself has no name of its own.
fn at(path: &str) -> &str {
    if path.is_empty() { "body" } else { path }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
