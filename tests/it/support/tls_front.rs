//! TLS in front of the fake upstream: what speaks HTTP/2 in the clear behind it speaks it by ALPN in front.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Ends TLS and passes the bytes on, until dropped.
pub struct TlsFront {
    port: u16,
    connections: Arc<AtomicUsize>,
    files: tempfile::TempDir,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// In front of `behind` (`host:port`), offering these protocols. Its certificate is its own, for `localhost`.
    pub async fn start(behind: &str, protocols: &[&str]) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counted, behind) = (connections.clone(), behind.to_owned());
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                running.spawn(pass(socket, acceptor.clone(), behind.clone()));
            }
        });
        Self {
            port,
            connections,
            files,
            task,
        }
    }

    /// `https://localhost:port`.
    pub fn base(&self) -> String {
        format!("https://{}", self.authority())
    }

    /// `localhost:port`.
    pub fn authority(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Its certificate, for who should trust it.
    pub fn ca_file(&self) -> PathBuf {
        self.files.path().join("ca.pem")
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(socket: TcpStream, acceptor: TlsAcceptor, behind: String) {
    socket.set_nodelay(true).unwrap();
    let Ok(mut front) = acceptor.accept(socket).await else {
        return;
    };
    let mut back = TcpStream::connect(behind).await.unwrap();
    back.set_nodelay(true).unwrap();
    // Either side may break off; that is passed on by dropping the other.
    let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
}
