//! Messages to people: what each platform is sent, and what its answers mean.
//!
//! Names of keys and models are chosen by others, so no platform gets them where they could be marks: a model called `<!channel>` wakes nobody.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::value::{NoticeLanguage, Secret, TargetCredentials, TargetKind};
use serde_json::Value;

use crate::domain::notice::words::Words;
use crate::domain::notice::{Level, Notice};

mod dingtalk;
mod feishu;
mod slack;
mod telegram;
mod webhook;
mod wecom;

/// Characters of an answer that are told of it.
const SHOWN: usize = 300;
/// Statuses that say that the same message to the same address will never be taken.
const FINAL: [u16; 8] = [400, 401, 403, 404, 405, 410, 413, 422];

/// Where a message goes and what is known of it.
#[derive(Debug, Clone)]
pub struct Address {
    /// What it speaks.
    pub kind: TargetKind,
    /// The language of its messages.
    pub language: NoticeLanguage,
    /// The chat of a bot.
    pub chat_id: Option<String>,
    /// The body of a webhook's messages.
    pub template: Option<String>,
    /// All that is secret.
    pub credentials: TargetCredentials,
}

/// A POST of JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    /// Where. Secret, for most platforms take whoever knows it for a friend.
    pub url: Secret,
    /// Headers beside `content-type`.
    pub headers: Vec<(String, Secret)>,
    /// The body.
    pub body: Value,
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// In words.
    pub why: String,
    /// Trying again is of no use.
    pub is_final: bool,
    /// How long it asks to be left alone.
    pub wait: Option<Duration>,
}

/// Writes a message.
///
/// # Errors
/// Says what the target lacks.
pub fn write(
    address: &Address,
    notice: &Notice,
    words: &Words,
    now: DateTime<Utc>,
) -> Result<Letter, String> {
    match address.kind {
        TargetKind::Feishu => feishu::write(address, notice.level(), words, now),
        TargetKind::Dingtalk => dingtalk::write(address, words, now),
        TargetKind::Wecom => wecom::write(address, words),
        TargetKind::Telegram => telegram::write(address, words),
        TargetKind::Slack => slack::write(address, words),
        TargetKind::Webhook => webhook::write(address, notice, words),
    }
}

/// What an answer means.
///
/// # Errors
/// When the message was not taken.
pub fn judge(
    kind: TargetKind,
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
) -> Result<(), Refused> {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let wait = retry_after.and_then(|text| text.trim().parse().ok());
    if !(200..300).contains(&status) {
        let wait = wait.or_else(|| telegram::wait(kind, &json));
        return Err(Refused {
            why: format!("the answer is {status}: {}", shown(body)),
            is_final: FINAL.contains(&status),
            wait: wait.map(Duration::from_secs),
        });
    }
    let is_taken = match kind {
        TargetKind::Feishu => feishu::is_taken(&json),
        TargetKind::Dingtalk | TargetKind::Wecom => json["errcode"] == 0,
        TargetKind::Telegram => json["ok"] == true,
        TargetKind::Slack | TargetKind::Webhook => true,
    };
    if is_taken {
        return Ok(());
    }
    Err(Refused {
        why: format!("the platform refuses it: {}", shown(body)),
        is_final: false,
        wait: None,
    })
}

/// The beginning of an answer.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let kept: String = text.trim().chars().take(SHOWN).collect();
    if kept.is_empty() {
        "nothing".to_owned()
    } else {
        kept
    }
}

fn url_of(address: &Address) -> Result<&Secret, String> {
    let url = address.credentials.url.as_ref();
    url.ok_or_else(|| "the target has no url".to_owned())
}

/// The lines that fit into so many bytes once `escape` has had them, and a dot for each that does not.
fn fitted(lines: &[String], most: usize, escape: impl Fn(&str) -> String) -> Vec<String> {
    let mut kept = Vec::new();
    let mut left = most;
    for line in lines {
        let line = escape(line);
        if line.len() + 8 > left {
            kept.push("…".to_owned());
            break;
        }
        // Marks and the line's end beside it.
        left -= line.len() + 8;
        kept.push(line);
    }
    kept
}

/// For markdown of the kind that knows `<font>`, `<@user>` and links: what begins those is replaced by its likeness.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '<' => '＜',
            '>' => '＞',
            '[' => '［',
            ']' => '］',
            '`' => '\'',
            '\n' | '\r' => ' ',
            other => other,
        })
        .collect()
}

/// `&`, `<` and `>` as entities.
fn entities(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// HMAC-SHA256 in Base64, which two platforms sign with.
fn sign(key: &str, message: &str) -> String {
    use aws_lc_rs::hmac;
    use base64::Engine;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, message.as_bytes());
    base64::prelude::BASE64_STANDARD.encode(tag)
}

/// The colour a card's head has.
fn colour(level: Level) -> &'static str {
    match level {
        Level::Problem => "red",
        Level::Warning => "orange",
        Level::Good => "green",
        Level::Info => "blue",
    }
}

#[cfg(test)]
mod tests;
