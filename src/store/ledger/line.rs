//! A usage line as text: eight hexadecimal digits of CRC-32, a space, JSON, a newline.
//!
//! The upstream's own usage object is text that is full of quotes, and escaping it would be half the work. Where it has no tab and no newline, which
//! is nearly always, it follows the JSON behind a tab as it is; the JSON itself has no tab, because there they are escaped.

use chrono::{DateTime, Utc};
use entity::usage;
use entity::value::{ClientName, Multiplier};
use memchr::{memchr, memchr2};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

/// The fields of a line, by the names they have in files that outlive this version. A new one needs `#[serde(default)]`.
#[derive(Serialize, Deserialize)]
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
    #[serde(default, serialize_with = "raw_within")]
    raw: Option<String>,
}

const CHECKSUM: usize = 8;
/// Separates the upstream's own object from the JSON before it.
const BEHIND: u8 = b'\t';

/// Appends a line to `text`.
pub(super) fn encode(line: &usage::Model, text: &mut Vec<u8>) {
    let start = text.len();
    text.extend_from_slice(&[b' '; CHECKSUM + 1]);
    let mut json = serde_json::Serializer::new(&mut *text);
    Fields::serialize(line, &mut json)
        .expect("numbers and strings serialise, and memory takes them");
    if let Some(raw) = line.raw.as_deref().filter(|raw| may_follow(raw)) {
        text.push(BEHIND);
        text.extend_from_slice(raw.as_bytes());
    }
    let checksum = format!("{:08x}", crc32fast::hash(&text[start + CHECKSUM + 1..]));
    text[start..start + CHECKSUM].copy_from_slice(checksum.as_bytes());
    text.push(b'\n');
}

/// Reads a line, its newline included; `None` when it is torn or damaged.
pub(super) fn decode(text: &[u8]) -> Option<usage::Model> {
    let text = text.strip_suffix(b"\n")?;
    let (checksum, written) = text.split_at_checked(CHECKSUM)?;
    let written = written.strip_prefix(b" ")?;
    let checksum = u32::from_str_radix(std::str::from_utf8(checksum).ok()?, 16).ok()?;
    if crc32fast::hash(written) != checksum {
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

fn raw_within<S: Serializer>(raw: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match raw {
        Some(raw) if !may_follow(raw) => serializer.serialize_some(raw),
        _ => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::usage_line;

    /// As versions wrote it that kept the upstream's own object within the JSON, and as this one does where it has to.
    fn within(line: &usage::Model) -> Vec<u8> {
        let mut json = serde_json::Serializer::new(Vec::new());
        Fields::serialize(line, &mut json).unwrap();
        let json = String::from_utf8(json.into_inner()).unwrap();
        let raw = serde_json::to_string(&line.raw).unwrap();
        let json = json.replace("\"raw\":null", &format!("\"raw\":{raw}"));
        format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes()
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
            let mut line = usage_line(7);
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
