//! Admin traffic on the public port: the dashboard, the admin API and health, proxied to the admin service's own socket.

use std::path::PathBuf;
use std::time::Duration;

use entity::value::Networks;
use http::{Method, header};
use pingora::http::RequestHeader;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::proxy::{FailToProxy, Session};

use super::client_address;

/// Where the admin service listens, and how much of it the public port shows.
pub struct AdminSide {
    /// Its Unix socket.
    pub socket: PathBuf,
    /// Whether the public port shows all of it; else only health.
    pub is_public: bool,
    /// Whether the public port shows the metrics, which need no credential.
    pub has_metrics: bool,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longer than the admin service's own limit on a request, so that its answer wins.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

// === impl AdminSide ===

impl AdminSide {
    /// The peer for an admin request.
    ///
    /// # Errors
    /// When the socket's path cannot be one.
    pub fn peer(&self) -> Result<Box<HttpPeer>> {
        let path = self.socket.to_string_lossy();
        let mut peer = HttpPeer::new_uds(&path, false, String::new())?;
        peer.options.connection_timeout = Some(CONNECT_TIMEOUT);
        peer.options.read_timeout = Some(READ_TIMEOUT);
        Ok(Box::new(peer))
    }
}

/// Whether a request belongs to the admin side: `/api/...`, and every page a browser might ask for, which is any `GET` outside the
/// client protocols' prefixes. The bare `HEAD /` stays with the data plane: Claude Code probes it.
pub fn is_for_admin(request: &RequestHeader, admin: &AdminSide) -> bool {
    let path = request.uri.path();
    if path.starts_with("/api/health") {
        return true;
    }
    if path == "/metrics" {
        return admin.has_metrics;
    }
    if !admin.is_public {
        return false;
    }
    if path == "/api" || path.starts_with("/api/") {
        return true;
    }
    let is_client_path = ["/v1", "/v1beta"].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) || path.starts_with("/v1internal");
    let is_read = request.method == Method::GET || (request.method == Method::HEAD && path != "/");
    is_read && !is_client_path
}

/// Tells the admin service who is calling. What the client itself claims is removed: brute-force limits go by this address.
///
/// # Errors
/// When the address cannot be a header, which it can.
pub fn request(session: &Session, request: &mut RequestHeader, trusted: &Networks) -> Result<()> {
    for name in ["x-forwarded-for", "forwarded"] {
        request.remove_header(name);
    }
    request.remove_header("x-real-ip");
    if let Some(address) = client_address::of(session, trusted) {
        request.insert_header("x-real-ip", address.to_string())?;
    }
    let is_tls = session
        .digest()
        .is_some_and(|digest| digest.ssl_digest.is_some());
    request.insert_header("x-forwarded-proto", if is_tls { "https" } else { "http" })?;
    // The service closes a connection whose body it did not read, and the next request would be lost with it. A connection of its own
    // costs next to nothing on a Unix socket.
    request.insert_header(header::CONNECTION, "close")
}

/// Answers when the admin service does not.
pub async fn failed(session: &mut Session, _e: &Error) -> FailToProxy {
    const BODY: &str = r#"{"type":"about:blank","title":"The admin service does not answer","status":502,"code":"admin_unavailable"}"#;
    let mut sent = 0;
    if session.response_written().is_none()
        && let Ok(mut response) = pingora::http::ResponseHeader::build(502, Some(2))
    {
        let complete = response
            .insert_header(header::CONTENT_TYPE, "application/problem+json")
            .is_ok()
            && response.set_content_length(BODY.len()).is_ok()
            && session
                .write_error_response(response, bytes::Bytes::from_static(BODY.as_bytes()))
                .await
                .is_ok();
        sent = if complete { 502 } else { 0 };
    }
    FailToProxy {
        error_code: sent,
        can_reuse_downstream: false,
    }
}
