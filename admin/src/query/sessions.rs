//! Sessions of clients: what their requests in the log add up to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::request_log::{Column, Entity};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::requests::{first_id, time_of};

/// Requests that are looked at for a list, or added up for one session: the newest.
const NEWEST: u64 = 5_000;

/// A session: its name is the client's own, so that it is one only together with its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// As the client names it.
    pub session_id: String,
    /// With which key.
    pub key_id: i64,
}

/// What a session's requests add up to.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Whose.
    pub user_id: Option<i64>,
    /// The provider that answered last.
    pub provider_id: Option<i64>,
    /// The model asked for last.
    pub model: Option<String>,
    /// In which protocol.
    pub protocol: String,
    /// Requests that are over.
    pub requests: u64,
    /// Tokens of all kinds.
    pub tokens: i64,
    /// Nano-USD.
    pub cost: i64,
    /// The status of the last.
    pub status: Option<i32>,
    /// When the first arrived.
    pub first: DateTime<Utc>,
    /// When the last arrived.
    pub last: DateTime<Utc>,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: Uuid,
    session_id: Option<String>,
    user_id: Option<i64>,
    key_id: Option<i64>,
    provider_id: Option<i64>,
    requested_model: Option<String>,
    protocol: String,
    status: i32,
    input_tokens: i64,
    cache_read_tokens: i64,
    cache_write5m_tokens: i64,
    cache_write1h_tokens: i64,
    output_tokens: i64,
    cost_nano_usd: Option<i64>,
}

/// The sessions that had a request since `since`, among the newest 5,000 requests; of one user or of all.
///
/// # Errors
/// When the database does not answer.
pub async fn recent(
    db: &DatabaseConnection,
    since: DateTime<Utc>,
    user_id: Option<i64>,
) -> Result<HashMap<SessionKey, Totals>, DbErr> {
    let wanted = Condition::all()
        .add(Column::Id.gte(first_id(since)))
        .add_option(user_id.map(|id| Column::UserId.eq(id)));
    add_up(db, wanted).await
}

/// What one session's newest 5,000 requests add up to, by key.
///
/// # Errors
/// When the database does not answer.
pub async fn one(
    db: &DatabaseConnection,
    session_id: &str,
    user_id: Option<i64>,
) -> Result<HashMap<SessionKey, Totals>, DbErr> {
    let wanted = Condition::all()
        .add(Column::SessionId.eq(session_id))
        .add_option(user_id.map(|id| Column::UserId.eq(id)));
    add_up(db, wanted).await
}

async fn add_up(
    db: &DatabaseConnection,
    wanted: Condition,
) -> Result<HashMap<SessionKey, Totals>, DbErr> {
    let rows = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::SessionId,
            Column::UserId,
            Column::KeyId,
            Column::ProviderId,
            Column::RequestedModel,
            Column::Protocol,
            Column::Status,
            Column::InputTokens,
            Column::CacheReadTokens,
            Column::CacheWrite5mTokens,
            Column::CacheWrite1hTokens,
            Column::OutputTokens,
            Column::CostNanoUsd,
        ])
        .filter(wanted)
        .order_by_desc(Column::Id)
        .limit(NEWEST)
        .into_model::<Row>()
        .all(db)
        .await?;
    let mut sessions = HashMap::<SessionKey, Totals>::new();
    for row in rows {
        let (Some(session_id), Some(key_id)) = (row.session_id.clone(), row.key_id) else {
            continue;
        };
        let key = SessionKey { session_id, key_id };
        sessions.entry(key).or_default().add(&row);
    }
    Ok(sessions)
}

// === impl Totals ===

impl Totals {
    /// Adds a request that is older than all before.
    fn add(&mut self, row: &Row) {
        let at = time_of(row.id);
        if self.requests == 0 {
            self.last = at;
            self.user_id = row.user_id;
            self.provider_id = row.provider_id;
            self.model = row.requested_model.clone();
            self.protocol.clone_from(&row.protocol);
            self.status = Some(row.status);
        }
        self.first = at;
        self.requests += 1;
        self.tokens = [
            row.input_tokens,
            row.cache_read_tokens,
            row.cache_write5m_tokens,
            row.cache_write1h_tokens,
            row.output_tokens,
        ]
        .into_iter()
        .fold(self.tokens, i64::saturating_add);
        self.cost = self.cost.saturating_add(row.cost_nano_usd.unwrap_or(0));
    }
}
