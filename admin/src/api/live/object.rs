//! What runs, as it is answered.

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use crate::{
    api::decimal::usd,
    auth::identity::Identity,
    gateway,
    query::{
        requests::Names,
        sessions::{SessionKey, Totals},
    },
};

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename_all = "camelCase")]
pub struct LiveRequest {
    /// The request's id, as in `x-request-id`.
    pub id: Uuid,
    /// When it arrived.
    pub created_at: DateTime<Utc>,
    /// Whose.
    pub user_id: i64,
    /// With which key.
    pub key_id: i64,
    /// The provider asked last; for admins.
    #[oai(nullable)]
    pub provider_id: Option<i64>,
    /// The client's session, if it names one.
    #[oai(nullable)]
    pub session_id: Option<String>,
    /// Protocol name.
    pub protocol: String,
    /// The model asked for.
    #[oai(nullable)]
    pub model: Option<String>,
    /// Whether the client wants a stream.
    pub is_stream: bool,
    /// Attempts begun; for admins, else 0.
    pub attempts: u32,
    /// Bytes of the answer sent so far; 0 while there is none.
    pub response_bytes: u64,
}

/// The requests under way.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LiveRequestList {
    /// The requests, oldest first; at most 1000.
    pub items: Vec<LiveRequest>,
    /// How many there are on this node.
    pub total: u64,
}

/// A client's session.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LiveSession {
    /// As the client names it. Another key may use the same name for a session of its own.
    pub session_id: String,
    /// Whose.
    #[oai(nullable)]
    pub user_id: Option<i64>,
    /// The user's name.
    pub user_name: String,
    /// With which key.
    pub key_id: i64,
    /// The key's name.
    pub key_name: String,
    /// The provider that answers or answered last; for admins.
    #[oai(nullable)]
    pub provider_id: Option<i64>,
    /// The model asked for last.
    #[oai(nullable)]
    pub model: Option<String>,
    /// Protocol name.
    pub protocol: String,
    /// Requests under way on this node.
    pub in_flight: u64,
    /// Requests that are over, of those looked at.
    pub requests: u64,
    /// Their tokens, of all kinds.
    pub tokens: i64,
    /// Their cost, a decimal of US dollars.
    pub cost_usd: String,
    /// The status of the last that is over.
    #[oai(nullable)]
    pub status: Option<i32>,
    /// When the first of them arrived.
    pub started_at: DateTime<Utc>,
    /// When the last of all arrived.
    pub last_seen_at: DateTime<Utc>,
}

/// A page of sessions.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LiveSessionList {
    /// The sessions, those seen last first.
    pub items: Vec<LiveSession>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// A session and its requests under way.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LiveSessionDetail {
    /// The session, once for each key that uses its name.
    pub sessions: Vec<LiveSession>,
    /// Its requests under way on this node. Those that are over are in the request log.
    pub live: Vec<LiveRequest>,
}

/// What the end of a session did.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct SessionEnd {
    /// Requests that were under way and were ended.
    pub ended_requests: u64,
}

/// What a live event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum LiveEventKind {
    /// All requests under way: the first event.
    Snapshot,
    /// What changed since the event before.
    Change,
}

/// One event of the live view.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LiveEvent {
    /// What it is; also the event's name.
    pub kind: LiveEventKind,
    /// When it was so.
    pub at: DateTime<Utc>,
    /// Requests that are new or have changed.
    pub requests: Vec<LiveRequest>,
    /// Requests that are over, by id.
    pub ended: Vec<Uuid>,
    /// How many are under way on this node.
    pub total: u64,
}

// === impl LiveRequest ===

impl LiveRequest {
    /// What `caller` is told of it.
    pub fn new(caller: &Identity, request: gateway::LiveRequest) -> Self {
        let is_admin = caller.only_user().is_none();
        Self {
            id: request.id,
            created_at: request.created_at,
            user_id: request.user_id,
            key_id: request.key_id,
            provider_id: request.provider_id.filter(|_| is_admin),
            session_id: request.session_id,
            protocol: request.protocol.to_owned(),
            model: request.model,
            is_stream: request.is_stream,
            attempts: if is_admin { request.attempts } else { 0 },
            response_bytes: request.bytes,
        }
    }
}

// === impl LiveSession ===

impl LiveSession {
    /// From its requests that are over, if any are known, and those under way.
    pub fn new(
        caller: &Identity,
        key: SessionKey,
        past: Option<Totals>,
        live: &[LiveRequest],
        names: &Names,
    ) -> Self {
        let newest = live.iter().max_by_key(|request| request.id);
        let oldest = live.iter().map(|request| request.created_at).min();
        let past_span = past.as_ref().map(|past| (past.first, past.last));
        let past = past.unwrap_or_default();
        let user_id = newest.map(|request| request.user_id).or(past.user_id);
        let name = |names: &crate::query::requests::NameMap, id| {
            names.get(&id).cloned().unwrap_or_default()
        };
        let starts = oldest.into_iter().chain(past_span.map(|(first, _)| first));
        let ends = newest.map(|request| request.created_at).into_iter();
        let ends = ends.chain(past_span.map(|(_, last)| last));
        Self {
            user_name: user_id.map(|id| name(&names.users, id)).unwrap_or_default(),
            user_id,
            key_name: name(&names.keys, key.key_id),
            key_id: key.key_id,
            session_id: key.session_id,
            provider_id: newest
                .and_then(|request| request.provider_id)
                .or(past.provider_id)
                .filter(|_| caller.only_user().is_none()),
            model: newest
                .and_then(|request| request.model.clone())
                .or(past.model),
            protocol: newest.map_or(past.protocol, |request| request.protocol.clone()),
            in_flight: live.len() as u64,
            requests: past.requests,
            tokens: past.tokens,
            cost_usd: usd(past.cost),
            status: past.status,
            started_at: starts.min().unwrap_or_default(),
            last_seen_at: ends.max().unwrap_or_default(),
        }
    }
}
