//! Which client calls, by its `User-Agent`, and whether a provider is for it.
//!
//! A rule is one text. A known client's name stands for that client in every version: `claude-code` and its surfaces
//! (`claude-code-cli`, `claude-code-cli-sdk`, `claude-code-vscode`, `claude-code-sdk-ts`, `claude-code-sdk-py`,
//! `claude-code-gh-action`), `codex-cli` (with `codex_cli_core` for its terminal alone) and `gemini-cli`. Any other text is
//! looked for anywhere in the `User-Agent`; `*` stands for anything. Case, `-` and `_` count nowhere. A rule
//! without a letter matches nobody, `*` alone everybody who says who they are.
//!
//! A `User-Agent` is what a client says of itself: these rules sort clients that are honest, they keep nobody out.

use memchr::{memchr, memchr_iter};

/// A `User-Agent` is looked at so far and no further, in bytes; real ones have 20 to 200.
const LONGEST: usize = 512;

/// Claude Code's surfaces: their names in rules, and what they call themselves; both folded.
const SURFACES: [(&str, &str); 6] = [
    ("claudecodecli", "cli"),
    ("claudecodeclisdk", "sdkcli"),
    ("claudecodevscode", "claudevscode"),
    ("claudecodesdkts", "sdkts"),
    ("claudecodesdkpy", "sdkpy"),
    ("claudecodeghaction", "claudecodegithubaction"),
];

/// Who a client says it is: its `User-Agent` in lower case without `-` and `_`, made once and held against many rules.
#[derive(Debug, Clone)]
pub struct Client {
    text: [u8; LONGEST],
    length: usize,
}

/// Whether a provider with these rules is for this client: not if a blocking one matches; else if there are no allowing ones or one of them
/// matches. A client that does not say who it is matches none.
#[must_use]
pub fn admits(allowed: &[String], blocked: &[String], client: Option<&Client>) -> bool {
    let is_among = |rules: &[String]| {
        client.is_some_and(|client| rules.iter().any(|rule| client.matches(rule)))
    };
    !is_among(blocked) && (allowed.is_empty() || is_among(allowed))
}

// === impl Client ===

impl Client {
    /// Takes a `User-Agent`; none when it is blank.
    #[must_use]
    pub fn new(user_agent: &str) -> Option<Self> {
        let mut text = [0; LONGEST];
        let mut length = 0;
        for (slot, byte) in text.iter_mut().zip(fold(user_agent.trim())) {
            *slot = byte;
            length += 1;
        }
        (length > 0).then_some(Self { text, length })
    }

    /// Whether a rule means this client.
    #[must_use]
    pub fn matches(&self, rule: &str) -> bool {
        let rule = rule.trim();
        self.is_known_as(rule)
            .unwrap_or_else(|| self.contains(rule))
    }

    fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// Whether it is the known client of this name; `None` when the name is nobody's.
    fn is_known_as(&self, name: &str) -> Option<bool> {
        let is = |known: &str| fold(name).eq(known.bytes());
        if is("claudecode") {
            return Some(self.begins("claudecli/"));
        }
        if is("codexcli") {
            return Some(self.begins("codex"));
        }
        if is("codexclicore") {
            return Some(self.begins("codexclirs") || self.begins("codextui"));
        }
        if is("geminicli") {
            return Some(self.begins("geminicli"));
        }
        let (_, entry) = SURFACES.iter().find(|(known, _)| is(known))?;
        Some(self.begins("claudecli/") && self.entry() == Some(entry.as_bytes()))
    }

    fn begins(&self, with: &str) -> bool {
        self.text().starts_with(with.as_bytes())
    }

    /// The surface that Claude Code names: the second word in `claude-cli/2.1.0 (external, cli)`.
    fn entry(&self) -> Option<&[u8]> {
        let inside = after(self.text(), b'(')?;
        let second = after(inside, b',')?;
        let end = second.iter().position(|byte| b",)".contains(byte))?;
        Some(second[..end].trim_ascii())
    }

    /// Whether the parts between the rule's `*` are found one after another.
    fn contains(&self, rule: &str) -> bool {
        let mut rest = self.text();
        let mut parts = rule.split('*').filter(|part| fold(part).next().is_some());
        if parts.clone().next().is_none() {
            return rule.contains('*');
        }
        parts.all(|part| match find(rest, part) {
            Some(end) => {
                rest = &rest[end..];
                true
            }
            None => false,
        })
    }
}

/// The bytes that count, in lower case.
fn fold(text: &str) -> impl Iterator<Item = u8> {
    text.bytes()
        .filter(|byte| !matches!(byte, b'-' | b'_'))
        .map(|byte| byte.to_ascii_lowercase())
}

/// Where the first occurrence of a part, which is not folded yet, ends.
fn find(text: &[u8], part: &str) -> Option<usize> {
    let first = fold(part).next()?;
    memchr_iter(first, text).find_map(|start| {
        let mut rest = text[start..].iter();
        let is_here = fold(part).all(|byte| rest.next() == Some(&byte));
        is_here.then(|| text.len() - rest.len())
    })
}

fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    memchr(byte, text).map(|at| &text[at + 1..])
}

#[cfg(test)]
mod tests;
