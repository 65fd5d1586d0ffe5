//! A streamed answer as numbered events, each made when it is due, and the framing of events.

use bytes::Bytes;
use serde_json::Value;

use super::ask::Framing;
use super::fault::Fault;

/// What a stream of events has where its protocol has no event for it.
pub(super) const COMMENT: Bytes = Bytes::from_static(b": ping\n\n");

/// A streamed answer: opening events, one delta for each piece of text, closing events.
pub(super) trait Score: Send {
    /// How many opening, delta and closing events there are.
    fn shape(&self) -> Shape;

    /// Event number `n` of [`Shape::total`].
    fn event(&self, n: usize) -> Bytes;

    /// What says that the connection lives, and nothing else.
    fn ping(&self) -> Bytes {
        COMMENT
    }

    /// The protocol's way to say, as event number `n`, that the stream failed.
    fn failure(&self, n: usize, fault: &Fault) -> Bytes;
}

/// The numbers of events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) opening: usize,
    pub(super) deltas: usize,
    pub(super) closing: usize,
}

/// An event's place in its part of the stream.
pub(super) enum Place {
    Opening(usize),
    Delta(usize),
    Closing(usize),
}

// === impl Shape ===

impl Shape {
    pub(super) fn total(self) -> usize {
        self.opening + self.deltas + self.closing
    }

    pub(super) fn place(self, n: usize) -> Place {
        if n < self.opening {
            Place::Opening(n)
        } else if n < self.opening + self.deltas {
            Place::Delta(n - self.opening)
        } else {
            Place::Closing(n - self.opening - self.deltas)
        }
    }
}

/// A named event whose data has its name as `type`, first, as Anthropic and Responses send them.
pub(super) fn named(name: &str, fields: &Value) -> Bytes {
    let fields = fields.to_string();
    // An object's text without its opening brace.
    let rest = fields.get(1..).unwrap_or_default();
    let comma = if rest == "}" { "" } else { "," };
    Bytes::from(format!(
        "event: {name}\ndata: {{\"type\":\"{name}\"{comma}{rest}\n\n"
    ))
}

/// An event of data alone.
pub(super) fn data(data: impl std::fmt::Display) -> Bytes {
    Bytes::from(format!("data: {data}\n\n"))
}

// === impl Framing ===

impl Framing {
    /// Event `n`; `last` closes what `n == 0` opened.
    pub(super) fn frame(self, n: usize, last: bool, event: &Value) -> Bytes {
        Bytes::from(match self {
            Self::Sse => format!("data: {event}\n\n"),
            Self::SseCrlf => format!("data: {event}\r\n\r\n"),
            Self::JsonArray => format!(
                "{}{event}{}",
                if n == 0 { "[" } else { ",\r\n" },
                if last { "\n]" } else { "" }
            ),
        })
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream; charset=utf-8",
            Self::SseCrlf => "text/event-stream",
            Self::JsonArray => "application/json; charset=UTF-8",
        }
    }
}
