//! A usage line as text: eight hexadecimal digits of CRC-32, a space, JSON, a newline.
//!
//! The upstream's own usage object is text that is full of quotes, and escaping it would be half the work. Where it has no tab and no newline, which
//! is nearly always, it follows the JSON behind a tab as it is; the JSON itself has no tab, because there they are escaped.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::usage;
use entity::value::{ClientName, Multiplier, hex};
use memchr::{memchr, memchr2};
use serde::Deserialize;
#[cfg(test)]
use serde::Serialize;
use uuid::Uuid;

use crate::domain::json::Object;

/// The fields of a line, by the names they have in files that outlive this version. A new one needs `#[serde(default)]`, and a place in
/// [`write_fields`].
#[derive(Deserialize)]
#[cfg_attr(test, derive(Serialize))]
#[serde(remote = "usage::Model")]
struct Fields {
    id: Uuid,
    request_id: Uuid,
    attempt: i32,
    created_at: DateTime<Utc>,
    user_id: i64,
    key_id: i64,
    provider_id: i64,
    requested_model: Option<String>,
    model: Option<String>,
    input_tokens: i64,
    cache_read_tokens: i64,
    cache_write5m_tokens: i64,
    cache_write1h_tokens: i64,
    output_tokens: i64,
    reasoning_tokens: i64,
    image_input_tokens: i64,
    image_output_tokens: i64,
    cost_nano_usd: Option<i64>,
    #[serde(default)]
    price_ref: Option<String>,
    #[serde(default)]
    service_tier: Option<String>,
    #[serde(default)]
    provider_multiplier: Option<Multiplier>,
    #[serde(default)]
    group_multiplier: Option<Multiplier>,
    #[serde(default)]
    client: ClientName,
    settled_from: String,
    /// Here only where it cannot stand behind the JSON.
    #[serde(default)]
    raw: Option<String>,
}

const CHECKSUM: usize = 8;
/// Separates the upstream's own object from the JSON before it.
const BEHIND: u8 = b'\t';

/// Appends a line to `text`.
pub(super) fn encode(line: &usage::Model, text: &mut Vec<u8>) {
    let start = text.len();
    text.extend_from_slice(&[b' '; CHECKSUM + 1]);
    let raw = line.raw.as_deref();
    write_fields(line, raw.filter(|raw| !may_follow(raw)), text);
    if let Some(raw) = raw.filter(|raw| may_follow(raw)) {
        text.push(BEHIND);
        text.extend_from_slice(raw.as_bytes());
    }
    let checksum = crc32fast::hash(&text[start + CHECKSUM + 1..]);
    let place = &mut text[start..start + CHECKSUM];
    for (place, digit) in place.iter_mut().zip(hex::digits(&checksum.to_be_bytes())) {
        *place = digit;
    }
    text.push(b'\n');
}

/// What there is none of is left out.
fn write_fields(line: &usage::Model, raw: Option<&str>, text: &mut Vec<u8>) {
    let mut uuid = Uuid::encode_buffer();
    let mut object = Object::begin(text);
    object.text("id", line.id.hyphenated().encode_lower(&mut uuid));
    object.text(
        "request_id",
        line.request_id.hyphenated().encode_lower(&mut uuid),
    );
    object.number("attempt", line.attempt);
    let created_at = line.created_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    object.text("created_at", &created_at);
    object.number("user_id", line.user_id);
    object.number("key_id", line.key_id);
    object.number("provider_id", line.provider_id);
    object.maybe_text("requested_model", line.requested_model.as_deref());
    object.maybe_text("model", line.model.as_deref());
    object.number("input_tokens", line.input_tokens);
    object.number("cache_read_tokens", line.cache_read_tokens);
    object.number("cache_write5m_tokens", line.cache_write5m_tokens);
    object.number("cache_write1h_tokens", line.cache_write1h_tokens);
    object.number("output_tokens", line.output_tokens);
    object.number("reasoning_tokens", line.reasoning_tokens);
    object.number("image_input_tokens", line.image_input_tokens);
    object.number("image_output_tokens", line.image_output_tokens);
    object.maybe_number("cost_nano_usd", line.cost_nano_usd);
    object.maybe_text("price_ref", line.price_ref.as_deref());
    object.maybe_text("service_tier", line.service_tier.as_deref());
    if let Some(factor) = &line.provider_multiplier {
        object.value("provider_multiplier", factor);
    }
    if let Some(factor) = &line.group_multiplier {
        object.value("group_multiplier", factor);
    }
    object.value("client", &line.client);
    object.text("settled_from", &line.settled_from);
    object.maybe_text("raw", raw);
    object.end();
}

/// Reads a line, its newline included; `None` when it is torn or damaged.
pub(super) fn decode(text: &[u8]) -> Option<usage::Model> {
    let text = text.strip_suffix(b"\n")?;
    let (checksum, written) = text.split_at_checked(CHECKSUM)?;
    let written = written.strip_prefix(b" ")?;
    let checksum = hex::decode(std::str::from_utf8(checksum).ok()?)?;
    if crc32fast::hash(written) != u32::from_be_bytes(checksum) {
        return None;
    }
    let (json, raw) = match memchr(BEHIND, written) {
        Some(at) => (&written[..at], Some(&written[at + 1..])),
        None => (written, None),
    };
    let mut line = Fields::deserialize(&mut serde_json::Deserializer::from_slice(json)).ok()?;
    if let Some(raw) = raw {
        line.raw = Some(std::str::from_utf8(raw).ok()?.to_owned());
    }
    Some(line)
}

/// Whether the upstream's own object can stand behind the JSON as it is.
fn may_follow(raw: &str) -> bool {
    memchr2(BEHIND, b'\n', raw.as_bytes()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::usage_line;

    /// As versions wrote it that had a serialiser do it, the upstream's own object within the JSON.
    fn within(line: &usage::Model) -> Vec<u8> {
        let mut json = serde_json::Serializer::new(Vec::new());
        Fields::serialize(line, &mut json).unwrap();
        let json = json.into_inner();
        let mut text = format!("{:08x} ", crc32fast::hash(&json)).into_bytes();
        text.extend(json);
        text.push(b'\n');
        text
    }

    #[test]
    fn the_upstreams_own_object_is_read_wherever_it_stands() {
        for raw in [
            None,
            Some(""),
            Some("{}"),
            Some("{\"a\":\"\\t\\n\"}"),
            Some("{\n\t\"a\": 1}"),
            Some("\t"),
        ] {
            // Every field differs from what it is when it is left out.
            let mut line = usage_line(7);
            line.group_multiplier = "2".parse().ok();
            line.client = ClientName::ClaudeCode;
            line.raw = raw.map(str::to_owned);
            let mut text = Vec::new();
            encode(&line, &mut text);
            assert_eq!(text.iter().filter(|b| **b == b'\n').count(), 1, "{raw:?}");
            assert_eq!(decode(&text).as_ref(), Some(&line), "{raw:?}");
            assert_eq!(decode(&within(&line)).as_ref(), Some(&line), "{raw:?}");
        }
    }

    #[test]
    fn a_line_reads_as_it_was_written_and_not_at_all_when_it_is_cut_or_changed() {
        let mut line = usage_line(7);
        line.raw = Some("{\"a\":\"ä\\n\u{2028}\"}".to_owned());
        let mut text = Vec::new();
        encode(&line, &mut text);
        assert_eq!(decode(&text), Some(line));
        for cut in 0..text.len() {
            assert_eq!(decode(&text[..cut]), None, "cut at {cut}");
        }
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert_eq!(decode(&changed), None, "changed at {at}");
        }
    }
}
