//! The configuration as one immutable value, which is all that the request path ever reads.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use chrono_tz::Tz;
use entity::value::{GatewaySettings, KeyHash, KeyHasher, Multiplier, Sealer};
use entity::{api_key, error_rule, key_origin, provider, provider_group, revision, setting, user};
use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, EntityTrait, IsolationLevel, QueryFilter, QueryOrder, TransactionTrait,
};

use super::prices::load_prices;
use crate::domain::caller::{Key, User};
use crate::domain::error_rule::ErrorRule;
use crate::domain::limits::{Party, Subject};
use crate::domain::price::PriceBook;
use crate::domain::provider::Provider;

mod left_out;
mod names;
mod providers;
mod rules;

pub use left_out::LeftOut;
pub use providers::open as open_provider;

/// Client keys by their hash.
pub type Keys = HashMap<KeyHash, Arc<Key>, BuildHasherDefault<Uniform>>;

/// Everything that is configured, as it was at one revision.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The revision all of it belongs to.
    pub revision: i64,
    /// Keys of users that are not deleted, switched off and expired ones included: those are refused with their reason.
    pub keys: Keys,
    /// What other installations hashed their keys with that were restored here.
    pub key_origins: Vec<KeyHasher>,
    /// Providers by id, switched off ones included.
    pub providers: Vec<Arc<Provider>>,
    /// Factors on prices by group; a group that is not in it has the factor 1.
    pub groups: HashMap<String, Multiplier>,
    /// Error rules that are switched on, in the order in which they are tried.
    pub error_rules: Vec<ErrorRule>,
    /// What models cost.
    pub prices: PriceBook,
    /// The settings an admin may change.
    pub settings: GatewaySettings,
    /// The time zone of days, weeks and schedules: the settings' one, else UTC or what the process was started with, see [`Snapshot::resolve_time_zone`].
    pub time_zone: Tz,
    /// What could not be used, by kind and id.
    pub left_out: Vec<LeftOut>,
}

/// A hasher for keys that are hashes already: their first eight bytes are as good as any others, and nobody without the installation's
/// secret can choose them.
#[derive(Debug, Default, Clone, Copy)]
pub struct Uniform(u64);

/// Reads all tables in one transaction.
///
/// # Errors
/// When the database fails. A single row that cannot be used is no error: see [`Snapshot::left_out`].
pub async fn load(db: &DatabaseConnection, sealer: &Sealer) -> Result<Snapshot, DbErr> {
    let transaction = begin(db).await?;
    let revision = read_revision(&transaction).await?;
    let users = user::Entity::find()
        .filter(user::Column::DeletedAt.is_null())
        .all(&transaction)
        .await?;
    let keys = api_key::Entity::find()
        .filter(api_key::Column::DeletedAt.is_null())
        .all(&transaction)
        .await?;
    let origins = read_origins(&transaction).await?;
    let providers = provider::Entity::find()
        .filter(provider::Column::DeletedAt.is_null())
        .order_by_asc(provider::Column::Id)
        .all(&transaction)
        .await?;
    let groups = provider_group::Entity::find().all(&transaction).await?;
    let error_rules = error_rule::Entity::find()
        .filter(error_rule::Column::IsEnabled.eq(true))
        .order_by_asc(error_rule::Column::Priority)
        .order_by_asc(error_rule::Column::Id)
        .all(&transaction)
        .await?;
    let settings = setting::Entity::find_by_id(setting::ONLY_ID)
        .one(&transaction)
        .await?
        .map(|row| row.value)
        .unwrap_or_default();
    let (prices, unreadable) = load_prices(&transaction).await?;
    transaction.commit().await?;

    let mut left_out: Vec<LeftOut> = unreadable
        .into_iter()
        .map(|price| LeftOut {
            kind: "price",
            id: price.id,
            name: price.model,
            why: price.why,
        })
        .collect();
    let mut snapshot = Snapshot {
        revision,
        keys: link_keys(users, keys, &mut left_out),
        key_origins: open_origins(&origins, sealer, &mut left_out),
        providers: providers::open_all(providers, sealer, &mut left_out),
        groups: groups
            .into_iter()
            .map(|group| (group.name.trim().to_owned(), group.cost_multiplier))
            .collect(),
        error_rules: rules::compile_all(error_rules, &mut left_out),
        prices,
        settings,
        time_zone: Tz::UTC,
        left_out,
    };
    snapshot.resolve_time_zone(Tz::UTC);
    Ok(snapshot)
}

