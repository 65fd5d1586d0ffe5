//! What metering a long answer costs: ten megabytes of events as each protocol streams them, in pieces of 16 KB as they come from a socket. The
//! goal is under one percent of what the proxy itself costs; its cost a megabyte is in the `load` bench.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use switchyard::domain::protocol::{Operation, Protocol};
use switchyard::domain::usage::Provenance;
use switchyard::wire::meter::{Meter, Reading};

const SIZE: usize = 10 << 20;
const PIECE: usize = 16 << 10;

/// Text of a usual delta: a few words of source, its quotes and line breaks escaped.
const TEXT: &str = r#"    let value = map.get(\"key\");\n"#;

struct Stream {
    name: &'static str,
    protocol: Protocol,
    first: &'static str,
    /// Before and after the text.
    delta: [&'static str; 2],
    last: &'static str,
}

const STREAMS: [Stream; 4] = [
    Stream {
        name: "anthropic",
        protocol: Protocol::Anthropic,
        first: "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\n",
        delta: [
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"",
            "\"}}\n\n",
        ],
        last: "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    },
    Stream {
        name: "chat",
        protocol: Protocol::Openai,
        first: "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}],\"usage\":null}\n\n",
        delta: [
            "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
            "\"},\"finish_reason\":null}],\"usage\":null}\n\n",
        ],
        last: "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}}\n\ndata: [DONE]\n\n",
    },
    Stream {
        name: "responses",
        protocol: Protocol::Responses,
        first: "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"model\":\"m\",\"usage\":null}}\n\n",
        delta: [
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"i\",\"output_index\":0,\"content_index\":0,\"delta\":\"",
            "\"}\n\n",
        ],
        last: "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"usage\":{\"input_tokens\":7,\"output_tokens\":9}}}\n\n",
    },
    Stream {
        name: "gemini",
        protocol: Protocol::Gemini,
        first: "",
        delta: [
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"",
            "\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":8}}\r\n\r\n",
        ],
        last: "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":9}}\r\n\r\n",
    },
];

// === impl Stream ===

impl Stream {
    fn text(&self) -> String {
        let mut text = String::with_capacity(SIZE + 1024);
        text.push_str(self.first);
        while text.len() < SIZE {
            let [before, after] = self.delta;
            write!(text, "{before}{TEXT}{after}").expect("writing to a string cannot fail");
        }
        text.push_str(self.last);
        text
    }

    fn meter(&self, text: &str) -> Reading {
        let operation = Operation::GenerateStream;
        let mut meter = Meter::new(self.protocol, operation, Some("text/event-stream"), None);
        for piece in text.as_bytes().chunks(PIECE) {
            meter.feed(black_box(piece));
        }
        meter.finish()
    }
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("meter 10 MB in pieces of 16 KB");
    group.sample_size(20);
    for stream in STREAMS {
        let text = stream.text();
        let reading = stream.meter(&text);
        let said = (reading.usage.output_tokens, reading.provenance);
        assert_eq!(said, (9, Provenance::Terminal), "{}", stream.name);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(stream.name, |b| b.iter(|| stream.meter(&text)));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
