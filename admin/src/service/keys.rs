//! Client keys.

use entity::{
    api_key,
    value::{Secret, mint_key},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder,
};

use super::{
    audit::Action,
    batch,
    change::{Change, later},
    must_match, now, sessions, users,
};
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
    let mut change = Change::begin(admin, caller).await?;
    let user = users::find(change.tx(), user_id).await?;
    let groups = key.provider_group.try_as_ref();
    within_own_groups(
        caller,
        groups.map_or("", String::as_str),
        &user.provider_group,
    )?;
    let key = key.insert(change.tx()).await?;
    change.record(Action::Create, None, Some(&key));
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
    let mut change = Change::begin(admin, caller).await?;
    let current = find(change.tx(), caller, id).await?;
    must_match(if_match, id, current.updated_at)?;
    let key = edit(&current);
    if caller.only_user().is_some() && key.provider_group.is_set() {
        return Err(groups_are_the_admins());
    }
    let key = put(&mut change, Action::Update, current, key).await?;
    change.commit().await?;
    Ok(key)
}

/// Changes many keys alike, all or none.
///
/// # Errors
/// 422 when one of them is not there.
pub async fn update_all(
    admin: &Admin,
    caller: &Identity,
    ids: &[i64],
    edit: impl Fn(&api_key::Model) -> api_key::ActiveModel + Send,
) -> Result<Vec<api_key::Model>, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = api_key::Entity::find()
        .filter(api_key::Column::Id.is_in(ids.iter().copied()))
        .filter(api_key::Column::DeletedAt.is_null())
        .order_by_asc(api_key::Column::Id)
        .all(change.tx())
        .await?;
    batch::must_be_all(ids, current.iter().map(|key| key.id))?;
    let mut changed = Vec::with_capacity(current.len());
    for current in current {
        let key = edit(&current);
        changed.push(put(&mut change, Action::Update, current, key).await?);
    }
    change.commit().await?;
    Ok(changed)
}

/// Writes what becomes of a key, and ends its sessions when it may have none any more.
///
/// # Errors
/// When the database does not take it.
pub(super) async fn put(
    change: &mut Change<'_>,
    action: Action,
    current: api_key::Model,
    mut key: api_key::ActiveModel,
) -> Result<api_key::Model, Problem> {
    key.id = Set(current.id);
    key.updated_at = Set(later(current.updated_at));
    let key = key.update(change.tx()).await?;
    if !key.is_enabled || !key.can_login_web_ui || action == Action::Rotate {
        sessions::end_of_key(change.tx(), key.id).await?;
    }
    change.record(action, Some(&current), Some(&key));
    Ok(key)
}

/// Mints a key in the place of another: the old one stops working at once, and the sessions it opened end.
///
/// # Errors
/// 404 when it is not there or not the caller's; 412.
pub async fn rotate(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
) -> Result<(Secret, api_key::Model), Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = find(change.tx(), caller, id).await?;
    must_match(if_match, id, current.updated_at)?;
    let mut key = api_key::ActiveModel {
        ..Default::default()
    };
    let secret = mint(admin, &mut key);
    let key = put(&mut change, Action::Rotate, current, key).await?;
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
    let mut change = Change::begin(admin, caller).await?;
    let current = find(change.tx(), caller, id).await?;
    must_match(if_match, id, current.updated_at)?;
    sessions::end_of_key(change.tx(), id).await?;
    let mut key: api_key::ActiveModel = current.clone().into();
    key.deleted_at = Set(Some(now()));
    key.updated_at = Set(later(current.updated_at));
    key.update(change.tx()).await?;
    change.record(Action::Delete, Some(&current), None);
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
