//! Messages to send, and who was told what: the tables by which nodes agree on who speaks.
//!
//! A finding is told by whoever first writes that it was: one statement inserts or renews its row, and only where the quiet time is over. In
//! the same transaction the deliveries are written, so that nothing is told without being sent, nor sent twice because two nodes saw it. A
//! delivery is taken by a conditional update that also says when it is to be taken for lost; a node that dies in the middle of one leaves
//! it to whoever looks next. Sending may thus happen twice in one case, a node's death between an answer and its being written down, and
//! never not at all.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use entity::value::{DeliveryState, NoticeKind};
use entity::{
    notification_delivery as delivery, notification_quiet as quiet, notification_rule as rule,
    notification_target as target,
};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, ExprTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, TransactionTrait,
};
use serde_json::Value;

use crate::domain::notice::Finding;

/// Messages that may wait for one target. What comes beyond is in the log as given up.
const MOST_WAITING: u64 = 500;
/// Characters of a subject that are kept.
const LONGEST_SUBJECT: usize = 300;
/// Characters of words about a failure, and of titles.
const LONGEST_ERROR: usize = 1_000;
const LONGEST_TITLE: usize = 300;
/// Rows of one deletion.
const BITE: u64 = 1_000;

/// A message to one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The target.
    pub target_id: i64,
    /// What it is called.
    pub target_name: String,
    /// Its first line.
    pub title: String,
    /// What is told.
    pub notice: Value,
}

/// What a telling wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Messages written.
    pub messages: usize,
    /// The targets of those of them that are not sent, because too many wait there.
    pub dropped: Vec<i64>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The status it was answered with.
    pub status: Option<u16>,
    /// What went wrong; none when it arrived.
    pub error: Option<String>,
    /// When it is tried again; none when it is not.
    pub again_at: Option<DateTime<Utc>>,
}

/// The rules that are switched on.
///
/// # Errors
/// When the database does not answer.
pub async fn rules(db: &DatabaseConnection) -> Result<Vec<rule::Model>, DbErr> {
    rule::Entity::find()
        .filter(rule::Column::IsEnabled.eq(true))
        .order_by_asc(rule::Column::Id)
        .all(db)
        .await
}

/// The targets that are switched on.
///
/// # Errors
/// When the database does not answer.
pub async fn targets(db: &DatabaseConnection) -> Result<Vec<target::Model>, DbErr> {
    target::Entity::find()
        .filter(target::Column::IsEnabled.eq(true))
        .all(db)
        .await
}

/// A target, switched on or off.
///
/// # Errors
/// When the database does not answer.
pub async fn target(db: &DatabaseConnection, id: i64) -> Result<Option<target::Model>, DbErr> {
    target::Entity::find_by_id(id).one(db).await
}

/// Tells what a rule found, so far as it was not told lately: `messages` makes the messages of it.
///
/// # Errors
/// When the database does not take it; nothing was told then.
pub async fn tell(
    db: &DatabaseConnection,
    rule: &rule::Model,
    mut findings: Vec<Finding>,
    now: DateTime<Utc>,
    messages: impl FnOnce(Vec<Finding>) -> Vec<Message>,
) -> Result<Told, DbErr> {
    let now = now.trunc_subsecs(6);
    // In one order on all nodes, so that none waits for another that waits for it.
    findings.sort_by(|a, b| a.subject.cmp(&b.subject));
    findings.dedup_by(|a, b| a.subject == b.subject);
    let tx = db.begin().await?;
    let mut fresh = Vec::new();
    for finding in findings {
        if claim(&tx, rule.id, &finding, now).await? {
            fresh.push(finding);
        }
    }
    if fresh.is_empty() {
        tx.rollback().await?;
        return Ok(Told::default());
    }
    let messages = messages(fresh);
    let mut told = Told {
        messages: messages.len(),
        dropped: Vec::new(),
    };
    for message in &messages {
        let is_full = waiting_for(&tx, message.target_id).await? >= MOST_WAITING;
        if is_full {
            told.dropped.push(message.target_id);
        }
        let row = row(rule, message, is_full, now);
        delivery::Entity::insert(row)
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(told)
}

/// Whether it is ours to tell.
async fn claim<C: ConnectionTrait>(
    db: &C,
    rule_id: i64,
    finding: &Finding,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    use quiet::Column;
    let row = quiet::ActiveModel {
        rule_id: Set(rule_id),
        subject: Set(shortened(&finding.subject, LONGEST_SUBJECT)),
        told_at: Set(now),
        quiet_until: Set(finding.quiet_until.trunc_subsecs(6)),
    };
    let is_over = Expr::col((quiet::Entity, Column::QuietUntil)).lte(now);
    let renew = OnConflict::columns([Column::RuleId, Column::Subject])
        .update_columns([Column::ToldAt, Column::QuietUntil])
        .action_and_where(is_over)
        .to_owned();
    let written = quiet::Entity::insert(row)
        .on_conflict(renew)
        .exec_without_returning(db)
        .await?;
    Ok(written == 1)
}

/// How many deliveries wait, for their first or their next attempt.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(db: &DatabaseConnection) -> Result<u64, DbErr> {
    delivery::Entity::find()
        .filter(delivery::Column::State.eq(DeliveryState::Pending))
        .count(db)
        .await
}

async fn waiting_for<C: ConnectionTrait>(db: &C, target_id: i64) -> Result<u64, DbErr> {
    delivery::Entity::find()
        .filter(delivery::Column::State.eq(DeliveryState::Pending))
        .filter(delivery::Column::TargetId.eq(target_id))
        .count(db)
        .await
}

