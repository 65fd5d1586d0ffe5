//! Limits: which there are, and from when on what is spent counts.

use entity::{api_key, provider, user, value::Limits};
use sea_orm::ActiveValue::Set;

use super::{audit::Action, change::Change, keys, now, providers, users};
use crate::{Admin, auth::identity::Identity, gateway::Subject, problem::Problem};

/// A provider's limits whole: its requests at once have a column of their own.
#[must_use]
pub fn of_provider(provider: &provider::Model) -> Limits {
    Limits {
        concurrent_requests: (provider.max_concurrent > 0).then(|| provider.max_concurrent.into()),
        ..provider.limits
    }
}

/// From now on.
fn anew(limits: Limits) -> Limits {
    Limits {
        reset_at: Some(now()),
        ..limits
    }
}

/// Lets what a user has spent so far not count any more.
///
/// # Errors
/// 404.
pub async fn reset_user(admin: &Admin, caller: &Identity, id: i64) -> Result<user::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = users::find(change.tx(), id).await?;
    let user = user::ActiveModel {
        limits: Set(anew(current.limits)),
        ..Default::default()
    };
    let user = users::put(&mut change, Action::Reset, current, user).await?;
    change.commit().await?;
    let subject = Subject::User(user.id);
    admin.gateway.reset_limits(subject).await;
    Ok(user)
}

/// Lets what a key has spent so far not count any more.
///
/// # Errors
/// 404.
pub async fn reset_key(
    admin: &Admin,
    caller: &Identity,
    id: i64,
) -> Result<api_key::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = keys::find(change.tx(), caller, id).await?;
    let key = api_key::ActiveModel {
        limits: Set(anew(current.limits)),
        ..Default::default()
    };
    let key = keys::put(&mut change, Action::Reset, current, key).await?;
    change.commit().await?;
    let subject = Subject::Key(key.id);
    admin.gateway.reset_limits(subject).await;
    Ok(key)
}

/// Lets what a provider has cost so far not count any more.
///
/// # Errors
/// 404.
pub async fn reset_provider(
    admin: &Admin,
    caller: &Identity,
    id: i64,
) -> Result<provider::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = providers::find(change.tx(), id).await?;
    let provider = provider::ActiveModel {
        limits: Set(anew(current.limits)),
        ..Default::default()
    };
    let provider = providers::put(&mut change, Action::Reset, current, provider).await?;
    change.commit().await?;
    let subject = Subject::Provider(provider.id);
    admin.gateway.reset_limits(subject).await;
    Ok(provider)
}
