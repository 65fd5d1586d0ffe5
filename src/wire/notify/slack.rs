//! Slack: incoming webhooks.
//!
//! `blocks` are shown and `text` is for notifications. A header has 150 characters at most, a section 3,000; `&`, `<` and `>` in marked-up
//! text are entities, else `<!channel>` would wake everybody. A message that is taken is answered 200, one that is not 400, 403, 404 or 410;
//! more than one a second 429 with `Retry-After`.
//! Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/block-kit/blocks/header-block>, <https://docs.slack.dev/apis/web-api/rate-limits>.

use serde_json::{Value, json};

use super::{Address, Letter, entities, fitted, url_of};
use crate::domain::notice::words::Words;

const HEADER: usize = 150;
/// Bytes, of which there are no fewer than characters.
const SECTION: usize = 3_000;

pub(super) fn write(address: &Address, words: &Words) -> Result<Letter, String> {
    // Plain text knows no marks; the text beside the blocks does.
    let header: String = words.title.chars().take(HEADER).collect();
    let lines = fitted(&words.lines, SECTION, str::to_owned).join("\n");
    let text = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
    let mut blocks = vec![json!({ "type": "header", "text": text(&header) })];
    if !lines.is_empty() {
        blocks.push(json!({ "type": "section", "text": text(&lines) }));
    }
    Ok(Letter {
        url: url_of(address)?.clone(),
        headers: Vec::new(),
        body: json!({ "text": entities(&words.title), "blocks": Value::from(blocks) }),
    })
}
