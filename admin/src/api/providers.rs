//! `/providers`.

use std::sync::Arc;

use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};

use super::{
    Tag,
    answers::{
        ChangeRefused, CreateRefused, Created, DeleteRefused, Deleted, ListRefused, One,
        ReadRefused,
    },
    batch::{ChangedProviders, ProviderBatch},
    body::Body,
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    query::{lists, page::Window},
    service::{etag, providers},
};

mod headers;
mod merge;
mod object;
mod parts;
mod patch;
mod presets;
mod routing;
pub mod trial;

pub use merge::{BreakerPatch, HealthCheckPatch, TimeoutsPatch};
use object::ProviderList;
pub use object::{Provider, ProviderKind};
pub use patch::{ProviderCreate, ProviderFields, ProviderPatch};
pub use routing::RoutingFields;

/// The operations.
pub struct Api(pub Arc<Admin>);

#[OpenApi(prefix_path = "/api/v1/providers", tag = "Tag::Providers")]
impl Api {
    /// List providers
    #[oai(path = "/", method = "get", operation_id = "listProviders")]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Text in name, note or address, in any case.
        q: Query<Option<String>>,
        /// Switched on or off.
        #[oai(name = "isEnabled")]
        is_enabled: Query<Option<bool>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<ProviderList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = lists::providers(&self.0.db, q.0, is_enabled.0, window).await?;
        let page = page.map(|provider| Provider::new(&self.0, provider));
        Ok(Json(ProviderList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Create a provider
    ///
    /// Name, type, address and credential are enough.
    #[oai(path = "/", method = "post", operation_id = "createProvider")]
    async fn create(
        &self,
        caller: ForAdmin,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<ProviderCreate>,
    ) -> Result<Created<Provider>, CreateRefused> {
        let secrets = body.0.secrets();
        let provider = providers::create(&self.0, &caller.0, secrets, body.0.into()).await?;
        let location = format!("/api/v1/providers/{}", provider.id);
        let version = etag(provider.id, provider.updated_at);
        let provider = Provider::new(&self.0, provider);
        Ok(Created::Created(Json(provider), location, version))
    }

    /// Change many providers
    ///
    /// The same change of each, by JSON merge: all are changed, or none when one is not there or cannot be changed. Each has its own entry
    /// in the audit.
    #[oai(path = "/", method = "patch", operation_id = "updateProviders")]
    async fn update_all(
        &self,
        caller: ForAdmin,
        body: Body<ProviderBatch>,
    ) -> Result<Json<ChangedProviders>, ChangeRefused> {
        let ProviderBatch { ids, changes } = body.0;
        let secrets = changes.secrets();
        let edit = |current: &_| changes.clone().apply(current);
        let changed = providers::update_all(&self.0, &caller.0, &ids, secrets, edit).await?;
        let items = changed.into_iter().map(|row| Provider::new(&self.0, row));
        Ok(Json(ChangedProviders {
            items: items.collect(),
        }))
    }

    /// Read a provider
    #[oai(path = "/:id", method = "get", operation_id = "getProvider")]
    async fn read(
        &self,
        _caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<One<Provider>, ReadRefused> {
        let provider = providers::find(&self.0.db, id.0).await?;
        Ok(self.one(provider))
    }

    /// Change a provider
    ///
    /// JSON merge: what is absent stays, null goes back to its default. Lists, maps and `activeTime` are replaced as a
    /// whole.
    #[oai(path = "/:id", method = "patch", operation_id = "updateProvider")]
    async fn update(
        &self,
        caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<ProviderPatch>,
    ) -> Result<One<Provider>, ChangeRefused> {
        let secrets = body.0.secrets();
        let edit = |current: &_| body.0.apply(current);
        let if_match = if_match.0.as_deref();
        let provider = providers::update(&self.0, &caller.0, id.0, if_match, secrets, edit).await?;
        Ok(self.one(provider))
    }

    /// Delete a provider
    ///
    /// It gets no new requests. What it served stays in the log.
    #[oai(path = "/:id", method = "delete", operation_id = "deleteProvider")]
    async fn delete(
        &self,
        caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        providers::delete(&self.0, &caller.0, id.0, if_match.0.as_deref()).await?;
        Ok(Deleted::Deleted)
    }
}

impl Api {
    fn one(&self, provider: entity::provider::Model) -> One<Provider> {
        let version = etag(provider.id, provider.updated_at);
        One::Found(Json(Provider::new(&self.0, provider)), version)
    }
}
