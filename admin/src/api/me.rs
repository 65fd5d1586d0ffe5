//! `/me`: what a key's holder is told about the key.

use poem_openapi::{Enum, Object, OpenApi, payload::Json};

use super::{Tag, answers::SelfRefused, keys::Key, users::User};
use crate::auth::{
    guard::ForKey,
    identity::{Identity, Role},
};

/// The operations.
pub struct Api;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum CallerRole {
    /// Everything.
    Admin,
    /// See and keep the user's own keys, see the user's own requests.
    User,
    /// Read about itself.
    ReadOnly,
}

/// Who the caller is.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Me {
    /// What the caller may do.
    pub role: CallerRole,
    /// The user; null for the admin token.
    #[oai(nullable)]
    pub user: Option<User>,
    /// The key; null for the admin token.
    #[oai(nullable)]
    pub key: Option<Key>,
}

#[OpenApi(prefix_path = "/api/v1/me", tag = "Tag::Identity")]
impl Api {
    /// Read about oneself
    ///
    /// Any key that works may ask, also one that may not log in.
    #[oai(path = "/", method = "get", operation_id = "getMe")]
    async fn read(&self, caller: ForKey) -> Result<Json<Me>, SelfRefused> {
        Ok(Json(caller.0.into()))
    }
}

// === impl Me, CallerRole ===

impl From<Identity> for Me {
    fn from(identity: Identity) -> Self {
        let (key, user) = identity.holder.unzip();
        Self {
            role: identity.role.into(),
            user: user.map(User::from),
            key: key.map(Key::from),
        }
    }
}

impl From<Role> for CallerRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::User => Self::User,
            Role::ReadOnly => Self::ReadOnly,
        }
    }
}
