//! `/users`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{
    user,
    value::{self, Strings},
};
use poem_openapi::{
    Enum, Object, OpenApi,
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
    batch::{ChangedUsers, UserBatch},
    body::{Body, Input},
    limits::{LimitFields, Limits, count},
    rules,
};
use crate::{
    Admin,
    auth::guard::{ForAdmin, ForUser},
    problem::Mistake,
    query::{
        lists,
        page::{Page, Window},
    },
    service::{
        audit::{Pictured, Subject},
        etag, users,
    },
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// What a user may do in the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum UserRole {
    /// Everything.
    Admin,
    /// See and keep the user's own.
    User,
}

/// A person or a team whose keys may call the gateway.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct User {
    /// Id.
    pub id: i64,
    /// Unique.
    pub name: String,
    /// Free text.
    pub note: String,
    /// Labels for searching.
    pub tags: Vec<String>,
    /// What the user's keys may do in the dashboard, if they may log in at all.
    pub role: UserRole,
    /// Switched on.
    pub is_enabled: bool,
    /// End of the user's time.
    #[oai(nullable)]
    pub expires_at: Option<DateTime<Utc>>,
    /// Comma-separated provider groups; empty means `default`.
    pub provider_group: String,
    /// Models the user may use, matched exactly; empty means all.
    pub allowed_models: Vec<String>,
    /// Clients the user may call with; empty means all.
    pub allowed_clients: Vec<String>,
    /// Clients the user may not call with, which wins.
    pub blocked_clients: Vec<String>,
    /// What all the user's keys may use together.
    #[oai(flatten)]
    pub limits: Limits,
    /// Requests all the user's keys may have under way at once; null is no limit, 0 allows none.
    #[oai(nullable)]
    pub limit_concurrent_requests: Option<i64>,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of users.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UserList {
    /// The users, oldest first.
    pub items: Vec<User>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// Tags.
#[derive(Debug, Object)]
pub struct TagList {
    /// The tags, sorted.
    pub items: Vec<String>,
}

/// What may be said of a user beside the name; null puts a field back to its default.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct UserFields {
    /// Free text. Default empty.
    #[oai(nullable, validator(max_length = 2000))]
    pub note: MaybeUndefined<String>,
    /// Labels for searching. Default none.
    #[oai(nullable, validator(max_items = 50))]
    pub tags: MaybeUndefined<Vec<String>>,
    /// Default `user`.
    #[oai(nullable)]
    pub role: MaybeUndefined<UserRole>,
    /// Switched on. Default true.
    #[oai(nullable)]
    pub is_enabled: MaybeUndefined<bool>,
    /// End of the user's time. Default none.
    #[oai(nullable)]
    pub expires_at: MaybeUndefined<DateTime<Utc>>,
    /// Comma-separated provider groups. Default empty, which means `default`.
    #[oai(nullable, validator(max_length = 512))]
    pub provider_group: MaybeUndefined<String>,
    /// Models the user may use, matched exactly. Default none named, which means all.
    #[oai(nullable, validator(max_items = 500))]
    pub allowed_models: MaybeUndefined<Vec<String>>,
    /// Clients the user may call with, by the rules of a provider's `allowedClients`. Default none named, which means all.
    #[oai(nullable, validator(max_items = 100))]
    pub allowed_clients: MaybeUndefined<Vec<String>>,
    /// Clients the user may not call with, which wins. Default none.
    #[oai(nullable, validator(max_items = 100))]
    pub blocked_clients: MaybeUndefined<Vec<String>>,
    /// Requests all the user's keys may have under way at once; 0 allows none. Default null, which is no limit.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "1000000")))]
    pub limit_concurrent_requests: MaybeUndefined<i64>,
}

/// A user to create.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UserCreate {
    /// Unique.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// The rest.
    #[oai(flatten)]
    pub fields: UserFields,
    /// What all the user's keys may use together.
    #[oai(flatten)]
    pub limits: LimitFields,
}

/// What changes of a user.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct UserPatch {
    /// Unique.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
    /// The rest.
    #[oai(flatten)]
    pub fields: UserFields,
    /// What all the user's keys may use together.
    #[oai(flatten)]
    pub limits: LimitFields,
}

