//! Who calls: a key and the user it belongs to, as the request path needs them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::value::Limits;

use super::client::ClientRule;
use super::limits::Party;

/// A user, as far as requests are decided by it.
#[derive(Debug)]
pub struct User {
    /// Database id.
    pub id: i64,
    /// Display name, for logs.
    pub name: String,
    /// Switched on.
    pub is_enabled: bool,
    /// End of the user's time, if it has one.
    pub expires_at: Option<DateTime<Utc>>,
    /// Provider groups the user may reach; empty means `default`.
    pub groups: Vec<String>,
    /// Models the user may use, matched exactly; empty means all.
    pub allowed_models: Vec<String>,
    /// Clients the user may call with, see [`super::client`]; empty means all.
    pub allowed_clients: Vec<ClientRule>,
    /// Clients the user may not call with, which wins.
    pub blocked_clients: Vec<ClientRule>,
    /// What all keys of the user may use together.
    pub limits: Limits,
}

/// A client key and its user.
#[derive(Debug)]
pub struct Key {
    /// Database id.
    pub id: i64,
    /// Display name, for logs.
    pub name: String,
    /// Switched on.
    pub is_enabled: bool,
    /// End of the key's time, if it has one.
    pub expires_at: Option<DateTime<Utc>>,
    /// Provider groups of the key, which win over the user's; empty means the user's.
    pub groups: Vec<String>,
    /// Who must have room for what is done with it: the key itself, then its user.
    pub parties: Arc<[Party]>,
    /// The owner.
    pub user: Arc<User>,
}

/// Proof that the credential of a request was checked: only `policy::authn` makes one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key that was presented.
    pub key: Arc<Key>,
}

// === impl Caller ===

impl Caller {
    /// The groups this caller's requests may go to: the key's, else the user's, else `default`.
    pub fn groups(&self) -> &[String] {
        if self.key.groups.is_empty() {
            &self.key.user.groups
        } else {
            &self.key.groups
        }
    }
}
