//! Tests of the meter: one recorded-like answer per protocol and form, read whole and in every kind of pieces.

use std::io::Write;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, proptest};

mod phase;
mod reference;

use super::*;

const SSE: Option<&str> = Some("text/event-stream; charset=utf-8");
const JSON: Option<&str> = Some("application/json");

/// A name, its protocol and the bytes.
const FIXTURES: [(&str, Protocol, &[u8]); 13] = [
    (
        "anthropic.sse",
        Protocol::Anthropic,
        include_bytes!("../fixtures/anthropic.sse"),
    ),
    (
        "anthropic.json",
        Protocol::Anthropic,
        include_bytes!("../fixtures/anthropic.json"),
    ),
    (
        "anthropic-relay.sse",
        Protocol::Anthropic,
        include_bytes!("../fixtures/anthropic-relay.sse"),
    ),
    (
        "anthropic-error.sse",
        Protocol::Anthropic,
        include_bytes!("../fixtures/anthropic-error.sse"),
    ),
    (
        "chat.sse",
        Protocol::Openai,
        include_bytes!("../fixtures/chat.sse"),
    ),
    (
        "chat-cumulative.sse",
        Protocol::Openai,
        include_bytes!("../fixtures/chat-cumulative.sse"),
    ),
    (
        "chat.json",
        Protocol::Openai,
        include_bytes!("../fixtures/chat.json"),
    ),
    (
        "responses.sse",
        Protocol::Responses,
        include_bytes!("../fixtures/responses.sse"),
    ),
    (
        "responses-failed.sse",
        Protocol::Responses,
        include_bytes!("../fixtures/responses-failed.sse"),
    ),
    (
        "responses.json",
        Protocol::Responses,
        include_bytes!("../fixtures/responses.json"),
    ),
    (
        "gemini.sse",
        Protocol::Gemini,
        include_bytes!("../fixtures/gemini.sse"),
    ),
    (
        "gemini-array.json",
        Protocol::Gemini,
        include_bytes!("../fixtures/gemini-array.json"),
    ),
    (
        "gemini-cli.sse",
        Protocol::GeminiCli,
        include_bytes!("../fixtures/gemini-cli.sse"),
    ),
];

fn fixture(name: &str) -> (Protocol, &'static [u8]) {
    let found = FIXTURES.iter().find(|(n, ..)| *n == name).unwrap();
    (found.1, found.2)
}

fn meter(protocol: Protocol) -> Meter {
    Meter::new(protocol, Operation::Generate, SSE, None)
}

fn read_chunks<'a>(protocol: Protocol, chunks: impl Iterator<Item = &'a [u8]>) -> Reading {
    let mut meter = meter(protocol);
    chunks.for_each(|chunk| meter.feed(chunk));
    meter.finish()
}

fn read(name: &str) -> Reading {
    let (protocol, bytes) = fixture(name);
    read_chunks(protocol, std::iter::once(bytes))
}

fn read_text(protocol: Protocol, text: &str) -> Reading {
    read_chunks(protocol, std::iter::once(text.as_bytes()))
}

fn usage(
    input: u64,
    cache_read: u64,
    write5m: u64,
    write1h: u64,
    output: u64,
    reasoning: u64,
) -> Usage {
    Usage {
        input_tokens: input,
        cache_read_tokens: cache_read,
        cache_write5m_tokens: write5m,
        cache_write1h_tokens: write1h,
        output_tokens: output,
        reasoning_tokens: reasoning,
        ..Usage::default()
    }
}

#[test]
fn complete_answers_are_read_to_the_token() {
    for (name, expected, model) in [
        (
            "anthropic.sse",
            usage(12, 18_000, 100, 456, 321, 0),
            "claude-sonnet-4-5-20250929",
        ),
        (
            "anthropic.json",
            usage(10, 2000, 300, 50, 42, 0),
            "claude-sonnet-4-5-20250929",
        ),
        (
            "anthropic-relay.sse",
            usage(25, 900, 40, 0, 7, 0),
            "claude-relayed",
        ),
        ("chat.sse", usage(20, 100, 0, 0, 30, 12), "gpt-5.1-2025"),
        (
            "chat-cumulative.sse",
            usage(9, 0, 0, 0, 3, 0),
            "local-model",
        ),
        ("chat.json", usage(6, 4, 0, 0, 5, 2), "gpt-5.1-2025"),
        (
            "responses.sse",
            usage(1000, 24_000, 0, 0, 500, 320),
            "gpt-5.1-codex",
        ),
        ("responses.json", usage(30, 6, 4, 0, 8, 0), "gpt-5.1-codex"),
        ("gemini.sse", usage(140, 60, 0, 0, 70, 50), "gemini-2.5-pro"),
        (
            "gemini-array.json",
            usage(11, 0, 0, 0, 9, 4),
            "gemini-2.5-flash",
        ),
        ("gemini-cli.sse", usage(8, 2, 0, 0, 6, 3), "gemini-2.5-pro"),
    ] {
        let reading = read(name);
        assert_eq!(reading.usage, expected, "{name}");
        assert_eq!(reading.provenance, Provenance::Terminal, "{name}");
        assert_eq!(reading.model.as_deref(), Some(model), "{name}");
        assert!(reading.complete, "{name}");
        assert_eq!(reading.error, None, "{name}");
        let raw = reading.raw.unwrap();
        let raw: serde_json::Value = serde_json::from_str(&raw).unwrap();
        assert!(raw.is_object() || raw.is_array(), "{name}");
    }
}

