//! Anything that takes JSON: the target's template, filled in, or the default one.

use entity::value::{DEFAULT_TEMPLATE, Template};
use serde_json::{Value, json};

use super::{Address, Letter, url_of};
use crate::domain::notice::Notice;
use crate::domain::notice::words::Words;

pub(super) fn write(address: &Address, notice: &Notice, words: &Words) -> Result<Letter, String> {
    let template = address.template.as_deref().unwrap_or(DEFAULT_TEMPLATE);
    let template = Template::parse(template).map_err(|e| format!("the template {e}"))?;
    let whole = serde_json::to_value(notice).unwrap_or_default();
    let body = template.fill(&|name| match name {
        "event" => whole["kind"].clone(),
        "level" => Value::from(notice.level().name()),
        "title" => Value::from(words.title.as_str()),
        "text" => Value::from(words.lines.join("\n")),
        "lines" => json!(words.lines),
        "items" => whole["items"].clone(),
        "time" => Value::from(notice.at.to_rfc3339()),
        _ => Value::Null,
    });
    let headers = address.credentials.headers.iter();
    Ok(Letter {
        url: url_of(address)?.clone(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        body,
    })
}
