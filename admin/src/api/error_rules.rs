//! `/error-rules`.

use std::sync::Arc;

use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::Any,
};
use serde_json::Value;

use super::{
    Tag,
    answers::{
        ChangeRefused, CreateRefused, Created, DeleteRefused, Deleted, ListRefused, One,
        ReadRefused, TryRefused,
    },
    body::{Body, Input},
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    problem::Mistake,
    query::{lists, page::Window},
    service::{error_rules, etag, row},
};

mod object;
mod patch;

pub use object::{ErrorMatch, RuleFault};
use object::{ErrorRule, ErrorRuleList};
use patch::{ErrorRuleCreate, ErrorRulePatch};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// A failure to hold the rules against.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorRuleTest {
    /// The failure's text: an upstream's body, or the message in it.
    #[oai(validator(min_length = 1, max_length = 65536))]
    pub sample: String,
    /// The provider it came from. Without one only the rules for every provider are held against it.
    #[oai(nullable)]
    pub provider_id: Option<i64>,
}

/// What the rules make of a failure.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorRuleVerdict {
    /// The rules that match, in the order in which they are tried; the first counts.
    pub matches: Vec<ErrorRule>,
    /// Whose fault the first says it is; null when none matches.
    #[oai(nullable)]
    pub fault: Option<RuleFault>,
    /// The status the client would get instead of the upstream's.
    #[oai(nullable)]
    pub override_status: Option<i32>,
    /// The message the client would get instead of the upstream's.
    #[oai(nullable)]
    pub override_message: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1/error-rules", tag = "Tag::Routing")]
impl Api {
    /// List error rules
    #[oai(path = "/", method = "get", operation_id = "listErrorRules")]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Only those for this provider alone.
        #[oai(name = "providerId")]
        provider_id: Query<Option<i64>>,
        /// Switched on or off.
        #[oai(name = "isEnabled")]
        is_enabled: Query<Option<bool>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<ErrorRuleList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = lists::error_rules(&self.0.db, provider_id.0, is_enabled.0, window).await?;
        let page = page.map(ErrorRule::from);
        Ok(Json(ErrorRuleList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Create an error rule
    #[oai(path = "/", method = "post", operation_id = "createErrorRule")]
    async fn create(
        &self,
        caller: ForAdmin,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<ErrorRuleCreate>,
    ) -> Result<Created<ErrorRule>, CreateRefused> {
        let rule = error_rules::create(&self.0, &caller.0, body.0.into()).await?;
        let location = format!("/api/v1/error-rules/{}", rule.id);
        let version = etag(rule.id, rule.updated_at);
        Ok(Created::Created(Json(rule.into()), location, version))
    }

    /// Hold the error rules against a failure
    ///
    /// Only rules that are switched on. Nothing is changed.
    #[oai(path = "/test", method = "post", operation_id = "testErrorRules")]
    async fn test(
        &self,
        _caller: ForAdmin,
        body: Body<ErrorRuleTest>,
    ) -> Result<Json<ErrorRuleVerdict>, TryRefused> {
        let ErrorRuleTest {
            sample,
            provider_id,
        } = body.0;
        let found = error_rules::matching(&self.0.db, &sample, provider_id).await?;
        Ok(Json(ErrorRuleVerdict::new(found)))
    }

    /// Read an error rule
    #[oai(path = "/:id", method = "get", operation_id = "getErrorRule")]
    async fn read(
        &self,
        _caller: ForAdmin,
        /// The rule.
        id: Path<i64>,
    ) -> Result<One<ErrorRule>, ReadRefused> {
        Ok(one(row::find(&self.0.db, id.0).await?))
    }

    /// Change an error rule
    ///
    /// JSON merge: what is absent stays, null goes back to its default.
    #[oai(path = "/:id", method = "patch", operation_id = "updateErrorRule")]
    async fn update(
        &self,
        caller: ForAdmin,
        /// The rule.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<ErrorRulePatch>,
    ) -> Result<One<ErrorRule>, ChangeRefused> {
        let if_match = if_match.0.as_deref();
        let rule = error_rules::update(&self.0, &caller.0, id.0, if_match, body.0.into()).await?;
        Ok(one(rule))
    }

    /// Delete an error rule
    #[oai(path = "/:id", method = "delete", operation_id = "deleteErrorRule")]
    async fn delete(
        &self,
        caller: ForAdmin,
        /// The rule.
        id: Path<i64>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        row::delete::<entity::error_rule::Model>(&self.0, &caller.0, id.0, if_match.0.as_deref())
            .await?;
        Ok(Deleted::Deleted)
    }
}

fn one(rule: entity::error_rule::Model) -> One<ErrorRule> {
    let version = etag(rule.id, rule.updated_at);
    One::Found(Json(rule.into()), version)
}

// === impl ErrorRuleTest ===

impl Input for ErrorRuleTest {
    type Loose = Any<Value>;

    fn rules(_loose: &Any<Value>, _out: &mut Vec<Mistake>) {}
}

// === impl ErrorRuleVerdict ===

impl ErrorRuleVerdict {
    fn new(found: Vec<entity::error_rule::Model>) -> Self {
        let first = found.first();
        Self {
            fault: first.map(|rule| rule.fault.into()),
            override_status: first.and_then(|rule| rule.override_status),
            override_message: first.and_then(|rule| rule.override_message.clone()),
            matches: found.into_iter().map(ErrorRule::from).collect(),
        }
    }
}
