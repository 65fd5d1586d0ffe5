//! A provider, as the request path needs it: where it is, what it speaks, what it may be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::value::{
    ActiveTime, BreakerSettings, HealthCheck, Limits, Multiplier, ProviderType, Secret, Timeouts,
};

use super::client::ClientRule;
use super::limits::Party;
use super::outbound::OutboundProxy;
use super::pattern::Pattern;

/// One provider with its credential opened.
#[derive(Debug)]
pub struct Provider {
    /// Database id.
    pub id: i64,
    /// Display name: for operators only, never in a client's answer.
    pub name: String,
    /// Which protocol it speaks and how it is authenticated.
    pub kind: ProviderType,
    /// Where it is: never empty, its main address first.
    pub endpoints: Vec<BaseUrl>,
    /// Its credential.
    pub api_key: Secret,
    /// Switched on.
    pub is_enabled: bool,
    /// Share among providers of the same tier; 0 means never chosen by weight.
    pub weight: u32,
    /// Tier: lower goes first.
    pub priority: i32,
    /// Tier per group, which wins over `priority`.
    pub group_priorities: BTreeMap<String, i32>,
    /// Groups it belongs to; empty means `default`.
    pub groups: Vec<String>,
    /// Models it may be asked for; empty means all.
    pub allowed_models: Vec<Pattern>,
    /// Model names to replace before the request goes upstream; the first match counts.
    pub model_redirects: Vec<Redirect>,
    /// Clients it is for, see [`super::client`]; empty means all.
    pub allowed_clients: Vec<ClientRule>,
    /// Clients it is not for, which wins.
    pub blocked_clients: Vec<ClientRule>,
    /// The hours in which it is used; none means always.
    pub active_time: Option<ActiveTime>,
    /// Factor on the prices of what it answers.
    pub cost_multiplier: Multiplier,
    /// Tries at this provider in one request.
    pub max_attempts: u32,
    /// Timeouts of one attempt.
    pub timeouts: Timeouts,
    /// When its breaker opens and closes.
    pub breaker: BreakerSettings,
    /// How its addresses are checked.
    pub health_check: HealthCheck,
    /// Milliseconds without content after which a second attempt starts beside one at this provider; 0 means never.
    pub hedge_after_ms: u64,
    /// Requests it may have at once; 0 means any number.
    pub max_concurrent: u32,
    /// Itself and what it may be used for, `max_concurrent` included.
    pub parties: Arc<[Party]>,
    /// The proxy on the way to it.
    pub proxy: Option<OutboundProxy>,
    /// Whether it is reached directly when the proxy cannot be.
    pub proxy_fallback_to_direct: bool,
    /// Headers added to every request.
    pub custom_headers: BTreeMap<String, String>,
    /// Whether the client's address is passed on.
    pub preserve_client_ip: bool,
}

/// A model name to replace.
#[derive(Debug, Clone)]
pub struct Redirect {
    /// What the name the client asks for must match.
    pub source: Pattern,
    /// The name the provider is asked for.
    pub target: String,
}

/// A provider's address, taken apart once when the snapshot is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// TLS or not.
    pub is_tls: bool,
    /// Host name or address literal (IPv6 without brackets), as used for DNS and SNI.
    pub host: String,
    /// Port, the scheme's own where none is given.
    pub port: u16,
    /// The `Host` header: host, and port unless it is the scheme's own.
    pub authority: String,
    /// Path without a trailing slash; empty for a bare host.
    pub path: String,
}

/// Why an address cannot be a provider's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct BadBaseUrl(String);

// === impl Provider ===

impl Provider {
    /// A provider with everything that has a default at its default.
    #[must_use]
    pub fn new(id: i64, kind: ProviderType, base: BaseUrl, api_key: Secret) -> Self {
        Self {
            id,
            name: format!("provider {id}"),
            kind,
            endpoints: vec![base],
            api_key,
            is_enabled: true,
            weight: 1,
            priority: 0,
            group_priorities: BTreeMap::new(),
            groups: Vec::new(),
            allowed_models: Vec::new(),
            model_redirects: Vec::new(),
            allowed_clients: Vec::new(),
            blocked_clients: Vec::new(),
            active_time: None,
            cost_multiplier: Multiplier::ONE,
            max_attempts: 1,
            timeouts: Timeouts::default(),
            breaker: BreakerSettings::default(),
            health_check: HealthCheck::default(),
            hedge_after_ms: 0,
            max_concurrent: 0,
            parties: Arc::new([Party::of_provider(id, Limits::default())]),
            proxy: None,
            proxy_fallback_to_direct: false,
            custom_headers: BTreeMap::new(),
            preserve_client_ip: false,
        }
    }

    /// The model it is asked for when the client asks for `model`; none when that is the same.
    #[must_use]
    pub fn redirect(&self, model: &str) -> Option<&str> {
        let mut redirects = self.model_redirects.iter();
        let redirect = redirects.find(|redirect| redirect.source.matches(model))?;
        (redirect.target != model).then_some(redirect.target.as_str())
    }
}

// === impl BaseUrl ===

impl BaseUrl {
    /// Takes an `http` or `https` URL apart.
    ///
    /// # Errors
    /// Names what is wrong: not a URL, another scheme, credentials or a query in it.
    pub fn parse(url: &str) -> Result<Self, BadBaseUrl> {
        let uri: http::Uri = url
            .parse()
            .map_err(|e| BadBaseUrl(format!("not a URL: {e}")))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(BadBaseUrl("must start with http:// or https://".into())),
        };
        if uri.query().is_some() {
            return Err(BadBaseUrl("must not have a query".into()));
        }
        let authority = uri
            .authority()
            .filter(|a| !a.host().is_empty())
            .ok_or_else(|| BadBaseUrl("has no host".into()))?;
        if authority.as_str().contains('@') {
            return Err(BadBaseUrl("must not carry credentials".into()));
        }
        // What is no 16-bit number is no port to `Authority` either, and must not become the scheme's own.
        let has_port = authority.as_str().len() > authority.host().len();
        if has_port && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(BadBaseUrl("has a wrong port".into()));
        }
        let default_port = if is_tls { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(default_port);
        let host = authority.host();
        Ok(Self {
            is_tls,
            port,
            authority: if port == default_port {
                host.to_owned()
            } else {
                format!("{host}:{port}")
            },
            host: host.trim_matches(['[', ']']).to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_taken_apart() {
        let base = BaseUrl::parse("https://relay.example/api/").unwrap();
        assert_eq!((base.is_tls, base.port), (true, 443));
        assert_eq!(base.authority, "relay.example");
        assert_eq!(base.path, "/api");
        let base = BaseUrl::parse("http://[::1]:8080").unwrap();
        assert_eq!((base.host.as_str(), base.port), ("::1", 8080));
        assert_eq!(base.authority, "[::1]:8080");
    }

    #[test]
    fn a_wrong_base_url_is_refused() {
        for bad in [
            "",
            "relay",
            "ftp://a",
            "http://u:p@a/",
            "http://a/?x=1",
            "http://a:0",
            "http://a:99999/",
        ] {
            assert!(BaseUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
