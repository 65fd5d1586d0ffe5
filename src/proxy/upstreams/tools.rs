//! What connections of our own, checks and those to proxies, are made with.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use pingora::ErrorType;
use pingora::connectors::http::Connector;
use pingora::connectors::{ConnectorOptions, TransportConnector};
use pingora::http::RequestHeader;
use pingora::prelude::{Error, HttpPeer, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Connectors, each made when it is first needed: reading the system's certificates takes some milliseconds.
#[derive(Default)]
pub struct Tools {
    ca_file: Option<PathBuf>,
    http: OnceLock<Connector>,
    transport: OnceLock<TransportConnector>,
    tls: OnceLock<TlsConnector>,
}

// === impl Tools ===

impl Tools {
    /// Connectors that trust what is in `ca_file`, or what the system trusts.
    pub fn new(ca_file: Option<PathBuf>) -> Self {
        Self {
            ca_file,
            ..Self::default()
        }
    }

    /// Speaks HTTP.
    pub fn http(&self) -> &Connector {
        self.http
            .get_or_init(|| Connector::new(Some(self.options())))
    }

    /// Connects, with TLS where the peer has it.
    pub fn transport(&self) -> &TransportConnector {
        self.transport
            .get_or_init(|| TransportConnector::new(Some(self.options())))
    }

    /// Speaks TLS to a proxy.
    pub fn tls(&self) -> &TlsConnector {
        self.tls.get_or_init(|| {
            let config = ClientConfig::builder()
                .with_root_certificates(self.roots())
                .with_no_client_auth();
            TlsConnector::from(Arc::new(config))
        })
    }

    /// Sends a request without a body on a connection of its own, and answers the status. The rest of the answer is not read. Each reading
    /// and writing may take as long as `limit`.
    ///
    /// # Errors
    /// When the exchange fails before there is a status.
    pub async fn status(
        &self,
        peer: &HttpPeer,
        request: RequestHeader,
        limit: Duration,
    ) -> Result<StatusCode> {
        let (mut session, _) = self.http().get_http_session(peer).await?;
        session.set_read_timeout(Some(limit));
        session.set_write_timeout(Some(limit));
        session.write_request_header(Box::new(request)).await?;
        session.finish_request_body().await?;
        loop {
            session.read_response_header().await?;
            let Some(head) = session.response_header() else {
                let what = "there is no head in the answer";
                return Error::e_explain(ErrorType::InvalidHTTPHeader, what);
            };
            // Early hints and the like come before the answer.
            if !head.status.is_informational() {
                return Ok(head.status);
            }
        }
    }

    fn options(&self) -> ConnectorOptions {
        // Nothing is kept: a check that reuses a connection checks nothing.
        connector_options(self.ca_file.as_deref(), 1)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let certificates = match &self.ca_file {
            Some(path) => CertificateDer::pem_file_iter(path)
                .map(|all| all.filter_map(Result::ok).collect())
                .unwrap_or_default(),
            None => rustls_native_certs::load_native_certs().certs,
        };
        // Some systems carry certificates that rustls does not take; the others still count.
        roots.add_parsable_certificates(certificates);
        roots
    }
}

/// Trusts what is in `ca_file`, or what the system trusts, and keeps so many idle connections.
pub fn connector_options(ca_file: Option<&Path>, kept: usize) -> ConnectorOptions {
    let mut options = ConnectorOptions::new(kept);
    options.ca_file = ca_file.map(|path| path.to_string_lossy().into_owned());
    options
}
