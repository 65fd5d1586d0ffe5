//! How far an answer has come: a case for every kind of frame of every protocol, and every way of cutting them.

use super::*;

const A: Protocol = Protocol::Anthropic;
const O: Protocol = Protocol::Openai;
const R: Protocol = Protocol::Responses;
const G: Protocol = Protocol::Gemini;
const C: Protocol = Protocol::GeminiCli;

/// Frames with the phase each leads to; the name of an `event:` line may be left out where there is a type.
const FRAMES: &str = include_str!("../../fixtures/frames.txt");

fn frames() -> Vec<(Protocol, &'static str, Phase)> {
    let lines = FRAMES
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().unwrap();
            let protocol = word();
            let phase = match word() {
                "open" => Phase::Open,
                "content" => Phase::Content,
                "ended" => Phase::Ended,
                "failed" => Phase::Failed,
                "foreign" => Phase::Foreign,
                other => panic!("no phase is called {other}"),
            };
            let protocol = [A, O, R, G, C].into_iter().find(|p| p.name() == protocol);
            (protocol.unwrap(), word(), phase)
        })
        .collect()
}

/// The phase after each of the chunks, and the meter.
fn phases(protocol: Protocol, chunks: &[&[u8]]) -> (Vec<Phase>, Meter) {
    let mut meter = meter(protocol);
    let after = |chunk: &&[u8]| {
        meter.feed(chunk);
        meter.phase()
    };
    (chunks.iter().map(after).collect(), meter)
}

fn last(protocol: Protocol, text: &str) -> Meter {
    phases(protocol, &[text.as_bytes()]).1
}

#[test]
fn every_kind_of_frame_leads_to_its_phase() {
    let frames = frames();
    assert!(frames.len() > 100);
    for (protocol, data, expected) in &frames {
        let meter = last(*protocol, &format!("data: {data}\n\n"));
        assert_eq!(meter.phase(), *expected, "{protocol:?} {data}");
        let is_bad = matches!(expected, Phase::Failed | Phase::Foreign);
        assert_eq!(meter.error(), is_bad.then_some(*data), "{protocol:?}");
        assert!(!meter.failed_after_content(), "{data}");
        if let Some(kind) = data.strip_prefix(r#"{"type":""#) {
            let name = &kind[..kind.find('"').unwrap()];
            if *protocol != O {
                let named = last(*protocol, &format!("event: {name}\r\ndata: {data}\r\n\r\n"));
                assert_eq!(named.phase(), *expected, "{name} {data}");
            }
        }
    }
}

