//! Tests of the usage that is asked for on our own account.

use bytes::Bytes;
use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::wire::patch;
use crate::wire::peek::peek;

const ENDPOINT: Endpoint = Endpoint {
    protocol: Protocol::Openai,
    operation: Operation::Generate,
    model: None,
};

/// The body after the demand, and its note.
fn demanded(endpoint: &Endpoint, body: &str) -> Option<(String, &'static str)> {
    let peek = peek(endpoint.protocol, &HeaderMap::new(), body.as_bytes()).unwrap();
    let demand = demand(endpoint, &peek, body.as_bytes())?;
    let edited = patch::apply(&Bytes::from(body.to_owned()), vec![demand.edit]);
    Some((String::from_utf8(edited.into()).unwrap(), demand.note))
}

#[test]
fn a_body_that_leaves_it_out_gets_it_and_keeps_the_rest() {
    for (body, expected, note) in [
        (
            r#"{"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#,
            ADDED,
        ),
        (
            " \n{ \"stream\" : true }\n",
            " \n{\"stream_options\":{\"include_usage\":true}, \"stream\" : true }\n",
            ADDED,
        ),
        (
            r#"{"stream":true,"stream_options":null}"#,
            r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ADDED,
        ),
        (
            r#"{"stream_options": { } ,"stream":true}"#,
            r#"{"stream_options": {"include_usage":true } ,"stream":true}"#,
            ADDED,
        ),
        (
            r#"{"stream_options":{"include_obfuscation":false},"stream":true}"#,
            r#"{"stream_options":{"include_usage":true,"include_obfuscation":false},"stream":true}"#,
            ADDED,
        ),
        (
            r#"{"stream_options":{"x":{"include_usage":true},"include_usage": false},"stream":true}"#,
            r#"{"stream_options":{"x":{"include_usage":true},"include_usage": true},"stream":true}"#,
            CHANGED,
        ),
        (
            r#"{"stream_options":{"include_usage":null},"stream":true}"#,
            r#"{"stream_options":{"include_usage":true},"stream":true}"#,
            ADDED,
        ),
        (
            r#"{"stream_options":{"include_usage":true},"stream":true,"stream_options":{}}"#,
            r#"{"stream_options":{"include_usage":true},"stream":true,"stream_options":{"include_usage":true}}"#,
            ADDED,
        ),
    ] {
        let (edited, noted) = demanded(&ENDPOINT, body).unwrap();
        assert_eq!((&*edited, noted), (expected, note), "{body}");
    }
}