fn row(
    rule: &rule::Model,
    message: &Message,
    is_full: bool,
    now: DateTime<Utc>,
) -> delivery::ActiveModel {
    let (state, error) = if is_full {
        let error = "too many messages wait for this target already";
        (DeliveryState::Failed, Some(error.to_owned()))
    } else {
        (DeliveryState::Pending, None)
    };
    delivery::ActiveModel {
        rule_id: Set(Some(rule.id)),
        rule_name: Set(rule.name.clone()),
        event: Set(rule.event),
        state: Set(state),
        error: Set(error),
        ..untold(message, now)
    }
}

/// A message that no rule asked for and nobody has tried to send.
fn untold(message: &Message, now: DateTime<Utc>) -> delivery::ActiveModel {
    delivery::ActiveModel {
        id: NotSet,
        created_at: Set(now),
        rule_id: Set(None),
        rule_name: Set(String::new()),
        target_id: Set(message.target_id),
        target_name: Set(message.target_name.clone()),
        event: Set(NoticeKind::Test),
        title: Set(shortened(&message.title, LONGEST_TITLE)),
        notice: Set(message.notice.clone()),
        state: Set(DeliveryState::Pending),
        attempts: Set(0),
        next_attempt_at: Set(now),
        attempted_at: Set(None),
        status: Set(None),
        error: Set(None),
    }
}

/// Writes down that a target was tried out.
///
/// # Errors
/// When the database does not take it.
pub async fn log_test(
    db: &DatabaseConnection,
    message: &Message,
    ended: &Ended,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let now = now.trunc_subsecs(6);
    let row = delivery::ActiveModel {
        state: Set(state_after(ended)),
        attempts: Set(1),
        attempted_at: Set(Some(now)),
        status: Set(ended.status.map(i32::from)),
        error: Set(ended.error.as_deref().map(|e| shortened(e, LONGEST_ERROR))),
        ..untold(message, now)
    };
    let insert = delivery::Entity::insert(row);
    insert.exec_without_returning(db).await.map(|_| ())
}

/// Deliveries that are due to other targets than these, the one that waits longest first.
///
/// # Errors
/// When the database does not answer.
pub async fn due(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
    busy: &[i64],
    most: u64,
) -> Result<Vec<delivery::Model>, DbErr> {
    delivery::Entity::find()
        .filter(delivery::Column::TargetId.is_not_in(busy.iter().copied()))
        .filter(delivery::Column::State.eq(DeliveryState::Pending))
        .filter(delivery::Column::NextAttemptAt.lte(now.trunc_subsecs(6)))
        .order_by_asc(delivery::Column::NextAttemptAt)
        .order_by_asc(delivery::Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// Takes a delivery for one attempt, unless another node was first. It is taken for lost after `lease`.
///
/// # Errors
/// When the database does not answer.
pub async fn take(
    db: &DatabaseConnection,
    delivery: &delivery::Model,
    now: DateTime<Utc>,
    lease: TimeDelta,
) -> Result<bool, DbErr> {
    let attempts = Expr::col(delivery::Column::Attempts).add(1);
    let lost_at = (now + lease).trunc_subsecs(6);
    let taken = delivery::Entity::update_many()
        .col_expr(delivery::Column::Attempts, attempts)
        .col_expr(delivery::Column::NextAttemptAt, Expr::value(lost_at))
        .filter(ours(delivery.id, delivery.attempts))
        .exec(db)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Writes down how the `attempts`th attempt ended, unless it was taken for lost meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn end(
    db: &DatabaseConnection,
    id: i64,
    attempts: i32,
    ended: &Ended,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    use delivery::Column;
    let now = now.trunc_subsecs(6);
    let error = ended.error.as_deref().map(|e| shortened(e, LONGEST_ERROR));
    let next = ended.again_at.unwrap_or(now).trunc_subsecs(6);
    delivery::Entity::update_many()
        .col_expr(Column::State, Expr::value(state_after(ended)))
        .col_expr(Column::NextAttemptAt, Expr::value(next))
        .col_expr(Column::AttemptedAt, Expr::value(Some(now)))
        .col_expr(Column::Status, Expr::value(ended.status.map(i32::from)))
        .col_expr(Column::Error, Expr::value(error))
        .filter(ours(id, attempts))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes some of what is over: deliveries from before `before` that wait for nothing, and quiet times from before `now`.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(
    db: &DatabaseConnection,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let old: Vec<i64> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::CreatedAt.lt(before))
        .filter(delivery::Column::State.ne(DeliveryState::Pending))
        .limit(BITE)
        .into_tuple()
        .all(db)
        .await?;
    let gone = delivery::Entity::delete_many()
        .filter(delivery::Column::Id.is_in(old))
        .exec(db)
        .await?;
    quiet::Entity::delete_many()
        .filter(quiet::Column::QuietUntil.lt(now))
        .exec(db)
        .await?;
    Ok(gone.rows_affected)
}

fn ours(id: i64, attempts: i32) -> Condition {
    Condition::all()
        .add(delivery::Column::Id.eq(id))
        .add(delivery::Column::State.eq(DeliveryState::Pending))
        .add(delivery::Column::Attempts.eq(attempts))
}

fn state_after(ended: &Ended) -> DeliveryState {
    match (&ended.error, ended.again_at) {
        (None, _) => DeliveryState::Delivered,
        (Some(_), Some(_)) => DeliveryState::Pending,
        (Some(_), None) => DeliveryState::Failed,
    }
}

fn shortened(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests;
