//! Passing over what cannot matter.
//!
//! Once an answer has begun to say something, nearly everything that follows is text, and of no interest here: what may still come
//! is a usage, an end, an error. So for each protocol there is a list of byte strings, and an event in which none of them occurs
//! changes nothing. They are searched for all at once, over as many events as there are, at several bytes a cycle and without
//! looking for lines or events; only where one occurs its event is cut out and looked at as any other. Where one occurs in vain,
//! in the text perhaps, that costs time and nothing else.
//!
//! The strings lie within names and keys. JSON can escape these (`"\u0075sage"`); no provider does, and one that did would not be
//! understood here, in no event after the first content. The event decides, not what surrounds it: an event is judged by the same
//! strings whether it came alone, with others, or in pieces, and so a reading does not depend on chunks.
//!
//! A usage that every event has, counting on, is replaced by that of the next event: those are put off, see `later.rs`.

use std::sync::LazyLock;

use aho_corasick::Span;
use aho_corasick::packed::{Config, Searcher};
use memchr::memrchr_iter;

use crate::wire::sse::{Event, last_end};

/// What to look for in the events of one protocol.
#[derive(Debug)]
pub(super) struct Sieve {
    /// For all patterns, that of the usage last.
    searcher: Searcher,
    /// For all but that of the usage.
    without_usage: Searcher,
    /// The patterns.
    patterns: Vec<&'static str>,
    /// The usage that may stand in any event, where the protocol has such.
    pub(super) usage: Option<Mark>,
}

/// What an event with a usage contains.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    text: &'static str,
    /// The place in it of a byte that is rare elsewhere.
    rare: usize,
    /// Nearly every event has one, so that it is found from behind at once. Else it is searched for as the patterns are.
    is_usual: bool,
    /// The key of a tier of service, which an event may or may not have beside its usage.
    pub(super) tier: &'static [u8],
}

/// What the start of a text turned out to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Whole events of no interest, or of none but their usage.
    pub(super) len: usize,
    /// Where the first pattern is that is of interest; the text's length where none is.
    pub(super) stop: usize,
    /// Where the last usage is in the run.
    pub(super) usage: Option<usize>,
}

/// How far an event is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    None,
    /// Its usage, and nothing else.
    Usage,
    All,
}

/// An event's name that says that it is an error, and such a type or key. The short one makes the search faster: the shortest pattern
/// decides how many bytes of each are compared first.
const ERROR: &[&str] = &[": error", ":error", ".error", "or\""];
/// Keys that say nothing when they are null.
const NULLABLE: &[&str] = &["or\"", "_reason\""];
const ANTHROPIC: &[&str] = &["message_"];
const RESPONSES: &[&str] = &[
    "e.completed",
    "e.incomplete",
    "e.failed",
    "e.done",
    "e.created",
    "e.in_progress",
    "e.queued",
];
/// In each chunk before the last the reason is null.
const CHAT: &[&str] = &["[DONE]", "_reason\""];
const CHAT_MODEL: &[&str] = &["\"model\""];
const CHAT_USAGE: Mark = Mark {
    text: "_tokens\"",
    rare: 0,
    is_usual: false,
    tier: b"service_tier",
};
const GEMINI: &[&str] = &["tFeedback\""];
const GEMINI_REASON: &[&str] = &["hReason\""];
const GEMINI_MODEL: &[&str] = &["lVersion\""];
const GEMINI_USAGE: Mark = Mark {
    text: "\"usageMetadata\"",
    rare: 6,
    is_usual: true,
    tier: b"serviceTier",
};

static OF_ANTHROPIC: LazyLock<Sieve> = LazyLock::new(|| Sieve::new(&[ERROR, ANTHROPIC], None));
static OF_RESPONSES: LazyLock<Sieve> = LazyLock::new(|| Sieve::new(&[ERROR, RESPONSES], None));
/// Without and with the model.
static OF_CHAT: LazyLock<[Sieve; 2]> = LazyLock::new(|| {
    [&[][..], CHAT_MODEL].map(|model| Sieve::new(&[ERROR, CHAT, model], Some(CHAT_USAGE)))
});
/// Without and with the reason for its end; of each without and with the model.
static OF_GEMINI: LazyLock<[[Sieve; 2]; 2]> = LazyLock::new(|| {
    let of = |reason, model| Sieve::new(&[ERROR, GEMINI, reason, model], Some(GEMINI_USAGE));
    [&[][..], GEMINI_REASON].map(|reason| [&[][..], GEMINI_MODEL].map(|model| of(reason, model)))
});

