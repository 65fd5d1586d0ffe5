//! `/notifications/targets`.

use std::sync::Arc;

use entity::notification_target::Model;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};

use super::{
    object::{NotificationTarget, NotificationTestReport},
    target_input::{NotificationTargetCreate, NotificationTargetPatch},
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
    service::{etag, notification_targets, row},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// A page of targets.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationTargetList {
    /// The targets, oldest first.
    pub items: Vec<NotificationTarget>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

#[OpenApi(
    prefix_path = "/api/v1/notifications/targets",
    tag = "Tag::Notifications"
)]
impl Api {
    /// List notification targets
    #[oai(path = "/", method = "get", operation_id = "listNotificationTargets")]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Switched on or off.
        #[oai(name = "isEnabled")]
        is_enabled: Query<Option<bool>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<NotificationTargetList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = notifications::targets(&self.0.db, is_enabled.0, window).await?;
        let page = page.map(|target| NotificationTarget::new(&self.0, target));
        Ok(Json(NotificationTargetList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Create a notification target
    #[oai(path = "/", method = "post", operation_id = "createNotificationTarget")]
    async fn create(
        &self,
        caller: ForAdmin,
        /// Carries it out once: the same key with the same body gets the first answer again, for a day.
        #[oai(name = "Idempotency-Key")]
        _idempotency_key: Header<Option<String>>,
        body: Body<NotificationTargetCreate>,
    ) -> Result<Created<NotificationTarget>, CreateRefused> {
        let secrets = body.0.fields.secrets();
        let target =
            notification_targets::create(&self.0, &caller.0, secrets, body.0.into()).await?;
        let location = format!("/api/v1/notifications/targets/{}", target.id);
        let version = etag(target.id, target.updated_at);
        let target = NotificationTarget::new(&self.0, target);
        Ok(Created::Created(Json(target), location, version))
    }

    /// Read a notification target
    #[oai(path = "/:id", method = "get", operation_id = "getNotificationTarget")]
    async fn read(
        &self,
        _caller: ForAdmin,
        /// The target.
        id: Path<i64>,
    ) -> Result<One<NotificationTarget>, ReadRefused> {
        let target = row::find(&self.0.db, id.0).await?;
        Ok(self.one(target))
    }

    /// Change a notification target
    ///
    /// JSON merge: what is absent stays, null goes back to its default.
    #[oai(
        path = "/:id",
        method = "patch",
        operation_id = "updateNotificationTarget"
    )]
    async fn update(
        &self,
        caller: ForAdmin,
        /// The target.
        id: Path<i64>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<NotificationTargetPatch>,
    ) -> Result<One<NotificationTarget>, ChangeRefused> {
        let if_match = if_match.0.as_deref();
        let secrets = body.0.fields.secrets();
        let change = body.0.into();
        let target =
            notification_targets::update(&self.0, &caller.0, id.0, if_match, secrets, change)
                .await?;
        Ok(self.one(target))
    }

    /// Delete a notification target
    ///
    /// It is taken out of the rules that name it. Messages that wait for it are given up.
    #[oai(
        path = "/:id",
        method = "delete",
        operation_id = "deleteNotificationTarget"
    )]
    async fn delete(
        &self,
        caller: ForAdmin,
        /// The target.
        id: Path<i64>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        notification_targets::delete(&self.0, &caller.0, id.0, if_match.0.as_deref()).await?;
        Ok(Deleted::Deleted)
    }

    /// Send a test message
    ///
    /// At once and once, to the target as it is stored, switched on or not. Answers what came back, and leaves a line in the log of
    /// deliveries.
    #[oai(
        path = "/:id/test",
        method = "post",
        operation_id = "testNotificationTarget"
    )]
    async fn test(
        &self,
        _caller: ForAdmin,
        /// The target.
        id: Path<i64>,
    ) -> Result<Json<NotificationTestReport>, ReadRefused> {
        let report = notification_targets::test(&self.0, id.0).await?;
        Ok(Json(report.into()))
    }
}

impl Api {
    fn one(&self, target: Model) -> One<NotificationTarget> {
        let version = etag(target.id, target.updated_at);
        One::Found(Json(NotificationTarget::new(&self.0, target)), version)
    }
}