async fn read_origins(db: &impl ConnectionTrait) -> Result<Vec<key_origin::Model>, DbErr> {
    let origins = key_origin::Entity::find();
    let origins = origins.order_by_asc(key_origin::Column::CreatedAt);
    origins.all(db).await
}

/// The number every node compares with its own.
///
/// # Errors
/// When the database fails, or is not migrated.
pub(super) async fn read_revision(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    revision::Entity::find_by_id(revision::ONLY_ID)
        .one(db)
        .await?
        .map(|row| row.number)
        .ok_or_else(|| DbErr::RecordNotFound("the revision row".to_owned()))
}

/// A transaction whose reads all see the same moment. `SQLite` needs no more than a transaction for that.
async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if db.get_database_backend() == DbBackend::Postgres {
        let isolation = Some(IsolationLevel::RepeatableRead);
        db.begin_with_config(isolation, Some(AccessMode::ReadOnly))
            .await
    } else {
        db.begin().await
    }
}

fn link_keys(
    users: Vec<user::Model>,
    keys: Vec<api_key::Model>,
    left_out: &mut Vec<LeftOut>,
) -> Keys {
    let users: HashMap<i64, Arc<User>> = users
        .into_iter()
        .map(|row| (row.id, Arc::new(to_user(row))))
        .collect();
    let mut linked = Keys::default();
    linked.reserve(keys.len());
    for row in keys {
        let Some(user) = users.get(&row.user_id) else {
            continue; // Deleted with its user.
        };
        let Some(hash) = KeyHash::from_hex(&row.key_hash) else {
            left_out.push(LeftOut {
                kind: "key",
                id: row.id,
                name: row.name,
                why: "its stored hash is none".to_owned(),
            });
            continue;
        };
        linked.insert(
            hash,
            Arc::new(Key {
                id: row.id,
                name: row.name,
                is_enabled: row.is_enabled,
                expires_at: row.expires_at,
                groups: names::split(&row.provider_group),
                parties: Arc::new([
                    Party {
                        subject: Subject::Key(row.id),
                        limits: row.limits,
                    },
                    Party {
                        subject: Subject::User(user.id),
                        limits: user.limits,
                    },
                ]),
                user: Arc::clone(user),
            }),
        );
    }
    linked
}

fn open_origins(
    rows: &[key_origin::Model],
    sealer: &Sealer,
    left_out: &mut Vec<LeftOut>,
) -> Vec<KeyHasher> {
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        match row.open(sealer) {
            Ok(hasher) => opened.push(hasher),
            Err(why) => left_out.push(LeftOut {
                kind: "key origin",
                id: 0,
                name: row.mark.clone(),
                why,
            }),
        }
    }
    opened
}

fn to_user(row: user::Model) -> User {
    User {
        id: row.id,
        name: row.name,
        is_enabled: row.is_enabled,
        expires_at: row.expires_at,
        groups: names::split(&row.provider_group),
        allowed_models: row.allowed_models.0,
        allowed_clients: names::client_rules(&row.allowed_clients),
        blocked_clients: names::client_rules(&row.blocked_clients),
        limits: row.limits,
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// A provider, switched on or off.
    #[must_use]
    pub fn provider(&self, id: i64) -> Option<&Arc<Provider>> {
        self.providers.iter().find(|provider| provider.id == id)
    }

    /// What a provider is called.
    #[must_use]
    pub fn provider_name(&self, id: i64) -> Option<String> {
        Some(self.provider(id)?.name.clone())
    }

    /// Sets the time zone anew, with `fallback` where the settings name none. A name that is no time zone's means UTC.
    pub fn resolve_time_zone(&mut self, fallback: Tz) {
        self.time_zone = match &self.settings.time_zone {
            Some(name) => name.parse().unwrap_or(Tz::UTC),
            None => fallback,
        };
    }
}

// === impl Uniform ===

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8).take(1) {
            let mut first = [0; 8];
            first[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_ne_bytes(first);
        }
    }

    /// The length that arrays are prefixed with says nothing here.
    fn write_usize(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests;