pub(super) fn anthropic() -> &'static Sieve {
    &OF_ANTHROPIC
}

pub(super) fn responses() -> &'static Sieve {
    &OF_RESPONSES
}

pub(super) fn chat(wants_model: bool) -> &'static Sieve {
    &OF_CHAT[usize::from(wants_model)]
}

pub(super) fn gemini(wants_end: bool, wants_model: bool) -> &'static Sieve {
    &OF_GEMINI[usize::from(wants_end)][usize::from(wants_model)]
}

// === impl Sieve ===

impl Sieve {
    fn new(patterns: &[&[&'static str]], usage: Option<Mark>) -> Self {
        let patterns = patterns.concat();
        let searched = usage.filter(|mark| !mark.is_usual).map(|mark| mark.text);
        let all = patterns.iter().copied().chain(searched).collect::<Vec<_>>();
        Self {
            searcher: searcher(&all),
            without_usage: searcher(&patterns),
            patterns,
            usage,
        }
    }

    /// Looks a text over that begins between two events.
    pub(super) fn run(&self, text: &[u8]) -> Run {
        let (stop, has_usage) = self.search(text);
        let len = last_end(&text[..stop.unwrap_or(text.len())]);
        Run {
            len,
            stop: stop.unwrap_or(text.len()),
            usage: self.last_usage(&text[..len], has_usage),
        }
    }

    /// How far an event is of interest.
    pub(super) fn judge(&self, event: &Event<'_>) -> Interest {
        if event.event == b"error" || self.search(event.event).0.is_some() {
            return Interest::All;
        }
        let mut interest = Interest::None;
        for part in [event.data, event.tail] {
            let (stop, has_usage) = self.search(part);
            let has_usage = self.last_usage(part, has_usage).is_some();
            if stop.is_some() || (has_usage && event.oversize) {
                return Interest::All;
            }
            if has_usage {
                interest = Interest::Usage;
            }
        }
        interest
    }

    /// Whether a value has more in it than text and usage.
    pub(super) fn is_of_interest(&self, value: &[u8]) -> bool {
        self.search(value).0.is_some()
    }

    /// Where the first pattern is that is more than a usage, and whether there is a usage before it.
    fn search(&self, text: &[u8]) -> (Option<usize>, bool) {
        let (mut start, mut searcher) = (0, &self.searcher);
        let mut has_usage = false;
        while let Some(found) = searcher.find_in(text, Span::from(start..text.len())) {
            match self.patterns.get(found.pattern().as_usize()) {
                None => {
                    has_usage = true;
                    searcher = &self.without_usage;
                }
                Some(key) if NULLABLE.contains(key) && is_null(&text[found.end()..]) => {}
                Some(_) => return (Some(found.start()), has_usage),
            }
            start = found.start() + 1;
        }
        (None, has_usage)
    }

    fn last_usage(&self, text: &[u8], has_usage: bool) -> Option<usize> {
        let mark = self.usage.filter(|mark| has_usage || mark.is_usual)?;
        mark.find_last(text)
    }
}

fn searcher(patterns: &[&str]) -> Searcher {
    // Where the processor has no vectors.
    let plain = || {
        let mut config = Config::new();
        let config = config.only_rabin_karp(true);
        config.builder().extend(patterns).build()
    };
    Searcher::new(patterns)
        .or_else(plain)
        .expect("there are patterns, and none is empty")
}

/// Whether a key is followed by null. White space does not include ends of lines: what is split over lines is looked into.
fn is_null(rest: &[u8]) -> bool {
    if rest.starts_with(b":null") {
        return true;
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let after_blanks = |text: &[u8]| text.iter().position(|b| !is_blank(b)).unwrap_or(text.len());
    let rest = &rest[after_blanks(rest)..];
    rest.strip_prefix(b":")
        .is_some_and(|value| value[after_blanks(value)..].starts_with(b"null"))
}

// === impl Mark ===

impl Mark {
    /// Where the last one is.
    pub(super) fn find_last(&self, text: &[u8]) -> Option<usize> {
        let mark = self.text.as_bytes();
        memrchr_iter(mark[self.rare], text)
            .filter_map(|at| at.checked_sub(self.rare))
            .find(|at| text[*at..].starts_with(mark))
    }
}