#[OpenApi(prefix_path = "/api/v1/users", tag = "Tag::Users")]
impl Api {
    /// List users
    #[oai(path = "/", method = "get", operation_id = "listUsers")]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Text in name or note, in any case.
        q: Query<Option<String>>,
        /// A tag they have.
        tag: Query<Option<String>>,
        /// Switched on or off.
        #[oai(name = "isEnabled")]
        is_enabled: Query<Option<bool>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<UserList>, ListRefused> {
        let filter = lists::Users {
            text: q.0,
            tag: tag.0,
            is_enabled: is_enabled.0,
        };
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = lists::users(&self.0.db, filter, window).await?;
        Ok(Json(page.map(User::from).into()))
    }

    /// Create a user
    ///
    /// A name is enough. The user gets no key: create one with `POST /api/v1/users/{id}/keys`.
    #[oai(path = "/", method = "post", operation_id = "createUser")]
    async fn create(
        &self,
        caller: ForAdmin,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<UserCreate>,
    ) -> Result<Created<User>, CreateRefused> {
        let user = users::create(&self.0, &caller.0, body.0.into()).await?;
        let location = format!("/api/v1/users/{}", user.id);
        let version = etag(user.id, user.updated_at);
        Ok(Created::Created(Json(user.into()), location, version))
    }

    /// List tags
    ///
    /// All that users have.
    #[oai(path = "/tags", method = "get", operation_id = "listUserTags")]
    async fn tags(&self, _caller: ForAdmin) -> Result<Json<TagList>, ListRefused> {
        let items = lists::user_tags(&self.0.db).await?;
        Ok(Json(TagList { items }))
    }

    /// Change many users
    ///
    /// The same change of each, by JSON merge: all are changed, or none when one is not there or cannot be changed. Each has its own entry
    /// in the audit.
    #[oai(path = "/", method = "patch", operation_id = "updateUsers")]
    async fn update_all(
        &self,
        caller: ForAdmin,
        body: Body<UserBatch>,
    ) -> Result<Json<ChangedUsers>, ChangeRefused> {
        let UserBatch { ids, changes } = body.0;
        let edit = |current: &_| changes.clone().apply(current);
        let changed = users::update_all(&self.0, &caller.0, &ids, edit).await?;
        let items = changed.into_iter().map(User::from).collect();
        Ok(Json(ChangedUsers { items }))
    }

    /// Read a user
    #[oai(path = "/:id", method = "get", operation_id = "getUser")]
    async fn read(
        &self,
        caller: ForUser,
        /// The user.
        id: Path<i64>,
    ) -> Result<One<User>, ReadRefused> {
        caller.0.must_own(id.0, "user")?;
        let user = users::find(&self.0.db, id.0).await?;
        Ok(one(user))
    }

    /// Change a user
    ///
    /// JSON merge: what is absent stays, null goes back to its default.
    #[oai(path = "/:id", method = "patch", operation_id = "updateUser")]
    async fn update(
        &self,
        caller: ForAdmin,
        /// The user.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<UserPatch>,
    ) -> Result<One<User>, ChangeRefused> {
        let edit = |current: &user::Model| body.0.apply(current);
        let user = users::update(&self.0, &caller.0, id.0, if_match.0.as_deref(), edit).await?;
        Ok(one(user))
    }

    /// Delete a user
    ///
    /// The user's keys stop working at once. What they used stays in the log.
    #[oai(path = "/:id", method = "delete", operation_id = "deleteUser")]
    async fn delete(
        &self,
        caller: ForAdmin,
        /// The user.
        id: Path<i64>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        users::delete(&self.0, &caller.0, id.0, if_match.0.as_deref()).await?;
        Ok(Deleted::Deleted)
    }
}

/// The answer of one user.
pub fn one(user: user::Model) -> One<User> {
    let version = etag(user.id, user.updated_at);
    One::Found(Json(user.into()), version)
}

// === impl User, UserList ===

