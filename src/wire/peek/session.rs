//! Where each client keeps the id of its session.

use http::HeaderMap;
use serde::Deserialize;

use crate::domain::protocol::Protocol;

const MAX_LEN: usize = 256;

/// Claude Code's `metadata.user_id`, as it is since 2.1.78.
#[derive(Deserialize)]
struct UserId {
    session_id: String,
}

/// The id from the headers that the protocol's clients send.
pub(super) fn from_headers(protocol: Protocol, headers: &HeaderMap) -> Option<String> {
    let names: &[&str] = match protocol {
        Protocol::Anthropic => &["x-claude-code-session-id"],
        Protocol::Responses => &["session-id", "session_id", "x-session-id"],
        Protocol::Openai => &["x-session-id"],
        Protocol::Gemini | Protocol::GeminiCli => &[],
    };
    names
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .find_map(checked)
}

/// The id from the text found in the body.
pub(super) fn from_body(protocol: Protocol, text: &str) -> Option<String> {
    if protocol != Protocol::Anthropic {
        return checked(text);
    }
    if let Ok(UserId { session_id }) = serde_json::from_str(text) {
        return checked(&session_id);
    }
    // Before: `user_<device>_account_<account>_session_<id>`, the account often empty.
    let (_, id) = text.strip_prefix("user_")?.rsplit_once("_session_")?;
    checked(id)
}

/// Ids go into keys and logs: only short and visible ones are taken.
fn checked(id: &str) -> Option<String> {
    let id = id.trim();
    let is_fine = !id.is_empty() && id.len() <= MAX_LEN && id.bytes().all(|b| b.is_ascii_graphic());
    is_fine.then(|| id.to_owned())
}
