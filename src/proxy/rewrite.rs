//! The head of an attempt's request, as the provider gets it.
//!
//! The client's head is the base, so that everything a provider may care about (`anthropic-beta`, `user-agent`, a CLI's own headers)
//! arrives as it was sent. Removed, once for all attempts, are credentials and cookies, what belongs to one connection, what a proxy in
//! front of us added about the client, and tracing ids; set are host, framing and the provider's own credential.

use std::borrow::Cow;

use http::{HeaderName, Method, Uri, Version, header};
use pingora::http::RequestHeader;
use pingora::prelude::{Error, Result};
use pingora::{ErrorType, OrErr};

use super::attempt::{Attempt, Plan};
use super::upstream_head::{authenticate, join};
use crate::domain::provider::BaseUrl;
use crate::wire::credential;
use crate::wire::percent;

/// Connection-level, client-address and tracing headers, which stay here; and credentials and cookies, which are for us alone.
fn stays_behind(name: &HeaderName) -> bool {
    let name_text = name.as_str();
    credential::is_credential(name)
        || matches!(
            name_text,
            "connection"
                | "content-encoding"
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

/// The head for the chosen provider, for a connection of this version.
///
/// # Errors
/// When a configured value cannot be a header or a path.
pub fn request(attempt: &Attempt, version: Version) -> Result<RequestHeader> {
    let Some(provider) = attempt.provider() else {
        return Err(Error::explain(ErrorType::InternalError, "no provider"));
    };
    let plan = &attempt.plan;
    let Some(base) = provider.endpoints.get(attempt.report.endpoint) else {
        return Err(Error::explain(ErrorType::InternalError, "no endpoint"));
    };
    let mut request = plan.head.clone();
    request.set_version(version);
    let target = upstream_target(plan, base, attempt.report.model.as_deref());
    request.set_uri(uri(base, version, target)?);
    if version == Version::HTTP_2 {
        request.remove_header(&header::HOST);
    } else {
        request.insert_header(header::HOST, base.authority.as_str())?;
    }
    let has_none = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if attempt.body.is_empty() && has_none {
        request.remove_header(&header::CONTENT_LENGTH);
    } else {
        request.insert_header(header::CONTENT_LENGTH, attempt.body.len())?;
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
    authenticate(&mut request, provider, base)?;
    Ok(request)
}

/// Makes a client's head what any provider may get. What is the same for all of them is set here; a length is set for each and keeps its place.
///
/// # Errors
/// Never in practice: the values are our own.
pub fn strip(request: &mut RequestHeader) -> Result<()> {
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
    request.insert_header(header::ACCEPT_ENCODING, "identity")
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

fn upstream_target(plan: &Plan, base: &BaseUrl, model: Option<&str>) -> String {
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
    target
}

/// On HTTP/2 it names the host too, which has no header there.
fn uri(base: &BaseUrl, version: Version, target: String) -> Result<Uri> {
    let whole = if version == Version::HTTP_2 {
        let scheme = if base.is_tls { "https" } else { "http" };
        let parts = Uri::builder().scheme(scheme);
        parts
            .authority(base.authority.as_str())
            .path_and_query(target)
            .build()
    } else {
        Uri::try_from(target).map_err(Into::into)
    };
    whole.or_err(
        ErrorType::InternalError,
        "the path joined with the provider's address is not one",
    )
}
