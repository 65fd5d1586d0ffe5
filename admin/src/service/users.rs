//! Users.

use entity::{api_key, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder,
};

use super::{
    audit::Action,
    batch,
    change::{Change, later},
    must_match, now, sessions,
};
use crate::{Admin, auth::identity::Identity, problem::Problem};

/// Creates a user.
///
/// # Errors
/// 409 when the name is taken.
pub async fn create(
    admin: &Admin,
    caller: &Identity,
    mut user: user::ActiveModel,
) -> Result<user::Model, Problem> {
    let now = now();
    user.created_at = Set(now);
    user.updated_at = Set(now);
    let mut change = Change::begin(admin, caller).await?;
    let user = user.insert(change.tx()).await.map_err(name_taken)?;
    change.record(Action::Create, None, Some(&user));
    change.commit().await?;
    Ok(user)
}

/// Changes a user: `edit` gets the user as it is and says what becomes of it.
///
/// # Errors
/// 404, 409 when the new name is taken, 412 when it is not the version `if_match` names.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
    edit: impl FnOnce(&user::Model) -> user::ActiveModel + Send,
) -> Result<user::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let user = edit(&current);
    let user = put(&mut change, Action::Update, current, user).await?;
    change.commit().await?;
    Ok(user)
}

/// Changes many users alike, all or none.
///
/// # Errors
/// 422 when one of them is not there.
pub async fn update_all(
    admin: &Admin,
    caller: &Identity,
    ids: &[i64],
    edit: impl Fn(&user::Model) -> user::ActiveModel + Send,
) -> Result<Vec<user::Model>, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = user::Entity::find()
        .filter(user::Column::Id.is_in(ids.iter().copied()))
        .filter(user::Column::DeletedAt.is_null())
        .order_by_asc(user::Column::Id)
        .all(change.tx())
        .await?;
    batch::must_be_all(ids, current.iter().map(|user| user.id))?;
    let mut changed = Vec::with_capacity(current.len());
    for current in current {
        let user = edit(&current);
        changed.push(put(&mut change, Action::Update, current, user).await?);
    }
    change.commit().await?;
    Ok(changed)
}

/// Writes what becomes of a user, and ends the sessions of one who is switched off.
///
/// # Errors
/// 409 when the new name is taken.
pub(super) async fn put(
    change: &mut Change<'_>,
    action: Action,
    current: user::Model,
    mut user: user::ActiveModel,
) -> Result<user::Model, Problem> {
    user.id = Set(current.id);
    user.updated_at = Set(later(current.updated_at));
    let user = user.update(change.tx()).await.map_err(name_taken)?;
    if !user.is_enabled {
        sessions::end_of_user(change.tx(), user.id).await?;
    }
    change.record(action, Some(&current), Some(&user));
    Ok(user)
}

/// Deletes a user and, in the same breath, the user's keys. The rows stay: history points at them.
///
/// # Errors
/// 404, 412.
pub async fn delete(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
) -> Result<(), Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    sessions::end_of_user(change.tx(), id).await?;
    let keys = api_key::Entity::find()
        .filter(api_key::Column::UserId.eq(id))
        .filter(api_key::Column::DeletedAt.is_null())
        .all(change.tx())
        .await?;
    let now = now();
    for current in keys {
        let mut key: api_key::ActiveModel = current.clone().into();
        key.deleted_at = Set(Some(now));
        key.updated_at = Set(later(current.updated_at));
        key.update(change.tx()).await?;
        change.record(Action::Delete, Some(&current), None);
    }
    let mut user: user::ActiveModel = current.clone().into();
    user.deleted_at = Set(Some(now));
    user.updated_at = Set(later(current.updated_at));
    user.update(change.tx()).await?;
    change.record(Action::Delete, Some(&current), None);
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