#[test]
fn errors_within_a_stream_are_reported() {
    let reading = read("anthropic-error.sse");
    assert_eq!(reading.error.as_deref(), Some("Overloaded \"now\""));
    assert_eq!(reading.provenance, Provenance::Partial);
    assert_eq!(reading.usage, usage(50, 0, 0, 0, 1, 0));
    assert!(!reading.complete);
    let reading = read("responses-failed.sse");
    assert_eq!(reading.error.as_deref(), Some("The server had an error"));
    assert_eq!(reading.provenance, Provenance::None);
    assert!(reading.complete);
    for (protocol, text) in [
        (
            Protocol::Openai,
            "data: {\"error\":{\"message\":\"no\",\"code\":1}}\n\n",
        ),
        (Protocol::Openai, "data: {\"error\":\"no\"}\n\n"),
        (
            Protocol::Gemini,
            "data: {\"error\":{\"code\":503,\"message\":\"no\"}}\r\n\r\n",
        ),
        (
            Protocol::GeminiCli,
            "{\"error\":{\"code\":503,\"message\":\"no\"}}",
        ),
        (
            Protocol::Responses,
            "event: error\ndata: {\"type\":\"error\",\"message\":\"no\"}\n\n",
        ),
        (
            Protocol::Responses,
            "data: {\"type\":\"error\",\"error\":{\"message\":\"no\"}}\n\n",
        ),
        (
            Protocol::Anthropic,
            "data: {\"type\":\"error\",\"error\":{\"message\":\"no\"}}\n\n",
        ),
    ] {
        assert_eq!(
            read_text(protocol, text).error.as_deref(),
            Some("no"),
            "{text}"
        );
    }
}

#[test]
fn a_cut_stream_is_partial_or_nothing() {
    let (protocol, bytes) = fixture("anthropic.sse");
    let text = std::str::from_utf8(bytes).unwrap();
    let cut = text.find("event: message_delta").unwrap();
    let reading = read_text(protocol, &text[..cut]);
    assert_eq!(reading.provenance, Provenance::Partial);
    assert_eq!(reading.usage.cache_read_tokens, 18_000);
    assert!(!reading.complete);
    let (protocol, bytes) = fixture("responses.sse");
    let text = std::str::from_utf8(bytes).unwrap();
    let cut = text.find("event: response.completed").unwrap();
    let reading = read_text(protocol, &text[..cut + 60]);
    assert_eq!(
        (reading.provenance, reading.complete),
        (Provenance::None, false)
    );
    let (protocol, bytes) = fixture("chat.json");
    let reading = read_chunks(protocol, std::iter::once(&bytes[..bytes.len() - 2]));
    assert_eq!(
        (reading.provenance, reading.complete),
        (Provenance::Partial, false)
    );
}

#[test]
fn names_of_events_may_be_missing() {
    for name in [
        "anthropic.sse",
        "anthropic-relay.sse",
        "anthropic-error.sse",
        "responses.sse",
        "responses-failed.sse",
    ] {
        let (protocol, bytes) = fixture(name);
        let text = std::str::from_utf8(bytes).unwrap();
        let bare: Vec<&str> = text.lines().filter(|l| !l.starts_with("event:")).collect();
        assert_eq!(
            read_text(protocol, &(bare.join("\n") + "\n")),
            read(name),
            "{name}"
        );
    }
}