#[test]
fn a_body_that_asks_streams_nothing_or_is_another_protocols_is_left_alone() {
    for body in [
        r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
        r#"{"stream":true,"stream_options":{"include_usage":1}}"#,
        r#"{"stream":true,"stream_options":[]}"#,
        r#"{"stream":false}"#,
        r#"{"stream":null,"stream_options":{}}"#,
        r#"{"messages":[{"stream":true}]}"#,
        "{}",
    ] {
        assert_eq!(demanded(&ENDPOINT, body), None, "{body}");
    }
    for (protocol, operation) in [
        (Protocol::Openai, Operation::Embed),
        (Protocol::Openai, Operation::Passthrough),
        (Protocol::Responses, Operation::Generate),
        (Protocol::Anthropic, Operation::Generate),
    ] {
        let endpoint = Endpoint {
            protocol,
            operation,
            model: None,
        };
        assert_eq!(demanded(&endpoint, r#"{"stream":true}"#), None);
    }
}

const CONTENT: &str = r#"data: {"id":"c","choices":[{"index":0,"delta":{"content":"a \"choices\":[] \"usage\":{}"}}],"usage":null}"#;
const USAGE: &str =
    r#"data: {"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
const DONE: &str = "data: [DONE]";

/// The stream as it is when each of `sizes` is the length of a read, over and over.
fn pass(text: &str, sizes: &[usize]) -> String {
    let mut chunk = UsageChunk::default();
    let mut out = Vec::new();
    let mut rest = Bytes::from(text.to_owned());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let read = rest.split_to(rest.len().min(*size));
        out.extend(chunk.pass(read, false));
    }
    out.extend(chunk.pass(Bytes::new(), true));
    String::from_utf8(out).unwrap()
}

#[test]
fn the_chunk_is_taken_out_wherever_the_reads_end() {
    for newline in ["\n", "\r\n"] {
        let stream = |events: &[&str]| -> String {
            let lines =
                |event: &&str| format!("{}{newline}{newline}", event.replace('\n', newline));
            events.iter().map(lines).collect()
        };
        let pretty =
            "data: {\ndata: \"usage\" : {\"prompt_tokens\": 1},\ndata: \"choices\" : [ ] }";
        for usage in [USAGE, pretty, &format!(": ping\nid: 7\n{USAGE}")] {
            let with = stream(&[CONTENT, ": ping", usage, DONE]);
            let without = stream(&[CONTENT, ": ping", DONE]);
            for size in 1..=with.len() {
                assert_eq!(pass(&with, &[size]), without, "{size} of {usage}");
            }
        }
        // The last blank line may be missing.
        let cut = stream(&[CONTENT, USAGE]);
        let cut = cut.trim_end();
        for size in 1..=cut.len() {
            assert_eq!(pass(cut, &[size]), stream(&[CONTENT]), "{size}");
        }
    }
}

#[test]
fn everything_else_passes() {
    for event in [
        CONTENT,
        DONE,
        r#"data: {"choices":[],"usage":null}"#,
        r#"data: {"choices":[],"prompt_filter_results":[]}"#,
        r#"data: {"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#,
        r#"data: {"choices":[],"usage":{"prompt_tokens":1},"error":{"message":"no"}}"#,
        r#"data: {"error":{"message":"no"}}"#,
        r#"data: {"choices":[],"usage":{"prompt_tokens":1}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1}}"#,
        "<html>",
        "",
        "\r\r",
    ] {
        for text in [event.to_owned(), format!("{event}\n\n{event}\n\n")] {
            for size in 1..=text.len().max(1) {
                assert_eq!(pass(&text, &[size]), text, "{size}");
            }
        }
    }
}

#[test]
fn nothing_is_copied_and_no_event_waits_without_need() {
    let mut chunk = UsageChunk::default();
    let whole = Bytes::from(format!("{CONTENT}\n\n{CONTENT}\n\n"));
    let passed = chunk.pass(whole.clone(), false);
    assert_eq!((passed.as_ptr(), &passed), (whole.as_ptr(), &whole));
    // The usage at the end of a read costs no copy either.
    let last = Bytes::from(format!("{CONTENT}\n\n{USAGE}\n\n"));
    let passed = chunk.pass(last.clone(), false);
    assert_eq!(
        (passed.as_ptr(), passed.len()),
        (last.as_ptr(), CONTENT.len() + 2)
    );
    // An event goes out as soon as it cannot be the one.
    let (known, rest) = CONTENT.split_at(CONTENT.find("\"index\"").unwrap());
    let known = Bytes::from(known);
    assert_eq!(chunk.pass(known.clone(), false), known);
    assert_eq!(chunk.pass(Bytes::from(rest), false), rest);
    // One that went out in part goes out whole, in one read too.
    let odd = format!("{USAGE}\n: \"choices\":[1]\n\n");
    assert_eq!(pass(&odd, &[usize::MAX]), odd);
    assert_eq!(pass(&odd, &[odd.len() - 1]), odd);
    // What has no end is not held for long.
    let mut chunk = UsageChunk::default();
    let mut out = 0;
    for n in 1..100 {
        out += chunk.pass(Bytes::from(vec![b'a'; 1000]), false).len();
        assert!(n * 1000 - out <= 16 * 1024);
    }
}

fn event() -> impl Strategy<Value = String> {
    let newline = select(vec!["\n", "\r\n"]);
    let text = prop_oneof![
        4 => Just(CONTENT),
        3 => Just(USAGE),
        1 => Just(DONE),
        1 => Just(r#"data: {"choices":[],"usage":null}"#),
        1 => Just(r#"data: {"usage":{"prompt_tokens":1},"choices":[]}"#),
        1 => Just(": choices"),
        1 => Just(""),
    ];
    (text, newline).prop_map(|(text, newline)| format!("{text}{newline}{newline}"))
}

fn is_to_go(event: &str) -> bool {
    event
        .trim_end()
        .strip_prefix("data: ")
        .and_then(|data| serde_json::from_str::<Value>(data).ok())
        .is_some_and(|chunk| chunk["choices"] == json!([]) && chunk["usage"].is_object())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn only_usage_chunks_go(events in vec(event(), 0..12), sizes in vec(1usize..400, 1..12)) {
        let kept: String = events.iter().filter(|e| !is_to_go(e)).cloned().collect();
        assert_eq!(pass(&events.concat(), &sizes), kept);
    }

    #[test]
    fn no_bytes_panic_and_the_reads_do_not_matter(
        text in r#"(data: |\{"choices":\[|\]|\},?|"usage":\{|\{|\n|\r\n|\r|\[DONE\]|é|a){0,60}"#,
        sizes in vec(1usize..40, 1..12),
    ) {
        assert_eq!(pass(&text, &sizes), pass(&text, &[usize::MAX]));
    }

    #[test]
    fn the_edited_body_asks_for_usage_and_says_the_same(
        options in prop_oneof![
            Just(None),
            Just(Some(json!(null))),
            Just(Some(json!({}))),
            Just(Some(json!({"include_usage": false}))),
            Just(Some(json!({"include_usage": null, "x": [1, {"include_usage": 2}]}))),
            Just(Some(json!({"a": "}\"", "include_obfuscation": true}))),
        ],
        text: String,
        is_pretty: bool,
    ) {
        let mut tree = json!({"model": "m", "messages": [text], "stream": true});
        if let Some(options) = options {
            tree["stream_options"] = options;
        }
        let body = if is_pretty { serde_json::to_string_pretty(&tree).unwrap() } else { tree.to_string() };
        let (edited, _) = demanded(&ENDPOINT, &body).unwrap();
        if !tree["stream_options"].is_object() {
            tree["stream_options"] = json!({});
        }
        tree["stream_options"]["include_usage"] = json!(true);
        assert_eq!(serde_json::from_str::<Value>(&edited).unwrap(), tree);
        assert_eq!(demanded(&ENDPOINT, &edited), None);
    }
}
