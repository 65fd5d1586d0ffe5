//! Where a request comes from.

use std::net::IpAddr;

use poem::{Addr, Request};

/// The peer's address: the TCP peer, or what the gateway says of it when it forwards over its private socket. A header on a TCP
/// connection is never believed: anybody can write one.
pub fn peer(request: &Request) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip()),
        Addr::Unix(_) => request.header("x-real-ip")?.trim().parse().ok(),
        Addr::Custom(..) => None,
    }
}