#[test]
fn words_in_the_text_are_not_mistaken_for_fields() {
    let forged = r#"data: {"choices":[{"index":0,"delta":{"content":"\"usage\": {\"prompt_tokens\": 9}, \"finish_reason\":\"stop\" [DONE]"},"finish_reason":null}],"usage":null}"#;
    let reading = read_text(Protocol::Openai, &format!("{forged}\n\n"));
    assert_eq!(reading, Reading::default());
    let forged = r#"data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"usageMetadata":{"promptTokenCount":9},"finishReason":"x","error":"e"}}}]}}]}"#;
    let reading = read_text(Protocol::Gemini, &format!("{forged}\n\n"));
    assert_eq!(reading, Reading::default());
    let forged = r#"{"content":[{"type":"tool_use","input":{"usage":{"input_tokens":9},"model":"x"}}],"usage":{"input_tokens":1,"output_tokens":2}}"#;
    let reading = read_text(Protocol::Anthropic, forged);
    assert_eq!(
        (reading.usage, reading.model),
        (usage(1, 0, 0, 0, 2, 0), None)
    );
}

#[test]
fn odd_numbers_and_null_do_not_cost_the_rest() {
    for (protocol, text, expected) in [
        (
            Protocol::Openai,
            r#"{"usage":{"prompt_tokens":5.0,"completion_tokens":"7","prompt_tokens_details":null,"completion_tokens_details":{"reasoning_tokens":null}}}"#,
            usage(5, 0, 0, 0, 7, 0),
        ),
        (
            Protocol::Openai,
            r#"{"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":9},"completion_tokens_details":{"reasoning_tokens":8}}}"#,
            usage(0, 9, 0, 0, 2, 2),
        ),
        (
            Protocol::Openai,
            r#"{"usage":{"prompt_tokens":-5,"total_tokens":[1],"completion_tokens":18446744073709551615}}"#,
            usage(0, 0, 0, 0, 1 << 48, 0),
        ),
        (
            Protocol::Openai,
            r#"{"data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            usage(8, 0, 0, 0, 0, 0),
        ),
        (
            Protocol::Openai,
            r#"{"usage":{"prompt_tokens":50,"completion_tokens":1,"prompt_cache_hit_tokens":20}}"#,
            usage(30, 20, 0, 0, 1, 0),
        ),
        (
            Protocol::Anthropic,
            r#"{"usage":{"input_tokens":1,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_1h_input_tokens":20},"output_tokens":null}}"#,
            usage(1, 0, 0, 30, 0, 0),
        ),
        (
            Protocol::Anthropic,
            r#"{"usage":{"input_tokens":1,"claude_cache_creation_5_m_tokens":3,"claude_cache_creation_1_h_tokens":4,"cache_creation_5m_input_tokens":3,"cache_creation":[]}}"#,
            usage(1, 0, 3, 4, 0, 0),
        ),
    ] {
        let reading = read_text(protocol, text);
        assert_eq!(reading.usage, expected, "{text}");
        assert_eq!(reading.provenance, Provenance::Terminal, "{text}");
    }
    for text in [
        "{\"usage\":null}",
        "{\"usage\":{}}",
        "{\"usage\":[1]}",
        "{\"usage\":{\"total_tokens\":3}}",
    ] {
        assert_eq!(
            read_text(Protocol::Openai, text).provenance,
            Provenance::None,
            "{text}"
        );
    }
}

#[test]
fn gemini_images_are_buckets_of_their_own() {
    let text = r#"{"usageMetadata":{"promptTokenCount":300,"cachedContentTokenCount":20,"promptTokensDetails":[{"modality":"TEXT","tokenCount":42},{"modality":"IMAGE","tokenCount":258}],"candidatesTokenCount":1310,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}],"toolUsePromptTokenCount":5}}"#;
    let expected = Usage {
        image_input_tokens: 258,
        image_output_tokens: 1290,
        ..usage(27, 20, 0, 0, 20, 0)
    };
    assert_eq!(read_text(Protocol::Gemini, text).usage, expected);
}

#[test]
fn the_tier_of_service_is_the_one_it_ended_in() {
    for (name, expected) in [
        ("anthropic.sse", Some(ServiceTier::Standard)),
        ("anthropic.json", None),
        ("chat.sse", Some(ServiceTier::Flex)),
        ("chat-cumulative.sse", None),
        ("responses.sse", Some(ServiceTier::Priority)),
        ("responses.json", Some(ServiceTier::Standard)),
        ("gemini.sse", Some(ServiceTier::Priority)),
        ("gemini-array.json", None),
    ] {
        assert_eq!(read(name).service_tier, expected, "{name}");
    }
}

