//! How far an answer has come: a case for every kind of frame of every protocol, and every way of cutting them.

use super::*;

const A: Protocol = Protocol::Anthropic;
const O: Protocol = Protocol::Openai;
const R: Protocol = Protocol::Responses;
const G: Protocol = Protocol::Gemini;
const C: Protocol = Protocol::GeminiCli;

/// One frame and the phase it leads to; the name of its `event:` line may be left out where there is a type.
const FRAMES: &[(Protocol, &str, Phase)] = &[
    // Anthropic: content
    (
        A,
        r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"a"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_delta","delta":{"type":"signature_delta","signature":"a"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_delta","delta":{"type":"citations_delta","citation":{"a":1}}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_start","content_block":{"type":"redacted_thinking","data":"a"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_start","content_block":{"type":"web_search_tool_result","content":[]}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_start","content_block":{"type":"container_upload"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"content_block_start","content_block":{"type":"text","text":"at once"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":0}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"message_delta","delta":{"stop_reason":"refusal"}}"#,
        Phase::Content,
    ),
    (
        A,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
        Phase::Content,
    ),
    // Anthropic: neutral
    (
        A,
        r#"{"type":"message_start","message":{"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}"#,
        Phase::Open,
    ),
    (A, r#"{"type": "ping"}"#, Phase::Open),
    (
        A,
        r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#,
        Phase::Open,
    ),
    (
        A,
        r#"{"type":"content_block_start","content_block":{"type":"tool_use","name":"Read","input":{}}}"#,
        Phase::Open,
    ),
    (
        A,
        r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":""}}"#,
        Phase::Open,
    ),
    (A, r#"{"type":"content_block_stop","index":0}"#, Phase::Open),
    (
        A,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":0}}"#,
        Phase::Open,
    ),
    (A, r#"{"type":"ping","error":null}"#, Phase::Open),
    (A, r#"{"cost":0}"#, Phase::Open),
    // Anthropic: errors, end, and what is not its own
    (
        A,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        Phase::Failed,
    ),
    (A, r#"{"type":"error"}"#, Phase::Failed),
    (
        A,
        r#"{"type":"response.error","error":"no"}"#,
        Phase::Failed,
    ),
    (A, r#"{"error":{"message":"no"}}"#, Phase::Failed),
    (A, r#"{"type":"message_start","error":"no"}"#, Phase::Failed),
    (A, r#"{"type":"message_stop"}"#, Phase::Ended),
    (A, "[DONE]", Phase::Ended),
    (
        A,
        r#"{"choices":[{"delta":{"content":"a"}}]}"#,
        Phase::Foreign,
    ),
    (
        A,
        r#"{"type":"content_block_delta","delta":}"#,
        Phase::Foreign,
    ),
    (A, r#"{"type":"message_start","mess"#, Phase::Foreign),
    (A, "upstream error", Phase::Foreign),
    // OpenAI chat and completions
    (
        O,
        r#"{"choices":[{"delta":{"content":"a"}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"reasoning":"a"}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"refusal":"a"}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"custom":{"name":"f"}}]}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"function_call":{"name":"f"}}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"audio":{"id":"x","transcript":"a"}}}]}"#,
        Phase::Content,
    ),
    (O, r#"{"choices":[{"text":"a"}]}"#, Phase::Content),
    (
        O,
        r#"{"choices":[{"message":{"content":"a"}}]}"#,
        Phase::Content,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"role":"assistant","content":"","tool_calls":null},"finish_reason":null}]}"#,
        Phase::Open,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":""}]}"#,
        Phase::Open,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"","arguments":""}}]}}]}"#,
        Phase::Open,
    ),
    (
        O,
        r#"{"choices":[{"delta":{"audio":{"id":"x"}}}]}"#,
        Phase::Open,
    ),
    (O, r#"{"choices":[{"text":""}]}"#, Phase::Open),
    (
        O,
        r#"{"choices":[],"usage":{"prompt_tokens":1}}"#,
        Phase::Open,
    ),
    (O, r#"{"choices":[],"error":0}"#, Phase::Open),
    (O, r#"{"error":{"message":"no"}}"#, Phase::Failed),
    (O, r#"{"error":"no"}"#, Phase::Failed),
    (O, r#"{"error":true,"message":"no"}"#, Phase::Failed),
    (O, "[DONE]", Phase::Ended),
    (
        O,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        Phase::Ended,
    ),
    (
        O,
        r#"{"type":"message_start","message":{}}"#,
        Phase::Foreign,
    ),
    (
        O,
        r#"{"type":"response.created","response":{}}"#,
        Phase::Foreign,
    ),
    (O, r#"{"choices":[}"#, Phase::Foreign),
    (O, "<html>", Phase::Foreign),
    // Responses
    (
        R,
        r#"{"type":"response.output_text.delta","delta":"a"}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.reasoning_summary_text.delta","delta":"a"}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.function_call_arguments.delta","delta":"{"}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.output_text.done","text":"a"}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.refusal.done","refusal":"a"}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.content_part.done","part":{"type":"output_text","text":"a"}}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.image_generation_call.partial_image","partial_image_b64":"a"}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.output_item.added","item":{"type":"function_call","name":"f","arguments":""}}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.output_item.added","item":{"type":"message","content":[{"type":"output_text"}]}}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.output_item.done","item":{"type":"reasoning","summary":[],"encrypted_content":"a"}}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.output_item.done","item":{"type":"web_search_call","action":{"type":"search"}}}"#,
        Phase::Content,
    ),
    (
        R,
        r#"{"type":"response.created","response":{"status":"in_progress","error":null}}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"response.in_progress","response":{"output":[]}}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"response.queued","response":{}}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"response.output_item.added","item":{"type":"message","content":[]}}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"response.output_item.added","item":{"type":"reasoning","summary":[],"encrypted_content":"a"}}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"response.content_part.added","part":{"type":"output_text","text":""}}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"response.output_text.delta","delta":""}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"response.output_text.done","text":""}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"codex.rate_limits","rate_limits":{}}"#,
        Phase::Open,
    ),
    (
        R,
        r#"{"type":"error","code":"server_error","message":"no"}"#,
        Phase::Failed,
    ),
    (R, r#"{"type":"error"}"#, Phase::Failed),
    (
        R,
        r#"{"type":"response.failed","response":{"error":{"message":"no"}}}"#,
        Phase::Failed,
    ),
    (
        R,
        r#"{"type":"response.failed","response":{"error":null}}"#,
        Phase::Failed,
    ),
    (
        R,
        r#"{"type":"response.created","response":{"error":{"message":"no"}}}"#,
        Phase::Failed,
    ),
    (R, r#"{"type":"keepalive","error":"no"}"#, Phase::Failed),
    (R, r#"{"error":{"message":"no"}}"#, Phase::Failed),
    (
        R,
        r#"{"type":"response.completed","response":{"output":[]}}"#,
        Phase::Ended,
    ),
    (
        R,
        r#"{"type":"response.completed","response":{"output":[{"type":"message"}]}}"#,
        Phase::Ended,
    ),
    (
        R,
        r#"{"type":"response.incomplete","response":{"output":[]}}"#,
        Phase::Ended,
    ),
    (R, r#"{"type":"response.done","response":{}}"#, Phase::Ended),
    (
        R,
        r#"{"choices":[{"delta":{"content":"a"}}]}"#,
        Phase::Foreign,
    ),
    (
        R,
        r#"{"type":"response.output_text.delta","delta":}"#,
        Phase::Foreign,
    ),
    // Gemini
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"text":"a","thought":true}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"inlineData":{"data":"a"}}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"fileData":{"fileUri":"a"}}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"executableCode":{"code":"a"}}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"codeExecutionResult":{"output":"a"}}]}}]}"#,
        Phase::Content,
    ),
    (
        G,
        r#"{"usageMetadata":{"promptTokenCount":1}}"#,
        Phase::Open,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"role":"model"}}]}"#,
        Phase::Open,
    ),
    (
        G,
        r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"s"}]}}]}"#,
        Phase::Open,
    ),
    (
        G,
        r#"{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#,
        Phase::Open,
    ),
    (G, r#"{"error":{"code":503,"message":"no"}}"#, Phase::Failed),
    (G, r#"[{"error":{"code":503,"message":"no"}}]"#, Phase::Open),
    (
        G,
        r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#,
        Phase::Failed,
    ),
    (
        G,
        r#"{"candidates":[{"finishReason":"OTHER","content":{}}]}"#,
        Phase::Failed,
    ),
    (
        G,
        r#"{"candidates":[{"finishReason":"OTHER","content":{"parts":[{"text":"a"}]}}]}"#,
        Phase::Ended,
    ),
    (
        G,
        r#"{"candidates":[{"finishReason":"STOP"}]}"#,
        Phase::Ended,
    ),
    (
        G,
        r#"{"candidates":[{"finishReason":"SAFETY"}]}"#,
        Phase::Ended,
    ),
    (
        G,
        r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#,
        Phase::Ended,
    ),
    (
        G,
        r#"{"choices":[{"delta":{"content":"a"}}]}"#,
        Phase::Foreign,
    ),
    (G, r#"{"candidates":[}"#, Phase::Foreign),
    (
        C,
        r#"{"response":{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}}"#,
        Phase::Content,
    ),
    (
        C,
        r#"{"response":{"usageMetadata":{"promptTokenCount":1}},"traceId":"t"}"#,
        Phase::Open,
    ),
    (
        C,
        r#"{"response":{"error":{"message":"no"}}}"#,
        Phase::Failed,
    ),
    (
        C,
        r#"{"response":{"candidates":[{"finishReason":"STOP"}]}}"#,
        Phase::Ended,
    ),
    (
        C,
        r#"{"response":{"promptFeedback":{"blockReason":"SAFETY"}}}"#,
        Phase::Ended,
    ),
];

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
    for (protocol, data, expected) in FRAMES {
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
        picks in vec(0usize..FRAMES.len(), 1..6),
        sizes in vec(1usize..40, 1..30),
        tail in "[a-z<:{\n]{0,8}",
        is_raw: bool,
    ) {
        let protocol = FRAMES[picks[0]].0;
        let mut text: String = picks
            .iter()
            .map(|pick| FRAMES[*pick])
            .filter(|frame| frame.0 == protocol)
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
