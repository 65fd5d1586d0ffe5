//! The public port: bound before anything else is built, then served by Pingora's service on the data runtime.
//!
//! Pingora's own `Server` is not used to run the service: at the end it sleeps for a fixed grace period and then drops what is still
//! running, while a gateway has to stay exactly as long as its streams do. The service itself is Pingora's, started with our own
//! shutdown signal; the bound socket is handed to it the way Pingora hands over listeners between processes.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;

use parking_lot::Mutex;
use pingora::apps::HttpServerOptions;
use pingora::listeners::tls::TlsSettings;
use pingora::proxy::http_proxy_service;
use pingora::server::Fds;
use pingora::server::configuration::ServerConf;
use pingora::services::Service;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::error::StartError;
use crate::proxy::Gateway;
use crate::settings::Tls;

/// Binds the public port.
///
/// # Errors
/// When it cannot be had; names it.
pub fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address)
        .map_err(|e| format!("cannot listen on {address} (APP_PORT, HOSTNAME): {e}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Reads certificate and key, so that a mistake is an error at the start and not a panic in Pingora.
///
/// # Errors
/// Names the file that is no good.
pub fn check_tls(tls: Option<&Tls>) -> Result<(), StartError> {
    let Some(tls) = tls else { return Ok(()) };
    let certificates = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| format!("TLS_CERT {}: {e}", tls.cert.display()))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|e| format!("TLS_KEY {}: {e}", tls.key.display()))?;
    rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|e| format!("TLS_CERT and TLS_KEY do not make a server: {e}"))?;
    Ok(())
}

/// Serves the gateway on the bound port, until the returned sender is told `true`.
///
/// # Errors
/// When certificate or key are no good.
pub fn serve(
    runtime: &Handle,
    listener: TcpListener,
    tls: Option<&Tls>,
    gateway: Gateway,
    threads: Option<usize>,
) -> Result<watch::Sender<bool>, StartError> {
    let address = listener.local_addr()?.to_string();
    let conf = Arc::new(ServerConf {
        threads: threads.unwrap_or(2),
        // The admin service is asked once.
        max_retries: 1,
        ..ServerConf::default()
    });
    let mut service = http_proxy_service(&conf, gateway);
    if let Some(logic) = service.app_logic_mut() {
        let mut options = HttpServerOptions::default();
        options.h2c = true;
        logic.server_options = Some(options);
    }
    match tls {
        None => service.add_tcp(&address),
        Some(tls) => {
            let (cert, key) = (tls.cert.to_string_lossy(), tls.key.to_string_lossy());
            let mut settings = TlsSettings::intermediate(&cert, &key)?;
            settings.enable_h2();
            service.add_tls_with_settings(&address, None, settings);
        }
    }
    let mut fds = Fds::new();
    fds.add(address, listener.into_raw_fd());
    let fds = Arc::new(Mutex::new(fds));
    let (stop, stopped) = watch::channel(false);
    runtime.spawn(async move {
        service.start_service(Some(fds), stopped, 1).await;
    });
    Ok(stop)
}
