//! How far an answer has come, and how its first bytes tell what it is.

/// How far an answer has come. It only ever grows, except that content, once it has come, can no longer fail: see
/// [`Meter::failed_after_content`](super::Meter::failed_after_content).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// No frame yet.
    #[default]
    Silent,
    /// Only neutral frames of the protocol: it has begun and says nothing.
    Open,
    /// Real content has come: text, thinking, a tool call.
    Content,
    /// The protocol's terminal event has come, with or without content before it.
    Ended,
    /// An error was reported before any content.
    Failed,
    /// Frames or bytes that are not the protocol's: a page, plain text, broken JSON.
    Foreign,
}

/// The first bytes of an answer, as far as they are needed to tell what it is. A chunk may end inside of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Head {
    bytes: [u8; HEAD],
    len: usize,
}

/// What an answer is, told by its first bytes; headers of relays lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Events,
    Json,
    /// Neither.
    Foreign,
}

/// The longest name of a field and its colon.
const HEAD: usize = 6;
/// The fields a line of a stream may begin with; a comment begins with the colon.
const FIELDS: [&[u8]; 4] = [b"data", b"event", b"id", b"retry"];

// === impl Phase ===

impl Phase {
    /// The phase after `next` was seen.
    pub(super) fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Ended | Self::Failed | Self::Foreign, _)
            | (Self::Content, Self::Failed | Self::Foreign) => self,
            _ => self.max(next),
        }
    }
}

// === impl Head ===

impl Head {
    /// Takes the next bytes; `None` while it cannot be told yet.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Option<Kind> {
        for byte in bytes {
            self.bytes[self.len] = *byte;
            self.len += 1;
            if let Some(kind) = kind(self.bytes()) {
                return Some(kind);
            }
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What was taken so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Told at the latest by the sixth byte, because no field's name is longer than five.
fn kind(head: &[u8]) -> Option<Kind> {
    match head.first()? {
        b'{' | b'[' => return Some(Kind::Json),
        b':' => return Some(Kind::Events),
        _ => {}
    }
    for field in FIELDS {
        if field.starts_with(head) {
            return None;
        }
        if let Some([b':' | b'\n' | b'\r', ..]) = head.strip_prefix(field) {
            return Some(Kind::Events);
        }
    }
    Some(Kind::Foreign)
}
