//! `/provider-groups`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{provider_group, value::Multiplier};
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
    body::{Body, Input},
    decimal::Decimal,
    rules,
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    problem::Mistake,
    query::{lists, page::Window},
    service::{
        audit::{Pictured, Subject},
        etag, groups, row,
    },
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// What is said of a group of providers. A group that providers and callers name needs none of this: its factor is 1 then.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderGroup {
    /// Id.
    pub id: i64,
    /// The name that providers' `groupTags` and callers' `providerGroup` use; unique.
    pub name: String,
    /// Factor on the prices of requests that go through the group, a decimal.
    pub cost_multiplier: String,
    /// Free text.
    pub note: String,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of provider groups.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderGroupList {
    /// The groups, oldest first.
    pub items: Vec<ProviderGroup>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// What may be said of a group beside its name; null puts a field back to its default.
#[derive(Debug, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct GroupFields {
    /// Factor on the prices of requests that go through the group, 0 to 1000 with at most six decimals. Default 1.
    #[oai(nullable)]
    pub cost_multiplier: MaybeUndefined<Decimal>,
    /// Free text. Default empty.
    #[oai(nullable, validator(max_length = 2000))]
    pub note: MaybeUndefined<String>,
}

/// A group to create.
#[derive(Object)]
pub struct ProviderGroupCreate {
    /// The name that providers' `groupTags` and callers' `providerGroup` use; unique, without commas.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// The rest.
    #[oai(flatten)]
    pub fields: GroupFields,
}

/// What changes of a group. A new name does not reach the providers and callers that use the old one.
#[derive(Default, Object)]
pub struct ProviderGroupPatch {
    /// The name that providers' `groupTags` and callers' `providerGroup` use; unique, without commas.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
    /// The rest.
    #[oai(flatten)]
    pub fields: GroupFields,
}

#[OpenApi(prefix_path = "/api/v1/provider-groups", tag = "Tag::Routing")]
impl Api {
    /// List provider groups
    #[oai(path = "/", method = "get", operation_id = "listProviderGroups")]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Text in name or note, in any case.
        q: Query<Option<String>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<ProviderGroupList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = lists::groups(&self.0.db, q.0, window).await?;
        let page = page.map(ProviderGroup::from);
        Ok(Json(ProviderGroupList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Create a provider group
    #[oai(path = "/", method = "post", operation_id = "createProviderGroup")]
    async fn create(
        &self,
        caller: ForAdmin,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<ProviderGroupCreate>,
    ) -> Result<Created<ProviderGroup>, CreateRefused> {
        let group = groups::create(&self.0, &caller.0, body.0.into()).await?;
        let location = format!("/api/v1/provider-groups/{}", group.id);
        let version = etag(group.id, group.updated_at);
        Ok(Created::Created(Json(group.into()), location, version))
    }

    /// Read a provider group
    #[oai(path = "/:id", method = "get", operation_id = "getProviderGroup")]
    async fn read(
        &self,
        _caller: ForAdmin,
        /// The group.
        id: Path<i64>,
    ) -> Result<One<ProviderGroup>, ReadRefused> {
        Ok(one(row::find(&self.0.db, id.0).await?))
    }

    /// Change a provider group
    ///
    /// JSON merge: what is absent stays, null goes back to its default.
    #[oai(path = "/:id", method = "patch", operation_id = "updateProviderGroup")]
    async fn update(
        &self,
        caller: ForAdmin,
        /// The group.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<ProviderGroupPatch>,
    ) -> Result<One<ProviderGroup>, ChangeRefused> {
        let if_match = if_match.0.as_deref();
        let group = groups::update(&self.0, &caller.0, id.0, if_match, body.0.into()).await?;
        Ok(one(group))
    }

    /// Delete a provider group
    ///
    /// Providers and callers that name it go on using the name; its factor is 1 then.
    #[oai(path = "/:id", method = "delete", operation_id = "deleteProviderGroup")]
    async fn delete(
        &self,
        caller: ForAdmin,
        /// The group.
        id: Path<i64>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        row::delete::<provider_group::Model>(&self.0, &caller.0, id.0, if_match.0.as_deref())
            .await?;
        Ok(Deleted::Deleted)
    }
}

fn one(group: provider_group::Model) -> One<ProviderGroup> {
    let version = etag(group.id, group.updated_at);
    One::Found(Json(group.into()), version)
}

// === impl GroupFields ===

impl GroupFields {
    fn apply(self, group: &mut provider_group::ActiveModel) {
        let factor = rules::to_multiplier(self.cost_multiplier);
        rules::put(&mut group.cost_multiplier, factor, Multiplier::ONE);
        rules::put(&mut group.note, self.note, String::new());
    }
}

// === impl ProviderGroupCreate, ProviderGroupPatch ===

impl From<ProviderGroupCreate> for provider_group::ActiveModel {
    fn from(create: ProviderGroupCreate) -> Self {
        let mut group = Self {
            name: Set(create.name),
            cost_multiplier: Set(Multiplier::ONE),
            note: Set(String::new()),
            ..Default::default()
        };
        create.fields.apply(&mut group);
        group
    }
}

impl From<ProviderGroupPatch> for provider_group::ActiveModel {
    fn from(patch: ProviderGroupPatch) -> Self {
        let mut group = Self::default();
        if let Some(name) = patch.name {
            group.name = Set(name);
        }
        patch.fields.apply(&mut group);
        group
    }
}

impl Input for ProviderGroupPatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        if loose.name.as_ref().is_some_and(|name| name.contains(',')) {
            let message = "must not contain a comma, which parts names in a list of groups";
            out.push(Mistake::new("name", "invalid", message));
        }
        rules::multiplier("costMultiplier", loose.fields.cost_multiplier.value(), out);
    }
}

impl Input for ProviderGroupCreate {
    type Loose = ProviderGroupPatch;

    fn rules(loose: &ProviderGroupPatch, out: &mut Vec<Mistake>) {
        ProviderGroupPatch::rules(loose, out);
    }
}

// === impl ProviderGroup ===

impl Pictured for provider_group::Model {
    fn subject(&self) -> Subject {
        Subject::new("provider-group", self.id, self.name.as_str())
    }

    fn picture(&self, _: &Admin) -> Value {
        ProviderGroup::from(self.clone())
            .to_json()
            .unwrap_or_default()
    }
}

impl From<provider_group::Model> for ProviderGroup {
    fn from(group: provider_group::Model) -> Self {
        Self {
            id: group.id,
            name: group.name,
            cost_multiplier: group.cost_multiplier.to_string(),
            note: group.note,
            created_at: group.created_at,
            updated_at: group.updated_at,
        }
    }
}
