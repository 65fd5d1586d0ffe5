//! The request log: newest first, which is by id descending, because the ids are `UUIDv7`s.

use chrono::{DateTime, Utc};
use entity::{request_log, value::ClientName};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, Iterable, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

mod choices;
mod clause;
mod search;

pub use choices::{Choices, NameMap, Names, choices, names};
pub use search::search;

/// Which requests. What is given must hold all together.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
    /// Of this user.
    pub user_id: Option<i64>,
    /// With this key.
    pub key_id: Option<i64>,
    /// Answered by this provider.
    pub provider_id: Option<i64>,
    /// For this model, as asked for or as sent on.
    pub model: Option<String>,
    /// With this status.
    pub status: Option<i32>,
    /// With a status of this class.
    pub class: Option<StatusClass>,
    /// Of this session.
    pub session_id: Option<String>,
    /// In this protocol.
    pub protocol: Option<String>,
    /// With this text in method and path.
    pub endpoint: Option<String>,
    /// Of this program.
    pub client: Option<ClientName>,
    /// Answered as a stream, or not.
    pub is_stream: Option<bool>,
    /// With this error code.
    pub error_code: Option<String>,
    /// That cost this much or more, in nano-USD.
    pub min_cost: Option<i64>,
    /// That cost this much or less, in nano-USD.
    pub max_cost: Option<i64>,
    /// That took this many milliseconds or more.
    pub min_duration_ms: Option<i64>,
    /// That took this many milliseconds or less.
    pub max_duration_ms: Option<i64>,
    /// With this text in what they say of themselves.
    pub text: Option<Text>,
}

/// Statuses of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// Under 400.
    Success,
    /// 400 to 499.
    ClientError,
    /// 500 and over.
    ServerError,
    /// 400 and over.
    Error,
}

/// A text to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What is looked for; letters in any case.
    pub text: String,
    /// Whether also in the errors' words, which may name providers.
    pub in_messages: bool,
}

/// The rows with these ids, newest first. Their decision chains are left out: a page shows none, and they are most of a row.
///
/// # Errors
/// When the database does not answer.
pub async fn rows(
    db: &DatabaseConnection,
    ids: Vec<Uuid>,
) -> Result<Vec<request_log::Model>, DbErr> {
    use request_log::Column;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let nothing = match db.get_database_backend() {
        DbBackend::Postgres => "'[]'::jsonb",
        _ => "'[]'",
    };
    request_log::Entity::find()
        .select_only()
        .columns(Column::iter().filter(|column| !matches!(column, Column::Chain)))
        .expr_as(Expr::cust(nothing), "chain")
        .filter(Column::Id.is_in(ids))
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// The lowest id of a request from `time` on. A `UUIDv7` begins with milliseconds since 1970 in 48 bits; part of one counts as a whole, so
/// that of two spans that meet each request is in one.
pub fn first_id(time: DateTime<Utc>) -> Uuid {
    const LAST: i64 = (1 << 48) - 1;
    let has_part = !time.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    let millis = time.timestamp_millis() + i64::from(has_part);
    let millis = millis.clamp(0, LAST).unsigned_abs();
    Uuid::from_u128(u128::from(millis) << 80)
}

/// When a request with this id arrived, to the millisecond.
pub fn time_of(id: Uuid) -> DateTime<Utc> {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or_default();
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// One request.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &DatabaseConnection, id: Uuid) -> Result<Option<request_log::Model>, DbErr> {
    request_log::Entity::find_by_id(id).one(db).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_bounds_of_ids() {
        let at = |text: &str| first_id(text.parse().unwrap());
        let stamp = uuid::Timestamp::from_unix(uuid::NoContext, 1_767_268_800, 1_000_000);
        let id = Uuid::new_v7(stamp);
        assert!(at("2026-01-01T12:00:00.001Z") <= id);
        assert!(at("2026-01-01T12:00:00.000001Z") <= id);
        assert!(at("2026-01-01T12:00:00.001001Z") > id);
        assert_eq!(time_of(id).to_rfc3339(), "2026-01-01T12:00:00.001+00:00");
        assert_eq!(at("1950-01-01T00:00:00.5Z"), Uuid::nil());
        assert_eq!(first_id(DateTime::<Utc>::MIN_UTC), Uuid::nil());
        assert!(first_id(DateTime::<Utc>::MAX_UTC) > at("9999-01-01T00:00:00Z"));
    }
}
