//! `WeCom`: robots of a group.
//!
//! Markdown of at most 4,096 bytes. An answer has `errcode` 0. A robot sends 20 messages a minute at most.
//! Source: <https://developer.work.weixin.qq.com/document/path/91770>.

use serde_json::json;

use super::{Address, Letter, fitted, plain, url_of};
use crate::domain::notice::words::Words;

const MOST: usize = 4_096;

pub(super) fn write(address: &Address, words: &Words) -> Result<Letter, String> {
    let mut content = format!("## {}", plain(&words.title));
    let room = MOST.saturating_sub(content.len());
    for line in fitted(&words.lines, room, plain) {
        content.push_str(&format!("\n> {line}"));
    }
    Ok(Letter {
        url: url_of(address)?.clone(),
        headers: Vec::new(),
        body: json!({ "msgtype": "markdown", "markdown": { "content": content } }),
    })
}
