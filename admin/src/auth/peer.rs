//! Where a request comes from.

use std::net::IpAddr;

use entity::value::Networks;
use poem::{Addr, Request};

/// The peer's address: the TCP peer, or what the gateway says of it when it forwards over its private socket. A header on a TCP
/// connection is believed of the proxies in `trusted` alone: anybody can write one.
pub fn peer(request: &Request, trusted: &Networks) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => {
            let headers = request.headers().get_all("x-forwarded-for").iter();
            let texts: Vec<_> = headers.filter_map(|value| value.to_str().ok()).collect();
            Some(trusted.client(address.ip(), &texts))
        }
        Addr::Unix(_) => request.header("x-real-ip")?.trim().parse().ok(),
        Addr::Custom(..) => None,
    }
}
