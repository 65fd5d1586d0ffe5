//! Prices history again: usage lines get what the prices say today of the moment they ended.
//!
//! A call walks lines in the order of their ids, a batch at a time, each batch in its own transaction, and ends when its time is up with
//! the place to go on from. So a range of any size is done by calling until there is no such place, a call that is lost can be made
//! again, and a line that was done twice is as it was after the first. What has no price keeps what it has: a cost is never taken away.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    request_log, usage,
    usage_hourly::{self, counted, hour_of, model_of},
    usage_span::reopen,
    value::ClientName,
    value::price::{PriceBook, Quantities, ServiceTier, Terms},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Statement, TransactionTrait,
    sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Admin,
    auth::identity::Identity,
    problem::Problem,
    query::{prices::book, requests::first_id},
    service::audit::{self, Action, Subject},
};

/// Lines of a transaction.
const BATCH: u64 = 250;
/// A call ends after the first batch that ends later than this.
const TIME: Duration = Duration::from_secs(10);
/// A line gets its id when its request is settled, which is after the attempt ended: at most this long, or before by a clock set back.
const SLACK: TimeDelta = TimeDelta::days(1);

/// Which lines.
#[derive(Debug)]
pub struct Range {
    /// Of attempts that ended from here on.
    pub from: DateTime<Utc>,
    /// And before this.
    pub to: DateTime<Utc>,
    /// Of these models; none for all.
    pub models: Option<Vec<String>>,
    /// After this line.
    pub after: Option<Uuid>,
}

/// What was done, or would be.
#[derive(Debug, Default)]
pub struct Repriced {
    /// Lines looked at.
    pub lines: u64,
    /// Lines of the whole range; none where the walk went on.
    pub total: Option<u64>,
    /// Those whose cost changes.
    pub changed: u64,
    /// Those without a price, then as now.
    pub unpriced: u64,
    /// Nano-USD before, of all lines that had a cost.
    pub before: i128,
    /// Nano-USD after, of all that have one.
    pub after: i128,
    /// The line to go on after, when there is more.
    pub next: Option<Uuid>,
}

/// A line's new cost.
struct Correction {
    line: Uuid,
    request: Uuid,
    before: Option<i64>,
    cost: i64,
    price: Option<String>,
    place: Place,
}

/// The sums a line is in, by the key of `usage_hourly`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    hour: i64,
    user_id: i64,
    key_id: i64,
    provider_id: i64,
    model: String,
    client: ClientName,
}

/// What becomes of sums.
#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    cost: i64,
    priced: i64,
}

/// Prices the lines of a range, or only says what that would change.
///
/// # Errors
/// When the database does not answer.
pub async fn reprice(
    admin: &Admin,
    caller: &Identity,
    range: &Range,
    apply: bool,
) -> Result<Repriced, Problem> {
    let done = walk(admin, range, apply).await?;
    if apply && done.changed > 0 {
        let after = json!({
            "from": range.from,
            "to": range.to,
            "models": range.models,
            "lines": done.lines,
            "changed": done.changed,
            "beforeNanoUsd": done.before.to_string(),
            "afterNanoUsd": done.after.to_string(),
        });
        let subject = Subject::new("price", "history", "");
        audit::tell(admin, caller, Action::Reprice, subject, Some(after)).await?;
    }
    Ok(done)
}

async fn walk(admin: &Admin, range: &Range, apply: bool) -> Result<Repriced, Problem> {
    let began = Instant::now();
    let book = book(&admin.db).await?;
    let mut done = Repriced::default();
    if range.after.is_none() {
        let lines = usage::Entity::find().filter(range.condition());
        done.total = Some(lines.count(&admin.db).await?);
    }
    let mut after = range.after;
    loop {
        let lines = batch(admin, range, after).await?;
        let is_last = lines.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
        after = lines.last().map(|line| line.id).or(after);
        let corrections: Vec<_> = lines
            .iter()
            .filter_map(|line| done.count(line, &book))
            .collect();
        if apply && !corrections.is_empty() {
            write(admin, corrections).await?;
        }
        if is_last {
            return Ok(done);
        }
        if began.elapsed() > TIME {
            done.next = after;
            return Ok(done);
        }
    }
}

async fn batch(
    admin: &Admin,
    range: &Range,
    after: Option<Uuid>,
) -> Result<Vec<usage::Model>, Problem> {
    let onwards = after.map(|id| usage::Column::Id.gt(id));
    let lines = usage::Entity::find()
        .filter(range.condition().add_option(onwards))
        .order_by_asc(usage::Column::Id)
        .limit(BATCH)
        .all(&admin.db)
        .await?;
    Ok(lines)
}

