//! `DingTalk`: custom robots of a group.
//!
//! With the security setting *sign*, the address gets `timestamp` (milliseconds, at most an hour off) and `sign`: the HMAC-SHA256 of
//! `timestamp + "\n" + secret` under the secret, in Base64, percent-encoded. An answer has `errcode` 0. A robot sends 20 messages a
//! minute at most; beyond, it is shut out for ten minutes, so messages are put together before they come here.
//! Source: <https://open.dingtalk.com/document/robots/customize-robot-security-settings>,
//! <https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages>.

use chrono::{DateTime, Utc};
use entity::value::Secret;
use serde_json::json;

use super::{Address, Letter, fitted, plain, sign, url_of};
use crate::domain::notice::words::Words;

/// Bytes of text in a message.
const MOST: usize = 16 * 1024;

pub(super) fn write(
    address: &Address,
    words: &Words,
    now: DateTime<Utc>,
) -> Result<Letter, String> {
    let url = url_of(address)?.expose();
    let url = match &address.credentials.secret {
        None => url.to_owned(),
        Some(secret) => {
            let timestamp = now.timestamp_millis();
            let sign = sign(
                secret.expose(),
                &format!("{timestamp}\n{}", secret.expose()),
            );
            let join = if url.contains('?') { '&' } else { '?' };
            format!("{url}{join}timestamp={timestamp}&sign={}", encoded(&sign))
        }
    };
    let title = plain(&words.title);
    let mut text = format!("#### {title}\n");
    for line in fitted(&words.lines, MOST, plain) {
        text.push_str(&format!("\n- {line}"));
    }
    Ok(Letter {
        url: Secret::new(url),
        headers: Vec::new(),
        body: json!({ "msgtype": "markdown", "markdown": { "title": title, "text": text } }),
    })
}

/// Base64's three marks, percent-encoded.
fn encoded(base64: &str) -> String {
    base64
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}
