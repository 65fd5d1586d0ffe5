//! The configuration as one immutable value, which is all that the request path ever reads.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use entity::value::{BreakerSettings, GatewaySettings, HealthCheck, KeyHash, Multiplier, Sealer};
use entity::{api_key, provider, revision, setting, user};
use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, EntityTrait, IsolationLevel, QueryFilter, QueryOrder, TransactionTrait,
};

use crate::domain::caller::{Key, User};
use crate::domain::pattern::Pattern;
use crate::domain::provider::{BaseUrl, Provider, Redirect};

/// Client keys by their hash.
pub type Keys = HashMap<KeyHash, Arc<Key>, BuildHasherDefault<Uniform>>;

/// Everything that is configured, as it was at one revision.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The revision all of it belongs to.
    pub revision: i64,
    /// Keys of users that are not deleted, switched off and expired ones included: those are refused with their reason.
    pub keys: Keys,
    /// Providers by id, switched off ones included.
    pub providers: Vec<Arc<Provider>>,
    /// The settings an admin may change.
    pub settings: GatewaySettings,
    /// What could not be used, by kind and id.
    pub left_out: Vec<LeftOut>,
}

/// A row that cannot be used. The rest works without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `provider` or `key`.
    pub kind: &'static str,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
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
    let providers = provider::Entity::find()
        .filter(provider::Column::DeletedAt.is_null())
        .order_by_asc(provider::Column::Id)
        .all(&transaction)
        .await?;
    let settings = setting::Entity::find_by_id(setting::ONLY_ID)
        .one(&transaction)
        .await?
        .map(|row| row.value)
        .unwrap_or_default();
    transaction.commit().await?;

    let mut left_out = Vec::new();
    Ok(Snapshot {
        revision,
        keys: link_keys(users, keys, &mut left_out),
        providers: open_providers(providers, sealer, &mut left_out),
        settings,
        left_out,
    })
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
                groups: names(&row.provider_group),
                user: Arc::clone(user),
            }),
        );
    }
    linked
}

fn to_user(row: user::Model) -> User {
    User {
        id: row.id,
        name: row.name,
        is_enabled: row.is_enabled,
        expires_at: row.expires_at,
        groups: names(&row.provider_group),
        allowed_models: row.allowed_models.0,
    }
}

fn open_providers(
    rows: Vec<provider::Model>,
    sealer: &Sealer,
    left_out: &mut Vec<LeftOut>,
) -> Vec<Arc<Provider>> {
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, name) = (row.id, row.name.clone());
        match open_provider(row, sealer) {
            Ok(provider) => opened.push(Arc::new(provider)),
            Err(why) => left_out.push(LeftOut {
                kind: "provider",
                id,
                name,
                why,
            }),
        }
    }
    opened
}

fn open_provider(row: provider::Model, sealer: &Sealer) -> Result<Provider, String> {
    let base = BaseUrl::parse(&row.url).map_err(|e| format!("its address {e}"))?;
    let redirects = row.model_redirects.0.iter();
    let api_key = sealer
        .open(provider::API_KEY_PLACE, &row.api_key)
        .map_err(|e| e.to_string())?;
    Ok(Provider {
        id: row.id,
        name: row.name,
        kind: row.r#type,
        endpoints: vec![base],
        api_key,
        is_enabled: row.is_enabled,
        weight: u32::try_from(row.weight).unwrap_or(0),
        priority: row.priority,
        group_priorities: row.group_priorities.0,
        groups: tidy(row.group_tags.0.iter()),
        allowed_models: row
            .allowed_models
            .0
            .iter()
            .map(|rule| Pattern::try_from(rule).map_err(|e| format!("an allowed model: {e}")))
            .collect::<Result<_, _>>()?,
        model_redirects: redirects
            .map(|redirect| {
                Ok(Redirect {
                    source: Pattern::new(redirect.kind, &redirect.source)
                        .map_err(|e| format!("a model redirect: {e}"))?,
                    target: redirect.target.clone(),
                })
            })
            .collect::<Result<_, String>>()?,
        allowed_clients: Vec::new(),
        blocked_clients: Vec::new(),
        active_time: None,
        cost_multiplier: Multiplier::ONE,
        breaker: BreakerSettings::default(),
        health_check: HealthCheck::default(),
        hedge_after_ms: 0,
        max_concurrent: 0,
        proxy: None,
        proxy_fallback_to_direct: false,
        max_attempts: u32::try_from(row.max_attempts).unwrap_or(1).max(1),
        timeouts: row.timeouts,
        custom_headers: row.custom_headers.0,
        preserve_client_ip: row.preserve_client_ip,
    })
}

/// The names of a comma-separated list.
fn names(list: &str) -> Vec<String> {
    tidy(list.split(','))
}

fn tidy<T: AsRef<str>>(names: impl Iterator<Item = T>) -> Vec<String> {
    let mut tidied: Vec<String> = Vec::new();
    for name in names {
        let name = name.as_ref().trim();
        if !name.is_empty() && !tidied.iter().any(|known| known == name) {
            tidied.push(name.to_owned());
        }
    }
    tidied
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
