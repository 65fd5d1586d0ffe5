//! A question of our own to a provider, with how long each part of the way took.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use entity::value::{EgressPolicy, ProviderType};
use http::{HeaderMap, Method, StatusCode, header};
use pingora::http::RequestHeader;
use pingora::prelude::Result;
use pingora::protocols::ALPN;

use super::{AskError, ReachError, Upstreams};
use crate::domain::provider::{BaseUrl, Provider};
use crate::proxy::upstream_head::{authenticate, join, join_beside};

/// Anthropic answers nobody who does not say which version they speak.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// What is asked.
#[derive(Debug)]
pub struct Trial {
    /// Path and query, as a client would send them.
    pub target: String,
    /// The JSON body; without one it is a `GET`.
    pub body: Option<Bytes>,
    /// How long all of it may take.
    pub limit: Duration,
    /// How much of the answer is kept, in bytes. The rest is not read.
    pub most: usize,
}

/// What came of it, as far as it came.
#[derive(Debug, Default)]
pub struct Told {
    /// The address that was asked.
    pub url: String,
    /// From the beginning to a connection, names, proxy and TLS included.
    pub connected: Option<Duration>,
    /// From the beginning to the answer's head.
    pub first_byte: Option<Duration>,
    /// All of it.
    pub total: Duration,
    /// The answer's status.
    pub status: Option<StatusCode>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
    /// There was more of it than is kept.
    pub is_cut: bool,
    /// Why there is no more.
    pub error: Option<AskError>,
}

// === impl Upstreams ===

impl Upstreams {
    /// Asks a provider something, on the way and with the credential that a request would have.
    pub async fn try_out(&self, provider: &Provider, trial: Trial, policy: EgressPolicy) -> Told {
        let began = Instant::now();
        let mut told = Told::default();
        let asking = self.ask(provider, &trial, policy, began, &mut told);
        let asked = tokio::time::timeout(trial.limit, asking).await;
        told.error = match asked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(AskError::TimedOut(trial.limit)),
        };
        told.total = began.elapsed();
        told
    }

    async fn ask(
        &self,
        provider: &Provider,
        trial: &Trial,
        policy: EgressPolicy,
        began: Instant,
        told: &mut Told,
    ) -> Result<(), AskError> {
        let base = provider.endpoints.first();
        let base = base.ok_or(ReachError::NoEndpoint)?;
        let request = head(provider, base, trial)?;
        let scheme = if base.is_tls { "https" } else { "http" };
        told.url = format!("{scheme}://{}{}", base.authority, request.uri);
        let reached = self.reach(provider, 0, policy).await?;
        let mut peer = reached.peer(provider, base);
        // One question is not worth a connection for many.
        peer.options.alpn = ALPN::H1;
        let (mut session, _) = self.tools.http().get_http_session(&peer).await?;
        told.connected = Some(began.elapsed());
        session.set_read_timeout(Some(trial.limit));
        session.set_write_timeout(Some(trial.limit));
        session.write_request_header(Box::new(request)).await?;
        if let Some(body) = &trial.body {
            session.write_request_body(body.clone(), true).await?;
        }
        session.finish_request_body().await?;
        loop {
            session.read_response_header().await?;
            // Early hints and the like come before the answer.
            if let Some(head) = session.response_header()
                && !head.status.is_informational()
            {
                told.status = Some(head.status);
                told.headers = head.headers.clone();
                break;
            }
        }
        told.first_byte = Some(began.elapsed());
        let mut kept = BytesMut::new();
        loop {
            let chunk = session.read_response_body().await;
            if let Ok(Some(chunk)) = &chunk {
                let room = trial.most - kept.len();
                kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
                told.is_cut = chunk.len() > room;
            }
            // What has come is shown, even when the rest does not.
            told.body = kept.clone().freeze();
            if chunk?.is_none() || told.is_cut {
                return Ok(());
            }
        }
    }
}

/// The head of the question. Nothing of any client's is in it.
fn head(provider: &Provider, base: &BaseUrl, trial: &Trial) -> Result<RequestHeader> {
    let (path, query) = match trial.target.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (trial.target.as_str(), String::new()),
    };
    let (method, path) = match trial.body {
        Some(_) => (Method::POST, join(&base.path, path)),
        None => (Method::GET, join_beside(&base.path, path)),
    };
    let target = format!("{path}{query}");
    let mut request = RequestHeader::build(method, target.as_bytes(), None)?;
    request.insert_header(header::HOST, base.authority.as_str())?;
    request.insert_header(header::USER_AGENT, "switchyard-test")?;
    request.insert_header(header::ACCEPT, "*/*")?;
    request.insert_header(header::ACCEPT_ENCODING, "identity")?;
    if let Some(body) = &trial.body {
        request.insert_header(header::CONTENT_TYPE, "application/json")?;
        request.insert_header(header::CONTENT_LENGTH, body.len())?;
    }
    if matches!(
        provider.kind,
        ProviderType::Claude | ProviderType::ClaudeAuth
    ) {
        request.insert_header("anthropic-version", ANTHROPIC_VERSION)?;
    }
    for (name, value) in &provider.custom_headers {
        request.insert_header(name.clone(), value.as_str())?;
    }
    authenticate(&mut request, provider, base)?;
    Ok(request)
}
