//! Who the client is: who connected, or whom one of our own proxies says it forwards for.

use std::net::IpAddr;

use entity::value::Networks;
use pingora::proxy::Session;

/// The client's address; none where it is not known, as on a Unix socket. `X-Forwarded-For` is believed of `trusted` alone.
pub fn of(session: &Session, trusted: &Networks) -> Option<IpAddr> {
    let peer = session.client_addr()?.as_inet()?.ip();
    let headers = session.req_header().headers.get_all("x-forwarded-for");
    let texts: Vec<_> = headers.iter().filter_map(|v| v.to_str().ok()).collect();
    Some(trusted.client(peer, &texts))
}
