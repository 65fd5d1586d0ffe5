//! Users.

use entity::{api_key, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::Expr,
};

use super::{change::Change, must_match, now};
use crate::{Admin, problem::Problem};

/// Creates a user.
///
/// # Errors
/// 409 when the name is taken.
pub async fn create(admin: &Admin, mut user: user::ActiveModel) -> Result<user::Model, Problem> {
    let now = now();
    user.created_at = Set(now);
    user.updated_at = Set(now);
    let change = Change::begin(admin).await?;
    let user = user.insert(change.tx()).await.map_err(name_taken)?;
    change.commit().await?;
    Ok(user)
}

/// Changes a user: `edit` gets the user as it is and says what becomes of it.
///
/// # Errors
/// 404, 409 when the new name is taken, 412 when it is not the version `if_match` names.
pub async fn update(
    admin: &Admin,
    id: i64,
    if_match: Option<&str>,
    edit: impl FnOnce(&user::Model) -> user::ActiveModel + Send,
) -> Result<user::Model, Problem> {
    let change = Change::begin(admin).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let mut user = edit(&current);
    user.id = Set(id);
    user.updated_at = Set(now());
    let user = user.update(change.tx()).await.map_err(name_taken)?;
    change.commit().await?;
    Ok(user)
}

/// Deletes a user and, in the same breath, the user's keys. The rows stay: history points at them.
///
/// # Errors
/// 404, 412.
pub async fn delete(admin: &Admin, id: i64, if_match: Option<&str>) -> Result<(), Problem> {
    let change = Change::begin(admin).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let now = now();
    api_key::Entity::update_many()
        .col_expr(api_key::Column::DeletedAt, Expr::value(now))
        .col_expr(api_key::Column::UpdatedAt, Expr::value(now))
        .filter(api_key::Column::UserId.eq(id))
        .filter(api_key::Column::DeletedAt.is_null())
        .exec(change.tx())
        .await?;
    let mut user: user::ActiveModel = current.into();
    user.deleted_at = Set(Some(now));
    user.updated_at = Set(now);
    user.update(change.tx()).await?;
    change.commit().await
}

/// A user that is not deleted.
///
/// # Errors
/// 404.
pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> Result<user::Model, Problem> {
    user::Entity::find_by_id(id)
        .filter(user::Column::DeletedAt.is_null())
        .one(db)
        .await?
        .ok_or_else(|| Problem::not_found("user"))
}

fn name_taken(error: sea_orm::DbErr) -> Problem {
    Problem::unless_taken(error, "name", "user")
}
