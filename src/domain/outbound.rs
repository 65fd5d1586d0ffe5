//! A proxy between us and a provider.

use std::fmt;

use entity::value::Secret;

/// A proxy's address, taken apart once when the snapshot is made.
#[derive(Debug, Clone)]
pub struct OutboundProxy {
    /// How it is spoken to.
    pub scheme: ProxyScheme,
    /// Host name or address literal (IPv6 without brackets).
    pub host: String,
    /// Port, the scheme's own where none is given.
    pub port: u16,
    /// User name and password, percent-decoded.
    pub credentials: Option<(String, Secret)>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    /// `CONNECT` over plain HTTP. Port 80.
    Http,
    /// `CONNECT` over TLS. Port 443.
    Https,
    /// SOCKS5; the provider's name is resolved here. Port 1080.
    Socks5,
    /// SOCKS5; the proxy resolves the provider's name. Port 1080.
    Socks5h,
}

/// Why an address cannot be a proxy's. Never holds the credentials.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct BadProxyUrl(&'static str);

// === impl OutboundProxy ===

impl OutboundProxy {
    /// Takes a proxy URL apart: `scheme://[user[:password]@]host[:port]`.
    ///
    /// # Errors
    /// Names what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, BadProxyUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(BadProxyUrl(
            "must start with http://, https://, socks5:// or socks5h://",
        ))?;
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (ProxyScheme::Http, 80),
            "https" => (ProxyScheme::Https, 443),
            "socks5" => (ProxyScheme::Socks5, 1080),
            "socks5h" => (ProxyScheme::Socks5h, 1080),
            _ => {
                return Err(BadProxyUrl(
                    "must start with http://, https://, socks5:// or socks5h://",
                ));
            }
        };
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let authority: http::uri::Authority = place
            .strip_suffix('/')
            .unwrap_or(place)
            .parse()
            .map_err(|_| BadProxyUrl("must be a host and a port"))?;
        if authority.host().is_empty() {
            return Err(BadProxyUrl("has no host"));
        }
        // What is no 16-bit number is no port to `Authority` either, and must not become the scheme's own.
        let has_port = authority.as_str().len() > authority.host().len();
        if has_port && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(BadProxyUrl("has a wrong port"));
        }
        Ok(Self {
            scheme,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(default_port),
            credentials: user.map(credentials),
        })
    }
}

/// Without its credentials.
impl fmt::Display for OutboundProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            ProxyScheme::Http => "http",
            ProxyScheme::Https => "https",
            ProxyScheme::Socks5 => "socks5",
            ProxyScheme::Socks5h => "socks5h",
        };
        let host = &self.host;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{}", self.port)
        } else {
            write!(f, "{scheme}://{host}:{}", self.port)
        }
    }
}

fn credentials(user: &str) -> (String, Secret) {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    (decode(name), Secret::new(decode(password)))
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| std::str::from_utf8(tail.get(..2)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_url_is_taken_apart_and_never_shows_its_credentials() {
        let proxy = OutboundProxy::parse("socks5h://me:p%40ss%3A@[::1]:9050").unwrap();
        assert_eq!(proxy.scheme, ProxyScheme::Socks5h);
        assert_eq!((proxy.host.as_str(), proxy.port), ("::1", 9050));
        let (user, password) = proxy.credentials.clone().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("me", "p@ss:"));
        assert_eq!(proxy.to_string(), "socks5h://[::1]:9050");
        assert!(!format!("{proxy:?}").contains("p@ss"));
        assert_eq!(OutboundProxy::parse("http://proxy").unwrap().port, 80);
        for bad in [
            "",
            "proxy:80",
            "ftp://a",
            "http://",
            "http://a:99999",
            "http://a/b",
        ] {
            assert!(OutboundProxy::parse(bad).is_err(), "{bad}");
        }
    }
}
