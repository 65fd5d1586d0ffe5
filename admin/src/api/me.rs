//! `/me`: what a key's holder is told about the key.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object, OpenApi, param::Query, payload::Json};

use super::{
    Tag,
    answers::SelfRefused,
    keys::Key,
    limits::LimitUsage,
    requests::{self as request_api, RequestList},
    usage::{self, UsageSummary},
    users::User,
};
use crate::{
    Admin,
    auth::{
        guard::ForKey,
        identity::{Identity, Role},
    },
    gateway::Subject,
    query::{page::Window, requests},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

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
    /// The time zone the gateway counts days, weeks and months by.
    pub time_zone: String,
}

/// What is used of the caller's limits.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct MyLimits {
    /// The key's; null for the admin token.
    #[oai(nullable)]
    pub key: Option<LimitUsage>,
    /// The user's, which hold for all the user's keys together; null for the admin token.
    #[oai(nullable)]
    pub user: Option<LimitUsage>,
}

/// What one has used.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct MyUsage {
    /// With the key; null for the admin token.
    #[oai(nullable)]
    pub key: Option<UsageSummary>,
    /// With all the user's keys; null for the admin token.
    #[oai(nullable)]
    pub user: Option<UsageSummary>,
}

/// Models a key's holder may ask for.
#[derive(Debug, Object)]
pub struct MyModels {
    /// Their names, sorted.
    pub items: Vec<String>,
}

#[OpenApi(prefix_path = "/api/v1/me", tag = "Tag::Identity")]
impl Api {
    /// Read about oneself
    ///
    /// Any key that works may ask, also one that may not log in.
    #[oai(path = "/", method = "get", operation_id = "getMe")]
    async fn read(&self, caller: ForKey) -> Result<Json<Me>, SelfRefused> {
        Ok(Json(Me::new(&self.0, caller.0)))
    }

    /// Read what one has used
    #[oai(path = "/usage", method = "get", operation_id = "getMyUsage")]
    async fn usage(&self, caller: ForKey) -> Result<Json<MyUsage>, SelfRefused> {
        let Some((key, user)) = caller.0.holder else {
            return Ok(Json(MyUsage {
                key: None,
                user: None,
            }));
        };
        Ok(Json(MyUsage {
            key: Some(usage::of_key(&self.0, key.id).await?),
            user: Some(usage::of_user(&self.0, user.id).await?),
        }))
    }

    /// List one's requests
    ///
    /// Those of the key, newest first, without what is the operator's: which provider served them. The admin token has none.
    #[oai(path = "/requests", method = "get", operation_id = "listMyRequests")]
    async fn requests(
        &self,
        caller: ForKey,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<RequestList>, SelfRefused> {
        let Some((key, _)) = &caller.0.holder else {
            return Ok(Json(RequestList {
                items: Vec::new(),
                next_cursor: None,
                searched_to: None,
            }));
        };
        let filter = requests::Filter {
            key_id: Some(key.id),
            from: from.0,
            to: to.0,
            ..requests::Filter::default()
        };
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let list = request_api::list(&self.0.db, &caller.0, &filter, &window).await?;
        Ok(Json(list))
    }

    /// List the models one may ask for
    ///
    /// As far as the configuration names them: the user's own list, else what the providers in reach are configured with. A provider without a
    /// list of models may know more. The admin token calls no models.
    #[oai(path = "/models", method = "get", operation_id = "listMyModels")]
    async fn models(&self, caller: ForKey) -> Result<Json<MyModels>, SelfRefused> {
        let key = caller.0.holder.map(|(key, _)| key.id);
        let items = key.map_or_else(Vec::new, |key| self.0.gateway.models(key));
        Ok(Json(MyModels { items }))
    }

    /// Read what is used of one's limits
    ///
    /// A request needs room in the key's limits and in the user's.
    #[oai(path = "/limits", method = "get", operation_id = "getMyLimits")]
    async fn limits(&self, caller: ForKey) -> Result<Json<MyLimits>, SelfRefused> {
        let gateway = &*self.0.gateway;
        let (key, user) = caller.0.holder.unzip();
        let of = async |subject, limits| LimitUsage::new(gateway, subject, limits).await;
        let mut mine = MyLimits {
            key: None,
            user: None,
        };
        if let Some(key) = key {
            mine.key = Some(of(Subject::Key(key.id), key.limits).await);
        }
        if let Some(user) = user {
            mine.user = Some(of(Subject::User(user.id), user.limits).await);
        }
        Ok(Json(mine))
    }
}

// === impl Me, CallerRole ===

impl Me {
    /// What the caller is told.
    pub fn new(admin: &Admin, identity: Identity) -> Self {
        let (key, user) = identity.holder.unzip();
        Self {
            role: identity.role.into(),
            user: user.map(User::from),
            key: key.map(Key::from),
            time_zone: admin.gateway.time_zone().name().to_owned(),
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
