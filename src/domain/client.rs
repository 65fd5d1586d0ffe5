//! Which client calls, by its `User-Agent`, and whether a provider is for it.
//!
//! A rule is one text. A known client's name stands for that client in every version: `claude-code` and its surfaces
//! (`claude-code-cli`, `claude-code-cli-sdk`, `claude-code-vscode`, `claude-code-sdk-ts`, `claude-code-sdk-py`,
//! `claude-code-gh-action`), `codex-cli` (with `codex_cli_core` for its terminal alone) and `gemini-cli`. Any other text is
//! looked for anywhere in the `User-Agent`; `*` stands for anything. Case, `-` and `_` count nowhere. A rule
//! without a letter matches nobody, `*` alone everybody who says who they are.
//!
//! A `User-Agent` is what a client says of itself: these rules sort clients that are honest, they keep nobody out.

use memchr::memchr;
use memchr::memmem::Finder;

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
    /// The known clients that it is, a bit each.
    known: u16,
}

/// A rule, ready to be held against clients.
#[derive(Debug, Clone)]
pub struct ClientRule(Meaning);

#[derive(Debug, Clone)]
enum Meaning {
    /// A known client, by its bit.
    Known(u16),
    /// These texts, folded, one after another. None at all is anybody where the rule has a `*`.
    Parts {
        parts: Vec<Finder<'static>>,
        has_star: bool,
    },
}

const CLAUDE_CODE: u16 = 1;
const CODEX: u16 = 1 << 1;
const CODEX_TERMINAL: u16 = 1 << 2;
const GEMINI: u16 = 1 << 3;
/// The bit of the first of [`SURFACES`]; the others follow.
const FIRST_SURFACE: u16 = 1 << 4;

/// Whether a provider with these rules is for this client: not if a blocking one matches; else if there are no allowing ones or one of them
/// matches. A client that does not say who it is matches none.
#[must_use]
pub fn admits(allowed: &[ClientRule], blocked: &[ClientRule], client: Option<&Client>) -> bool {
    let is_among = |rules: &[ClientRule]| {
        client.is_some_and(|client| rules.iter().any(|rule| rule.matches(client)))
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
        let known = known(&text[..length]);
        (length > 0).then_some(Self {
            text,
            length,
            known,
        })
    }

    fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }
}

// === impl ClientRule ===

impl ClientRule {
    /// Reads a rule.
    #[must_use]
    pub fn new(rule: &str) -> Self {
        let rule = rule.trim();
        if let Some(bit) = bit_of(rule) {
            return Self(Meaning::Known(bit));
        }
        let parts = rule.split('*').map(|part| fold(part).collect::<Vec<u8>>());
        Self(Meaning::Parts {
            parts: parts
                .filter(|part| !part.is_empty())
                .map(|part| Finder::new(&part).into_owned())
                .collect(),
            has_star: rule.contains('*'),
        })
    }

    /// Whether it means this client.
    #[must_use]
    pub fn matches(&self, client: &Client) -> bool {
        let (parts, has_star) = match &self.0 {
            Meaning::Known(bit) => return client.known & bit != 0,
            Meaning::Parts { parts, has_star } => (parts, *has_star),
        };
        if parts.is_empty() {
            return has_star;
        }
        let mut rest = client.text();
        parts.iter().all(|part| match part.find(rest) {
            Some(at) => {
                rest = &rest[at + part.needle().len()..];
                true
            }
            None => false,
        })
    }
}

/// The bit of the known client of this name; none when the name is nobody's.
fn bit_of(name: &str) -> Option<u16> {
    let is = |known: &str| fold(name).eq(known.bytes());
    let plain = [
        ("claudecode", CLAUDE_CODE),
        ("codexcli", CODEX),
        ("codexclicore", CODEX_TERMINAL),
        ("geminicli", GEMINI),
    ];
    if let Some((_, bit)) = plain.into_iter().find(|(known, _)| is(known)) {
        return Some(bit);
    }
    let surface = SURFACES.iter().position(|(known, _)| is(known))?;
    Some(FIRST_SURFACE << surface)
}

/// The known clients that a folded text is.
fn known(text: &[u8]) -> u16 {
    let begins = |with: &str| text.starts_with(with.as_bytes());
    let mut known = 0;
    if begins("codex") {
        known |= CODEX;
    }
    if begins("codexclirs") || begins("codextui") {
        known |= CODEX_TERMINAL;
    }
    if begins("geminicli") {
        known |= GEMINI;
    }
    if begins("claudecli/") {
        known |= CLAUDE_CODE;
        let entry = entry(text);
        let mut entries = SURFACES.iter().map(|(_, name)| name.as_bytes());
        if let Some(surface) = entries.position(|name| entry == Some(name)) {
            known |= FIRST_SURFACE << surface;
        }
    }
    known
}

/// The surface that Claude Code names: the second word in `claude-cli/2.1.0 (external, cli)`.
fn entry(text: &[u8]) -> Option<&[u8]> {
    let inside = after(text, b'(')?;
    let second = after(inside, b',')?;
    let end = second.iter().position(|byte| b",)".contains(byte))?;
    Some(second[..end].trim_ascii())
}

/// The bytes that count, in lower case.
fn fold(text: &str) -> impl Iterator<Item = u8> {
    text.bytes()
        .filter(|byte| !matches!(byte, b'-' | b'_'))
        .map(|byte| byte.to_ascii_lowercase())
}

fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    memchr(byte, text).map(|at| &text[at + 1..])
}

#[cfg(test)]
mod tests;
