//! `upstream_request_filter` of an attempt: the head as the provider gets it.
//!
//! The client's head is the base, so that everything a provider may care about (`anthropic-beta`, `user-agent`, a CLI's own headers)
//! arrives as it was sent. Removed are credentials and cookies, what belongs to one connection, what a proxy in front of us
//! added about the client, and tracing ids; set are host, framing and the provider's own credential.

use std::borrow::Cow;

use http::{HeaderName, Method, Uri, header};
use pingora::http::RequestHeader;
use pingora::prelude::{Error, Result};
use pingora::{ErrorType, OrErr};

use super::attempt::{Attempt, Plan};
use crate::domain::provider::{BaseUrl, Provider};
use crate::wire::credential;
use crate::wire::percent;
use entity::value::ProviderType;

/// Connection-level, client-address and tracing headers, which stay here; and credentials and cookies, which are for us alone.
fn stays_behind(name: &HeaderName) -> bool {
    let name_text = name.as_str();
    credential::is_credential(name)
        || matches!(
            name_text,
            "accept-encoding"
                | "connection"
                | "content-encoding"
                | "content-length"
                | "expect"
                | "forwarded"
                | "keep-alive"
                | "origin"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
                | "via"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-correlation-id"
                | "x-forwarded-for"
                | "x-forwarded-host"
                | "x-forwarded-port"
                | "x-forwarded-proto"
                | "x-originating-ip"
                | "x-real-ip"
                | "x-remote-addr"
                | "x-remote-ip"
                | "x-request-id"
                | "x-trace-id"
                | "x-amzn-trace-id"
                | "traceparent"
                | "tracestate"
                | "true-client-ip"
                | "fastly-client-ip"
        )
        || ["cf-", "x-b3-", "x-azure-", "akamai-"]
            .iter()
            .any(|family| name_text.starts_with(family))
}

/// Rewrites the head for the chosen provider.
///
/// # Errors
/// When a configured value cannot be a header or a path.
pub fn request(attempt: &mut Attempt, request: &mut RequestHeader) -> Result<()> {
    let Some(provider) = attempt.provider().cloned() else {
        return Err(Error::explain(ErrorType::InternalError, "no provider"));
    };
    let plan = attempt.plan.clone();
    let Some(base) = provider.endpoints.get(attempt.report.endpoint) else {
        return Err(Error::explain(ErrorType::InternalError, "no endpoint"));
    };
    // The version is the connection's that this goes out on, not the client's.
    let version = request.version;
    request.clone_from(&plan.head);
    request.set_version(version);
    request.set_uri(upstream_uri(&plan, base, attempt.report.model.as_deref())?);
    remove_ours(request);
    request.insert_header(header::HOST, base.authority.as_str())?;
    request.insert_header(header::ACCEPT_ENCODING, "identity")?;
    if !attempt.body.is_empty() {
        request.insert_header(header::CONTENT_LENGTH, attempt.body.len())?;
    } else if !matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        request.insert_header(header::CONTENT_LENGTH, 0)?;
    }
    if provider.preserve_client_ip
        && let Some(ip) = &plan.client_ip
    {
        request.insert_header("x-forwarded-for", ip.as_str())?;
        request.insert_header("x-real-ip", ip.as_str())?;
    }
    for (name, value) in &provider.custom_headers {
        request.insert_header(name.clone(), value.as_str())?;
    }
    authenticate(request, &provider, base)
}

fn remove_ours(request: &mut RequestHeader) {
    for name in nominated(request) {
        request.remove_header(&name);
    }
    let doomed: Vec<HeaderName> = request
        .headers
        .keys()
        .filter(|name| stays_behind(name))
        .cloned()
        .collect();
    for name in doomed {
        request.remove_header(&name);
    }
}

/// Headers that the client's `Connection` header says belong to its connection (RFC 9110, section 7.6.1).
fn nominated(request: &RequestHeader) -> Vec<HeaderName> {
    request
        .headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

/// Puts the provider's credential where its kind looks for it.
///
/// `claude` sends `x-api-key`, as Anthropic and AWS take it; relays often look at the bearer token instead, so any other host gets both. A
/// Google credential that starts with `ya29.` is an OAuth access token and goes as a bearer token.
fn authenticate(request: &mut RequestHeader, provider: &Provider, base: &BaseUrl) -> Result<()> {
    let key = provider.api_key.expose();
    let bearer = |request: &mut RequestHeader| {
        let mut value = http::HeaderValue::try_from(format!("Bearer {key}")).or_err(
            ErrorType::InternalError,
            "the provider's key cannot be a header",
        )?;
        value.set_sensitive(true);
        request.insert_header(header::AUTHORIZATION, value)
    };
    let named = |request: &mut RequestHeader, name: &'static str| {
        let mut value = http::HeaderValue::try_from(key).or_err(
            ErrorType::InternalError,
            "the provider's key cannot be a header",
        )?;
        value.set_sensitive(true);
        request.insert_header(name, value)
    };
    match provider.kind {
        ProviderType::Claude => {
            named(request, "x-api-key")?;
            if takes_only_api_key(&base.host) {
                Ok(())
            } else {
                bearer(request)
            }
        }
        ProviderType::ClaudeAuth | ProviderType::Codex | ProviderType::OpenaiCompatible => {
            bearer(request)
        }
        ProviderType::Gemini | ProviderType::GeminiCli if key.starts_with("ya29.") => {
            bearer(request)
        }
        ProviderType::Gemini | ProviderType::GeminiCli => named(request, "x-goog-api-key"),
    }
}

