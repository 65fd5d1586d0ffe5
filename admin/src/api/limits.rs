//! Limits: what is used of them, and starting to count anew.

use std::sync::Arc;

use poem::http::StatusCode;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Tag,
    answers::{ListRefused, One, ReadRefused, SelfRefused},
    keys::{self as key_api, Key},
    providers::Provider,
    users::{self as user_api, User},
};
use crate::{
    Admin,
    auth::guard::{ForAdmin, ForUser},
    gateway::Subject,
    problem::Problem,
    query::page::DEFAULT_LIMIT,
    service::{etag, keys, limits, near, providers, users},
};

mod fields;
mod gauges;
mod nearly;

pub use fields::{LimitFields, Limits, count};
pub use gauges::LimitUsage;
use nearly::{NearLimit, NearLimitList};

/// The share from which on a limit is nearly used up.
const NEAR: f64 = 0.8;

/// The operations.
pub struct Api(pub Arc<Admin>);

#[OpenApi(prefix_path = "/api/v1")]
impl Api {
    /// Read what is used of a user's limits
    ///
    /// All the user's keys together.
    #[oai(
        path = "/users/:id/limits",
        method = "get",
        operation_id = "getUserLimits",
        tag = "Tag::Users"
    )]
    async fn of_user(
        &self,
        caller: ForUser,
        /// The user.
        id: Path<i64>,
    ) -> Result<Json<LimitUsage>, ReadRefused> {
        caller.0.must_own(id.0, "user")?;
        let user = users::find(&self.0.db, id.0).await?;
        let subject = Subject::User(user.id);
        Ok(self.usage(subject, user.limits).await)
    }

    /// Count a user's limits anew
    ///
    /// What was spent before this moment does not count any more, in no window. Usage and costs stay as they are.
    #[oai(
        path = "/users/:id/limits/reset",
        method = "post",
        operation_id = "resetUserLimits",
        tag = "Tag::Users"
    )]
    async fn reset_user(
        &self,
        caller: ForAdmin,
        /// The user.
        id: Path<i64>,
    ) -> Result<One<User>, ReadRefused> {
        let user = limits::reset_user(&self.0, &caller.0, id.0).await?;
        Ok(user_api::one(user))
    }

    /// Read what is used of a key's limits
    ///
    /// The user's limits count beside them: all of them must have room.
    #[oai(
        path = "/keys/:id/limits",
        method = "get",
        operation_id = "getKeyLimits",
        tag = "Tag::Keys"
    )]
    async fn of_key(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
    ) -> Result<Json<LimitUsage>, ReadRefused> {
        let key = keys::find(&self.0.db, &caller.0, id.0).await?;
        let subject = Subject::Key(key.id);
        Ok(self.usage(subject, key.limits).await)
    }

    /// Count a key's limits anew
    ///
    /// What was spent before this moment does not count any more, in no window. The user's limits are not reset by it.
    #[oai(
        path = "/keys/:id/limits/reset",
        method = "post",
        operation_id = "resetKeyLimits",
        tag = "Tag::Keys"
    )]
    async fn reset_key(
        &self,
        caller: ForAdmin,
        /// The key.
        id: Path<i64>,
    ) -> Result<One<Key>, ReadRefused> {
        let key = limits::reset_key(&self.0, &caller.0, id.0).await?;
        Ok(key_api::one(key))
    }

    /// Read what is used of a provider's limits
    #[oai(
        path = "/providers/:id/limits",
        method = "get",
        operation_id = "getProviderLimits",
        tag = "Tag::Providers"
    )]
    async fn of_provider(
        &self,
        _caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<Json<LimitUsage>, ReadRefused> {
        let provider = providers::find(&self.0.db, id.0).await?;
        let subject = Subject::Provider(provider.id);
        Ok(self.usage(subject, limits::of_provider(&provider)).await)
    }

    /// Count a provider's limits anew
    ///
    /// What was spent before this moment does not count any more, in no window.
    #[oai(
        path = "/providers/:id/limits/reset",
        method = "post",
        operation_id = "resetProviderLimits",
        tag = "Tag::Providers"
    )]
    async fn reset_provider(
        &self,
        caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<One<Provider>, ReadRefused> {
        let provider = limits::reset_provider(&self.0, &caller.0, id.0).await?;
        let version = etag(provider.id, provider.updated_at);
        Ok(One::Found(Json(Provider::new(&self.0, provider)), version))
    }

    /// List limits that are nearly used up
    ///
    /// Limits in money of enabled users, keys and providers: the worst of each, the worst first. What comes and goes by itself, such as
    /// requests a minute, is not among them.
    #[oai(
        path = "/limits/near",
        method = "get",
        operation_id = "listNearLimits",
        tag = "Tag::Usage"
    )]
    async fn near(
        &self,
        _caller: ForAdmin,
        /// From which share on a limit is nearly used up: 1 is all of it. 0.8 if not given.
        #[oai(validator(minimum(value = "0"), maximum(value = "1")))]
        share: Query<Option<f64>>,
        /// Entries at most, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<NearLimitList>, ListRefused> {
        let near = near::near(&self.0, share.0.unwrap_or(NEAR)).await?;
        let total = near.len() as u64;
        let most = usize::try_from(limit.0.unwrap_or(DEFAULT_LIMIT)).unwrap_or(usize::MAX);
        Ok(Json(NearLimitList {
            items: near
                .into_iter()
                .filter_map(NearLimit::new)
                .take(most)
                .collect(),
            total,
        }))
    }

    /// Count all limits anew from the history
    ///
    /// What is counted against limits of money is made again from the usage lines, for every key, user and provider. This is never needed: it
    /// is done at every start and after history was priced again.
    #[oai(
        path = "/limits/rebuild",
        method = "post",
        operation_id = "rebuildLimits",
        tag = "Tag::Usage"
    )]
    async fn rebuild(&self, _caller: ForAdmin) -> Result<Json<Rebuilt>, SelfRefused> {
        let subjects = self.0.gateway.rebuild_limits().await;
        let subjects = subjects.ok_or_else(|| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "history_unavailable",
                "The history cannot be read now. Try again.",
            )
        })?;
        Ok(Json(Rebuilt {
            subjects: i64::try_from(subjects).unwrap_or(i64::MAX),
        }))
    }
}

/// What was counted anew.
#[derive(Debug, Object)]
pub struct Rebuilt {
    /// Keys, users and providers that have spent something.
    pub subjects: i64,
}

impl Api {
    async fn usage(&self, subject: Subject, limits: entity::value::Limits) -> Json<LimitUsage> {
        Json(LimitUsage::new(&*self.0.gateway, subject, limits).await)
    }
}
