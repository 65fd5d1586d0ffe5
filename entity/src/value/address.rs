//! Which addresses a provider may have.
//!
//! A provider's URL is fetched by the gateway with a credential attached, so it must not point at what only the gateway's own
//! host can reach and trusts: the link-local range, where clouds keep the metadata service that hands out machine credentials.
//! That is refused under every policy; private and loopback addresses are many people's own models and are refused only when
//! the policy says so. Here the URL's text is judged, so that the admin hears of it at once; a name can resolve to anything, and
//! the gateway judges the resolved address again, by [`check_address`], before it connects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::EgressPolicy;

/// Addresses outside the link-local range where clouds answer questions about the machine itself.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Checks a provider's URL.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_url(url: &str, policy: EgressPolicy) -> Result<(), String> {
    check_whole_url(url, policy)?;
    if url.contains('?') {
        return Err("must not have a query".into());
    }
    Ok(())
}

/// Checks a URL that may have a query.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_whole_url(url: &str, policy: EgressPolicy) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|e| format!("is not a URL: {e}"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("must start with http:// or https://".into());
    }
    if url.contains('#') {
        return Err("must not have a fragment".into());
    }
    let authority = uri.authority().map_or("", |a| a.as_str());
    if authority.contains('@') {
        return Err("must not carry credentials".into());
    }
    let host = uri.host().unwrap_or_default().trim_end_matches('.');
    if host.is_empty() {
        return Err("has no host".into());
    }
    if authority.len() > uri.host().map_or(0, str::len) && uri.port_u16().is_none_or(|p| p == 0) {
        return Err("has a bad port".into());
    }
    check_host(host, policy)
}

fn check_host(host: &str, policy: EgressPolicy) -> Result<(), String> {
    let bare = host.trim_matches(['[', ']']);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return check_address(address, policy).map_err(str::to_owned);
    }
    // What ends in a number is an address to most resolvers, in one of the spellings that hide it: 0x7f.1, 2130706433.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("has a host that is neither a name nor an address".into());
    }
    let name = host.to_ascii_lowercase();
    if name == "metadata" || name == "metadata.google.internal" {
        return Err("is a metadata service".into());
    }
    let is_local = name == "localhost" || name.ends_with(".localhost");
    if is_local && policy == EgressPolicy::PublicOnly {
        return Err("is a loopback address, which the egress policy forbids".into());
    }
    Ok(())
}

/// Checks an address, such as one a name was resolved to.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_address(address: IpAddr, policy: EgressPolicy) -> Result<(), &'static str> {
    let address = unwrapped(address);
    let (is_forbidden, is_private) = match address {
        IpAddr::V4(v4) => (
            v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.octets()[0] == 0,
            v4.is_private() || v4.is_loopback() || is_shared(v4),
        ),
        IpAddr::V6(v6) => (
            v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified(),
            v6.is_unique_local() || v6.is_loopback(),
        ),
    };
    if is_forbidden || METADATA.contains(&address) {
        return Err("is a link-local, metadata or unusable address");
    }
    if is_private && policy == EgressPolicy::PublicOnly {
        return Err("is a private or loopback address, which the egress policy forbids");
    }
    Ok(())
}

/// The IPv4 address inside an IPv6 one: mapped (`::ffff:0:0/96`) or translated (`64:ff9b::/96`).
fn unwrapped(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        other => other,
    }
}

/// The range carriers share among their customers, 100.64.0.0/10.
fn is_shared(v4: Ipv4Addr) -> bool {
    v4.octets()[0] == 100 && v4.octets()[1] & 0b1100_0000 == 0b0100_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_provider_may_have() {
        for url in [
            "https://api.example.com",
            "http://10.0.0.5:8080/v1",
            "http://localhost:11434",
            "http://[::1]:8080/",
            "http://[fd12::1]",
        ] {
            assert_eq!(check_url(url, EgressPolicy::AllowPrivate), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_none_may_have() {
        for url in [
            "",
            "relay",
            "ftp://a.example",
            "https://u:p@a.example",
            "https://a.example/?key=1",
            "https://a.example/#x",
            "https://a.example:0/",
            "http://169.254.169.254/latest",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200",
            "http://metadata.google.internal./",
            "http://0.0.0.0:80",
            "http://0x7f.1",
            "http://2852039166/",
            "http://127.1",
        ] {
            assert!(check_url(url, EgressPolicy::AllowPrivate).is_err(), "{url}");
        }
    }

    #[test]
    fn what_a_public_only_policy_forbids() {
        for url in [
            "http://10.0.0.5",
            "http://127.0.0.1",
            "http://[::1]",
            "http://[fd12::1]",
            "http://LOCALHOST:8080",
            "http://100.64.0.1",
            "http://[::ffff:192.168.1.1]",
        ] {
            assert!(check_url(url, EgressPolicy::PublicOnly).is_err(), "{url}");
        }
        assert_eq!(
            check_url("https://1.1.1.1", EgressPolicy::PublicOnly),
            Ok(())
        );
    }
}