fn takes_only_api_key(host: &str) -> bool {
    ["anthropic.com", "api.aws"].iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn upstream_uri(plan: &Plan, base: &BaseUrl, model: Option<&str>) -> Result<Uri> {
    let path = plan.head.uri.path();
    let path = match (&plan.endpoint.model, model) {
        (Some(span), Some(model)) if plan.model.as_deref() != Some(model) => Cow::Owned(format!(
            "{}{}{}",
            &path[..span.start],
            percent::encode_segment(model),
            &path[span.end..]
        )),
        _ => Cow::Borrowed(path),
    };
    let mut target = join(&base.path, &path);
    let query = credential::query_without_key(plan.head.uri.query().unwrap_or_default());
    if !query.is_empty() {
        target.push('?');
        target.push_str(&query);
    }
    Uri::try_from(target).or_err(
        ErrorType::InternalError,
        "the path joined with the provider's address is not one",
    )
}

/// Joins a provider's base path and a client's path, whatever of the two overlaps.
///
/// People paste addresses in every form: bare host, with the version, with the whole endpoint. A base that ends in a version replaces the
/// client's version; a base that ends in the endpoint itself is the endpoint; a path that already starts with the base stays as it is.
fn join(base: &str, path: &str) -> String {
    if base.is_empty()
        || path == base
        || path.strip_prefix(base).is_some_and(|r| r.starts_with('/'))
    {
        return path.to_owned();
    }
    let Some((version, rest)) = path
        .get(1..)
        .and_then(|p| p.split_once('/'))
        .filter(|(first, _)| is_version(first))
    else {
        return format!("{base}{path}");
    };
    for tail in [
        "messages",
        "responses",
        "chat/completions",
        "completions",
        "embeddings",
    ] {
        let is_this_endpoint =
            rest == tail || rest.strip_prefix(tail).is_some_and(|r| r.starts_with('/'));
        let ends_in_it = base.strip_suffix(tail).is_some_and(|b| b.ends_with('/'));
        if is_this_endpoint && ends_in_it {
            return format!("{base}{}", &rest[tail.len()..]);
        }
    }
    let last = base.rsplit('/').next().unwrap_or_default();
    if is_version(last) {
        format!("{base}/{rest}")
    } else {
        format!("{base}/{version}/{rest}")
    }
}

/// `v1`, `v4`, `v1beta`, `v1internal`, ...
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        digits > 0
            && matches!(
                &rest[digits..],
                "" | "alpha" | "beta" | "preview" | "internal" | "rc"
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_in_every_form_people_paste_them() {
        for (base, path, joined) in [
            ("", "/v1/messages", "/v1/messages"),
            ("/api", "/v1/messages", "/api/v1/messages"),
            ("/v1", "/v1/messages", "/v1/messages"),
            (
                "/api/v1",
                "/v1/messages/count_tokens",
                "/api/v1/messages/count_tokens",
            ),
            (
                "/api/paas/v4",
                "/v1/chat/completions",
                "/api/paas/v4/chat/completions",
            ),
            ("/relay/v1/messages", "/v1/messages", "/relay/v1/messages"),
            (
                "/relay/v1/messages",
                "/v1/messages/count_tokens",
                "/relay/v1/messages/count_tokens",
            ),
            ("/openai/responses", "/v1/responses", "/openai/responses"),
            (
                "/v1beta",
                "/v1beta/models/g:generateContent",
                "/v1beta/models/g:generateContent",
            ),
            (
                "/gw",
                "/v1internal:generateContent",
                "/gw/v1internal:generateContent",
            ),
        ] {
            assert_eq!(join(base, path), joined, "{base} + {path}");
        }
    }

    #[test]
    fn a_host_that_only_looks_like_anthropics_gets_both() {
        assert!(takes_only_api_key("api.anthropic.com"));
        assert!(!takes_only_api_key("notanthropic.com"));
    }
}