#[test]
fn the_tier_of_service_stands_elsewhere_in_each_protocol() {
    let start = r#"data: {"type":"message_start","message":{"usage":{"input_tokens":1,"service_tier":"priority"}}}"#;
    for (protocol, text, expected) in [
        (
            Protocol::Anthropic,
            r#"{"usage":{"input_tokens":1,"service_tier":"batch"}}"#.to_owned(),
            Some(ServiceTier::Batch),
        ),
        (
            Protocol::Anthropic,
            format!("{start}\n\ndata: {{\"type\":\"message_delta\",\"usage\":{{\"output_tokens\":2}}}}\n\n"),
            Some(ServiceTier::Priority),
        ),
        (
            Protocol::Anthropic,
            format!("{start}\n\ndata: {{\"type\":\"message_delta\",\"usage\":{{\"output_tokens\":2,\"service_tier\":\"standard\"}}}}\n\n"),
            Some(ServiceTier::Standard),
        ),
        (
            Protocol::Openai,
            r#"{"service_tier":"flex","choices":[],"usage":{"prompt_tokens":1}}"#.to_owned(),
            Some(ServiceTier::Flex),
        ),
        (
            Protocol::Openai,
            r#"{"metadata":{"service_tier":"flex"},"service_tier":null,"usage":{"prompt_tokens":1,"service_tier":"flex"}}"#.to_owned(),
            None,
        ),
        (
            Protocol::Openai,
            r#"{"service_tier":"scale","usage":{"prompt_tokens":1}}"#.to_owned(),
            Some(ServiceTier::Standard),
        ),
        (
            Protocol::Gemini,
            r#"{"usageMetadata":{"promptTokenCount":1,"serviceTier":"SERVICE_TIER_FLEX"}}"#
                .to_owned(),
            Some(ServiceTier::Flex),
        ),
    ] {
        let reading = read_text(protocol, &text);
        assert_eq!(reading.service_tier, expected, "{text}");
        assert_eq!(reading.provenance, Provenance::Terminal, "{text}");
    }
}

