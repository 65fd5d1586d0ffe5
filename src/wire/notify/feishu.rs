//! Feishu and Lark: custom bots of a group.
//!
//! A card is sent as `msg_type` `interactive`. With signature verification on, `timestamp` (seconds, at most an hour off) and `sign` are in
//! the body; the sign is the HMAC-SHA256 of *nothing* under the key `timestamp + "\n" + secret`, in Base64. An answer has `code` 0, or in
//! the older form `StatusCode` 0. A body has 20 KB at most, a bot sends 100 messages a minute at most, 5 a second.
//! Source: <https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot>.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Address, Letter, colour, fitted, sign, url_of};
use crate::domain::notice::Level;
use crate::domain::notice::words::Words;

/// Bytes of text in a card.
const MOST: usize = 16 * 1024;

pub(super) fn write(
    address: &Address,
    level: Level,
    words: &Words,
    now: DateTime<Utc>,
) -> Result<Letter, String> {
    // Plain text knows no marks.
    let lines = fitted(&words.lines, MOST, str::to_owned).join("\n");
    let mut body = json!({
        "msg_type": "interactive",
        "card": {
            "config": { "wide_screen_mode": true },
            "header": {
                "template": colour(level),
                "title": { "tag": "plain_text", "content": words.title },
            },
            "elements": [{ "tag": "div", "text": { "tag": "plain_text", "content": lines } }],
        },
    });
    if let Some(secret) = &address.credentials.secret {
        let timestamp = now.timestamp().to_string();
        body["sign"] = Value::from(sign(&format!("{timestamp}\n{}", secret.expose()), ""));
        body["timestamp"] = Value::from(timestamp);
    }
    Ok(Letter {
        url: url_of(address)?.clone(),
        headers: Vec::new(),
        body,
    })
}

pub(super) fn is_taken(answer: &Value) -> bool {
    answer["code"] == 0 || answer["StatusCode"] == 0
}
