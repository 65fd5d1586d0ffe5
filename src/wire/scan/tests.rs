//! Tests of the scanner.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, proptest};

use super::*;
use crate::wire::block::levels;

const KEYS: &[&str] = &["usage", "model"];

/// What the scanner finds, which is the same at every level of instructions.
fn scan(envelope: Option<&'static str>, text: &str, size: usize) -> (Vec<String>, bool) {
    let found = scan_with(Level::new(), envelope, text, size);
    for level in levels() {
        let again = scan_with(level, envelope, text, size);
        assert_eq!(again, found, "{level:?}");
    }
    found
}

fn scan_with(
    level: Level,
    envelope: Option<&'static str>,
    text: &str,
    size: usize,
) -> (Vec<String>, bool) {
    let mut scanner = Scanner::new(KEYS, envelope);
    scanner.instructions = level;
    let mut found = Vec::new();
    for chunk in text.as_bytes().chunks(size) {
        scanner.feed(chunk, &mut |key, value| {
            found.push(format!("{key}={}", String::from_utf8_lossy(value)));
        });
    }
    (found, scanner.is_complete())
}

#[test]
fn only_keys_of_interest_are_seen() {
    for (envelope, text, expected) in [
        (
            None,
            r#"{"model":"m","usage":{"a":[1,{"b":"}"}]}}"#,
            vec![r#"model="m""#, r#"usage={"a":[1,{"b":"}"}]}"#],
        ),
        (
            None,
            r#"{"x":{"usage":1},"y":["usage",{"usage":2}],"usage" : 3 }"#,
            vec!["usage=3"],
        ),
        (
            None,
            r#"{"x":"\"usage\":1,","usage":null}"#,
            vec!["usage=null"],
        ),
        (
            None,
            r#"{"x":"usage","usage":true,"usage":false}"#,
            vec!["usage=true", "usage=false"],
        ),
        (
            None,
            r#"[{"usage":1},{"x":[{"usage":9}]},{"usage":2}]"#,
            vec!["usage=1", "usage=2"],
        ),
        (
            None,
            "{\"usage\":1}\n{\"usage\":2}\n",
            vec!["usage=1", "usage=2"],
        ),
        (None, r#"[[{"usage":1}]]"#, vec![]),
        (None, r#"{"response":{"usage":1}}"#, vec![]),
        (
            Some("response"),
            r#"{"a":{"usage":0},"response":{"usage":1,"x":{"response":{"usage":9}}},"usage":2}"#,
            vec!["usage=1", "usage=2"],
        ),
        (
            Some("response"),
            r#"[{"response":{"x":{},"usage":1}},{"response":[{"usage":9}]},{"response":{"usage":2}}]"#,
            vec!["usage=1", "usage=2"],
        ),
        (
            Some("response"),
            r#"{"response":{"response":{"usage":9},"usage":1}}"#,
            vec!["usage=1"],
        ),
        (
            None,
            r#"{"us\u0061ge":1,"a_very_long_key_indeed_usage":2,"":3}"#,
            vec![],
        ),
    ] {
        for size in [1, 2, 3, 7, text.len()] {
            let (found, complete) = scan(envelope, text, size);
            assert_eq!(found, expected, "{text} by {size}");
            assert!(complete, "{text}");
        }
    }
}

#[test]
fn a_cut_text_is_not_complete() {
    for text in ["", r#"{"usage":{"a":1}"#, r#"{"usage":1,"x":"}"#, "[{}"] {
        assert!(!scan(None, text, 4).1, "{text}");
    }
}

#[test]
fn a_value_is_captured_up_to_the_limit() {
    let fits = format!(r#"{{"usage":"{}"}}"#, "x".repeat(MAX_VALUE - 2));
    let over = format!(r#"{{"usage":"{}","model":1}}"#, "x".repeat(MAX_VALUE - 1));
    assert_eq!(scan(None, &fits, 1000).0.len(), 1);
    assert_eq!(scan(None, &over, 1000).0, vec!["model=1"]);
}

#[test]
fn twenty_megabytes_take_no_memory() {
    let mut scanner = Scanner::new(KEYS, None);
    scanner.feed(br#"{"content":[{"text":""#, &mut |_, _| {});
    let chunk = br#"line of text\n with \"usage\": {1} "#.repeat(2000);
    for _ in 0..300 {
        scanner.feed(&chunk, &mut |_, _| unreachable!("only text so far"));
    }
    assert!(scanner.value.capacity() == 0);
    let mut found = 0;
    scanner.feed(br#""}],"usage":{"output_tokens":5}}"#, &mut |_, _| {
        found += 1
    });
    assert_eq!((found, scanner.is_complete()), (1, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_text_panics_and_chunks_do_not_matter(text in r#"([\[\]{}:,"\\]|"usage":|"model"|"response":\{|1| ){0,60}"#, size in 1usize..9) {
        let expected = scan(Some("response"), &text, text.len().max(1));
        assert_eq!(scan(Some("response"), &text, size), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Deep enough and long enough for blocks, which reads of a few bytes never are.
    #[test]
    fn blocks_agree_with_single_bytes(
        elements in vec(r#"\{("usage":|"a":|"response":\{)([\[\]{}:,"\\]|"b":|\\"|\\\\|"x{0,70}"|\{"usage":1\}|\[\]){0,60}\}{0,4}"#, 1..12),
        size in 60usize..300,
    ) {
        let text = format!("[{}]", elements.join(","));
        let expected = scan(Some("response"), &text, 1);
        assert_eq!(scan(Some("response"), &text, size), expected);
        assert_eq!(scan(Some("response"), &text, text.len()), expected);
    }
}
