//! What a request asks of the provider: which call, of which protocol, streamed or not.

use http::request::Parts;
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::Value;

use super::percent;

/// The shapes of errors and error events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Anthropic,
    /// Chat completions and every other `OpenAI` resource.
    Openai,
    Responses,
    Gemini,
}

/// The calls answered in their protocol; everything else is echoed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Messages,
    CountMessageTokens,
    Responses,
    Compact,
    Chat,
    Completions,
    Embeddings,
    Generate,
    CountTokens,
    Embed,
    BatchEmbed,
    Models,
    Model,
    Echo,
}

/// How a streamed answer is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events, lines ended by LF.
    Sse,
    /// Server-sent events, lines ended by CRLF, as Gemini sends them.
    SseCrlf,
    /// One JSON array, as Gemini streams without `alt=sse`.
    JsonArray,
}

/// A request, understood.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) dialect: Dialect,
    pub(super) call: Call,
    pub(super) model: String,
    pub(super) stream: Option<Framing>,
    /// Code Assist (`/v1internal`): answers are wrapped in `{"response": …}`.
    pub(super) internal: bool,
    pub(super) hints: Hints,
}

/// The parts of a body that change the answer. Everything else is skipped without building a tree.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Hints {
    model: Option<String>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    /// Embeddings: `base64` or `float`.
    pub(super) encoding_format: Option<String>,
    /// Embeddings and Responses: a text or a list.
    input: Option<Input>,
    /// Gemini's batches.
    requests: Option<Vec<serde::de::IgnoredAny>>,
    #[serde(rename = "generationConfig", alias = "generation_config")]
    generation: Option<Generation>,
    /// Code Assist: the request proper.
    request: Option<Box<Hints>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Many(Vec<serde::de::IgnoredAny>),
    One(serde::de::IgnoredAny),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Generation {
    #[serde(alias = "response_mime_type")]
    response_mime_type: Option<String>,
    #[serde(alias = "response_schema")]
    response_schema: Option<Value>,
    #[serde(alias = "response_json_schema", alias = "_responseJsonSchema")]
    response_json_schema: Option<Value>,
}

/// The path, taken apart.
struct Target {
    dialect: Dialect,
    call: Call,
    model: Option<String>,
    streams: bool,
    internal: bool,
}

const UNNAMED: &str = "mock-model";

// === impl Ask ===

impl Ask {
    /// Understands a request whose path (script segments removed) is `path`.
    pub(super) fn new(head: &Parts, path: &str, body: &[u8]) -> Result<Self, serde_json::Error> {
        let target = Target::new(&head.method, path, &head.headers);
        let hints: Hints = match target.call {
            Call::Models | Call::Model | Call::Echo => Hints::default(),
            _ => serde_json::from_slice(body)?,
        };
        let sse = head
            .uri
            .query()
            .is_some_and(|query| query.split('&').any(|pair| pair == "alt=sse"));
        let stream = match target.call {
            Call::Messages | Call::Responses | Call::Chat | Call::Completions => {
                (hints.stream == Some(true)).then_some(Framing::Sse)
            }
            Call::Generate if target.streams && sse => Some(Framing::SseCrlf),
            Call::Generate if target.streams => Some(Framing::JsonArray),
            _ => None,
        };
        let model = target.model.or_else(|| hints.model.clone());
        Ok(Self {
            dialect: target.dialect,
            call: target.call,
            model: model.unwrap_or_else(|| UNNAMED.to_owned()),
            stream,
            internal: target.internal,
            hints,
        })
    }

    /// The dialect in which to refuse a request that cannot be understood.
    pub(super) fn dialect_of(head: &Parts, path: &str) -> Dialect {
        Target::new(&head.method, path, &head.headers).dialect
    }
}

// === impl Hints ===

