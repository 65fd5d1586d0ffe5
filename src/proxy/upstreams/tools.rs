//! What connections of our own, checks and those to proxies, are made with.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use pingora::connectors::http::Connector;
use pingora::connectors::{ConnectorOptions, TransportConnector};
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

    fn options(&self) -> ConnectorOptions {
        // Nothing is kept: a check that reuses a connection checks nothing.
        let mut options = ConnectorOptions::new(1);
        options.ca_file = self
            .ca_file
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned());
        options
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
