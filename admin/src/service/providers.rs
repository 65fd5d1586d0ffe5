//! Providers.

use std::collections::BTreeMap;

use entity::{
    provider::{self, API_KEY_PLACE, PROXY_URL_PLACE},
    value::{Headers, Secret, check_url},
};
use poem_openapi::types::MaybeUndefined;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set, Unchanged},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};

use super::{
    audit::{self, Action},
    batch,
    change::{Change, later},
    must_match, now, outbound, settings,
};
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
};

/// The longest name of a provider, in characters.
const LONGEST_NAME: usize = 128;

/// What is sealed before it is stored. What a change does not name stays.
#[derive(Clone)]
pub struct Secrets {
    /// The provider's credential.
    pub api_key: Option<Secret>,
    /// The address of the proxy on the way to it; null takes it away.
    pub proxy_url: MaybeUndefined<Secret>,
    /// The headers added to its requests, of which some are likely secrets; null takes them away.
    pub headers: MaybeUndefined<BTreeMap<String, String>>,
}

/// Creates a provider.
///
/// # Errors
/// 409 when the name is taken, 422 when the egress policy forbids an address or a header's value is a mark.
pub async fn create(
    admin: &Admin,
    caller: &Identity,
    secrets: Secrets,
    mut provider: provider::ActiveModel,
) -> Result<provider::Model, Problem> {
    secrets.seal(admin, None, &mut provider)?;
    let mut change = Change::begin(admin, caller).await?;
    let provider = insert(&mut change, provider).await?;
    change.commit().await?;
    Ok(provider)
}

/// Creates a provider like another, its credentials included, and switched off.
///
/// # Errors
/// 404, 409 when the name is taken.
pub async fn copy(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    name: Option<String>,
) -> Result<provider::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let original = find(change.tx(), id).await?;
    let name = match name {
        Some(name) => name,
        None => free_name(change.tx(), &original.name).await?,
    };
    let mut provider: provider::ActiveModel = original.into();
    provider.id = NotSet;
    provider.name = Set(name);
    provider.is_enabled = Set(false);
    // What the original has spent is not the copy's.
    if let Set(mut limits) | Unchanged(mut limits) = provider.limits {
        limits.reset_at = None;
        provider.limits = Set(limits);
    }
    let provider = insert(&mut change, provider.reset_all()).await?;
    change.commit().await?;
    Ok(provider)
}

async fn insert(
    change: &mut Change<'_>,
    mut provider: provider::ActiveModel,
) -> Result<provider::Model, Problem> {
    let now = now();
    provider.created_at = Set(now);
    provider.updated_at = Set(now);
    within_policy(change.tx(), &provider).await?;
    let provider = provider.insert(change.tx()).await.map_err(name_taken)?;
    change.record(Action::Create, None, Some(&provider));
    Ok(provider)
}

/// The first of `name (copy)`, `name (copy 2)`, ... that is not taken.
async fn free_name<C: ConnectionTrait>(db: &C, name: &str) -> Result<String, Problem> {
    let kept: String = name.chars().take(LONGEST_NAME - 12).collect();
    for number in 1..1_000 {
        let number = if number == 1 {
            String::new()
        } else {
            format!(" {number}")
        };
        let name = format!("{kept} (copy{number})");
        let taken = provider::Entity::find()
            .filter(provider::Column::Name.eq(&name))
            .filter(provider::Column::DeletedAt.is_null())
            .one(db)
            .await?;
        if taken.is_none() {
            return Ok(name);
        }
    }
    Err(Problem::taken("name", "provider"))
}

/// Changes a provider: `edit` gets the provider as it is and says what becomes of it.
///
/// # Errors
/// 404, 409 when the new name is taken, 412, 422 when the egress policy forbids a new address.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
    secrets: Secrets,
    edit: impl FnOnce(&provider::Model) -> provider::ActiveModel + Send,
) -> Result<provider::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let mut provider = edit(&current);
    within_policy(change.tx(), &provider).await?;
    secrets.seal(admin, Some(&current), &mut provider)?;
    let provider = put(&mut change, Action::Update, current, provider).await?;
    change.commit().await?;
    Ok(provider)
}

/// Changes many providers alike, all or none.
///
/// # Errors
/// 422 when one of them is not there, or the egress policy forbids a new address.
pub async fn update_all(
    admin: &Admin,
    caller: &Identity,
    ids: &[i64],
    secrets: Secrets,
    edit: impl Fn(&provider::Model) -> provider::ActiveModel + Send,
) -> Result<Vec<provider::Model>, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = provider::Entity::find()
        .filter(provider::Column::Id.is_in(ids.iter().copied()))
        .filter(provider::Column::DeletedAt.is_null())
        .order_by_asc(provider::Column::Id)
        .all(change.tx())
        .await?;
    batch::must_be_all(ids, current.iter().map(|provider| provider.id))?;
    let mut changed = Vec::with_capacity(current.len());
    for current in current {
        let mut provider = edit(&current);
        within_policy(change.tx(), &provider).await?;
        secrets.clone().seal(admin, Some(&current), &mut provider)?;
        changed.push(put(&mut change, Action::Update, current, provider).await?);
    }
    change.commit().await?;
    Ok(changed)
}

