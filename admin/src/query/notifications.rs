//! Targets, rules and deliveries of messages.

use chrono::{DateTime, Utc};
use entity::{
    notification_delivery, notification_rule, notification_target,
    value::{DeliveryState, NoticeKind},
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::page::{Page, Window};

/// Targets, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn targets(
    db: &DatabaseConnection,
    is_enabled: Option<bool>,
    window: Window<i64>,
) -> Result<Page<notification_target::Model>, DbErr> {
    use notification_target::Column;
    let wanted = Condition::all()
        .add_option(window.after.map(|id| Column::Id.gt(id)))
        .add_option(is_enabled.map(|on| Column::IsEnabled.eq(on)));
    let rows = notification_target::Entity::find()
        .filter(wanted)
        .order_by_asc(Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// Rules, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn rules(
    db: &DatabaseConnection,
    event: Option<NoticeKind>,
    is_enabled: Option<bool>,
    window: Window<i64>,
) -> Result<Page<notification_rule::Model>, DbErr> {
    use notification_rule::Column;
    let wanted = Condition::all()
        .add_option(window.after.map(|id| Column::Id.gt(id)))
        .add_option(event.map(|event| Column::Event.eq(event)))
        .add_option(is_enabled.map(|on| Column::IsEnabled.eq(on)));
    let rows = notification_rule::Entity::find()
        .filter(wanted)
        .order_by_asc(Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// Which deliveries.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// To this target.
    pub target_id: Option<i64>,
    /// Of this rule.
    pub rule_id: Option<i64>,
    /// That tell of this.
    pub event: Option<NoticeKind>,
    /// That are so far.
    pub state: Option<DeliveryState>,
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}

/// Deliveries, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn deliveries(
    db: &DatabaseConnection,
    filter: Deliveries,
    window: Window<i64>,
) -> Result<Page<notification_delivery::Model>, DbErr> {
    use notification_delivery::Column;
    let wanted = Condition::all()
        .add_option(window.after.map(|id| Column::Id.lt(id)))
        .add_option(filter.target_id.map(|id| Column::TargetId.eq(id)))
        .add_option(filter.rule_id.map(|id| Column::RuleId.eq(id)))
        .add_option(filter.event.map(|event| Column::Event.eq(event)))
        .add_option(filter.state.map(|state| Column::State.eq(state)))
        .add_option(filter.from.map(|from| Column::CreatedAt.gte(from)))
        .add_option(filter.to.map(|to| Column::CreatedAt.lt(to)));
    let rows = notification_delivery::Entity::find()
        .filter(wanted)
        .order_by_desc(Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}
