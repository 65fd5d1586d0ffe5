//! Providers.

use entity::{
    provider::{self, API_KEY_PLACE, PROXY_URL_PLACE},
    value::{Sealer, Secret},
};
use poem_openapi::types::MaybeUndefined;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
};

use super::{address, change::Change, must_match, now, outbound, settings};
use crate::{
    Admin,
    problem::{Mistake, Problem},
};

/// What is sealed before it is stored. What a change does not name stays.
pub struct Secrets {
    /// The provider's credential.
    pub api_key: Option<Secret>,
    /// The address of the proxy on the way to it; null takes it away.
    pub proxy_url: MaybeUndefined<Secret>,
}

/// Creates a provider.
///
/// # Errors
/// 409 when the name is taken, 422 when the egress policy forbids an address.
pub async fn create(
    admin: &Admin,
    secrets: Secrets,
    mut provider: provider::ActiveModel,
) -> Result<provider::Model, Problem> {
    let now = now();
    secrets.seal(&admin.sealer, &mut provider);
    provider.created_at = Set(now);
    provider.updated_at = Set(now);
    let change = Change::begin(admin).await?;
    within_policy(change.tx(), &provider).await?;
    let provider = provider.insert(change.tx()).await.map_err(name_taken)?;
    change.commit().await?;
    Ok(provider)
}

/// Changes a provider: `edit` gets the provider as it is and says what becomes of it.
///
/// # Errors
/// 404, 409 when the new name is taken, 412, 422 when the egress policy forbids a new address.
pub async fn update(
    admin: &Admin,
    id: i64,
    if_match: Option<&str>,
    secrets: Secrets,
    edit: impl FnOnce(&provider::Model) -> provider::ActiveModel + Send,
) -> Result<provider::Model, Problem> {
    let change = Change::begin(admin).await?;
    let current = find(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let mut provider = edit(&current);
    within_policy(change.tx(), &provider).await?;
    secrets.seal(&admin.sealer, &mut provider);
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

/// The address of its proxy without the credentials, when there is one that this installation can open.
#[must_use]
pub fn proxy(admin: &Admin, provider: &provider::Model) -> Option<String> {
    let sealed = provider.proxy_url.as_ref()?;
    let url = admin.sealer.open(PROXY_URL_PLACE, sealed).ok()?;
    outbound::address(url.expose()).ok()
}

/// Every address that is new must be one the policy in force allows. A proxy's is not judged: it is the operator's own.
async fn within_policy<C: ConnectionTrait>(
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
            let why = address::check(url, policy).err()?;
            Some(Mistake::new(path, "not_allowed", why))
        })
        .collect();
    if mistakes.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(mistakes))
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
        }
    }

    fn seal(self, sealer: &Sealer, provider: &mut provider::ActiveModel) {
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
    }
}