/// Corrects lines, and what their requests cost together.
async fn write(admin: &Admin, corrections: Vec<Correction>) -> Result<(), Problem> {
    let mut requests: Vec<Uuid> = corrections.iter().map(|c| c.request).collect();
    requests.dedup();
    let tx = admin.db.begin().await?;
    let mut shifts = BTreeMap::<Place, Shift>::new();
    for correction in corrections {
        let as_read = match correction.before {
            Some(cost) => usage::Column::CostNanoUsd.eq(cost),
            None => usage::Column::CostNanoUsd.is_null(),
        };
        let updated = usage::Entity::update_many()
            .col_expr(usage::Column::CostNanoUsd, Expr::value(correction.cost))
            .col_expr(usage::Column::PriceRef, Expr::value(correction.price))
            .filter(usage::Column::Id.eq(correction.line))
            .filter(as_read)
            .exec(&tx)
            .await?;
        // Another call may have corrected it since it was read, and the sums with it.
        if updated.rows_affected == 1 {
            let shift = shifts.entry(correction.place).or_default();
            shift.cost += counted(correction.cost) - counted(correction.before.unwrap_or(0));
            shift.priced += i64::from(correction.before.is_none());
        }
    }
    let sum = "(SELECT CAST(SUM(l.cost_nano_usd) AS BIGINT) FROM usage_lines l WHERE l.request_id = request_log.id)";
    request_log::Entity::update_many()
        .col_expr(request_log::Column::CostNanoUsd, Expr::cust(sum))
        .filter(request_log::Column::Id.is_in(requests))
        .exec(&tx)
        .await?;
    // Last, because the ledger adds to the same sums; in the order in which it does.
    let hours = [shifts.first_key_value(), shifts.last_key_value()];
    let hours = hours.map(|shift| shift.map(|(place, _)| place.hour));
    for (place, shift) in shifts {
        shift_sums(&tx, place, shift).await?;
    }
    if let [Some(first), Some(last)] = hours {
        let backend = tx.get_database_backend();
        let values = [first.into(), last.into()];
        let reopen = Statement::from_sql_and_values(backend, reopen(backend), values);
        tx.execute_raw(reopen).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn shift_sums(tx: &DatabaseTransaction, place: Place, shift: Shift) -> Result<(), Problem> {
    use usage_hourly::Column;
    let (cost, unpriced) = (Column::CostNanoUsd, Column::AttemptsUnpriced);
    usage_hourly::Entity::update_many()
        .col_expr(cost, Expr::col(cost).add(shift.cost))
        .col_expr(unpriced, Expr::col(unpriced).sub(shift.priced))
        .filter(Column::Hour.eq(place.hour))
        .filter(Column::UserId.eq(place.user_id))
        .filter(Column::KeyId.eq(place.key_id))
        .filter(Column::ProviderId.eq(place.provider_id))
        .filter(Column::Model.eq(place.model))
        .filter(Column::Client.eq(place.client))
        .exec(tx)
        .await?;
    Ok(())
}

// === impl Range ===

impl Range {
    /// Its lines, of all calls.
    fn condition(&self) -> Condition {
        use usage::Column;
        let early = self.from.checked_sub_signed(SLACK).unwrap_or(self.from);
        let late = self.to.checked_add_signed(SLACK).unwrap_or(self.to);
        Condition::all()
            .add(Column::Id.gte(first_id(early)))
            .add(Column::Id.lt(first_id(late)))
            .add(Column::CreatedAt.gte(self.from))
            .add(Column::CreatedAt.lt(self.to))
            .add(Column::SettledFrom.ne("none"))
            .add_option(self.models.as_ref().map(|models| {
                let without = Column::Model.is_null();
                Condition::any()
                    .add(Column::Model.is_in(models))
                    .add(without.and(Column::RequestedModel.is_in(models)))
            }))
    }
}

// === impl Repriced ===

impl Repriced {
    /// Counts a line; its correction, if it needs one.
    fn count(&mut self, line: &usage::Model, book: &PriceBook) -> Option<Correction> {
        self.lines += 1;
        let before = line.cost_nano_usd;
        self.before += i128::from(before.unwrap_or(0));
        let model = line.model.as_deref().or(line.requested_model.as_deref());
        let Some(priced) = model.and_then(|model| book.lookup(model, line.created_at)) else {
            self.unpriced += u64::from(before.is_none());
            self.after += i128::from(before.unwrap_or(0));
            return None;
        };
        let cost = priced.cost(&quantities(line), terms(line)).nano_usd;
        self.after += i128::from(cost);
        if before == Some(cost) {
            return None;
        }
        self.changed += 1;
        Some(Correction {
            line: line.id,
            request: line.request_id,
            before,
            cost,
            price: Some(priced.reference()),
            place: Place::of(line),
        })
    }
}

// === impl Place ===

impl Place {
    fn of(line: &usage::Model) -> Self {
        let model = model_of(line.model.as_deref(), line.requested_model.as_deref());
        Self {
            hour: hour_of(line.created_at),
            user_id: line.user_id,
            key_id: line.key_id,
            provider_id: line.provider_id,
            model: model.to_owned(),
            client: line.client,
        }
    }
}

fn quantities(line: &usage::Model) -> Quantities {
    let count = |tokens: i64| u64::try_from(tokens).unwrap_or(0);
    Quantities {
        input: count(line.input_tokens),
        cache_read: count(line.cache_read_tokens),
        cache_write_5m: count(line.cache_write5m_tokens),
        cache_write_1h: count(line.cache_write1h_tokens),
        output: count(line.output_tokens),
        reasoning: count(line.reasoning_tokens),
        image_input: count(line.image_input_tokens),
        image_output: count(line.image_output_tokens),
        input_images: 0,
        images: 0,
        requests: 1,
    }
}

/// The conditions the line was made under.
fn terms(line: &usage::Model) -> Terms {
    let tier = line.service_tier.as_deref();
    Terms {
        service: tier.map(ServiceTier::from_provider),
        multipliers: [
            line.provider_multiplier.unwrap_or_default(),
            line.group_multiplier.unwrap_or_default(),
        ],
    }
}
