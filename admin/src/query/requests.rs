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
        .add_option(filter.from.map(|from| Column::CreatedAt.gte(from)))
        .add_option(filter.to.map(|to| Column::CreatedAt.lt(to)));
    let rows = request_log::Entity::find()
        .filter(wanted)
        .order_by_desc(Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// One request.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &DatabaseConnection, id: Uuid) -> Result<Option<request_log::Model>, DbErr> {
    request_log::Entity::find_by_id(id).one(db).await
}
