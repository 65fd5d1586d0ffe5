//! Which protocol and operation a request line names.

use std::ops::Range;

use http::{HeaderMap, Method};

use super::percent;
use crate::domain::protocol::{Dialect, Operation, Protocol};

/// What a method and path ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The protocol: it decides which providers can serve the request.
    pub protocol: Protocol,
    /// The operation within it.
    pub operation: Operation,
    /// Byte span of the model inside the path, where the path names one; its percent-encoding is untouched.
    pub model: Option<Range<usize>>,
}

/// Tells what `method` and `path` (without its query) ask for; `None` for an endpoint we do not have.
///
/// Whatever a model can be asked through must be recognised here, because a passed-through resource is not metered. So
/// names are compared without regard to case, and a path that an upstream could read differently than we do (empty or dot
/// segments, needless escapes, an escaped slash) is refused instead of passed through.
#[must_use]
pub fn classify(method: &Method, path: &str, headers: &HeaderMap) -> Option<Endpoint> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if !is_normal(path) {
        return None;
    }
    let endpoint = if let Some(rest) = after(path, "/v1/") {
        classify_v1(method, path, rest, headers)
    } else if let Some(rest) = after(path, "/v1beta/") {
        classify_gemini(method, path, rest, Protocol::Gemini)
    } else if after(path, "/v1internal:")
        .or_else(|| after(path, "/v1internal/"))
        .is_some()
    {
        classify_action(method, path, Protocol::GeminiCli)
    } else {
        None
    }?;
    (endpoint.operation != Operation::Passthrough || is_plain(path, endpoint.protocol))
        .then_some(endpoint)
}

/// The shape of an error for a request whose endpoint we do not have: a guess from path and headers.
#[must_use]
pub fn dialect_for(path: &str, headers: &HeaderMap) -> Dialect {
    let is_gemini = after(path, "/v1beta").is_some()
        || after(path, "/v1internal").is_some()
        || headers.contains_key("x-goog-api-key");
    if is_gemini {
        Dialect::Gemini
    } else if after(path, "/v1/messages").is_some() || headers.contains_key("anthropic-version") {
        Dialect::Anthropic
    } else {
        Dialect::Openai
    }
}

fn classify_v1(method: &Method, path: &str, rest: &str, headers: &HeaderMap) -> Option<Endpoint> {
    let generating =
        |protocol, operation| (method == Method::POST).then(|| Endpoint::new(protocol, operation));
    let passed = |protocol| Some(Endpoint::new(protocol, Operation::Passthrough));
    let is = |name: &str| rest.eq_ignore_ascii_case(name);
    if is("messages") {
        return generating(Protocol::Anthropic, Operation::Generate);
    }
    if is("messages/count_tokens") {
        return generating(Protocol::Anthropic, Operation::CountTokens);
    }
    // Its answer reports what the summary cost.
    if is("responses") || (is("responses/compact") && method == Method::POST) {
        return generating(Protocol::Responses, Operation::Generate);
    }
    if is("chat/completions") || is("completions") {
        return generating(Protocol::Openai, Operation::Generate);
    }
    if is("embeddings") {
        return generating(Protocol::Openai, Operation::Embed);
    }
    if after(rest, "messages/").is_some() {
        return passed(Protocol::Anthropic);
    }
    if after(rest, "responses/").is_some() {
        return passed(Protocol::Responses);
    }
    let is_model = is("models") || after(rest, "models/").is_some();
    if is_model && method == Method::GET {
        return model_resource(path, rest, protocol_of_models(headers));
    }
    if is_model && method == Method::POST
        || after(rest, "publishers/").is_some()
        || after(rest, "projects/").is_some()
    {
        return classify_gemini(method, path, rest, Protocol::Gemini);
    }
    if is("models") {
        return None;
    }
    passed(Protocol::Openai)
}

/// `/v1/models` is everybody's: Anthropic's clients name their version, Google's put the key in a header of their own.
fn protocol_of_models(headers: &HeaderMap) -> Protocol {
    if headers.contains_key("anthropic-version") {
        Protocol::Anthropic
    } else if headers.contains_key("x-goog-api-key") {
        Protocol::Gemini
    } else {
        Protocol::Openai
    }
}

fn classify_gemini(
    method: &Method,
    path: &str,
    rest: &str,
    protocol: Protocol,
) -> Option<Endpoint> {
    let is_action = last_segment(path).1.contains(':');
    let is_models = rest.eq_ignore_ascii_case("models");
    if !is_action && (is_models || after(rest, "models/").is_some()) {
        if method == Method::GET {
            return model_resource(path, rest, protocol);
        }
        if is_models {
            return None;
        }
    }
    classify_action(method, path, protocol)
}

/// `…/{model}:{action}`, wherever it hangs: `models/`, `tunedModels/`, `projects/…/publishers/google/models/`.
fn classify_action(method: &Method, path: &str, protocol: Protocol) -> Option<Endpoint> {
    let (start, segment) = last_segment(path);
    let Some((model, action)) = segment.rsplit_once(':') else {
        return Some(Endpoint::new(protocol, Operation::Passthrough));
    };
    let operation = match action.to_ascii_lowercase().as_str() {
        "generatecontent" => Operation::Generate,
        "streamgeneratecontent" => Operation::GenerateStream,
        "counttokens" => Operation::CountTokens,
        "embedcontent" | "batchembedcontents" => Operation::Embed,
        _ => Operation::Passthrough,
    };
    if operation != Operation::Passthrough && method != Method::POST {
        return None;
    }
    let names_model = !model.is_empty() && !model.eq_ignore_ascii_case("v1internal");
    Some(Endpoint {
        protocol,
        operation,
        model: names_model.then(|| start..start + model.len()),
    })
}

/// `models` or `models/{id}`; ids of some vendors contain slashes.
fn model_resource(path: &str, rest: &str, protocol: Protocol) -> Option<Endpoint> {
    Some(match after(rest, "models/") {
        None => Endpoint::new(protocol, Operation::ListModels),
        Some(id) => Endpoint {
            protocol,
            operation: Operation::GetModel,
            model: Some(path.len() - id.len()..path.len()),
        },
    })
}

/// The last segment of a path and where it starts.
fn last_segment(path: &str) -> (usize, &str) {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    (start, &path[start..])
}

/// What follows `prefix`, compared without regard to case.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// No empty and no dot segments, escaped or not, and no backslash.
fn is_normal(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    !path.contains('\\')
        && rest
            .split('/')
            .all(|segment| !matches!(&*percent::decode(segment), "" | "." | ".."))
}

/// No escape that hides a character with a meaning of its own, or one that needs no escape.
fn is_plain(path: &str, protocol: Protocol) -> bool {
    let has_actions = matches!(protocol, Protocol::Gemini | Protocol::GeminiCli);
    memchr::memchr_iter(b'%', path.as_bytes()).all(|at| {
        match percent::escape(&path.as_bytes()[at..]) {
            None => false,
            Some(b'/' | b'\\') => false,
            Some(b':') => !has_actions,
            Some(byte) => !percent::is_unreserved(byte),
        }
    })
}

// === impl Endpoint ===

impl Endpoint {
    fn new(protocol: Protocol, operation: Operation) -> Self {
        Self {
            protocol,
            operation,
            model: None,
        }
    }
}

#[cfg(test)]
mod tests;
