//! `/notifications/rules`.

use std::sync::Arc;

use entity::notification_rule::Model;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};

use super::{
    object::{Event, NotificationRule},
    rule_input::{NotificationRuleCreate, NotificationRulePatch},
};
use crate::{
    Admin,
    api::{
        Tag,
        answers::{
            ChangeRefused, CreateRefused, Created, DeleteRefused, Deleted, ListRefused, One,
            ReadRefused,
        },
        body::Body,
    },
    auth::guard::ForAdmin,
    query::{notifications, page::Window},
    service::{etag, notification_rules, row},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// A page of rules.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationRuleList {
    /// The rules, oldest first.
    pub items: Vec<NotificationRule>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

#[OpenApi(
    prefix_path = "/api/v1/notifications/rules",
    tag = "Tag::Notifications"
)]
impl Api {
    /// List notification rules
    #[oai(path = "/", method = "get", operation_id = "listNotificationRules")]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Only those of this event.
        event: Query<Option<Event>>,
        /// Switched on or off.
        #[oai(name = "isEnabled")]
        is_enabled: Query<Option<bool>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<NotificationRuleList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let event = event.0.map(Into::into);
        let page = notifications::rules(&self.0.db, event, is_enabled.0, window).await?;
        let page = page.map(NotificationRule::from);
        Ok(Json(NotificationRuleList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Create a notification rule
    #[oai(path = "/", method = "post", operation_id = "createNotificationRule")]
    async fn create(
        &self,
        caller: ForAdmin,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<NotificationRuleCreate>,
    ) -> Result<Created<NotificationRule>, CreateRefused> {
        let rule = notification_rules::create(&self.0, &caller.0, body.0.into()).await?;
        let location = format!("/api/v1/notifications/rules/{}", rule.id);
        let version = etag(rule.id, rule.updated_at);
        Ok(Created::Created(Json(rule.into()), location, version))
    }

    /// Read a notification rule
    #[oai(path = "/:id", method = "get", operation_id = "getNotificationRule")]
    async fn read(
        &self,
        _caller: ForAdmin,
        /// The rule.
        id: Path<i64>,
    ) -> Result<One<NotificationRule>, ReadRefused> {
        Ok(one(row::find(&self.0.db, id.0).await?))
    }

    /// Change a notification rule
    ///
    /// JSON merge: what is absent stays, null goes back to its default.
    #[oai(
        path = "/:id",
        method = "patch",
        operation_id = "updateNotificationRule"
    )]
    async fn update(
        &self,
        caller: ForAdmin,
        /// The rule.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<NotificationRulePatch>,
    ) -> Result<One<NotificationRule>, ChangeRefused> {
        let if_match = if_match.0.as_deref();
        let change = body.0.into();
        let rule = notification_rules::update(&self.0, &caller.0, id.0, if_match, change).await?;
        Ok(one(rule))
    }

    /// Delete a notification rule
    ///
    /// What it told stays in the log of deliveries, and what waits is still sent.
    #[oai(
        path = "/:id",
        method = "delete",
        operation_id = "deleteNotificationRule"
    )]
    async fn delete(
        &self,
        caller: ForAdmin,
        /// The rule.
        id: Path<i64>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        row::delete::<Model>(&self.0, &caller.0, id.0, if_match.0.as_deref()).await?;
        Ok(Deleted::Deleted)
    }
}

fn one(rule: Model) -> One<NotificationRule> {
    let version = etag(rule.id, rule.updated_at);
    One::Found(Json(rule.into()), version)
}
