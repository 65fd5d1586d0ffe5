//! Provider groups.

use entity::provider_group;
use sea_orm::{ActiveModelTrait, ActiveValue::Set};

use super::{
    audit::Action,
    change::{Change, later},
    must_match, now, row,
};
use crate::{Admin, auth::identity::Identity, problem::Problem};

/// Creates a group.
///
/// # Errors
/// 409 when the name is taken.
pub async fn create(
    admin: &Admin,
    caller: &Identity,
    mut group: provider_group::ActiveModel,
) -> Result<provider_group::Model, Problem> {
    let now = now();
    group.created_at = Set(now);
    group.updated_at = Set(now);
    let mut change = Change::begin(admin, caller).await?;
    let group = group.insert(change.tx()).await.map_err(name_taken)?;
    change.record(Action::Create, None, Some(&group));
    change.commit().await?;
    Ok(group)
}

/// Changes a group.
///
/// # Errors
/// 404, 409 when the new name is taken, 412 when it is not the version `if_match` names.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
    mut group: provider_group::ActiveModel,
) -> Result<provider_group::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = row::find::<provider_group::Model>(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    group.id = Set(id);
    group.updated_at = Set(later(current.updated_at));
    let group = group.update(change.tx()).await.map_err(name_taken)?;
    change.record(Action::Update, Some(&current), Some(&group));
    change.commit().await?;
    Ok(group)
}

fn name_taken(error: sea_orm::DbErr) -> Problem {
    Problem::unless_taken(error, "name", "provider group")
}
