//! An identity: what a good credential says about its bearer.

use std::net::IpAddr;

use aws_lc_rs::constant_time;
use chrono::{DateTime, Utc};
use entity::{api_key, key_origin, user};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Select};

use crate::{Admin, contract::Need, problem::Problem, service::idempotency::Claim};

/// A caller whose credential was checked.
#[derive(Debug, Clone)]
pub struct Identity {
    /// What they may do.
    pub role: Role,
    /// The key they came with and its user; none for the admin token.
    pub holder: Option<(api_key::Model, user::Model)>,
    /// The session, when they came with a cookie.
    pub session: Option<Session>,
    /// Where they call from, where that is known.
    pub peer: Option<IpAddr>,
    /// What they want carried out once, if they said so.
    pub claim: Option<Claim>,
}

/// A session, as its requests need it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its row.
    pub id: uuid::Uuid,
    /// What `X-CSRF-Token` must say.
    pub csrf: String,
    /// Its end.
    pub expires_at: DateTime<Utc>,
}

/// What an identity may do; each may do what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read about itself.
    ReadOnly,
    /// See and keep its own keys, see its own requests.
    User,
    /// Everything.
    Admin,
}

/// A user's role, as stored, that makes keys with `canLoginWebUi` admins.
pub const ADMIN_ROLE: &str = "admin";

// === impl Identity ===

impl Identity {
    /// The bearer of the admin token.
    pub fn admin_token() -> Self {
        Self {
            role: Role::Admin,
            holder: None,
            session: None,
            peer: None,
            claim: None,
        }
    }

    /// Nobody: for what the audit says of callers without a credential.
    pub fn nobody() -> Self {
        Self {
            role: Role::ReadOnly,
            ..Self::admin_token()
        }
    }

    /// Whether the role is enough.
    pub fn may(&self, need: Need) -> bool {
        match need {
            Need::Nothing | Need::Key => true,
            Need::User => self.role >= Role::User,
            Need::Admin => self.role == Role::Admin,
        }
    }

    /// The user whose data alone the caller may see; none for admins, who see all.
    pub fn only_user(&self) -> Option<i64> {
        match (&self.holder, self.role) {
            (_, Role::Admin) | (None, _) => None,
            (Some((_, user)), _) => Some(user.id),
        }
    }

    /// # Errors
    /// 404 when `user_id`'s data are not the caller's to see: no different from a user that does not exist.
    pub fn must_own(&self, user_id: i64, what: &str) -> Result<(), Problem> {
        match self.only_user() {
            Some(own) if own != user_id => Err(Problem::not_found(what)),
            _ => Ok(()),
        }
    }
}

// === impl Role ===

impl Role {
    fn of(key: &api_key::Model, user: &user::Model) -> Self {
        match (key.can_login_web_ui, user.role.as_str()) {
            (false, _) => Self::ReadOnly,
            (true, ADMIN_ROLE) => Self::Admin,
            (true, _) => Self::User,
        }
    }
}

/// Whose credential `secret` is: the admin token or a client key. `None` when it is nobody's, or not valid any more.
///
/// # Errors
/// When the database does not answer.
pub async fn of_secret(admin: &Admin, secret: &str) -> Result<Option<Identity>, Problem> {
    let presented = Admin::token_hash(&admin.hasher, secret).to_hex();
    let expected = admin.admin_token_hash.to_hex();
    if constant_time::verify_slices_are_equal(presented.as_bytes(), expected.as_bytes()).is_ok() {
        return Ok(Some(Identity::admin_token()));
    }
    let hash = admin.hasher.hash(secret).to_hex();
    let key = api_key::Entity::find().filter(api_key::Column::KeyHash.eq(hash));
    match of_key(&admin.db, key).await? {
        None => of_restored(admin, secret).await,
        found => Ok(found),
    }
}

/// The same of a key that was hashed by an installation whose backup was restored here.
async fn of_restored(admin: &Admin, secret: &str) -> Result<Option<Identity>, Problem> {
    let origins = key_origin::Entity::find().all(&admin.db).await?;
    let hashes: Vec<_> = origins
        .iter()
        .filter_map(|origin| origin.open(&admin.sealer).ok())
        .map(|hasher| hasher.hash(secret).to_hex())
        .collect();
    if hashes.is_empty() {
        return Ok(None);
    }
    let key = api_key::Entity::find().filter(api_key::Column::KeyHash.is_in(hashes));
    of_key(&admin.db, key).await
}

/// The identity of a stored key, if key and user are both still good.
///
/// # Errors
/// When the database does not answer.
pub async fn of_key<C: ConnectionTrait>(
    db: &C,
    key: Select<api_key::Entity>,
) -> Result<Option<Identity>, Problem> {
    let now = Utc::now();
    let found = key.find_also_related(user::Entity).one(db).await?;
    let Some((key, Some(user))) = found else {
        return Ok(None);
    };
    let key_lives =
        key.is_enabled && key.deleted_at.is_none() && key.expires_at.is_none_or(|end| end > now);
    let user_lives =
        user.is_enabled && user.deleted_at.is_none() && user.expires_at.is_none_or(|end| end > now);
    Ok((key_lives && user_lives).then(|| Identity {
        role: Role::of(&key, &user),
        holder: Some((key, user)),
        session: None,
        peer: None,
        claim: None,
    }))
}
