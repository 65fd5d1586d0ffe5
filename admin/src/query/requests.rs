//! The request log: newest first, which is by id descending, because the ids are `UUIDv7`s.

use chrono::{DateTime, Utc};
use entity::request_log;
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    lists::holds,
    page::{Page, Window},
};

/// Which requests.
#[derive(Debug, Default)]
pub struct Filter {
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
    /// Of this session.
    pub session_id: Option<String>,
    /// With this text in method and path.
    pub endpoint: Option<String>,
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}

/// A page of requests.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &DatabaseConnection,
    filter: Filter,
    window: Window<Uuid>,
) -> Result<Page<request_log::Model>, DbErr> {
    use request_log::Column;
    let wanted = Condition::all()
        .add_option(window.after.map(|id| Column::Id.lt(id)))
        .add_option(filter.user_id.map(|id| Column::UserId.eq(id)))
        .add_option(filter.key_id.map(|id| Column::KeyId.eq(id)))
        .add_option(filter.provider_id.map(|id| Column::ProviderId.eq(id)))
        .add_option(filter.model.map(|model| {
            Condition::any()
                .add(Column::RequestedModel.eq(model.clone()))
                .add(Column::Model.eq(model))
        }))
        .add_option(filter.status.map(|status| Column::Status.eq(status)))
        .add_option(filter.session_id.map(|id| Column::SessionId.eq(id)))
        .add_option(
            filter
                .endpoint
                .map(|text| holds(Expr::col(Column::Endpoint), &text.to_lowercase())),
        )
        .add_option(filter.from.map(|from| Column::Id.gte(first_id(from))))
        .add_option(filter.to.map(|to| Column::Id.lt(first_id(to))));
    let rows = request_log::Entity::find()
        .filter(wanted)
        .order_by_desc(Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
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
        assert_eq!(at("1950-01-01T00:00:00.5Z"), Uuid::nil());
        assert_eq!(first_id(DateTime::<Utc>::MIN_UTC), Uuid::nil());
        assert!(first_id(DateTime::<Utc>::MAX_UTC) > at("9999-01-01T00:00:00Z"));
    }
}
