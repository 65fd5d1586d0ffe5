//! The hours of a few groups, in short: what a chart is drawn from.

use entity::usage_hourly::{Column, Entity, sum};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, ExprTrait, FromQueryResult, Order,
    QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{By, Filter, Sort, Sums};

/// What one group used in one hour, as far as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Slice {
    /// The hour.
    pub hour: i64,
    /// As in [`Sums`].
    pub id: i64,
    /// As in [`Sums`].
    pub name: String,
    /// See `usage_hourly`.
    pub requests: i64,
    /// See `usage_hourly`.
    pub failures: i64,
    /// Of all kinds.
    pub tokens: i64,
    /// See `usage_hourly`.
    pub cost_nano_usd: i64,
}

/// What each of some groups used, by hours as in [`super::by_hour`].
///
/// # Errors
/// When the database does not answer.
pub async fn slices(
    db: &DatabaseConnection,
    by: By,
    groups: &[Sums],
    filter: &Filter,
    points: &[i64],
) -> Result<Vec<Slice>, DbErr> {
    let source = filter.source(db, points, by.cut()).await?;
    let column = by.column();
    let group = by.group();
    let (id, name, among) = if by.has_ids() {
        let ids = groups.iter().map(|group| group.id);
        (group.clone(), Expr::value(""), column.is_in(ids))
    } else {
        let names = groups.iter().map(|group| group.name.as_str());
        (Expr::value(0_i64), group.clone(), column.is_in(names))
    };
    let hour = Expr::col(Column::Hour);
    let select = Entity::find()
        .select_only()
        .expr_as(hour.clone(), "hour")
        .expr_as(id.cast_as("bigint"), "id")
        .expr_as(name.cast_as("text"), "name")
        .expr_as(sum(Column::Requests), "requests")
        .expr_as(sum(Column::Failures), "failures")
        .expr_as(Sort::Tokens.amount(), "tokens")
        .expr_as(sum(Column::CostNanoUsd), "cost_nano_usd")
        .group_by(hour.clone())
        .group_by(group);
    let slices = source
        .read(select, &filter.condition().add(among))
        .order_by(hour, Order::Asc)
        .into_model()
        .all(source.at())
        .await?;
    source.close().await?;
    Ok(slices)
}

// === impl Slice ===

impl Slice {
    /// Nothing of a group.
    #[must_use]
    pub fn none(group: &Sums) -> Self {
        Self {
            hour: 0,
            id: group.id,
            name: group.name.clone(),
            requests: 0,
            failures: 0,
            tokens: 0,
            cost_nano_usd: 0,
        }
    }

    /// Adds what the group used in another hour.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failures += other.failures;
        self.tokens += other.tokens;
        self.cost_nano_usd += other.cost_nano_usd;
    }
}