#[test]
fn an_odd_tier_does_not_cost_the_rest() {
    for odd in ["7", "[\"flex\"]", "{}", "\"\"", "true", "null"] {
        let text =
            format!(r#"data: {{"service_tier":{odd},"choices":[],"usage":{{"prompt_tokens":1}}}}"#);
        let reading = read_text(Protocol::Openai, &format!("{text}\n\n"));
        assert_eq!(
            (reading.service_tier, reading.usage.input_tokens),
            (None, 1),
            "{odd}"
        );
        let text = format!(r#"{{"usage":{{"input_tokens":1,"service_tier":{odd}}}}}"#);
        let reading = read_text(Protocol::Anthropic, &text);
        assert_eq!(
            (reading.service_tier, reading.usage.input_tokens),
            (None, 1),
            "{odd}"
        );
    }
}

#[test]
fn embeddings_and_compactions_are_metered() {
    for (protocol, operation, text, expected) in [
        (
            Protocol::Openai,
            Operation::Embed,
            r#"{"object":"list","data":[{"embedding":"AACAPw=="}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            usage(8, 0, 0, 0, 0, 0),
        ),
        (
            Protocol::Gemini,
            Operation::Embed,
            r#"{"embeddings":[{"values":[0.1]}],"usageMetadata":{"promptTokenCount":6,"totalTokenCount":6}}"#,
            usage(6, 0, 0, 0, 0, 0),
        ),
        (
            Protocol::Responses,
            Operation::Generate,
            r#"{"object":"response.compaction","output":[{"type":"compaction","encrypted_content":"x"}],"usage":{"input_tokens":70,"input_tokens_details":{"cached_tokens":60},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":4}}}"#,
            usage(10, 60, 0, 0, 9, 4),
        ),
    ] {
        let mut meter = Meter::new(protocol, operation, JSON, None);
        meter.feed(text.as_bytes());
        let reading = meter.finish();
        assert_eq!(reading.usage, expected, "{text}");
        assert_eq!(reading.provenance, Provenance::Terminal, "{text}");
        assert!(reading.complete, "{text}");
    }
}

#[test]
fn the_first_content_is_noticed_when_it_comes() {
    for (name, first) in [
        ("anthropic.sse", "\"text\":\"Let me"),
        ("chat.sse", "\"content\":\"Hi"),
        ("responses.sse", "\"delta\":\"Look"),
        ("gemini.sse", "\"text\": \"Think"),
    ] {
        let (protocol, bytes) = fixture(name);
        let text = std::str::from_utf8(bytes).unwrap();
        let at = text
            .find(first)
            .unwrap_or_else(|| panic!("{name} has {first}"));
        let start = text[..at].rfind("data:").unwrap();
        let mut meter = meter(protocol);
        meter.feed(&bytes[..start]);
        assert!(!meter.has_content(), "{name}");
        let after = start
            + text[start..]
                .find("\n\n")
                .or(text[start..].find("\r\n\r\n"))
                .unwrap()
            + 4;
        meter.feed(&bytes[start..after.min(bytes.len())]);
        assert!(meter.has_content(), "{name}");
    }
    let mut meter = Meter::new(Protocol::Openai, Operation::Generate, JSON, None);
    assert!(!meter.has_content());
    meter.feed(b" {");
    assert!(meter.has_content());
}

#[test]
fn twenty_megabytes_in_one_answer_keep_their_usage() {
    let filler = r#"text with \"quotes\" and\nlines, \\ and so on "#.repeat(500_000);
    let json = format!(
        r#"{{"model":"m","output":[{{"text":"{filler}"}}],"usage":{{"input_tokens":3,"output_tokens":4}}}}"#
    );
    assert!(json.len() > 20_000_000);
    let plain = read_chunks(Protocol::Responses, json.as_bytes().chunks(16_384));
    assert_eq!(
        (plain.usage, plain.complete),
        (usage(3, 0, 0, 0, 4, 0), true)
    );
    let schema = r#""tools":[{"parameters":{"properties":{"usage":{"type":"string"}}}}],"#;
    let event = format!(
        r#"event: response.completed{n}data: {{"type":"response.completed","response":{{"model":"m","output":["{filler}"],{schema}"usage":{{"input_tokens":3,"output_tokens":4}},"metadata":{{}}}}}}{n}{n}"#,
        n = "\n"
    );
    let streamed = read_chunks(Protocol::Responses, event.as_bytes().chunks(16_384));
    assert_eq!(
        (streamed.usage, streamed.complete),
        (usage(3, 0, 0, 0, 4, 0), true)
    );
    assert_eq!(streamed.provenance, Provenance::Terminal);
    let image = format!(
        r#"data: {{"candidates":[{{"content":{{"parts":[{{"inlineData":{{"data":"{filler}"}}}}]}},"finishReason":"STOP"}}],"usageMetadata":{{"promptTokenCount":1,"candidatesTokenCount":2}}}}{n}{n}"#,
        n = "\r\n"
    );
    let streamed = read_chunks(Protocol::Gemini, image.as_bytes().chunks(16_384));
    assert_eq!(
        (streamed.usage, streamed.complete),
        (usage(1, 0, 0, 0, 2, 0), true)
    );
}

#[test]
fn headers_may_lie_and_codings_are_undone() {
    let (protocol, bytes) = fixture("chat.sse");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    let coded = encoder.finish().unwrap();
    let mut meter = Meter::new(protocol, Operation::Generate, JSON, Some("gzip"));
    coded.chunks(7).for_each(|chunk| meter.feed(chunk));
    assert_eq!(meter.finish(), read("chat.sse"));
    let (protocol, bytes) = fixture("chat.json");
    let late = [b"\xef\xbb", b"\xbf ".as_slice(), bytes];
    assert_eq!(read_chunks(protocol, late.into_iter()), read("chat.json"));
}

#[test]
fn what_cannot_be_metered_is_left_alone() {
    let (protocol, bytes) = fixture("chat.json");
    for (operation, kind, coding) in [
        (Operation::Passthrough, JSON, None),
        (Operation::CountTokens, JSON, None),
        (Operation::Generate, Some("Image/png"), None),
        (Operation::Generate, JSON, Some("compress")),
    ] {
        let mut meter = Meter::new(protocol, operation, kind, coding);
        meter.feed(b"");
        assert!(!meter.has_content());
        meter.feed(bytes);
        assert!(meter.has_content());
        assert_eq!(meter.finish(), Reading::default());
    }
    assert_eq!(
        read_text(protocol, "<html>usage</html>"),
        Reading::default()
    );
    assert_eq!(read_text(protocol, ""), Reading::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_reading_does_not_depend_on_chunks(sizes in vec(1usize..90, 1..30)) {
        for (name, protocol, bytes) in FIXTURES {
            let mut rest = bytes;
            let chunks = sizes.iter().cycle().map_while(|size| {
                let (chunk, after) = rest.split_at_checked(*size).unwrap_or((rest, &[]));
                rest = after;
                (!chunk.is_empty()).then_some(chunk)
            });
            assert_eq!(read_chunks(protocol, chunks), read(name), "{name}");
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, at in 0usize..2000) {
        for (_, protocol, fixture) in FIXTURES {
            let (head, tail) = fixture.split_at(at.min(fixture.len()));
            read_chunks(protocol, [head, &bytes, tail].into_iter());
        }
    }
}
