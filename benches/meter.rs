//! What metering a long answer costs: ten megabytes as each protocol streams them, in pieces of 16 KB, as a backlog comes from a socket, and event
//! by event, as a model writes them. The goal is under one percent of what the proxy itself costs; that is in the `load` bench, and the
//! ratio in the README.

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

const STREAMS: [Stream; 7] = [
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
        name: "chat, usage in every chunk",
        protocol: Protocol::Openai,
        first: "",
        delta: [
            "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
            "\"},\"finish_reason\":null}],\"usage\":{\"prompt_tokens\":7,\"total_tokens\":15,\"completion_tokens\":8}}\n\n",
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
    Stream {
        name: "gemini, details and model",
        protocol: Protocol::Gemini,
        first: "",
        delta: [
            "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"",
            "\"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 7,\"candidatesTokenCount\": 8,\"totalTokenCount\": 18,\"promptTokensDetails\": [{\"modality\": \"TEXT\",\"tokenCount\": 7}],\"thoughtsTokenCount\": 3},\"modelVersion\": \"gemini-2.5-pro\",\"responseId\": \"r\"}\r\n\r\n",
        ],
        last: "data: {\"candidates\": [{\"finishReason\": \"STOP\",\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 7,\"candidatesTokenCount\": 9}}\r\n\r\n",
    },
    Stream {
        name: "gemini, array",
        protocol: Protocol::Gemini,
        first: "[",
        delta: [
            "{\n  \"candidates\": [\n    {\n      \"content\": {\n        \"parts\": [\n          {\n            \"text\": \"",
            "\"\n          }\n        ],\n        \"role\": \"model\"\n      }\n    }\n  ],\n  \"usageMetadata\": {\n    \"promptTokenCount\": 7,\n    \"candidatesTokenCount\": 8\n  }\n}\n,\r\n",
        ],
        last: "{\n  \"candidates\": [\n    {\n      \"finishReason\": \"STOP\"\n    }\n  ],\n  \"usageMetadata\": {\n    \"promptTokenCount\": 7,\n    \"candidatesTokenCount\": 9\n  }\n}\n]",
    },
];

// === impl Stream ===

impl Stream {
    /// The text, and where its events end.
    fn text(&self) -> (String, Vec<usize>) {
        let (mut text, mut ends) = (self.first.to_owned(), Vec::new());
        while text.len() < SIZE {
            let [before, after] = self.delta;
            write!(text, "{before}{TEXT}{after}").expect("writing to a string cannot fail");
            ends.push(text.len());
        }
        text.push_str(self.last);
        ends.push(text.len());
        (text, ends)
    }

    fn meter<'t>(&self, pieces: impl Iterator<Item = &'t [u8]>) -> Reading {
        let operation = Operation::GenerateStream;
        let mut meter = Meter::new(self.protocol, operation, None, None);
        for piece in pieces {
            meter.feed(black_box(piece));
        }
        meter.finish()
    }

    fn bench(&self, c: &mut Criterion) {
        let (text, ends) = self.text();
        let text = text.as_bytes();
        let pieces = || text.chunks(PIECE);
        let events = || {
            let starts = std::iter::once(0).chain(ends.iter().copied());
            starts.zip(&ends).map(|(start, end)| &text[start..*end])
        };
        let said = |reading: Reading| (reading.usage.output_tokens, reading.provenance);
        let expected = (9, Provenance::Terminal);
        assert_eq!(said(self.meter(pieces())), expected, "{}", self.name);
        assert_eq!(said(self.meter(events())), expected, "{}", self.name);
        let mut group = c.benchmark_group(format!("meter 10 MB, {}", self.name));
        group.sample_size(20);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("in pieces of 16 KB", |b| b.iter(|| self.meter(pieces())));
        group.throughput(Throughput::Elements(ends.len() as u64));
        group.bench_function("by event", |b| b.iter(|| self.meter(events())));
        group.finish();
    }
}

fn bench(c: &mut Criterion) {
    for stream in STREAMS {
        stream.bench(c);
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
