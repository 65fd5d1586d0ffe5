//! Users and keys switched on and off and renewed, and keys exchanged.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{api_key, user};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path},
    payload::Json,
    types::Any,
};
use sea_orm::ActiveValue::{NotSet, Set};
use serde_json::Value;

use super::{
    Tag,
    answers::{ChangeRefused, One},
    body::{Body, Input},
    keys::{self as key_api, Key, NewKey},
    users::{self as user_api, User},
};
use crate::{
    Admin,
    auth::guard::{ForAdmin, ForUser},
    problem::Mistake,
    service::{etag, keys, users},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// On or off.
#[derive(Debug, Object)]
pub struct Switch {
    /// Whether it is switched on.
    pub enabled: bool,
}

/// More time.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Renewal {
    /// The new end of its time.
    pub expires_at: DateTime<Utc>,
    /// Whether it is switched on, too; as it was if absent.
    pub is_enabled: Option<bool>,
}

#[OpenApi(prefix_path = "/api/v1")]
impl Api {
    /// Switch a user on or off
    ///
    /// The keys of a user who is off are refused at once.
    #[oai(
        path = "/users/:id/enable",
        method = "post",
        operation_id = "enableUser",
        tag = "Tag::Users"
    )]
    async fn enable_user(
        &self,
        caller: ForAdmin,
        /// The user.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<Switch>,
    ) -> Result<One<User>, ChangeRefused> {
        let edit = |_: &user::Model| user::ActiveModel {
            is_enabled: Set(body.0.enabled),
            ..Default::default()
        };
        Ok(user_api::one(
            users::update(&self.0, &caller.0, id.0, if_match.0.as_deref(), edit).await?,
        ))
    }

    /// Renew a user
    #[oai(
        path = "/users/:id/renew",
        method = "post",
        operation_id = "renewUser",
        tag = "Tag::Users"
    )]
    async fn renew_user(
        &self,
        caller: ForAdmin,
        /// The user.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<Renewal>,
    ) -> Result<One<User>, ChangeRefused> {
        let edit = |_: &user::Model| user::ActiveModel {
            expires_at: Set(Some(body.0.expires_at)),
            is_enabled: body.0.is_enabled.map_or(NotSet, Set),
            ..Default::default()
        };
        Ok(user_api::one(
            users::update(&self.0, &caller.0, id.0, if_match.0.as_deref(), edit).await?,
        ))
    }

    /// Switch a key on or off
    #[oai(
        path = "/keys/:id/enable",
        method = "post",
        operation_id = "enableKey",
        tag = "Tag::Keys"
    )]
    async fn enable_key(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<Switch>,
    ) -> Result<One<Key>, ChangeRefused> {
        let edit = |_: &api_key::Model| api_key::ActiveModel {
            is_enabled: Set(body.0.enabled),
            ..Default::default()
        };
        let key = keys::update(&self.0, &caller.0, id.0, if_match.0.as_deref(), edit).await?;
        Ok(key_api::one(key))
    }

    /// Renew a key
    #[oai(
        path = "/keys/:id/renew",
        method = "post",
        operation_id = "renewKey",
        tag = "Tag::Keys"
    )]
    async fn renew_key(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<Renewal>,
    ) -> Result<One<Key>, ChangeRefused> {
        let edit = |_: &api_key::Model| api_key::ActiveModel {
            expires_at: Set(Some(body.0.expires_at)),
            is_enabled: body.0.is_enabled.map_or(NotSet, Set),
            ..Default::default()
        };
        let key = keys::update(&self.0, &caller.0, id.0, if_match.0.as_deref(), edit).await?;
        Ok(key_api::one(key))
    }

    /// Exchange a key
    ///
    /// The answer holds the new key itself, this once. The old one stops working at once, and the sessions it opened end. Id, name,
    /// limits and what was used stay.
    #[oai(
        path = "/keys/:id/rotate",
        method = "post",
        operation_id = "rotateKey",
        tag = "Tag::Keys"
    )]
    async fn rotate_key(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
    ) -> Result<One<NewKey>, ChangeRefused> {
        let (secret, key) = keys::rotate(&self.0, &caller.0, id.0, if_match.0.as_deref()).await?;
        let version = etag(key.id, key.updated_at);
        let new = NewKey {
            key: secret.expose().to_owned(),
            kept: key.into(),
        };
        Ok(One::Found(Json(new), version))
    }
}

impl Input for Switch {
    type Loose = Any<Value>;

    fn rules(_: &Any<Value>, _: &mut Vec<Mistake>) {}
}

impl Input for Renewal {
    type Loose = Any<Value>;

    fn rules(_: &Any<Value>, _: &mut Vec<Mistake>) {}
}
