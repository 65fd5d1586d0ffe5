//! The template of a generic webhook's body.
//!
//! It is JSON whose texts may hold `{{placeholders}}`. It is filled in as a tree and not as a text, so whatever a message says, what comes out
//! is JSON of the same shape: nothing in a model's name can close a quote. A text that is nothing but one placeholder becomes the value itself,
//! which is how lists get in; in a longer text values stand as text.

use serde_json::{Map, Value};

/// What a template may name, and what each is.
pub const PLACEHOLDERS: [(&str, &str); 7] = [
    ("event", "the kind of notice, such as breaker-opened"),
    ("level", "problem, warning, good or info"),
    ("title", "the message's first line"),
    ("text", "the lines below it, as one text"),
    ("lines", "the same as a list"),
    ("items", "what it is about, as a list of objects"),
    ("time", "when it happened, RFC 3339"),
];

/// What is sent without a template.
pub const DEFAULT: &str = r#"{"event":"{{event}}","level":"{{level}}","title":"{{title}}","text":"{{text}}","time":"{{time}}","items":"{{items}}"}"#;

/// A template that can be filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Value);

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// It is not JSON.
    #[error("is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but no object and no list.
    #[error("must be a JSON object or list")]
    NotWhole,
    /// It names something unknown.
    #[error("names {{{{{0}}}}}, which is none of {known}", known = known())]
    Unknown(String),
}

fn known() -> String {
    PLACEHOLDERS.map(|(name, _)| name).join(", ")
}

// === impl Template ===

impl Template {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no JSON, or names what there is not.
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        let value: Value =
            serde_json::from_str(text).map_err(|e| BadTemplate::NotJson(e.to_string()))?;
        if !value.is_object() && !value.is_array() {
            return Err(BadTemplate::NotWhole);
        }
        let mut unknown = None;
        texts(&value, &mut |text| {
            for part in parts(text) {
                if let Part::Name(name) = part
                    && !PLACEHOLDERS.iter().any(|(known, _)| *known == name)
                {
                    unknown.get_or_insert_with(|| name.to_owned());
                }
            }
        });
        match unknown {
            Some(name) => Err(BadTemplate::Unknown(name)),
            None => Ok(Self(value)),
        }
    }

    /// The body, with what `value_of` says in each placeholder's place.
    #[must_use]
    pub fn fill(&self, value_of: &dyn Fn(&str) -> Value) -> Value {
        fill(&self.0, value_of)
    }
}

enum Part<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// A text's parts. Braces that do not close are text.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            break;
        };
        parts.push(Part::Text(before));
        parts.push(Part::Name(name.trim()));
        rest = after;
    }
    parts.push(Part::Text(rest));
    parts
}

fn texts(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, see)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            see(name);
            texts(value, see);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn fill(value: &Value, value_of: &dyn Fn(&str) -> Value) -> Value {
    match value {
        Value::String(text) => match parts(text).as_slice() {
            [Part::Text(""), Part::Name(name), Part::Text("")] => value_of(name),
            parts => Value::String(filled(parts, value_of)),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, value_of)).collect(),
        Value::Object(fields) => {
            let filled = fields
                .iter()
                .map(|(name, value)| (filled(&parts(name), value_of), fill(value, value_of)));
            Value::Object(filled.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn filled(parts: &[Part<'_>], value_of: &dyn Fn(&str) -> Value) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Name(name) => match value_of(name) {
                Value::String(value) => text.push_str(&value),
                other => text.push_str(&other.to_string()),
            },
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value_of(name: &str) -> Value {
        match name {
            "items" => json!([{"a": 1}]),
            "title" => json!("it says \"{{text}}\"\n"),
            other => json!(other),
        }
    }

    #[test]
    fn placeholders_are_filled_in_and_stay_in_their_quotes() {
        let template = r#"{"msg": "a {{ title }} b {{items}}", "list": "{{items}}", "n": 1, "deep": [{"{{event}}": null}], "open": "{{title"}"#;
        let filled = Template::parse(template).unwrap().fill(&value_of);
        assert_eq!(
            filled,
            json!({
                "msg": "a it says \"{{text}}\"\n b [{\"a\":1}]", "list": [{"a": 1}], "n": 1,
                "deep": [{"event": null}], "open": "{{title",
            })
        );
    }

    #[test]
    fn the_default_and_every_placeholder_can_be_used() {
        Template::parse(DEFAULT).unwrap();
        for (name, _) in PLACEHOLDERS {
            Template::parse(&format!("[\"{{{{{name}}}}}\"]")).unwrap();
        }
    }

    #[test]
    fn what_is_no_template_is_told_why() {
        let why = |text: &str| Template::parse(text).unwrap_err();
        assert!(matches!(why("{"), BadTemplate::NotJson(_)));
        assert!(matches!(why("{\"a\": {{title}}}"), BadTemplate::NotJson(_)));
        assert_eq!(why("\"{{title}}\""), BadTemplate::NotWhole);
        assert_eq!(
            why("[\"{{secret}}\"]").to_string(),
            "names {{secret}}, which is none of event, level, title, text, lines, items, time"
        );
    }
}
