//! The address of a proxy on the way to a provider. It may be private: a proxy is the operator's own.

use http::uri::Authority;

/// The schemes and their ports.
const SCHEMES: [(&str, u16); 4] = [
    ("http", 80),
    ("https", 443),
    ("socks5", 1080),
    ("socks5h", 1080),
];

/// Checks `scheme://[user[:password]@]host[:port]` and gives it back without the credentials, the port written out.
///
/// # Errors
/// Says what is wrong with it, without repeating any of it.
pub fn address(url: &str) -> Result<String, &'static str> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let known = SCHEMES
        .iter()
        .find(|(name, _)| scheme.eq_ignore_ascii_case(name));
    let (scheme, default_port) =
        known.ok_or("must start with http://, https://, socks5:// or socks5h://")?;
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.strip_suffix('/').unwrap_or(place);
    let authority: Authority = place.parse().map_err(|_| "must be a host and a port")?;
    if authority.host().is_empty() {
        return Err("has no host");
    }
    let has_port = authority.as_str().len() > authority.host().len();
    if has_port && authority.port_u16().is_none_or(|port| port == 0) {
        return Err("has a wrong port");
    }
    let port = authority.port_u16().unwrap_or(*default_port);
    Ok(format!("{scheme}://{}:{port}", authority.host()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_shown_without_its_credentials() {
        for (url, shown) in [
            ("socks5h://me:p%40ss@[::1]:9050", "socks5h://[::1]:9050"),
            ("HTTP://10.0.0.1/", "http://10.0.0.1:80"),
            ("https://me:a@b@gate.example", "https://gate.example:443"),
            ("socks5://gate", "socks5://gate:1080"),
        ] {
            assert_eq!(address(url).as_deref(), Ok(shown));
        }
        for bad in [
            "",
            "gate:80",
            "ftp://gate",
            "http://",
            "http://gate:0",
            "http://gate:99999",
            "http://gate:",
            "http://gate/path",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
