//! The proxy to compare with: Pingora's server as it comes, with one fixed peer and no other hook.

use std::net::SocketAddr;

use async_trait::async_trait;
use pingora::proxy::{ProxyHttp, Session, http_proxy_service};
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use pingora::upstreams::peer::HttpPeer;

use crate::Outcome;
use crate::options;

/// As many as the gateway keeps.
const UPSTREAM_POOL: usize = 1024;

struct Bare {
    upstream: SocketAddr,
}

/// Serves until it is killed.
pub fn main(options: &options::Bare) -> Outcome<()> {
    let conf = ServerConf {
        threads: options.threads,
        upstream_keepalive_pool_size: UPSTREAM_POOL,
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let proxy = Bare {
        upstream: options.upstream,
    };
    let mut service = http_proxy_service(&server.configuration, proxy);
    service.add_tcp(&format!("127.0.0.1:{}", options.port));
    server.add_service(service);
    server.run(RunArgs::default());
    Ok(())
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(
        &self,
        _session: &mut Session,
        _ctx: &mut Self::CTX,
    ) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream, false, String::new())))
    }
}
