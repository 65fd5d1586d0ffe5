//! Makes rows fit their columns.
//!
//! `PostgreSQL` refuses a text that is longer than its column, and a NUL in any text or JSON. One such row, from a client that sends
//! strange headers or model names, would hold up its whole batch, so that rows are cut to size before they are posted.

use entity::{request_log, usage};
use serde_json::Value;

/// Bytes of an upstream's own usage object that are kept.
const RAW_BYTES: usize = 64 * 1024;
/// Characters of an error's words that are kept.
const MESSAGE_CHARS: usize = 8 * 1024;

/// Cuts a usage line to its columns' widths.
pub(super) fn line(row: &mut usage::Model) {
    optional(&mut row.requested_model, 256);
    optional(&mut row.model, 256);
    text(&mut row.settled_from, 16);
    // Cut JSON is no JSON: rather none.
    row.raw.take_if(|raw| raw.len() > RAW_BYTES);
    optional(&mut row.raw, RAW_BYTES);
}

/// Cuts a request row to its columns' widths.
pub(super) fn request(row: &mut request_log::Model) {
    optional(&mut row.session_id, 256);
    text(&mut row.protocol, 16);
    text(&mut row.endpoint, 512);
    optional(&mut row.requested_model, 256);
    optional(&mut row.model, 256);
    optional(&mut row.error_code, 64);
    optional(&mut row.error_message, MESSAGE_CHARS);
    text(&mut row.settled_from, 16);
    optional(&mut row.client_ip, 64);
    optional(&mut row.user_agent, 512);
    json(&mut row.chain);
}

fn optional(value: &mut Option<String>, chars: usize) {
    if let Some(value) = value {
        text(value, chars);
    }
}

fn text(value: &mut String, chars: usize) {
    if value.contains('\0') {
        *value = value.replace('\0', "\u{fffd}");
    }
    // Most are short: then there is nothing to count.
    if value.len() > chars
        && let Some((end, _)) = value.char_indices().nth(chars)
    {
        value.truncate(end);
    }
}

fn json(value: &mut Value) {
    match value {
        Value::String(inner) => {
            if inner.contains('\0') {
                *inner = inner.replace('\0', "\u{fffd}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(json),
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(key, inner)| (key.replace('\0', "\u{fffd}"), inner))
                    .collect();
            }
            fields.values_mut().for_each(json);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters_and_nuls_replaced() {
        let mut value = "ä".repeat(300);
        text(&mut value, 256);
        assert_eq!(value.chars().count(), 256);
        let mut value = "a\0b".to_owned();
        text(&mut value, 256);
        assert_eq!(value, "a\u{fffd}b");
        let mut value = serde_json::json!([{"k\0": ["v\0"]}]);
        json(&mut value);
        assert_eq!(value, serde_json::json!([{"k\u{fffd}": ["v\u{fffd}"]}]));
    }
}
