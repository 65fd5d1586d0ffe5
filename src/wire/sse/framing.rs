//! Where a stream of events stands: between two of them, or inside of one.

/// Follows what is written to a client, so that an event of ours goes between two of the upstream's and never into one.
///
/// Only the last three bytes matter: an event ends with a blank line, and a line with LF or CR LF. Lines that end with a bare CR,
/// which no provider sends, count as inside; where it is not sure it says no.
#[derive(Debug, Clone, Copy)]
pub struct Framing {
    last: [u8; 3],
}

// === impl Framing ===

impl Framing {
    /// Takes the next bytes that go to the client.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.last = *last;
            return;
        }
        for byte in bytes {
            self.last = [self.last[1], self.last[2], *byte];
        }
    }

    /// Whether an event may be put here.
    #[must_use]
    pub fn is_between(self) -> bool {
        matches!(self.last, [_, b'\n', b'\n'] | [b'\n', b'\r', b'\n'])
    }
}

impl Default for Framing {
    /// Before the first byte it is between two events.
    fn default() -> Self {
        Self { last: *b"\n\n\n" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sse::Splitter;

    fn is_between(chunks: &[&str]) -> bool {
        let mut framing = Framing::default();
        chunks.iter().for_each(|c| framing.feed(c.as_bytes()));
        framing.is_between()
    }

    #[test]
    fn only_a_blank_line_ends_an_event() {
        assert!(is_between(&[]));
        for text in [
            "data: a\n\n",
            "data: a\r\n\r\n",
            ": c\n\n",
            "\n",
            "\r\n",
            "a\n\r\n",
        ] {
            assert!(is_between(&[text]), "{text:?}");
        }
        for text in [
            "d",
            "data: a",
            "data: a\n",
            "data: a\r\n",
            "data: a\r\n\r",
            "a\r\r",
            "\r",
        ] {
            assert!(!is_between(&[text]), "{text:?}");
        }
    }

    #[test]
    fn it_does_not_depend_on_chunks() {
        let text = "event: a\r\ndata: 1\r\n\r\ndata: 2\n\n: c\n\ndata: 3\r\n";
        for end in 0..=text.len() {
            let pieces: Vec<String> = text[..end].chars().map(String::from).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            assert_eq!(is_between(&pieces), is_between(&[&text[..end]]), "{end}");
        }
    }

    #[test]
    fn an_event_put_there_damages_no_other() {
        let text = "event: a\r\ndata: 1\r\n\r\ndata: 2\ndata: 3\n\n: c\n\ndata: 4\n\n";
        let events = |text: &str| {
            let mut seen = Vec::new();
            Splitter::default().feed(text.as_bytes(), &mut |e| seen.push(e.data.to_vec()));
            seen
        };
        let mut places = 0;
        for at in (0..=text.len()).filter(|at| is_between(&[&text[..*at]])) {
            let with_ping = format!("{}data: ping\n\n{}", &text[..at], &text[at..]);
            let mut seen = events(&with_ping);
            seen.retain(|data| data != b"ping");
            assert_eq!(seen, events(text), "{at}");
            places += 1;
        }
        assert_eq!(places, 5);
    }
}
