//! The question for a provider's list of models, which shows at no cost whether it is back and takes our credential.

use std::time::Duration;

use entity::value::ProviderType;
use http::header;
use pingora::http::RequestHeader;
use pingora::prelude::Result;

use crate::domain::provider::{BaseUrl, Provider};
use crate::proxy::upstream_head::{authenticate, join_beside};

/// How long the whole of it may take, looking the name up and connecting included.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Anthropic answers nobody who does not say which version they speak.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The head of the question. There is no body, and nothing of any client's in it.
///
/// # Errors
/// When a configured value cannot be a header or a path.
pub fn request(provider: &Provider, base: &BaseUrl) -> Result<RequestHeader> {
    let mut request = RequestHeader::build("GET", path(provider.kind, base).as_bytes(), None)?;
    request.insert_header(header::HOST, base.authority.as_str())?;
    request.insert_header(header::USER_AGENT, "switchyard-probe")?;
    request.insert_header(header::ACCEPT, "*/*")?;
    request.insert_header(header::ACCEPT_ENCODING, "identity")?;
    if matches!(
        provider.kind,
        ProviderType::Claude | ProviderType::ClaudeAuth
    ) {
        request.insert_header("anthropic-version", ANTHROPIC_VERSION)?;
    }
    for (name, value) in &provider.custom_headers {
        request.insert_header(name.clone(), value.as_str())?;
    }
    authenticate(&mut request, provider, base)?;
    Ok(request)
}

/// Code Assist has no list: its base is asked for.
fn path(kind: ProviderType, base: &BaseUrl) -> String {
    match kind {
        ProviderType::Claude
        | ProviderType::ClaudeAuth
        | ProviderType::Codex
        | ProviderType::OpenaiCompatible => join_beside(&base.path, "/v1/models"),
        ProviderType::Gemini => join_beside(&base.path, "/v1beta/models"),
        ProviderType::GeminiCli if base.path.is_empty() => "/".to_owned(),
        ProviderType::GeminiCli => base.path.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::value::Secret;

    #[test]
    fn each_kind_is_asked_where_it_lists_its_models_with_its_own_credential() {
        for (kind, path, credential) in [
            (ProviderType::Claude, "/relay/v1/models", "x-api-key"),
            (
                ProviderType::ClaudeAuth,
                "/relay/v1/models",
                "authorization",
            ),
            (ProviderType::Codex, "/relay/v1/models", "authorization"),
            (
                ProviderType::OpenaiCompatible,
                "/relay/v1/models",
                "authorization",
            ),
            (
                ProviderType::Gemini,
                "/relay/v1beta/models",
                "x-goog-api-key",
            ),
            (ProviderType::GeminiCli, "/relay", "x-goog-api-key"),
        ] {
            let base = BaseUrl::parse("https://relay.example/relay").unwrap();
            let mut provider = Provider::new(1, kind, base.clone(), Secret::new("secret"));
            let custom = ("x-team".to_owned(), "blue".to_owned());
            provider.custom_headers.extend([custom]);
            let request = request(&provider, &base).unwrap();
            assert_eq!((request.method.as_str(), request.uri.path()), ("GET", path));
            let value = request.headers[credential].to_str().unwrap();
            assert!(value.ends_with("secret"), "{kind:?}: {value}");
            assert_eq!(request.headers["host"], "relay.example");
            assert_eq!(request.headers["x-team"], "blue");
        }
        let bare = BaseUrl::parse("https://relay.example").unwrap();
        assert_eq!(super::path(ProviderType::GeminiCli, &bare), "/");
    }
}
