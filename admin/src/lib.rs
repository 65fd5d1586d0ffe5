//! Floor 4, beside `proxy`: the back office. The typed, documented admin API over the configuration tables.
//!
//! Owns every write of configuration; asks the running gateway through [`gateway::Gateway`] and knows nothing else of it.

use std::{
    future::Future, io, net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc,
    time::Duration,
};

use entity::value::{KeyHash, KeyHasher, Networks, Sealer};
use poem::{
    Endpoint, Server,
    listener::{TcpListener, UnixListener},
};
use sea_orm::DatabaseConnection;

mod api;
mod auth;
mod contract;
mod document;
pub mod gateway;
pub mod outgoing;
mod problem;
mod query;
mod router;
mod service;
mod web;

pub use auth::throttle::Throttle;
use gateway::Gateway;

/// What the admin side works with.
pub struct Admin {
    /// The database.
    pub db: DatabaseConnection,
    /// The running gateway.
    pub gateway: Arc<dyn Gateway>,
    /// Seals providers' credentials.
    pub sealer: Arc<Sealer>,
    /// Hashes client keys, and the cookies of sessions.
    pub hasher: Arc<KeyHasher>,
    /// What [`Admin::token_hash`] says of the admin token.
    pub admin_token_hash: KeyHash,
    /// Whether session cookies carry `Secure`.
    pub secure_cookies: bool,
    /// Proxies that are believed about whom they forward for.
    pub trusted_proxies: Networks,
    /// Who guesses credentials. What other nodes tell of failures is counted here, too.
    pub throttle: Throttle,
}

/// Where the admin side listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A private Unix socket, behind the gateway's public port. Whoever can open it is believed about `x-real-ip`.
    Unix(PathBuf),
    /// An address of its own.
    Tcp(SocketAddr),
}

/// The whole admin side as one endpoint.
pub fn routes(admin: Arc<Admin>) -> impl Endpoint + 'static {
    router::build(admin)
}

/// Serves the admin side until `stop` resolves, then lets running requests finish for at most `drain`.
///
/// A Unix socket is readable by its owner only (0600); a stale file in its place is removed.
///
/// # Errors
/// When it cannot listen there.
pub async fn serve(
    admin: Arc<Admin>,
    listen: Listen,
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> io::Result<()> {
    let routes = routes(admin);
    match listen {
        Listen::Tcp(address) => {
            Server::new(TcpListener::bind(address))
                .name("admin")
                .run_with_graceful_shutdown(routes, stop, Some(drain))
                .await
        }
        Listen::Unix(path) => {
            remove_socket(&path).await?;
            let listener = UnixListener::bind(path.clone())
                .with_permissions(std::fs::Permissions::from_mode(0o600));
            let served = Server::new(listener)
                .name("admin")
                .run_with_graceful_shutdown(routes, stop, Some(drain))
                .await;
            remove_socket(&path).await?;
            served
        }
    }
}

/// Removes the file at `path` if it is a socket: anything else there is somebody's, and binding will say so.
async fn remove_socket(path: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    match tokio::fs::symlink_metadata(path).await {
        Ok(file) if file.file_type().is_socket() => tokio::fs::remove_file(path).await,
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

// === impl Admin ===

impl Admin {
    /// The hash to keep of an admin token. It is not the hash of the same text as a client key.
    #[must_use]
    pub fn token_hash(hasher: &KeyHasher, token: &str) -> KeyHash {
        hasher.hash(&format!("admin-token:{token}"))
    }
}
