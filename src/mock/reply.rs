//! The answer to an understood request, before it is sent.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::anthropic::{self, Message};
use super::ask::{Ask, Call, Dialect, Framing};
use super::behaviour::{Behaviour, BodyKind};
use super::fault::Fault;
use super::gemini;
use super::models;
use super::openai::{self, Completion, Form};
use super::play::Source;
use super::responses::{self, Response};
use super::schema;
use super::score::Score;
use super::turn::{Turn, Usage};

/// An answer: status, headers, what to send.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) source: Source,
}

const JSON: &str = "application/json";
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
<body><h1>Sign in to continue</h1></body></html>\n";
/// Neither text nor the start of any compressed format.
const GARBAGE: &[u8] = b"\x00\xff\xfe\x9c\x80\xc3\x28\xf0\x28\x8c\xbc\x00\x01\x02\xfe\xff";
const BROKEN_JSON: &str = "{\"id\":\"broken\",\"content\":[{\"type\":\"text\",";

/// Composes the answer to `ask` as `plan` says.
pub(super) fn compose(
    head: &Parts,
    ask: &Ask,
    path: &str,
    len: usize,
    digest: &str,
    plan: &Behaviour,
) -> Reply {
    let status = plan
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::OK);
    let mut reply = match body_of(plan, status) {
        Wanted::Protocol => success(head, ask, path, len, digest, plan),
        Wanted::Literal(text) => Reply::whole(literal_type(text), Bytes::from(text.to_owned())),
        Wanted::Kind(BodyKind::Error) => {
            let fault = Fault::of_status(status.as_u16(), plan);
            Reply::json(&fault.body(ask.dialect))
        }
        Wanted::Kind(BodyKind::Html) => Reply::whole(
            "text/html; charset=utf-8",
            Bytes::from_static(HTML.as_bytes()),
        ),
        Wanted::Kind(BodyKind::Empty) => Reply::whole(JSON, Bytes::new()),
        Wanted::Kind(BodyKind::Garbage) => {
            let kind = ask.stream.map_or(JSON, Framing::content_type);
            Reply::whole(kind, Bytes::from_static(GARBAGE))
        }
        Wanted::Kind(BodyKind::NotJson) => {
            Reply::whole(JSON, Bytes::from_static(BROKEN_JSON.as_bytes()))
        }
    };
    reply.status = status;
    reply.identify(ask.dialect);
    reply
}

/// What the body is to be.
enum Wanted<'a> {
    Protocol,
    Literal(&'a str),
    Kind(BodyKind),
}

fn body_of(plan: &Behaviour, status: StatusCode) -> Wanted<'_> {
    match (&plan.body, plan.body_kind) {
        (Some(text), _) => Wanted::Literal(text),
        (None, Some(kind)) => Wanted::Kind(kind),
        (None, None) if status.as_u16() >= 400 => Wanted::Kind(BodyKind::Error),
        (None, None) => Wanted::Protocol,
    }
}

fn literal_type(text: &str) -> &'static str {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => JSON,
        Err(_) => "text/plain; charset=utf-8",
    }
}

fn success(
    head: &Parts,
    ask: &Ask,
    path: &str,
    len: usize,
    digest: &str,
    plan: &Behaviour,
) -> Reply {
    let text = answer_text(ask, plan);
    let turn = Turn::new(ask.model.clone(), &text, plan);
    if let Some(framing) = ask.stream.filter(|_| !plan.no_stream) {
        return Reply::events(framing.content_type(), score(ask, turn, framing));
    }
    let usage = Usage::new(plan);
    Reply::json(&match ask.call {
        Call::Messages => anthropic::whole(&turn),
        Call::CountMessageTokens => anthropic::count(&usage),
        Call::Responses => responses::whole(&turn),
        Call::Compact => responses::compacted(&turn),
        Call::Chat => openai::whole(&turn, Form::Chat),
        Call::Completions => openai::whole(&turn, Form::Text),
        Call::Embeddings => openai::embeddings(&turn, ask),
        Call::Generate => gemini::whole(&turn, ask.internal),
        Call::CountTokens => gemini::count(&usage),
        Call::Embed => gemini::embedding(),
        Call::BatchEmbed => gemini::embeddings(ask.hints.batch()),
        Call::Models => models::list(ask.dialect),
        Call::Model => models::one(ask.dialect, &ask.model),
        Call::Echo => json!({
            "method": head.method.as_str(),
            "path": path,
            "bodyLen": len,
            "bodySha256": digest,
        }),
    })
}

fn score(ask: &Ask, turn: Turn, framing: Framing) -> Box<dyn Score> {
    match ask.call {
        Call::Messages => Box::new(Message(turn)),
        Call::Responses => Box::new(Response(turn)),
        Call::Completions => Box::new(Completion::new(turn, Form::Text, ask.hints.include_usage())),
        Call::Generate => Box::new(gemini::Content {
            turn,
            framing,
            internal: ask.internal,
        }),
        _ => Box::new(Completion::new(turn, Form::Chat, ask.hints.include_usage())),
    }
}

/// The text: JSON that satisfies the schema where a Gemini client asks for that.
fn answer_text(ask: &Ask, plan: &Behaviour) -> String {
    let text = plan.text.as_deref().unwrap_or(super::TEXT);
    match ask.hints.schema() {
        Some(schema) if ask.call == Call::Generate => schema::sample(schema, text).to_string(),
        _ => text.to_owned(),
    }
}

// === impl Reply ===

impl Reply {
    pub(super) fn error(status: StatusCode, body: Value) -> Self {
        let mut reply = Self::json(&body);
        reply.status = status;
        reply
    }

    fn json(body: &Value) -> Self {
        Self::whole(JSON, Bytes::from(body.to_string()))
    }

    fn whole(content_type: &'static str, body: Bytes) -> Self {
        Self::new(content_type, Source::Whole(body))
    }

    fn events(content_type: &'static str, score: Box<dyn Score>) -> Self {
        let mut reply = Self::new(content_type, Source::Events(score));
        reply
            .headers
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        reply
    }

    fn new(content_type: &'static str, source: Source) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status: StatusCode::OK,
            headers,
            source,
        }
    }

    /// The request id, in the header each provider has for it.
    fn identify(&mut self, dialect: Dialect) {
        let id = format!("req_{}", uuid::Uuid::now_v7().simple());
        let name = match dialect {
            Dialect::Anthropic => HeaderName::from_static("request-id"),
            Dialect::Openai | Dialect::Responses => HeaderName::from_static("x-request-id"),
            Dialect::Gemini => return,
        };
        if let Ok(id) = HeaderValue::try_from(id) {
            self.headers.insert(name, id);
        }
    }
}
