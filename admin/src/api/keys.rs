//! `/users/{id}/keys` and `/keys`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{api_key, value};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::{MaybeUndefined, ToJSON},
};
use sea_orm::ActiveValue::Set;
use serde_json::Value;

use super::{
    Tag,
    answers::{
        ChangeRefused, CreateRefused, Created, DeleteRefused, Deleted, ListRefused, One,
        ReadRefused,
    },
    batch::{ChangedKeys, KeyBatch},
    body::{Body, Input},
    limits::{LimitFields, Limits, count},
    rules,
};
use crate::{
    Admin,
    auth::guard::{ForAdmin, ForUser},
    problem::{Mistake, Problem},
    query::{
        lists,
        page::{Page, Window},
    },
    service::{
        audit::{Pictured, Subject},
        etag, keys, users,
    },
};

/// The name of a key nobody named.
const DEFAULT_NAME: &str = "default";

/// The operations.
pub struct Api(pub Arc<Admin>);

/// A client key. The key itself was shown once, when it was created, and is not kept.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Key {
    /// Id.
    pub id: i64,
    /// The owner.
    pub user_id: i64,
    /// For people.
    pub name: String,
    /// The key's first characters, for recognising it.
    pub prefix: String,
    /// Its last four.
    pub last_four: String,
    /// Switched on.
    pub is_enabled: bool,
    /// Whether the key opens the dashboard.
    pub can_login_web_ui: bool,
    /// End of the key's time.
    #[oai(nullable)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Comma-separated provider groups, which win over the user's; empty means the user's.
    pub provider_group: String,
    /// What the key may use, beside what its user may.
    #[oai(flatten)]
    pub limits: Limits,
    /// Requests the key may have under way at once; null is no limit, 0 allows none.
    #[oai(nullable)]
    pub limit_concurrent_requests: Option<i64>,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// A key just created.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct NewKey {
    /// The key. It is shown this once and cannot be had again.
    pub key: String,
    /// What is kept of it.
    #[oai(flatten)]
    pub kept: Key,
}

/// A page of keys.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct KeyList {
    /// The keys, oldest first.
    pub items: Vec<Key>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// What may be said of a key; null puts a field back to its default.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct KeyPatch {
    /// For people. A new key's is `default` if none is given.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
    /// Switched on. Default true.
    #[oai(nullable)]
    pub is_enabled: MaybeUndefined<bool>,
    /// Whether the key opens the dashboard. Default false.
    #[oai(nullable)]
    pub can_login_web_ui: MaybeUndefined<bool>,
    /// End of the key's time. Default none.
    #[oai(nullable)]
    pub expires_at: MaybeUndefined<DateTime<Utc>>,
    /// Comma-separated provider groups. Default empty, which means the user's.
    #[oai(nullable, validator(max_length = 512))]
    pub provider_group: MaybeUndefined<String>,
    /// Requests the key may have under way at once; 0 allows none. Default null, which is no limit.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "1000000")))]
    pub limit_concurrent_requests: MaybeUndefined<i64>,
    /// What the key may use, beside what its user may.
    #[oai(flatten)]
    pub limits: LimitFields,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Keys")]
