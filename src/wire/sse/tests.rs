//! Tests of the splitter.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};

use super::*;

type Owned = (String, Vec<u8>, Vec<u8>, bool);

fn split(chunks: impl Iterator<Item = Vec<u8>>) -> Vec<Owned> {
    let mut events = Vec::new();
    let mut splitter = Splitter::default();
    let mut keep = |e: Event<'_>| {
        let name = String::from_utf8_lossy(e.event).into_owned();
        events.push((name, e.data.to_vec(), e.tail.to_vec(), e.oversize));
    };
    for chunk in chunks {
        splitter.feed(&chunk, &mut keep);
    }
    splitter.finish(&mut keep);
    events
}

fn whole(stream: &[u8]) -> Vec<(String, String)> {
    split(std::iter::once(stream.to_vec()))
        .into_iter()
        .map(|(name, data, _, oversize)| {
            assert!(!oversize);
            (name, String::from_utf8(data).unwrap())
        })
        .collect()
}

fn event(name: &str, data: &str) -> (String, String) {
    (name.to_owned(), data.to_owned())
}

#[test]
fn the_grammar_of_the_specification() {
    for (stream, expected) in [
        ("data: a\n\n", vec![event("", "a")]),
        (
            "event: x\ndata: a\n\ndata: b\n\n",
            vec![event("x", "a"), event("", "b")],
        ),
        (
            "data:a\r\n\r\ndata: b\r\rdata:  c\n\n",
            vec![event("", "a"), event("", "b"), event("", " c")],
        ),
        ("\u{feff}data: a\n\n", vec![event("", "a")]),
        (
            "\u{feff}event: aa\u{feff}\ndata: b\n\n",
            vec![event("aa\u{feff}", "b")],
        ),
        (
            ": ping\n\n: x\ndata: a\nid: 7\nretry: 9\n\n",
            vec![event("", "a")],
        ),
        ("data: a\ndata: b\ndata\n\n", vec![event("", "a\nb\n")]),
        ("data\n\n", vec![event("", "")]),
        ("event: lost\n\ndata: a\n\n", vec![event("", "a")]),
        ("event: x\nevent: y\ndata: a\n\n", vec![event("y", "a")]),
        ("datax: a\nDATA: b\n data: c\n\n", vec![]),
        ("data: a\nevent: late", vec![event("late", "a")]),
        (
            "event: x\ndata: {\"unclosed\":1}",
            vec![event("x", "{\"unclosed\":1}")],
        ),
        ("", vec![]),
    ] {
        assert_eq!(whole(stream.as_bytes()), expected, "{stream:?}");
        let single = split(stream.bytes().map(|b| vec![b]));
        let single: Vec<_> = single
            .into_iter()
            .map(|(name, data, _, _)| (name, String::from_utf8(data).unwrap()))
            .collect();
        assert_eq!(single, expected, "byte by byte: {stream:?}");
    }
}

#[test]
fn an_event_inside_a_chunk_is_not_copied() {
    let chunk = b"event: a\ndata: {\"x\":1}\n\n: c\ndata: 2\n\n";
    let range = chunk.as_ptr_range();
    let mut count = 0;
    Splitter::default().feed(chunk, &mut |event| {
        assert!(range.contains(&event.data.as_ptr()));
        count += 1;
    });
    assert_eq!(count, 2);
}

#[test]
fn an_endless_event_stays_bounded_and_keeps_both_ends() {
    let body: Vec<u8> = (0..3 * MAX_DATA).map(|n| b'a' + (n % 23) as u8).collect();
    let stream = [b"event: big\ndata: ", &body[..], b"\n\ndata: next\n\n"].concat();
    for size in [1000, 70_001, stream.len()] {
        let mut splitter = Splitter::default();
        let mut seen = Vec::new();
        for chunk in stream.chunks(size) {
            splitter.feed(chunk, &mut |e| {
                seen.push((
                    e.event.to_vec(),
                    e.data.to_vec(),
                    e.tail.to_vec(),
                    e.oversize,
                ));
            });
            assert!(splitter.held.data.capacity() <= 2 * MAX_DATA);
            assert!(splitter.held.tail.capacity() <= 4 * TAIL);
        }
        assert_eq!(seen.len(), 2, "{size}");
        assert!(seen[0].3 && seen[0].0 == b"big");
        assert_eq!(seen[0].1, body[..MAX_DATA]);
        assert_eq!(seen[0].2, body[body.len() - TAIL..]);
        assert_eq!((&seen[1].1[..], seen[1].3), (&b"next"[..], false));
        assert!(splitter.held.data.capacity() <= KEEP);
    }
}

#[test]
fn endless_lines_without_interest_are_not_kept() {
    let mut splitter = Splitter::default();
    for start in [": ", "id: ", "event: "] {
        splitter.feed(start.as_bytes(), &mut |_| {});
        for _ in 0..100 {
            splitter.feed(&[b'x'; 50_000], &mut |_| {});
        }
        assert!(splitter.held.data.is_empty());
        assert!(splitter.held.name.len() <= MAX_NAME);
        splitter.feed(b"\n", &mut |_| {});
    }
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        Just("data: "),
        Just("data:"),
        Just("data"),
        Just("event: "),
        Just("event:"),
        Just(":"),
        Just("id: "),
        Just(""),
        Just("\u{feff}data: "),
    ];
    let end = prop_oneof![
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("\n\n"),
        Just("\r\n\r\n"),
        Just("")
    ];
    (start, vec(any::<u8>(), 0..12), end)
        .prop_map(|(s, v, e)| [s.as_bytes(), &v, e.as_bytes()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn events_do_not_depend_on_chunks(lines in vec(line(), 0..20), sizes in vec(1usize..17, 1..20)) {
        let stream = lines.concat();
        let expected = split(std::iter::once(stream.clone()));
        let mut rest = &stream[..];
        let chunks = sizes.iter().cycle().map_while(|size| {
            let (chunk, after) = rest.split_at_checked(*size).unwrap_or((rest, &[]));
            rest = after;
            (!chunk.is_empty()).then(|| chunk.to_vec())
        });
        assert_eq!(split(chunks), expected);
    }
}
