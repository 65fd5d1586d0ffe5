//! What the head of every request to a provider has in common, whoever asks: a path under the provider's address, and its credential.

use entity::value::ProviderType;
use http::header;
use pingora::http::RequestHeader;
use pingora::prelude::Result;
use pingora::{ErrorType, OrErr};

use crate::domain::provider::{BaseUrl, Provider};

/// Endpoints that an address may already name, the longer one of two that end alike first.
const ENDPOINTS: [&str; 5] = [
    "messages",
    "responses",
    "chat/completions",
    "completions",
    "embeddings",
];

/// Puts the provider's credential where its kind looks for it.
///
/// `claude` sends `x-api-key`, as Anthropic and AWS take it; relays often look at the bearer token instead, so any other host gets both. A
/// Google credential that starts with `ya29.` is an OAuth access token and goes as a bearer token.
///
/// # Errors
/// When the credential cannot be a header.
pub(super) fn authenticate(
    request: &mut RequestHeader,
    provider: &Provider,
    base: &BaseUrl,
) -> Result<()> {
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

/// Joins a provider's base path and a client's path, whatever of the two overlaps.
///
/// People paste addresses in every form: bare host, with the version, with the whole endpoint. A base that ends in a version replaces the
/// client's version; a base that ends in the endpoint itself is the endpoint; a path that already starts with the base stays as it is.
pub(super) fn join(base: &str, path: &str) -> String {
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
    for tail in ENDPOINTS {
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

/// The path of a provider's list of models, `path` to a client, beside the endpoint where the base is a whole one.
pub(super) fn join_beside(base: &str, path: &str) -> String {
    let mut parents = ENDPOINTS
        .iter()
        .filter_map(|tail| base.strip_suffix(tail)?.strip_suffix('/'));
    join(parents.next().unwrap_or(base), path)
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
    fn a_list_of_models_is_beside_the_endpoint() {
        for (base, joined) in [
            ("", "/v1/models"),
            ("/api", "/api/v1/models"),
            ("/api/paas/v4", "/api/paas/v4/models"),
            ("/relay/v1/messages", "/relay/v1/models"),
            ("/v1/chat/completions", "/v1/models"),
            ("/openai/responses", "/openai/v1/models"),
            ("/my-messages", "/my-messages/v1/models"),
        ] {
            assert_eq!(join_beside(base, "/v1/models"), joined, "{base}");
        }
    }

    #[test]
    fn a_host_that_only_looks_like_anthropics_gets_both() {
        assert!(takes_only_api_key("api.anthropic.com"));
        assert!(!takes_only_api_key("notanthropic.com"));
    }
}