impl From<user::Model> for User {
    fn from(user: user::Model) -> Self {
        Self {
            id: user.id,
            name: user.name,
            note: user.note,
            tags: user.tags.0,
            role: UserRole::read(&user.role),
            is_enabled: user.is_enabled,
            expires_at: user.expires_at,
            provider_group: user.provider_group,
            allowed_models: user.allowed_models.0,
            allowed_clients: user.allowed_clients.0,
            blocked_clients: user.blocked_clients.0,
            limit_concurrent_requests: user.limits.concurrent_requests,
            limits: user.limits.into(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl Pictured for user::Model {
    fn subject(&self) -> Subject {
        Subject::new("user", self.id, self.name.as_str())
    }

    fn picture(&self, _: &Admin) -> Value {
        User::from(self.clone()).to_json().unwrap_or_default()
    }
}

impl From<Page<User>> for UserList {
    fn from(page: Page<User>) -> Self {
        Self {
            items: page.items,
            next_cursor: page.next,
        }
    }
}

// === impl UserRole ===

impl UserRole {
    /// Reads the stored form; what is not `admin` is a user.
    pub fn read(stored: &str) -> Self {
        if stored == crate::auth::identity::ADMIN_ROLE {
            Self::Admin
        } else {
            Self::User
        }
    }

    fn stored(self) -> String {
        match self {
            Self::Admin => crate::auth::identity::ADMIN_ROLE.to_owned(),
            Self::User => "user".to_owned(),
        }
    }
}

// === impl UserFields, UserCreate, UserPatch ===

impl UserFields {
    fn apply(self, limits: value::Limits, user: &mut user::ActiveModel) {
        let requests = count(self.limit_concurrent_requests, limits.concurrent_requests);
        user.limits = Set(value::Limits {
            concurrent_requests: requests,
            ..limits
        });
        let role = rules::map(self.role, UserRole::stored);
        rules::put(&mut user.note, self.note, String::new());
        rules::put(
            &mut user.tags,
            rules::map(self.tags, Strings),
            Strings::default(),
        );
        rules::put(&mut user.role, role, UserRole::User.stored());
        rules::put(&mut user.is_enabled, self.is_enabled, true);
        rules::put(
            &mut user.expires_at,
            rules::map(self.expires_at, Some),
            None,
        );
        rules::put(&mut user.provider_group, self.provider_group, String::new());
        rules::put(
            &mut user.allowed_models,
            rules::map(self.allowed_models, Strings),
            Strings::default(),
        );
        rules::put(
            &mut user.allowed_clients,
            rules::map(self.allowed_clients, Strings),
            Strings::default(),
        );
        rules::put(
            &mut user.blocked_clients,
            rules::map(self.blocked_clients, Strings),
            Strings::default(),
        );
    }

    /// Every field at its default.
    fn defaults() -> Self {
        Self {
            note: MaybeUndefined::Null,
            tags: MaybeUndefined::Null,
            role: MaybeUndefined::Null,
            is_enabled: MaybeUndefined::Null,
            expires_at: MaybeUndefined::Null,
            provider_group: MaybeUndefined::Null,
            allowed_models: MaybeUndefined::Null,
            allowed_clients: MaybeUndefined::Null,
            blocked_clients: MaybeUndefined::Null,
            limit_concurrent_requests: MaybeUndefined::Null,
        }
    }
}

impl From<UserCreate> for user::ActiveModel {
    fn from(create: UserCreate) -> Self {
        let mut user = Self {
            name: Set(create.name),
            ..Default::default()
        };
        let limits = create.limits.onto(value::Limits::default());
        UserFields::defaults().apply(limits, &mut user);
        create.fields.apply(limits, &mut user);
        user
    }
}

impl UserPatch {
    /// What becomes of `current`.
    pub fn apply(self, current: &user::Model) -> user::ActiveModel {
        let mut user = user::ActiveModel::default();
        if let Some(name) = self.name {
            user.name = Set(name);
        }
        let limits = self.limits.onto(current.limits);
        self.fields.apply(limits, &mut user);
        user
    }
}

impl Input for UserPatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        rules::names("tags", loose.fields.tags.value(), out);
        rules::names("allowedModels", loose.fields.allowed_models.value(), out);
        rules::names("allowedClients", loose.fields.allowed_clients.value(), out);
        rules::names("blockedClients", loose.fields.blocked_clients.value(), out);
        loose.limits.rules(out);
    }
}

impl Input for UserCreate {
    type Loose = UserPatch;

    fn rules(loose: &UserPatch, out: &mut Vec<Mistake>) {
        UserPatch::rules(loose, out);
    }
}
