//! Client keys.

use entity::{
    admin_session, api_key,
    value::{Secret, mint_key},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
};

use super::{change::Change, must_match, now, users};
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
};

/// Characters of a key that are kept for recognising it.
const PREFIX: usize = 10;

/// Mints a key for a user. The key itself is in the answer and nowhere else, ever.
///
/// # Errors
/// 404 when the user is not there or not the caller's; 403 when the key would reach groups its maker does not.
pub async fn create(
    admin: &Admin,
    caller: &Identity,
    user_id: i64,
    mut key: api_key::ActiveModel,
) -> Result<(Secret, api_key::Model), Problem> {
    caller.must_own(user_id, "user")?;
    let secret = mint(admin, &mut key);
    let now = now();
    key.user_id = Set(user_id);
    key.created_at = Set(now);
    key.updated_at = Set(now);
    let change = Change::begin(admin).await?;
    let user = users::find(change.tx(), user_id).await?;
    let groups = key.provider_group.try_as_ref();
    within_own_groups(
        caller,
        groups.map_or("", String::as_str),
        &user.provider_group,
    )?;
    let key = key.insert(change.tx()).await?;
    change.commit().await?;
    Ok((secret, key))
}

/// Changes a key: `edit` gets the key as it is and says what becomes of it.
///
/// # Errors
/// 404 when it is not there or not the caller's; 403 when a user changes groups; 412.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
    edit: impl FnOnce(&api_key::Model) -> api_key::ActiveModel + Send,
) -> Result<api_key::Model, Problem> {
    let change = Change::begin(admin).await?;
    let current = find(change.tx(), caller, id).await?;
    must_match(if_match, id, current.updated_at)?;
    let mut key = edit(&current);
    if caller.only_user().is_some() && key.provider_group.is_set() {
        return Err(groups_are_the_admins());
    }
    key.id = Set(id);
    key.updated_at = Set(now());
    let key = key.update(change.tx()).await?;
    change.commit().await?;
    Ok(key)
}

/// Mints a key in the place of another: the old one stops working at once, and the sessions it opened end.
///
/// # Errors
/// 404 when it is not there or not the caller's.
pub async fn rotate(
    admin: &Admin,
    caller: &Identity,
    id: i64,
) -> Result<(Secret, api_key::Model), Problem> {
    let change = Change::begin(admin).await?;
    find(change.tx(), caller, id).await?;
    let mut key = api_key::ActiveModel {
        id: Set(id),
        updated_at: Set(now()),
        ..Default::default()
    };
    let secret = mint(admin, &mut key);
    let key = key.update(change.tx()).await?;
    admin_session::Entity::delete_many()
        .filter(admin_session::Column::KeyId.eq(id))
        .exec(change.tx())
        .await?;
    change.commit().await?;
    Ok((secret, key))
}

/// Deletes a key: it stops working at once, its row stays for history.
///
/// # Errors
/// 404 when it is not there or not the caller's; 412.
pub async fn delete(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
) -> Result<(), Problem> {
    let change = Change::begin(admin).await?;
    let current = find(change.tx(), caller, id).await?;
    must_match(if_match, id, current.updated_at)?;
    let now = now();
    let mut key: api_key::ActiveModel = current.into();
    key.deleted_at = Set(Some(now));
    key.updated_at = Set(now);
    key.update(change.tx()).await?;
    change.commit().await
}

/// A key that is not deleted and that the caller may see.
///
/// # Errors
/// 404.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    caller: &Identity,
    id: i64,
) -> Result<api_key::Model, Problem> {
    let key = api_key::Entity::find_by_id(id)
        .filter(api_key::Column::DeletedAt.is_null())
        .one(db)
        .await?
        .ok_or_else(|| Problem::not_found("key"))?;
    caller.must_own(key.user_id, "key")?;
    Ok(key)
}

/// A new key, and in `key` what is kept of it.
fn mint(admin: &Admin, key: &mut api_key::ActiveModel) -> Secret {
    let secret = mint_key();
    key.key_hash = Set(admin.hasher.hash(&secret).to_hex());
    key.prefix = Set(secret[..PREFIX].to_owned());
    key.last_four = Set(secret[secret.len() - 4..].to_owned());
    Secret::new(secret)
}

/// A user may not reach further with a new key than the user's own groups go; an admin may.
fn within_own_groups(caller: &Identity, wanted: &str, own: &str) -> Result<(), Problem> {
    if caller.only_user().is_none() {
        return Ok(());
    }
    let own: Vec<_> = match groups(own).collect::<Vec<_>>() {
        none if none.is_empty() => vec!["default"],
        some => some,
    };
    if groups(wanted).all(|group| own.contains(&group)) {
        Ok(())
    } else {
        Err(groups_are_the_admins())
    }
}

fn groups(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|g| !g.is_empty())
}

fn groups_are_the_admins() -> Problem {
    let mut problem = Problem::forbidden("Only an admin may give a key these provider groups.");
    problem.mistakes = vec![Mistake::new(
        "providerGroup",
        "forbidden",
        "is the admin's to change",
    )];
    problem
}
