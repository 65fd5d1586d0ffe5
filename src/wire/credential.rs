//! The credential a client presents, and how it is kept from going further.

use std::borrow::Cow;

use http::header::{
    AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
};

use super::percent;
use crate::domain::refusal::{Reason, Refusal};

static API_KEY_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
];
const QUERY_KEY: &str = "key";

/// The one credential of a request: `Authorization: Bearer`, `x-api-key`, `x-goog-api-key` or `?key=`. The same one in
/// several places is fine; empty ones and other authorization schemes are ignored.
///
/// # Errors
/// [`Reason::MissingCredential`] when there is none, [`Reason::ConflictingCredentials`] when two differ.
pub fn present<'a>(headers: &'a HeaderMap, query: Option<&str>) -> Result<Cow<'a, str>, Refusal> {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(bearer);
    let keys = API_KEY_HEADERS
        .iter()
        .flat_map(|name| headers.get_all(name))
        .map(text);
    let parameters = query
        .unwrap_or_default()
        .split('&')
        .filter_map(key_parameter)
        .map(|value| Cow::Owned(percent::decode(value).trim().to_owned()));
    let mut found: Option<Cow<'a, str>> = None;
    for credential in bearer.chain(keys).chain(parameters) {
        if credential.is_empty() {
            continue;
        }
        match &found {
            None => found = Some(credential),
            Some(first) if *first == credential => {}
            Some(_) => {
                return Err(Refusal::new(
                    Reason::ConflictingCredentials,
                    "Two different API keys were sent. Send one: Authorization: Bearer, x-api-key, x-goog-api-key or ?key=.",
                ));
            }
        }
    }
    found.ok_or_else(|| {
        Refusal::new(
            Reason::MissingCredential,
            "No API key was sent. Send it as Authorization: Bearer, x-api-key, x-goog-api-key or ?key=.",
        )
    })
}

/// The query without any `key` parameter, however its name is escaped; every other byte stays as it is.
#[must_use]
pub fn query_without_key(query: &str) -> Cow<'_, str> {
    if !query.split('&').any(|p| key_parameter(p).is_some()) {
        return Cow::Borrowed(query);
    }
    let kept: Vec<&str> = query
        .split('&')
        .filter(|p| key_parameter(p).is_none())
        .collect();
    Cow::Owned(kept.join("&"))
}

/// Whether a request header carries a credential and so must not go upstream.
#[must_use]
pub fn is_credential(name: &HeaderName) -> bool {
    name == AUTHORIZATION
        || name == COOKIE
        || name == PROXY_AUTHORIZATION
        || API_KEY_HEADERS.contains(name)
}

/// The value of a query parameter named `key`; `Some("")` when it has none.
fn key_parameter(parameter: &str) -> Option<&str> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    (percent::decode(name) == QUERY_KEY).then_some(value)
}

fn bearer(value: &HeaderValue) -> Option<Cow<'_, str>> {
    let value = value.as_bytes().trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace)?;
    let (scheme, token) = value.split_at(end);
    scheme
        .eq_ignore_ascii_case(b"bearer")
        .then(|| String::from_utf8_lossy(token.trim_ascii()))
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes().trim_ascii())
}

#[cfg(test)]
mod tests;
