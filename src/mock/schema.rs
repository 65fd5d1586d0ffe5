//! A JSON value that satisfies a schema, in JSON Schema's words or in Gemini's (`"type": "OBJECT"`).

use serde_json::{Map, Value, json};

const MAX_DEPTH: usize = 32;

/// The plainest value the schema admits: `text` for strings, the first of an enum, the least number.
pub(super) fn sample(schema: &Value, text: &str) -> Value {
    Sampler { root: schema, text }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
    text: &'a str,
}

// === impl Sampler ===

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = target
                .strip_prefix('#')
                .and_then(|path| self.root.pointer(path));
            return target.map_or(Value::Null, |target| self.value(target, depth + 1));
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
            return first.clone();
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema.get(choice).and_then(|schemas| schemas.get(0)) {
                return self.value(first, depth + 1);
            }
        }
        match kind(schema).as_str() {
            "string" => self.string(schema),
            "integer" => json!(least(schema).ceil() as i64),
            "number" => json!(least(schema)),
            "boolean" => Value::Bool(true),
            "array" => self.array(schema, depth),
            "null" => Value::Null,
            _ => self.object(schema, depth),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, schema) in properties {
                object.insert(name.clone(), self.value(schema, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        let Some(items) = schema.get("items") else {
            return json!([]);
        };
        let least = bound(schema, "minItems").map_or(1.0, |least| least.clamp(1.0, 100.0));
        Value::Array(vec![self.value(items, depth + 1); least as usize])
    }

    fn string(&self, schema: &Value) -> Value {
        match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => return "2026-01-01T00:00:00Z".into(),
            Some("date") => return "2026-01-01".into(),
            _ => {}
        }
        let least =
            bound(schema, "minLength").map_or(0, |least| least.clamp(0.0, 10_000.0) as usize);
        let most = bound(schema, "maxLength").map_or(usize::MAX, |most| most as usize);
        let length = self.text.chars().count().max(least).min(most);
        Value::String(self.text.chars().cycle().take(length).collect())
    }
}

/// The type in lower case; of several, the first.
fn kind(schema: &Value) -> String {
    let named = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first(),
        other => other,
    };
    named
        .and_then(Value::as_str)
        .unwrap_or("object")
        .to_ascii_lowercase()
}

/// The least number admitted, 1 where there is no lower bound and 1 is admitted.
fn least(schema: &Value) -> f64 {
    let most = bound(schema, "maximum").unwrap_or(f64::INFINITY);
    bound(schema, "minimum")
        .or_else(|| bound(schema, "exclusiveMinimum").map(|above| above + 1.0))
        .unwrap_or(1.0)
        .min(most)
}

/// A bound; Gemini writes some of them as strings.
fn bound(schema: &Value, name: &str) -> Option<f64> {
    let bound = schema.get(name)?;
    bound.as_f64().or_else(|| bound.as_str()?.parse().ok())
}