/// Writes what becomes of a provider.
///
/// # Errors
/// 409 when the new name is taken.
pub(super) async fn put(
    change: &mut Change<'_>,
    action: Action,
    current: provider::Model,
    mut provider: provider::ActiveModel,
) -> Result<provider::Model, Problem> {
    provider.id = Set(current.id);
    provider.updated_at = Set(later(current.updated_at));
    let provider = provider.update(change.tx()).await.map_err(name_taken)?;
    change.record(action, Some(&current), Some(&provider));
    Ok(provider)
}

/// Deletes a provider; its row stays for history.
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
    let mut provider: provider::ActiveModel = current.clone().into();
    provider.deleted_at = Set(Some(now()));
    provider.updated_at = Set(later(current.updated_at));
    provider.update(change.tx()).await?;
    change.record(Action::Delete, Some(&current), None);
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

/// Its credential and the address of its proxy, where they are stored and can be opened.
#[must_use]
pub fn secrets(admin: &Admin, provider: &provider::Model) -> (Option<Secret>, Option<Secret>) {
    let key = admin.sealer.open(API_KEY_PLACE, &provider.api_key).ok();
    let proxy = provider.proxy_url.as_ref();
    let proxy = proxy.and_then(|url| admin.sealer.open(PROXY_URL_PLACE, url).ok());
    (key, proxy)
}

/// The address of its proxy without the credentials, when there is one that this installation can open.
#[must_use]
pub fn proxy(admin: &Admin, provider: &provider::Model) -> Option<String> {
    let sealed = provider.proxy_url.as_ref()?;
    let url = admin.sealer.open(PROXY_URL_PLACE, sealed).ok()?;
    outbound::address(url.expose()).ok()
}

/// The headers added to its requests, with marks in the place of secrets.
#[must_use]
pub fn headers(admin: &Admin, provider: &provider::Model) -> BTreeMap<String, String> {
    let mask = |secret: Option<&Secret>| audit::mark(admin, secret);
    provider.custom_headers.show(&admin.sealer, mask)
}

/// Every address that is new must be one the policy in force allows. A proxy's is not judged: it is the operator's own.
///
/// # Errors
/// 422 that names each that is not.
pub async fn within_policy<C: ConnectionTrait>(
    db: &C,
    provider: &provider::ActiveModel,
) -> Result<(), Problem> {
    let policy = settings::read(db).await?.value.egress_policy;
    let main = provider.url.try_as_ref().map(|url| ("url".to_owned(), url));
    let further = provider.endpoints.try_as_ref();
    let further = further
        .into_iter()
        .flat_map(|list| list.0.iter().enumerate());
    let further = further.map(|(i, url)| (format!("endpoints[{i}]"), url));
    let mistakes: Vec<_> = main
        .into_iter()
        .chain(further)
        .filter_map(|(path, url)| {
            let why = check_url(url, policy).err()?;
            Some(Mistake::new(path, "not_allowed", why))
        })
        .collect();
    if mistakes.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(mistakes))
}

/// A mark that comes back keeps what it stands for. Any other is no value: somebody copied what is shown.
fn kept_headers(
    admin: &Admin,
    current: Option<&provider::Model>,
    given: BTreeMap<String, String>,
) -> Result<Headers, Problem> {
    let shown = current.map(|current| headers(admin, current));
    let is_there = |name: &str, value: &str| {
        let mut shown = shown.iter().flatten();
        shown.any(|(known, mark)| known.eq_ignore_ascii_case(name) && mark == value)
    };
    let mistakes: Vec<_> = given
        .iter()
        .filter(|(name, value)| audit::is_mark(value) && !is_there(name, value))
        .map(|(name, _)| {
            let message = "is what is shown in a secret's place; give the value itself";
            Mistake::new(format!("customHeaders.{name}"), "masked", message)
        })
        .collect();
    if !mistakes.is_empty() {
        return Err(Problem::invalid(mistakes));
    }
    let none = Headers::default();
    let current = current.map_or(&none, |current| &current.custom_headers);
    let mask = |secret: Option<&Secret>| audit::mark(admin, secret);
    Ok(current.replace(given, &admin.sealer, mask))
}

fn name_taken(error: sea_orm::DbErr) -> Problem {
    Problem::unless_taken(error, "name", "provider")
}

// === impl Secrets ===

impl Secrets {
    /// Those of a change that leaves them.
    pub fn unchanged() -> Self {
        Self {
            api_key: None,
            proxy_url: MaybeUndefined::Undefined,
            headers: MaybeUndefined::Undefined,
        }
    }

    /// Seals them into `provider`, which is what becomes of `current`.
    ///
    /// # Errors
    /// 422 that names each header whose value is a mark, but not the one of what is there.
    pub fn seal(
        self,
        admin: &Admin,
        current: Option<&provider::Model>,
        provider: &mut provider::ActiveModel,
    ) -> Result<(), Problem> {
        let sealer = &admin.sealer;
        if let Some(api_key) = self.api_key {
            provider.api_key = Set(sealer.seal(API_KEY_PLACE, &api_key));
        }
        match self.proxy_url {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => provider.proxy_url = Set(None),
            MaybeUndefined::Value(url) => {
                provider.proxy_url = Set(Some(sealer.seal(PROXY_URL_PLACE, &url)));
            }
        }
        match self.headers {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => provider.custom_headers = Set(Headers::default()),
            MaybeUndefined::Value(given) => {
                provider.custom_headers = Set(kept_headers(admin, current, given)?);
            }
        }
        Ok(())
    }
}
