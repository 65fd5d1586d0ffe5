//! Makes rows fit their columns.
//!
//! `PostgreSQL` refuses a text that is longer than its column, and a NUL in any text or JSON. One such row, from a client that sends
//! strange headers or model names, would hold up its whole batch, so that rows are cut to size before they are posted.

use entity::usage;

use super::request::Request;

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
pub(super) fn request(row: &mut Request) {
    optional(&mut row.session_id, 256);
    text(&mut row.endpoint, 512);
    optional(&mut row.requested_model, 256);
    optional(&mut row.model, 256);
    optional(&mut row.error_message, MESSAGE_CHARS);
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
    if memchr::memchr(0, value.as_bytes()).is_some() {
        *value = value.replace('\0', "\u{fffd}");
    }
    // Most are short: then there is nothing to count.
    if value.len() > chars
        && let Some((end, _)) = value.char_indices().nth(chars)
    {
        value.truncate(end);
    }
}

/// A NUL in JSON text is an escape: those are replaced, but not a backslash that stands before other text by being escaped itself.
fn json(text: &mut String) {
    const NUL: &str = r"\u0000";
    // Most have no escape at all, which is found out much faster than that this one is missing.
    if memchr::memchr(b'\\', text.as_bytes()).is_none() || !text.contains(NUL) {
        return;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let escape = if let Some(after) = rest.strip_prefix(NUL) {
            clean.push_str(r"\ufffd");
            rest = after;
            continue;
        } else {
            // The character after the backslash is ASCII in any JSON.
            rest.char_indices()
                .nth(2)
                .map_or(rest.len(), |(end, _)| end)
        };
        clean.push_str(&rest[..escape]);
        rest = &rest[escape..];
    }
    clean.push_str(rest);
    *text = clean;
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
        let mut value = r#"[{"k\u0000":["v\\u0000\u0000\"ä\u0000","\\\u0000\\"]}]"#.to_owned();
        json(&mut value);
        assert_eq!(
            value,
            r#"[{"k\ufffd":["v\\u0000\ufffd\"ä\ufffd","\\\ufffd\\"]}]"#
        );
    }
}