impl Api {
    /// List keys
    ///
    /// A user sees the user's own.
    #[oai(path = "/keys", method = "get", operation_id = "listKeys")]
    async fn list(
        &self,
        caller: ForUser,
        /// Of this user.
        #[oai(name = "userId")]
        user_id: Query<Option<i64>>,
        /// Text in name, first or last characters, in any case.
        q: Query<Option<String>>,
        /// Switched on or off.
        #[oai(name = "isEnabled")]
        is_enabled: Query<Option<bool>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<KeyList>, ListRefused> {
        let own = caller.0.only_user();
        if own.is_some() && user_id.0.is_some() && own != user_id.0 {
            return Err(Problem::forbidden("These keys are another user's.").into());
        }
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let filter = lists::Keys {
            user_id: own.or(user_id.0),
            text: q.0,
            is_enabled: is_enabled.0,
        };
        let page = lists::keys(&self.0.db, filter, window).await?;
        Ok(Json(page.map(Key::from).into()))
    }

    /// List a user's keys
    #[oai(
        path = "/users/:id/keys",
        method = "get",
        operation_id = "listUserKeys"
    )]
    async fn list_of_user(
        &self,
        caller: ForUser,
        /// The user.
        id: Path<i64>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<KeyList>, ReadRefused> {
        caller.0.must_own(id.0, "user")?;
        let user = users::find(&self.0.db, id.0).await?;
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let filter = lists::Keys {
            user_id: Some(user.id),
            ..lists::Keys::default()
        };
        let page = lists::keys(&self.0.db, filter, window).await?;
        Ok(Json(page.map(Key::from).into()))
    }

    /// Create a key
    ///
    /// The answer holds the key itself, this once. A user may create keys of the user's own, within the user's own groups.
    #[oai(path = "/users/:id/keys", method = "post", operation_id = "createKey")]
    async fn create(
        &self,
        caller: ForUser,
        /// The user.
        id: Path<i64>,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day, the
        /// key itself included.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<KeyPatch>,
    ) -> Result<Created<NewKey>, CreateRefused> {
        let (secret, key) = keys::create(&self.0, &caller.0, id.0, body.0.create()).await?;
        let location = format!("/api/v1/keys/{}", key.id);
        let version = etag(key.id, key.updated_at);
        let new = NewKey {
            key: secret.expose().to_owned(),
            kept: key.into(),
        };
        Ok(Created::Created(Json(new), location, version))
    }

    /// Change many keys
    ///
    /// The same change of each, by JSON merge: all are changed, or none when one is not there. Each has its own entry in the audit.
    #[oai(path = "/keys", method = "patch", operation_id = "updateKeys")]
    async fn update_all(
        &self,
        caller: ForAdmin,
        body: Body<KeyBatch>,
    ) -> Result<Json<ChangedKeys>, ChangeRefused> {
        let KeyBatch { ids, changes } = body.0;
        let edit = |current: &_| changes.clone().change(current);
        let changed = keys::update_all(&self.0, &caller.0, &ids, edit).await?;
        let items = changed.into_iter().map(Key::from).collect();
        Ok(Json(ChangedKeys { items }))
    }

    /// Read a key
    #[oai(path = "/keys/:id", method = "get", operation_id = "getKey")]
    async fn read(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
    ) -> Result<One<Key>, ReadRefused> {
        let key = keys::find(&self.0.db, &caller.0, id.0).await?;
        Ok(one(key))
    }

    /// Change a key
    ///
    /// JSON merge: what is absent stays, null goes back to its default. The groups are the admin's to change.
    #[oai(path = "/keys/:id", method = "patch", operation_id = "updateKey")]
    async fn update(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<KeyPatch>,
    ) -> Result<One<Key>, ChangeRefused> {
        let edit = |current: &api_key::Model| body.0.change(current);
        let key = keys::update(&self.0, &caller.0, id.0, if_match.0.as_deref(), edit).await?;
        Ok(one(key))
    }

    /// Delete a key
    ///
    /// It stops working at once. What it used stays in the log.
    #[oai(path = "/keys/:id", method = "delete", operation_id = "deleteKey")]
    async fn delete(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        keys::delete(&self.0, &caller.0, id.0, if_match.0.as_deref()).await?;
        Ok(Deleted::Deleted)
    }
}

/// The answer of one key.
pub fn one(key: api_key::Model) -> One<Key> {
    let version = etag(key.id, key.updated_at);
    One::Found(Json(key.into()), version)
}

// === impl Key, KeyList ===

impl From<api_key::Model> for Key {
    fn from(key: api_key::Model) -> Self {
        Self {
            id: key.id,
            user_id: key.user_id,
            name: key.name,
            prefix: key.prefix,
            last_four: key.last_four,
            is_enabled: key.is_enabled,
            can_login_web_ui: key.can_login_web_ui,
            expires_at: key.expires_at,
            provider_group: key.provider_group,
            limit_concurrent_requests: key.limits.concurrent_requests,
            limits: key.limits.into(),
            created_at: key.created_at,
            updated_at: key.updated_at,
        }
    }
}

impl Pictured for api_key::Model {
    fn subject(&self) -> Subject {
        Subject::new("key", self.id, self.name.as_str())
    }

    fn picture(&self, _: &Admin) -> Value {
        Key::from(self.clone()).to_json().unwrap_or_default()
    }
}

impl From<Page<Key>> for KeyList {
    fn from(page: Page<Key>) -> Self {
        Self {
            items: page.items,
            next_cursor: page.next,
        }
    }
}

// === impl KeyPatch ===

impl KeyPatch {
    /// The row of a new key, the key itself aside.
    pub fn create(self) -> api_key::ActiveModel {
        let mut key = api_key::ActiveModel {
            name: Set(DEFAULT_NAME.to_owned()),
            is_enabled: Set(true),
            can_login_web_ui: Set(false),
            expires_at: Set(None),
            provider_group: Set(String::new()),
            ..Default::default()
        };
        self.apply(value::Limits::default(), &mut key);
        key
    }

    /// What becomes of `current`.
    pub fn change(self, current: &api_key::Model) -> api_key::ActiveModel {
        let mut key = api_key::ActiveModel::default();
        self.apply(current.limits, &mut key);
        key
    }

    fn apply(self, limits: value::Limits, key: &mut api_key::ActiveModel) {
        let requests = count(self.limit_concurrent_requests, limits.concurrent_requests);
        key.limits = Set(value::Limits {
            concurrent_requests: requests,
            ..self.limits.onto(limits)
        });
        if let Some(name) = self.name {
            key.name = Set(name);
        }
        rules::put(&mut key.is_enabled, self.is_enabled, true);
        rules::put(&mut key.can_login_web_ui, self.can_login_web_ui, false);
        rules::put(&mut key.expires_at, rules::map(self.expires_at, Some), None);
        rules::put(&mut key.provider_group, self.provider_group, String::new());
    }
}

impl Input for KeyPatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        loose.limits.rules(out);
    }
}
