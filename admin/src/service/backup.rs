//! The configuration as a whole: read for a backup, and put back from one.
//!
//! # Why a restore is written as it is
//!
//! Things are recognised by what they are called, not by their ids, which are others in another database: users, providers and groups by
//! name, keys by their hash, error rules by their name and provider, notification targets and rules by their name and what they speak or
//! tell of, prices by all they say. What is not in the backup is left alone: a
//! restore brings back, it does not clear away.
//!
//! A dry run is the same transaction, not committed. So what it tells is what happens, uniqueness and all, and there is no second piece
//! of code that could say something else. It holds the configuration's lock for as long as it takes, as every change does.
//!
//! Secrets in a backup are sealed under a key made of its passphrase. A provider's are bound to the provider's addresses: who changes an
//! address in the file gets no credential sent there, because it does not open any more. A notification target's address is itself a secret
//! and sealed as one with the others.

use std::collections::BTreeMap;

use entity::{
    api_key, error_rule, key_origin, notification_rule, notification_target, price, provider,
    provider_group, setting, user,
    value::{Derivation, Sealed, Sealer, Secret, price::Source},
};
use http::StatusCode;
use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait,
    IsolationLevel, QueryFilter, QueryOrder, TransactionTrait,
};
use serde_json::json;

use super::{
    audit::{self, Action, Subject},
    settings,
};
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
};

mod restore;

pub use restore::{
    Kind, Plan, PlannedKey, PlannedNotice, PlannedProvider, PlannedRule, PlannedTarget, Restored,
    restore,
};

/// What is sealed to show whether a passphrase is the right one.
const CHECK: &str = "switchyard-backup";
const CHECK_PLACE: &str = "backup/check";
const ORIGIN_PLACE: &str = "backup/key_origin";

/// Everything that is configured, as it is stored.
pub struct Held {
    /// The settings.
    pub settings: setting::Model,
    /// Groups of providers.
    pub groups: Vec<provider_group::Model>,
    /// Providers that are not deleted.
    pub providers: Vec<provider::Model>,
    /// Users that are not deleted.
    pub users: Vec<user::Model>,
    /// Their keys.
    pub keys: Vec<api_key::Model>,
    /// Prices set by hand.
    pub prices: Vec<price::Model>,
    /// Error rules.
    pub error_rules: Vec<error_rule::Model>,
    /// Where notifications go.
    pub targets: Vec<notification_target::Model>,
    /// What is told.
    pub notices: Vec<notification_rule::Model>,
    /// Where restored keys were hashed.
    pub origins: Vec<key_origin::Model>,
}

/// A provider's secrets in the clear.
#[derive(Default)]
pub struct Opened {
    /// Its credential, where there is one that can be opened.
    pub api_key: Option<Secret>,
    /// The address of its proxy.
    pub proxy_url: Option<Secret>,
    /// All headers added to its requests.
    pub headers: BTreeMap<String, String>,
}

/// Reads everything, as it is at one moment, and writes down who did.
///
/// # Errors
/// When the database does not answer.
pub async fn read(admin: &Admin, caller: &Identity) -> Result<Held, Problem> {
    let held = held(&admin.db).await?;
    let counts = json!({
        "users": held.users.len(),
        "keys": held.keys.len(),
        "providers": held.providers.len(),
    });
    let subject = Subject::new("configuration", "", "");
    audit::tell(admin, caller, Action::Backup, subject, Some(counts)).await?;
    Ok(held)
}

async fn held(db: &DatabaseConnection) -> Result<Held, Problem> {
    let tx = if db.get_database_backend() == DbBackend::Postgres {
        let isolation = Some(IsolationLevel::RepeatableRead);
        db.begin_with_config(isolation, Some(AccessMode::ReadOnly))
            .await?
    } else {
        db.begin().await?
    };
    let held = Held {
        settings: settings::read(&tx).await?,
        groups: provider_group::Entity::find()
            .order_by_asc(provider_group::Column::Id)
            .all(&tx)
            .await?,
        providers: provider::Entity::find()
            .filter(provider::Column::DeletedAt.is_null())
            .order_by_asc(provider::Column::Id)
            .all(&tx)
            .await?,
        users: user::Entity::find()
            .filter(user::Column::DeletedAt.is_null())
            .order_by_asc(user::Column::Id)
            .all(&tx)
            .await?,
        keys: api_key::Entity::find()
            .filter(api_key::Column::DeletedAt.is_null())
            .order_by_asc(api_key::Column::Id)
            .all(&tx)
            .await?,
        prices: manual_prices(&tx).await?,
        error_rules: error_rule::Entity::find()
            .order_by_asc(error_rule::Column::Id)
            .all(&tx)
            .await?,
        targets: notification_target::Entity::find()
            .order_by_asc(notification_target::Column::Id)
            .all(&tx)
            .await?,
        notices: notification_rule::Entity::find()
            .order_by_asc(notification_rule::Column::Id)
            .all(&tx)
            .await?,
        origins: key_origin::Entity::find()
            .order_by_asc(key_origin::Column::CreatedAt)
            .all(&tx)
            .await?,
    };
    tx.commit().await?;
    Ok(held)
}

async fn manual_prices<C: ConnectionTrait>(db: &C) -> Result<Vec<price::Model>, DbErr> {
    price::Entity::find()
        .filter(price::Column::Source.eq(Source::Manual.name()))
        .order_by_asc(price::Column::Id)
        .all(db)
        .await
}

/// A provider's secrets, those that this installation can open.
#[must_use]
pub fn opened(admin: &Admin, provider: &provider::Model) -> Opened {
    let (api_key, proxy_url) = super::providers::secrets(admin, provider);
    Opened {
        api_key: api_key.filter(|key| !key.expose().is_empty()),
        proxy_url,
        headers: provider
            .custom_headers
            .open(&admin.sealer)
            .unwrap_or_default(),
    }
}

/// The sealer a passphrase makes, without holding up others.
///
/// # Errors
/// 422 when the backup asks for a derivation that is not borne.
pub async fn sealer(derivation: Derivation, passphrase: Secret) -> Result<Sealer, Problem> {
    let derived = tokio::task::spawn_blocking(move || derivation.sealer(&passphrase)).await;
    match derived {
        Ok(Ok(sealer)) => Ok(sealer),
        Ok(Err(why)) => Err(Problem::invalid(vec![Mistake::new(
            "backup.seal",
            "invalid",
            why.to_string(),
        )])),
        Err(_) => Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "The passphrase could not be used.",
        )),
    }
}

/// What shows whether a passphrase is the right one.
#[must_use]
pub fn seal_check(sealer: &Sealer) -> Sealed {
    sealer.seal(CHECK_PLACE, &Secret::new(CHECK))
}

/// # Errors
/// 422 when the passphrase is not the one `check` was sealed with.
pub fn must_open(sealer: &Sealer, check: &Sealed) -> Result<(), Problem> {
    match sealer.open(CHECK_PLACE, check) {
        Ok(text) if text.expose() == CHECK => Ok(()),
        _ => Err(Problem::invalid(vec![Mistake::new(
            "passphrase",
            "wrong_passphrase",
            "does not open this backup, or the backup is damaged",
        )])),
    }
}

/// Where an installation's hashing key is sealed for.
#[must_use]
pub fn origin_place(mark: &str) -> String {
    format!("{ORIGIN_PLACE}\n{mark}")
}

/// Where a provider's secret is sealed for: it opens only beside the addresses it may be sent to.
#[must_use]
pub fn provider_place(what: &str, url: &str, endpoints: &[String]) -> String {
    format!("backup/provider/{what}\n{url}\n{}", endpoints.join("\n"))
}