#[test]
fn an_end_without_content_is_told_from_an_answer() {
    for (protocol, data, is_empty) in [
        (A, r#"{"type":"message_stop"}"#, true),
        (O, "[DONE]", true),
        (
            O,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            true,
        ),
        (
            O,
            r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
            false,
        ),
        (
            O,
            r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#,
            false,
        ),
        (
            O,
            r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
            false,
        ),
        (
            R,
            r#"{"type":"response.completed","response":{"output":[]}}"#,
            true,
        ),
        (
            R,
            r#"{"type":"response.completed","response":{"output":[{"type":"message"}]}}"#,
            false,
        ),
        (
            R,
            r#"{"type":"response.incomplete","response":{"output":[]}}"#,
            false,
        ),
        (G, r#"{"candidates":[{"finishReason":"STOP"}]}"#, true),
        (G, r#"{"candidates":[{"finishReason":"SAFETY"}]}"#, false),
        (
            G,
            r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#,
            false,
        ),
        (G, r#"{"promptFeedback":{"blockReason":"OTHER"}}"#, false),
    ] {
        let meter = last(protocol, &format!("data: {data}\n\n"));
        assert_eq!(meter.phase(), Phase::Ended, "{data}");
        assert_eq!(meter.is_empty(), is_empty, "{data}");
        assert_eq!(meter.has_content(), !is_empty, "{data}");
        assert!(meter.is_complete(), "{data}");
    }
    let tool = "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n\
                data: {\"type\":\"message_stop\"}\n\n";
    assert!(!last(A, tool).is_empty());
}

#[test]
fn whole_answers_end_with_content() {
    for (name, protocol, bytes) in FIXTURES {
        let mut meter = phases(protocol, &[bytes]).1;
        meter.end();
        let expected = match name {
            "anthropic-error.sse" => Phase::Content,
            "responses-failed.sse" => Phase::Failed,
            _ if name.ends_with(".json") && protocol != G => Phase::Content,
            _ => Phase::Ended,
        };
        assert_eq!(meter.phase(), expected, "{name}");
        assert_eq!(meter.failed_after_content(), name == "anthropic-error.sse");
        assert_eq!(meter.is_complete(), name != "anthropic-error.sse", "{name}");
        assert!(!meter.is_empty(), "{name}");
    }
}

#[test]
fn what_is_no_stream_is_foreign_at_once() {
    for text in [
        "<!DOCTYPE html><html>",
        "  <html>",
        "upstream connect error",
        "date: today",
        "\x1f\x08 binary",
    ] {
        let meter = last(A, text);
        assert_eq!(meter.phase(), Phase::Foreign, "{text}");
        assert_eq!(meter.error(), Some(text.trim_start_matches(' ')), "{text}");
        assert!(!meter.has_content() && !meter.is_complete(), "{text}");
    }
    let long = "no ".repeat(5000);
    assert_eq!(last(O, &long).error().map(str::len), Some(2048));
    for text in [
        "",
        "\r\n",
        "dat",
        "event",
        ": comment\n\n",
        "id: 7\n\n",
        "retry\n",
    ] {
        assert_eq!(last(A, text).phase(), Phase::Silent, "{text:?}");
    }
    let (phases, meter) = phases(A, &[b"\xef", b"\xbb\xbf\r\n", b"up", b"stream error"]);
    assert_eq!(phases.last(), Some(&Phase::Foreign));
    assert_eq!(meter.error(), Some("upstream error"));
}

#[test]
fn errors_count_before_content_and_are_reported_after_it() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"no\"}}\n\n";
    let start = "data: {\"type\":\"message_start\"}\n\n";
    let text = "data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n";
    let early = last(A, &format!("{start}{error}{text}"));
    assert_eq!(
        (early.phase(), early.failed_after_content()),
        (Phase::Failed, false)
    );
    let mut late = last(A, &format!("{start}{text}{error}"));
    assert_eq!(
        (late.phase(), late.failed_after_content()),
        (Phase::Content, true)
    );
    assert_eq!(late.error(), None);
    assert_eq!(late.finish().error.as_deref(), Some("no"));
}

#[test]
fn the_last_event_counts_though_it_was_not_closed() {
    let mut meter = last(O, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
    assert_eq!(meter.phase(), Phase::Silent);
    meter.end();
    assert_eq!(meter.phase(), Phase::Content);
    let mut meter = last(
        A,
        "data: {\"type\":\"message_start\"}\n\ndata: {\"type\":\"mess",
    );
    meter.end();
    assert_eq!((meter.phase(), meter.error()), (Phase::Open, None));
}

/// The beginning of an answer that is no stream of events, and how far it comes.
const TEXTS: &[(Protocol, &str, Phase)] = &[
    (
        G,
        r#"[{"usageMetadata":{"promptTokenCount":1}}"#,
        Phase::Open,
    ),
    (
        G,
        r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#,
        Phase::Ended,
    ),
    (
        G,
        r#"[{"candidates":[{"finishReason":"OTHER"}]}]"#,
        Phase::Failed,
    ),
    (
        G,
        r#"[{"promptFeedback":{"blockReason":"SAFETY"}}]"#,
        Phase::Ended,
    ),
    (
        G,
        r#"[{"error":{"code":429,"message":"no"}}]"#,
        Phase::Failed,
    ),
    (
        C,
        r#"{"response":{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"error","error":{"message":"no"}}"#,
        Phase::Failed,
    ),
    (
        A,
        r#"{"type":"message","content":[{"type":"text","text":"a"}]}"#,
        Phase::Content,
    ),
    (A, r#"{"type":"message","content":[]}"#, Phase::Open),
    (O, r#"{"choices":[],"error":null}"#, Phase::Open),
    (O, r#"{"choices":[{"message":{}}]}"#, Phase::Content),
    (
        R,
        r#"{"error":null,"output":[{"type":"message"}]}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"error":{"message":"no"},"output":[]}"#,
        Phase::Failed,
    ),
];

#[test]
fn json_is_followed_too() {
    for (protocol, text, expected) in TEXTS {
        assert_eq!(last(*protocol, text).phase(), *expected, "{text}");
    }
    let late = format!(r#"{{"pad":"{}","error":"no"}}"#, "x".repeat(40_000));
    let meter = last(O, &late);
    assert_eq!(
        (meter.phase(), meter.failed_after_content()),
        (Phase::Content, true)
    );
}

#[test]
fn what_cannot_be_judged_is_content() {
    let mut meter = Meter::new(O, Operation::Passthrough, JSON, None);
    assert_eq!(meter.phase(), Phase::Silent);
    meter.feed(b"x");
    assert_eq!(meter.phase(), Phase::Content);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_phase_never_goes_back_and_does_not_depend_on_chunks(
        picks in vec(0usize..1000, 1..6),
        sizes in vec(1usize..40, 1..30),
        tail in "[a-z<:{\n]{0,8}",
        is_raw: bool,
    ) {
        let frames = frames();
        let protocol = frames[picks[0] % frames.len()].0;
        let own: Vec<_> = frames.iter().filter(|frame| frame.0 == protocol).collect();
        let mut text: String = picks
            .iter()
            .map(|pick| own[pick % own.len()])
            .map(|frame| if is_raw { frame.1.to_owned() } else { format!("data: {}\n\n", frame.1) })
            .collect();
        text.push_str(&tail);
        let mut chunks = Vec::new();
        let mut rest = text.as_bytes();
        for size in sizes.iter().cycle() {
            let (chunk, after) = rest.split_at(rest.len().min(*size));
            chunks.push(chunk);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let (seen, mut pieces) = phases(protocol, &chunks);
        let (_, mut whole) = phases(protocol, &[text.as_bytes()]);
        for is_ended in [false, true] {
            if is_ended {
                pieces.end();
                whole.end();
            }
            assert_eq!(pieces.phase(), whole.phase(), "{text}");
            assert_eq!(pieces.error(), whole.error(), "{text}");
            assert_eq!(pieces.is_complete(), whole.is_complete(), "{text}");
            assert_eq!(pieces.failed_after_content(), whole.failed_after_content(), "{text}");
        }
        for pair in seen.windows(2) {
            assert!(pair[0] <= pair[1], "{seen:?} {text}");
            assert!(pair[0] < Phase::Ended || pair[0] == pair[1], "{seen:?} {text}");
        }
    }
}
