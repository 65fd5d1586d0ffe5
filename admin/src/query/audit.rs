//! The audit: newest first, which is by id descending.

use chrono::{DateTime, Utc};
use entity::audit;
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::page::{Page, Window};

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// By this user.
    pub actor_user_id: Option<i64>,
    /// With this key.
    pub actor_key_id: Option<i64>,
    /// Of this kind of thing.
    pub resource: Option<String>,
    /// Of this one.
    pub resource_id: Option<String>,
    /// That say this.
    pub action: Option<&'static str>,
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}

/// A page of entries.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &DatabaseConnection,
    filter: Filter,
    window: Window<i64>,
) -> Result<Page<audit::Model>, DbErr> {
    use audit::Column;
    let wanted = Condition::all()
        .add_option(window.after.map(|id| Column::Id.lt(id)))
        .add_option(filter.actor_user_id.map(|id| Column::ActorUserId.eq(id)))
        .add_option(filter.actor_key_id.map(|id| Column::ActorKeyId.eq(id)))
        .add_option(filter.resource.map(|kind| Column::Resource.eq(kind)))
        .add_option(filter.resource_id.map(|id| Column::ResourceId.eq(id)))
        .add_option(filter.action.map(|action| Column::Action.eq(action)))
        .add_option(filter.from.map(|from| Column::At.gte(from)))
        .add_option(filter.to.map(|to| Column::At.lt(to)));
    let rows = audit::Entity::find()
        .filter(wanted)
        .order_by_desc(Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// One entry.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &DatabaseConnection, id: i64) -> Result<Option<audit::Model>, DbErr> {
    audit::Entity::find_by_id(id).one(db).await
}
