//! Telegram: a bot that writes to a chat.
//!
//! `POST /bot<token>/sendMessage` with HTML, in which `&`, `<` and `>` are entities; 4,096 characters at most. An answer has `ok` true; one
//! that says "too many" has `parameters.retry_after` in seconds.
//! Source: <https://core.telegram.org/bots/api#sendmessage>, <https://core.telegram.org/bots/api#html-style>.

use entity::value::{Secret, TargetKind};
use serde_json::{Value, json};

use super::{Address, Letter, entities, fitted};
use crate::domain::notice::words::Words;

/// Where bots are, unless an installation runs a Bot API server of its own.
const BASE: &str = "https://api.telegram.org";
/// Bytes, of which there are no fewer than characters.
const MOST: usize = 4_096;

pub(super) fn write(address: &Address, words: &Words) -> Result<Letter, String> {
    let credentials = &address.credentials;
    let token = credentials.bot_token.as_ref();
    let token = token.ok_or("the target has no botToken")?.expose();
    let chat_id = address.chat_id.as_ref().ok_or("the target has no chatId")?;
    let base = credentials.url.as_ref().map_or(BASE, Secret::expose);
    let base = base.trim_end_matches('/');
    let mut text = format!("<b>{}</b>\n", entities(&words.title));
    let room = MOST.saturating_sub(text.len());
    for line in fitted(&words.lines, room, entities) {
        text.push_str(&format!("\n{line}"));
    }
    Ok(Letter {
        url: Secret::new(format!("{base}/bot{token}/sendMessage")),
        headers: Vec::new(),
        body: json!({
            "chat_id": chat_id,
            "text": text,
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
        }),
    })
}

/// How long it asks to be left alone, in seconds.
pub(super) fn wait(kind: TargetKind, answer: &Value) -> Option<u64> {
    let wait = answer["parameters"]["retry_after"].as_u64();
    wait.filter(|_| kind == TargetKind::Telegram)
}
