//! Who the client is: who connected, or whom one of our own proxies says it forwards for.

use std::net::{IpAddr, Ipv4Addr};

use entity::value::Networks;
use pingora::proxy::Session;

/// The client's address; none where it is not known, as on a Unix socket. `X-Forwarded-For` is believed of `trusted` alone.
pub fn of(session: &Session, trusted: &Networks) -> Option<IpAddr> {
    let peer = session.client_addr()?.as_inet()?.ip();
    let headers = session.req_header().headers.get_all("x-forwarded-for");
    let texts: Vec<_> = headers.iter().filter_map(|v| v.to_str().ok()).collect();
    Some(trusted.client(peer, &texts))
}

/// An address as it is logged and told to providers.
pub fn text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => address.to_string(),
    }
}

/// Every request has its client's address written, and the library's way takes as long as admitting the request.
fn v4(address: Ipv4Addr) -> String {
    let mut text = String::with_capacity("255.255.255.255".len());
    for octet in address.octets() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(itoa::Buffer::new().format(octet));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_everywhere() {
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "192.0.2.10",
            "255.255.255.255",
            "2001:db8::7",
        ] {
            assert_eq!(text(address.parse().unwrap()), address);
        }
    }
}