impl Hints {
    pub(super) fn include_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .is_some_and(|options| options.include_usage == Some(true))
    }

    /// How many embeddings are asked for.
    pub(super) fn batch(&self) -> usize {
        match (&self.input, &self.requests) {
            (Some(Input::Many(inputs)), _) => inputs.len(),
            (_, Some(requests)) => requests.len(),
            _ => 1,
        }
    }

    /// Gemini: the schema an answer in JSON must satisfy; `Null` for any JSON.
    pub(super) fn schema(&self) -> Option<&Value> {
        let generation = match &self.request {
            Some(request) => request.generation.as_ref(),
            None => self.generation.as_ref(),
        }?;
        let schema = generation
            .response_json_schema
            .as_ref()
            .or(generation.response_schema.as_ref());
        let wants_json = generation.response_mime_type.as_deref() == Some("application/json");
        schema.or(wants_json.then_some(&Value::Null))
    }
}

// === impl Target ===

impl Target {
    fn new(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        let (version, rest) = resource(path);
        let is_internal = version == "v1internal";
        if is_internal || (method == Method::POST && rest.contains(':')) {
            return Self::gemini(is_internal, method, rest);
        }
        // Google's SDK asks below `/v1` as well: only its credential tells it from the others there.
        let is_gemini = version.starts_with("v1beta")
            || version.starts_with("v1alpha")
            || headers.contains_key("x-goog-api-key");
        let dialect = match rest {
            "messages" | "messages/count_tokens" => Dialect::Anthropic,
            "responses" | "responses/compact" => Dialect::Responses,
            _ if is_gemini => Dialect::Gemini,
            _ if headers.contains_key("anthropic-version") => Dialect::Anthropic,
            _ => Dialect::Openai,
        };
        let call = match (method, rest) {
            (&Method::POST, "messages") => Call::Messages,
            (&Method::POST, "messages/count_tokens") => Call::CountMessageTokens,
            (&Method::POST, "responses") => Call::Responses,
            (&Method::POST, "responses/compact") => Call::Compact,
            (&Method::POST, "chat/completions") => Call::Chat,
            (&Method::POST, "completions") => Call::Completions,
            (&Method::POST, "embeddings") => Call::Embeddings,
            (&Method::GET, "models") => Call::Models,
            (&Method::GET, _) if rest.starts_with("models/") => Call::Model,
            _ => Call::Echo,
        };
        let model = (call == Call::Model)
            .then(|| rest.strip_prefix("models/").map(percent::decode))
            .flatten();
        Self {
            dialect,
            call,
            model,
            streams: false,
            internal: false,
        }
    }

    /// `models/{model}:action`, `publishers/google/models/{model}:action`, and bare `:action` of Code Assist.
    fn gemini(internal: bool, method: &Method, rest: &str) -> Self {
        let (subject, action) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let call = match (method, action) {
            (&Method::POST, "generateContent" | "streamGenerateContent") => Call::Generate,
            (&Method::POST, "countTokens") => Call::CountTokens,
            (&Method::POST, "embedContent") => Call::Embed,
            (&Method::POST, "batchEmbedContents") => Call::BatchEmbed,
            _ => Call::Echo,
        };
        let model = subject.rsplit('/').next().filter(|model| !model.is_empty());
        Self {
            dialect: Dialect::Gemini,
            call,
            model: model.map(percent::decode),
            streams: action == "streamGenerateContent",
            internal,
        }
    }
}

/// The API version and what follows it. A base URL may have put anything before, or have left the version out.
fn resource(path: &str) -> (&str, &str) {
    let mut rest = path.trim_start_matches('/');
    while !rest.is_empty() {
        let (segment, after) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(action) = segment.strip_prefix("v1internal") {
            let rest = if action.is_empty() { after } else { action };
            return ("v1internal", rest);
        }
        if matches!(segment, "v1" | "v1beta" | "v1beta1" | "v1beta2" | "v1alpha") {
            return (segment, after.trim_end_matches('/'));
        }
        rest = after;
    }
    ("", path.trim_matches('/'))
}
