//! How a provider is reached, and Pingora's picture of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pingora::prelude::HttpPeer;
use pingora::protocols::ALPN;
use pingora::protocols::l4::ext::TcpKeepalive;
use pingora::upstreams::peer::PeerOptions;

use crate::domain::outbound::ProxyScheme;
use crate::domain::provider::{BaseUrl, Provider};
use crate::proxy::cork::Direct;
use crate::proxy::tunnel::Tunnel;

/// How long an idle connection to a provider is kept. Shorter than most servers' own limit, so that few are found dead.
const IDLE_CONNECTION: Duration = Duration::from_secs(55);
/// Requests at once on one HTTP/2 connection; more open another.
const STREAMS: u32 = 32;
/// How much of one HTTP/2 answer may be under way unread. All of a connection's streams together stay within its own window, so that a client
/// that reads slowly holds back nobody but itself.
const STREAM_WINDOW: u32 = 512 << 10;
/// How often an HTTP/2 connection is asked whether anybody is there; without an answer within 5 s it is given up.
const PING: Duration = Duration::from_secs(30);

/// How a provider is reached.
#[derive(Debug)]
pub struct Reached {
    /// What is connected to: the provider, or its proxy.
    pub address: SocketAddr,
    /// What goes on from there, when that is a proxy.
    pub tunnel: Option<Arc<Tunnel>>,
    /// Keeps connections through different proxies apart; 0 without one.
    pub group: u64,
}

// === impl Reached ===

impl Reached {
    /// Straight to the provider.
    pub fn direct(address: SocketAddr) -> Self {
        Self {
            address,
            tunnel: None,
            group: 0,
        }
    }

    /// The peer to hand to Pingora. `base` is the endpoint it was reached for. How long an answer may take is for whoever waits for it to say.
    pub fn peer(self, provider: &Provider, base: &BaseUrl) -> HttpPeer {
        let sni = if base.is_tls {
            base.host.clone()
        } else {
            String::new()
        };
        let mut peer = HttpPeer::new(self.address, base.is_tls, sni);
        let timeouts = &provider.timeouts;
        let options = &mut peer.options;
        options.connection_timeout = millis(timeouts.connect_ms);
        options.total_connection_timeout = millis(timeouts.connect_ms);
        options.write_timeout = millis(timeouts.total_ms);
        options.idle_timeout = Some(IDLE_CONNECTION);
        options.tcp_keepalive = Some(TcpKeepalive {
            idle: Duration::from_secs(60),
            interval: Duration::from_secs(10),
            count: 3,
            user_timeout: Duration::ZERO,
        });
        // What comes out of TLS to a proxy has no socket that the pool could tell from another: it serves one request.
        let is_kept = !matches!(&self.tunnel, Some(way) if way.scheme() == ProxyScheme::Https);
        if !is_kept {
            options.idle_timeout = Some(Duration::ZERO);
        } else if base.is_tls {
            offer_http2(options);
        }
        options.custom_l4 = Some(match self.tunnel {
            Some(tunnel) => tunnel,
            None => Arc::new(Direct),
        });
        peer.group_key = self.group;
        peer
    }
}

fn offer_http2(options: &mut PeerOptions) {
    options.alpn = ALPN::H2H1;
    options.max_h2_streams = STREAMS as usize;
    options.h2_stream_window_size = Some(STREAM_WINDOW);
    options.h2_connection_window_size = Some(STREAM_WINDOW * STREAMS);
    options.h2_ping_interval = Some(PING);
}

/// A duration of so many milliseconds; 0 is none.
fn millis(ms: u64) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}
