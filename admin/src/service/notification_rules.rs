//! What is told to whom.

use entity::{
    notification_rule, notification_target,
    value::{Ids, NoticeKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QuerySelect,
};

use super::{
    audit::Action,
    change::{Change, later},
    must_match, now, row,
};
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
};

/// Which parameters a rule has, for the rules of its event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Has {
    /// A share in percent.
    pub threshold: bool,
    /// A window in minutes.
    pub window: bool,
    /// A number of requests.
    pub minimum: bool,
    /// A time of the day.
    pub report_time: bool,
}

/// Creates a rule.
///
/// # Errors
/// 422 when one of its targets is not there.
pub async fn create(
    admin: &Admin,
    caller: &Identity,
    mut rule: notification_rule::ActiveModel,
) -> Result<notification_rule::Model, Problem> {
    let now = now();
    rule.created_at = Set(now);
    rule.updated_at = Set(now);
    let mut change = Change::begin(admin, caller).await?;
    targets_are_there(change.tx(), rule.target_ids.try_as_ref()).await?;
    let rule = rule.insert(change.tx()).await?;
    change.record(Action::Create, None, Some(&rule));
    change.commit().await?;
    Ok(rule)
}

/// Changes a rule.
///
/// # Errors
/// 404, 412 when it is not the version `if_match` names, 422 when one of its targets is not there, or it is given what its event does not
/// go by.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
    mut rule: notification_rule::ActiveModel,
) -> Result<notification_rule::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = row::find::<notification_rule::Model>(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let mistakes = mistakes(current.event, Has::of(&rule));
    if !mistakes.is_empty() {
        return Err(Problem::invalid(mistakes));
    }
    targets_are_there(change.tx(), rule.target_ids.try_as_ref()).await?;
    rule.id = Set(id);
    rule.updated_at = Set(later(current.updated_at));
    let rule = rule.update(change.tx()).await?;
    change.record(Action::Update, Some(&current), Some(&rule));
    change.commit().await?;
    Ok(rule)
}

/// Parameters that a rule has and its event does not go by.
pub fn mistakes(event: NoticeKind, has: Has) -> Vec<Mistake> {
    let is_rate = event == NoticeKind::ErrorRateJump;
    let found = [
        (
            "thresholdPercent",
            has.threshold,
            is_rate || event == NoticeKind::LimitNear,
        ),
        ("windowMinutes", has.window, is_rate),
        ("minimumRequests", has.minimum, is_rate),
        (
            "reportTime",
            has.report_time,
            event == NoticeKind::DailyReport,
        ),
    ];
    let found = found.into_iter().filter(|(_, has, goes)| *has && !*goes);
    found
        .map(|(path, ..)| Mistake::new(path, "not_allowed", "is nothing this event goes by"))
        .collect()
}

async fn targets_are_there<C: ConnectionTrait>(db: &C, ids: Option<&Ids>) -> Result<(), Problem> {
    let Some(Ids(ids)) = ids else {
        return Ok(());
    };
    let there: Vec<i64> = notification_target::Entity::find()
        .select_only()
        .column(notification_target::Column::Id)
        .filter(notification_target::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let unknown = ids.iter().enumerate().filter(|(_, id)| !there.contains(id));
    let mistakes: Vec<Mistake> = unknown
        .map(|(i, _)| Mistake::new(format!("targetIds[{i}]"), "not_found", "is no target"))
        .collect();
    if mistakes.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(mistakes))
}

// === impl Has ===

impl Has {
    fn of(rule: &notification_rule::ActiveModel) -> Self {
        let has = |field: &sea_orm::ActiveValue<Option<i32>>| {
            field.try_as_ref().is_some_and(Option::is_some)
        };
        Self {
            threshold: has(&rule.threshold_percent),
            window: has(&rule.window_minutes),
            minimum: has(&rule.minimum_requests),
            report_time: has(&rule.report_minute),
        }
    }
}
