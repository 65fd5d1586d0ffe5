//! One health check of one address.
//!
//! The state machine around it (how many in a row change a backend's health) is the load-balancing crate's. The crate's own checks are not
//! used: each of them makes a TLS context of its own, and neither knows of our egress policy or keeps what went wrong.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::value::{EgressPolicy, HealthCheckKind};
use http::header;
use parking_lot::Mutex;
use pingora::ErrorType;
use pingora::http::RequestHeader;
use pingora::lb::Backend;
use pingora::lb::health_check::HealthCheck;
use pingora::prelude::{Error, HttpPeer, Result};

use super::site::Site;
use super::tools::Tools;
use crate::policy::egress;

/// How long one check may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Failures in a row that make an address unhealthy: a single lost packet should not.
const FAILURES: usize = 2;

/// Checks addresses of one endpoint.
pub struct Probe {
    /// What is checked.
    pub site: Site,
    /// What it is checked with.
    pub tools: Arc<Tools>,
    /// What came of it.
    pub record: Arc<Mutex<Record>>,
}

/// What the last checks found.
#[derive(Debug, Default)]
pub struct Record {
    /// Where checks may go, too.
    pub policy: EgressPolicy,
    /// When an address was last checked.
    pub checked_at: Option<DateTime<Utc>>,
    /// What was wrong then.
    pub error: Option<String>,
    /// The name could not be looked up.
    pub has_no_address: bool,
}

#[async_trait]
impl HealthCheck for Probe {
    async fn check(&self, target: &Backend) -> Result<()> {
        let outcome = match tokio::time::timeout(DEADLINE, self.ask(target)).await {
            Ok(outcome) => outcome,
            Err(_) => failure(format!("no answer within {} s", DEADLINE.as_secs())),
        };
        let mut record = self.record.lock();
        record.checked_at = Some(Utc::now());
        record.error = outcome
            .as_ref()
            .err()
            .map(|e| format!("{}: {}", target.addr, e.root_cause()));
        outcome
    }

    fn backend_summary(&self, target: &Backend) -> String {
        format!("{} at {}", self.site.authority, target.addr)
    }

    fn health_threshold(&self, success: bool) -> usize {
        if success { 1 } else { FAILURES }
    }
}

// === impl Probe ===

impl Probe {
    async fn ask(&self, target: &Backend) -> Result<()> {
        let Some(address) = target.addr.as_inet() else {
            return failure("not an internet address");
        };
        let policy = self.record.lock().policy;
        if !egress::permits(policy, address.ip()) {
            return failure("egressPolicy forbids the address");
        }
        let peer = self.peer(*address);
        match self.site.check.kind {
            HealthCheckKind::Off => Ok(()),
            HealthCheckKind::Tcp => self.tools.transport().new_stream(&peer).await.map(drop),
            HealthCheckKind::Http => self.ask_http(&peer).await,
        }
    }

    fn peer(&self, address: SocketAddr) -> HttpPeer {
        let mut peer = HttpPeer::new(address, self.site.is_tls, self.site.sni().to_owned());
        peer.options.connection_timeout = Some(DEADLINE);
        peer.options.read_timeout = Some(DEADLINE);
        peer.options.write_timeout = Some(DEADLINE);
        peer
    }

    /// Asks for the page, without credentials: whatever the answer below 500, somebody is there who thinks.
    async fn ask_http(&self, peer: &HttpPeer) -> Result<()> {
        let path = &self.site.check.path;
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut request = RequestHeader::build("GET", format!("{slash}{path}").as_bytes(), None)?;
        request.insert_header(header::HOST, self.site.authority.as_str())?;
        request.insert_header(header::USER_AGENT, "switchyard-health-check")?;
        request.insert_header(header::ACCEPT, "*/*")?;
        let status = self.tools.status(peer, request, DEADLINE).await?;
        match status.as_u16() {
            status if status < 500 => Ok(()),
            status => failure(format!("it answered {status}")),
        }
    }
}

fn failure(what: impl Into<String>) -> Result<()> {
    let what: Box<dyn std::error::Error + Send + Sync> = what.into().into();
    Error::e_because(ErrorType::CustomCode("health check", 0), "", what)
}
