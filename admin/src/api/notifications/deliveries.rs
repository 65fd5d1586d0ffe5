//! `/notifications/deliveries`: what was sent.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

use super::object::{DeliveryEvent, DeliveryState, NotificationDelivery};
use crate::{
    Admin,
    api::{Tag, answers::ListRefused},
    auth::guard::ForAdmin,
    query::{notifications, page::Window},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// A page of deliveries.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationDeliveryList {
    /// The deliveries, newest first.
    pub items: Vec<NotificationDelivery>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

#[OpenApi(
    prefix_path = "/api/v1/notifications/deliveries",
    tag = "Tag::Notifications"
)]
impl Api {
    /// List deliveries of notifications
    ///
    /// Newest first, kept for 30 days. Tests are among them.
    #[expect(clippy::too_many_arguments, reason = "an operation's parameters")]
    #[oai(
        path = "/",
        method = "get",
        operation_id = "listNotificationDeliveries"
    )]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Only those to this target.
        #[oai(name = "targetId")]
        target_id: Query<Option<i64>>,
        /// Only those of this rule.
        #[oai(name = "ruleId")]
        rule_id: Query<Option<i64>>,
        /// Only those of this event.
        event: Query<Option<DeliveryEvent>>,
        /// Only those that are so far.
        state: Query<Option<DeliveryState>>,
        /// Only those from this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Only those before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<NotificationDeliveryList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let filter = notifications::Deliveries {
            target_id: target_id.0,
            rule_id: rule_id.0,
            event: event.0.map(Into::into),
            state: state.0.map(Into::into),
            from: from.0,
            to: to.0,
        };
        let page = notifications::deliveries(&self.0.db, filter, window).await?;
        let page = page.map(NotificationDelivery::from);
        Ok(Json(NotificationDeliveryList {
            items: page.items,
            next_cursor: page.next,
        }))
    }
}
