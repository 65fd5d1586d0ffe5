//! Providers.

use entity::{
    provider::{self, API_KEY_PLACE},
    value::Secret,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
};

use super::{address, change::Change, must_match, now, settings};
use crate::{
    Admin,
    problem::{Mistake, Problem},
};

/// Creates a provider; its credential is sealed before it is stored.
///
/// # Errors
/// 409 when the name is taken, 422 when the egress policy forbids the address.
pub async fn create(
    admin: &Admin,
    api_key: &Secret,
    mut provider: provider::ActiveModel,
) -> Result<provider::Model, Problem> {
    let now = now();
    provider.api_key = Set(admin.sealer.seal(API_KEY_PLACE, api_key));
    provider.created_at = Set(now);
    provider.updated_at = Set(now);
    let change = Change::begin(admin).await?;
    if let Some(url) = provider.url.try_as_ref() {
        within_policy(change.tx(), url).await?;
    }
    let provider = provider.insert(change.tx()).await.map_err(name_taken)?;
    change.commit().await?;
    Ok(provider)
}

/// Changes a provider: `edit` gets the provider as it is and says what becomes of it.
///
/// # Errors
/// 404, 409 when the new name is taken, 412, 422 when the egress policy forbids the new address.
pub async fn update(
    admin: &Admin,
    id: i64,
    if_match: Option<&str>,
    api_key: Option<Secret>,
    edit: impl FnOnce(&provider::Model) -> provider::ActiveModel + Send,
) -> Result<provider::Model, Problem> {
    let change = Change::begin(admin).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let mut provider = edit(&current);
    if let Some(url) = provider.url.try_as_ref() {
        within_policy(change.tx(), url).await?;
    }
    if let Some(api_key) = api_key {
        provider.api_key = Set(admin.sealer.seal(API_KEY_PLACE, &api_key));
    }
    provider.id = Set(id);
    provider.updated_at = Set(now());
    let provider = provider.update(change.tx()).await.map_err(name_taken)?;
    change.commit().await?;
    Ok(provider)
}

/// Deletes a provider; its row stays for history.
///
/// # Errors
/// 404, 412.
pub async fn delete(admin: &Admin, id: i64, if_match: Option<&str>) -> Result<(), Problem> {
    let change = Change::begin(admin).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let now = now();
    let mut provider: provider::ActiveModel = current.into();
    provider.deleted_at = Set(Some(now));
    provider.updated_at = Set(now);
    provider.update(change.tx()).await?;
    change.commit().await
}

/// A provider that is not deleted.
///
/// # Errors
/// 404.
pub async fn find<C: ConnectionTrait>(db: &C, id: i64) -> Result<provider::Model, Problem> {
    provider::Entity::find_by_id(id)
        .filter(provider::Column::DeletedAt.is_null())
        .one(db)
        .await?
        .ok_or_else(|| Problem::not_found("provider"))
}

/// Whether a usable credential is stored: one this installation can open.
#[must_use]
pub fn has_api_key(admin: &Admin, provider: &provider::Model) -> bool {
    let opened = admin.sealer.open(API_KEY_PLACE, &provider.api_key);
    opened.is_ok_and(|key| !key.expose().is_empty())
}

async fn within_policy<C: ConnectionTrait>(db: &C, url: &str) -> Result<(), Problem> {
    let policy = settings::read(db).await?.value.egress_policy;
    address::check(url, policy)
        .map_err(|why| Problem::invalid(vec![Mistake::new("url", "not_allowed", why)]))
}

fn name_taken(error: sea_orm::DbErr) -> Problem {
    Problem::unless_taken(error, "name", "provider")
}
