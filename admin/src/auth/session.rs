//! Cookie sessions: opened by login, ended by logout, by their time, or with the key that opened them.
//!
//! The cookie is 256 random bits; the table keeps only a keyed hash of it. The hash covers the admin token's hash too, so a new
//! admin token ends every session there is. The CSRF token is another keyed hash of the cookie: it needs no storage, and whoever
//! can read it already runs inside the dashboard's origin.

use aws_lc_rs::rand;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{admin_session, api_key};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::identity::{self, Identity, Role, Session};
use crate::{
    Admin,
    problem::Problem,
    service::audit::{self, Action, Subject},
};

/// How long a session lasts.
pub const LIFETIME: TimeDelta = TimeDelta::days(7);
/// Characters that are kept of what a browser calls itself.
const LONGEST_NAME: usize = 512;

/// A session just opened.
pub struct Opened {
    /// The cookie's value: the one time it is known here.
    pub cookie: String,
    /// The identity, with its session.
    pub identity: Identity,
}

/// Opens a session for `identity`, and forgets those whose time is over.
///
/// # Errors
/// When the database does not take it.
pub async fn open(
    admin: &Admin,
    mut identity: Identity,
    user_agent: Option<&str>,
) -> Result<Opened, Problem> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| sea_orm::DbErr::Custom("no randomness".into()))?;
    let cookie = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let now = crate::service::now();
    let row = admin_session::ActiveModel {
        id: Set(Uuid::new_v4()),
        token_hash: Set(token_hash(admin, &cookie)),
        key_id: Set(identity.holder.as_ref().map(|(key, _)| key.id)),
        created_at: Set(now),
        expires_at: Set(now + LIFETIME),
        peer: Set(identity.peer.map(|peer| peer.to_string())),
        user_agent: Set(user_agent.map(|name| name.chars().take(LONGEST_NAME).collect())),
    };
    admin_session::Entity::delete_many()
        .filter(admin_session::Column::ExpiresAt.lt(now))
        .exec(&admin.db)
        .await?;
    let row = row.insert(&admin.db).await?;
    identity.session = Some(session(admin, &cookie, row.id, row.expires_at));
    let subject = Subject::new("session", row.id, "");
    audit::tell(admin, &identity, Action::Login, subject, None).await?;
    Ok(Opened { cookie, identity })
}

/// Whose session `cookie` is; `None` when it is nobody's or over.
///
/// # Errors
/// When the database does not answer.
pub async fn identify(admin: &Admin, cookie: &str) -> Result<Option<Identity>, Problem> {
    let row = admin_session::Entity::find()
        .filter(admin_session::Column::TokenHash.eq(token_hash(admin, cookie)))
        .filter(admin_session::Column::ExpiresAt.gt(Utc::now()))
        .one(&admin.db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let identity = match row.key_id {
        None => Some(Identity::admin_token()),
        Some(key) => identity::of_key(&admin.db, api_key::Entity::find_by_id(key)).await?,
    };
    // A key that lost its right to the dashboard loses its sessions with it.
    let identity = identity.filter(|i| i.role > Role::ReadOnly);
    Ok(identity.map(|identity| Identity {
        session: Some(session(admin, cookie, row.id, row.expires_at)),
        ..identity
    }))
}

fn session(admin: &Admin, cookie: &str, id: Uuid, expires_at: DateTime<Utc>) -> Session {
    Session {
        id,
        csrf: admin.hasher.hash(&format!("csrf:{cookie}")).to_hex(),
        expires_at,
    }
}

fn token_hash(admin: &Admin, cookie: &str) -> String {
    let token = admin.admin_token_hash.to_hex();
    admin
        .hasher
        .hash(&format!("admin-session:{token}:{cookie}"))
        .to_hex()
}
