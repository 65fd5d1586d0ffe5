//! The facts of one answer, whatever its protocol: who answers, what, at what cost.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use super::behaviour::Behaviour;

/// One answer of the model.
pub(super) struct Turn {
    /// Different for every answer.
    pub(super) id: String,
    pub(super) model: String,
    /// Seconds since 1970.
    pub(super) created: u64,
    pub(super) text: Pieces,
    /// It says nothing, not even an empty text.
    pub(super) is_hollow: bool,
    /// `None`: the answer says nothing of usage.
    pub(super) usage: Option<Usage>,
}

/// Tokens in disjoint buckets, except that `reasoning` is a part of `output`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write_5m: u64,
    pub(super) cache_write_1h: u64,
    pub(super) reasoning: u64,
}

/// The text of an answer, in the pieces it is streamed in. A long stream costs no memory: pieces are cut when sent.
pub(super) struct Pieces {
    text: String,
    count: usize,
    /// Every piece is the whole text, in place of a part of it.
    repeats: bool,
}

const DEFAULT_PIECES: usize = 2;
const DEFAULT_INPUT: u64 = 25;
const DEFAULT_OUTPUT: u64 = 5;

// === impl Turn ===

impl Turn {
    pub(super) fn new(model: String, text: &str, behaviour: &Behaviour) -> Self {
        Self {
            id: uuid::Uuid::now_v7().simple().to_string(),
            model,
            created: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            text: if behaviour.no_content {
                Pieces::none()
            } else {
                Pieces::new(text, behaviour)
            },
            is_hollow: behaviour.no_content,
            usage: (!behaviour.omit_usage).then(|| Usage::new(behaviour)),
        }
    }
}

// === impl Usage ===

impl Usage {
    pub(super) fn new(behaviour: &Behaviour) -> Self {
        let reasoning = behaviour.reasoning.unwrap_or(0);
        Self {
            input: behaviour.input.unwrap_or(DEFAULT_INPUT),
            output: behaviour.output.unwrap_or(match behaviour.no_content {
                true => reasoning,
                false => DEFAULT_OUTPUT.max(reasoning),
            }),
            cache_read: behaviour.cache_read.unwrap_or(0),
            cache_write_5m: behaviour.cache_write_5m.unwrap_or(0),
            cache_write_1h: behaviour.cache_write_1h.unwrap_or(0),
            reasoning,
        }
    }

    /// All input, as the protocols count it that do not report buckets apart.
    pub(super) fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    pub(super) fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}

// === impl Pieces ===

impl Pieces {
    fn new(text: &str, behaviour: &Behaviour) -> Self {
        let count = behaviour.chunks.unwrap_or(DEFAULT_PIECES);
        if let Some(size) = behaviour.chunk_bytes {
            return Self {
                text: fitted(text, size),
                count,
                repeats: true,
            };
        }
        // A text that has fewer characters than there are pieces cannot be cut into them. When the number of pieces
        // was asked for, each is the whole text; by default there are as many as there are characters.
        let chars = text.chars().take(count).count();
        let repeats = chars < count && behaviour.chunks.is_some();
        Self {
            text: text.to_owned(),
            count: if repeats { count } else { chars },
            repeats,
        }
    }

    fn none() -> Self {
        Self {
            text: String::new(),
            count: 0,
            repeats: false,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Piece `index` of [`Pieces::count`].
    pub(super) fn piece(&self, index: usize) -> &str {
        if self.repeats {
            return &self.text;
        }
        &self.text[self.edge(index)..self.edge(index + 1)]
    }

    /// All pieces, joined.
    pub(super) fn whole(&self) -> Cow<'_, str> {
        match (self.repeats, self.count) {
            (true, count) => Cow::Owned(self.text.repeat(count)),
            (false, 0) => Cow::Borrowed(""),
            (false, _) => Cow::Borrowed(&self.text),
        }
    }

    /// Where piece `index` starts: an even share of the bytes, moved up to the next character.
    fn edge(&self, index: usize) -> usize {
        self.text
            .ceil_char_boundary(self.text.len() * index / self.count.max(1))
    }
}

/// `text`, repeated and cut to at most `size` bytes at a character's edge.
fn fitted(text: &str, size: usize) -> String {
    let mut fitted = String::with_capacity(size);
    let mut chars = text.chars().cycle();
    while let Some(next) = chars.next()
        && fitted.len() + next.len_utf8() <= size
    {
        fitted.push(next);
    }
    fitted
}
