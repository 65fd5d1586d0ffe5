//! Model redirects and allowed models, each in the shape of today and the one before.

use entity::value::{MatchKind, ModelRedirect, ModelRedirects, NameRule, NameRules, compile_regex};
use serde_json::{Map, Value};

use super::row::Reading;

/// `[{"matchType", "source", "target"}, …]`, the first that matches counts; or `{"source": "target"}`.
pub(super) fn redirects(read: &mut Reading<'_>) -> ModelRedirects {
    let found = match json(read, "model_redirects") {
        None => return ModelRedirects::default(),
        Some(found) => found,
    };
    let mut redirects = Vec::new();
    match found {
        Value::Array(items) => {
            for item in &items {
                let redirect = item.as_object().ok_or("it is no object").and_then(redirect);
                match redirect {
                    Ok(redirect) => redirects.push(redirect),
                    Err(why) => read.say(format!("a model redirect is left out: {why}")),
                }
            }
        }
        Value::Object(pairs) => {
            for (source, target) in pairs {
                match target.as_str().map(str::trim) {
                    Some(target) if !target.is_empty() && !source.trim().is_empty() => {
                        redirects.push(ModelRedirect {
                            kind: MatchKind::Exact,
                            source: source.trim().to_owned(),
                            target: target.to_owned(),
                        });
                    }
                    _ => read.say("a model redirect is left out: it has no target"),
                }
            }
        }
        _ => read.say("model_redirects is neither a list nor an object, left out"),
    }
    ModelRedirects(redirects)
}

/// A list of names and of `{"matchType", "pattern"}`. Where none of its rules can be used the provider is switched off, because no rule at
/// all would mean every model.
pub(super) fn allowed_models(read: &mut Reading<'_>, is_enabled: &mut bool) -> NameRules {
    let items = match json(read, "allowed_models") {
        None => return NameRules::default(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            read.say("allowed_models is not a list: switched off");
            *is_enabled = false;
            return NameRules::default();
        }
    };
    let mut rules = Vec::with_capacity(items.len());
    for item in &items {
        let rule = match item {
            Value::String(name) if name.trim().is_empty() => Err("it is blank"),
            Value::String(name) => Ok(NameRule::exact(name.trim())),
            Value::Object(fields) => {
                rule(fields, "pattern").map(|(kind, pattern)| NameRule { kind, pattern })
            }
            _ => Err("it is neither text nor an object"),
        };
        match rule {
            Ok(rule) => rules.push(rule),
            Err(why) => read.say(format!("an allowed model is left out: {why}")),
        }
    }
    if rules.is_empty() && !items.is_empty() {
        read.say("none of its allowed models can be used: switched off");
        *is_enabled = false;
    }
    NameRules(rules)
}

fn json(read: &mut Reading<'_>, column: &str) -> Option<Value> {
    serde_json::from_str(read.row().json(column)?).ok()
}

fn redirect(fields: &Map<String, Value>) -> Result<ModelRedirect, &'static str> {
    let (kind, source) = rule(fields, "source")?;
    let target = fields.get("target").and_then(Value::as_str);
    let target = target.map(str::trim).filter(|target| !target.is_empty());
    Ok(ModelRedirect {
        kind,
        source,
        target: target.ok_or("it has no target")?.to_owned(),
    })
}

fn rule(fields: &Map<String, Value>, pattern: &str) -> Result<(MatchKind, String), &'static str> {
    let kind = match fields.get("matchType").map(Value::as_str) {
        None | Some(Some("exact")) => MatchKind::Exact,
        Some(Some("prefix")) => MatchKind::Prefix,
        Some(Some("suffix")) => MatchKind::Suffix,
        Some(Some("contains")) => MatchKind::Contains,
        Some(Some("regex")) => MatchKind::Regex,
        Some(_) => return Err("there is no such matchType here"),
    };
    let text = fields.get(pattern).and_then(Value::as_str).map(str::trim);
    let text = text.filter(|text| !text.is_empty()).ok_or("it is blank")?;
    if kind == MatchKind::Regex && compile_regex(text).is_err() {
        return Err("its regular expression is none here");
    }
    Ok((kind, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::import::row::Row;

    #[test]
    fn both_shapes_are_the_same() {
        let today = r#"{"id": 1, "model_redirects": [{"matchType": "exact", "source": "a", "target": "b"}, {"matchType": "regex",
            "source": "(?=x)", "target": "b"}, {"matchType": "prefix", "source": "claude-", "target": "sonnet"}, 7]}"#;
        let row = Row::parse(today).unwrap();
        let mut read = Reading::new(&row);
        let ModelRedirects(list) = redirects(&mut read);
        let told: Vec<_> = list
            .iter()
            .map(|r| (r.kind, r.source.as_str(), r.target.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (MatchKind::Exact, "a", "b"),
                (MatchKind::Prefix, "claude-", "sonnet")
            ]
        );
        assert_eq!(read.wrong.len(), 2, "{:?}", read.wrong);
        let row = Row::parse(r#"{"id": 1, "model_redirects": {"a": "b", "c": null}}"#).unwrap();
        let mut read = Reading::new(&row);
        assert_eq!(redirects(&mut read).0, list[..1]);
        assert_eq!(read.wrong.len(), 1);
    }

    #[test]
    fn rules_that_cannot_be_used_do_not_open_a_provider_to_all_models() {
        let allowed = |json: &str| {
            let row = Row::parse(&format!(r#"{{"id": 1, "allowed_models": {json}}}"#)).unwrap();
            let mut is_enabled = true;
            let NameRules(rules) = allowed_models(&mut Reading::new(&row), &mut is_enabled);
            (rules.len(), is_enabled)
        };
        assert_eq!(allowed("null"), (0, true));
        assert_eq!(allowed("[]"), (0, true));
        let mixed = r#"["a", {"matchType": "suffix", "pattern": "-mini"}, {"matchType": "regex", "pattern": "("}]"#;
        assert_eq!(allowed(mixed), (2, true));
        assert_eq!(
            allowed(r#"[{"matchType": "regex", "pattern": "("}]"#),
            (0, false)
        );
        assert_eq!(allowed(r#""gpt""#), (0, false));
    }
}
