//! A usage line as text: eight hexadecimal digits of CRC-32, a space, JSON, a newline.

use chrono::{DateTime, Utc};
use entity::usage;
use entity::value::{ClientName, Multiplier};
use serde::{Deserialize, Serialize};
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
    raw: Option<String>,
}

const CHECKSUM: usize = 8;

/// Appends a line to `text`.
pub(super) fn encode(line: &usage::Model, text: &mut Vec<u8>) {
    let start = text.len();
    text.extend_from_slice(&[b' '; CHECKSUM + 1]);
    let mut json = serde_json::Serializer::new(&mut *text);
    Fields::serialize(line, &mut json)
        .expect("numbers and strings serialise, and memory takes them");
    let checksum = format!("{:08x}", crc32fast::hash(&text[start + CHECKSUM + 1..]));
    text[start..start + CHECKSUM].copy_from_slice(checksum.as_bytes());
    text.push(b'\n');
}

/// Reads a line, its newline included; `None` when it is torn or damaged.
pub(super) fn decode(text: &[u8]) -> Option<usage::Model> {
    let text = text.strip_suffix(b"\n")?;
    let (checksum, json) = text.split_at_checked(CHECKSUM)?;
    let json = json.strip_prefix(b" ")?;
    let checksum = u32::from_str_radix(std::str::from_utf8(checksum).ok()?, 16).ok()?;
    if crc32fast::hash(json) != checksum {
        return None;
    }
    Fields::deserialize(&mut serde_json::Deserializer::from_slice(json)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::usage_line;

    #[test]
    fn a_line_reads_as_it_was_written_and_not_at_all_when_it_is_cut_or_changed() {
        let mut line = usage_line(7);
        line.raw = Some("{\"a\":\"ä\\n\u{2028}\"}\n".to_owned());
        let mut text = Vec::new();
        encode(&line, &mut text);
        assert_eq!(text.iter().filter(|b| **b == b'\n').count(), 1);
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
