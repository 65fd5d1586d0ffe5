//! The prices there are, and the models that have none.

use chrono::{DateTime, Utc};
use entity::{
    price, usage,
    value::price::{PriceBook, Priced, Source},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, ExprTrait,
    FromQueryResult, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func},
};

use super::page::{Page, Window};

/// Models told of without a price, those with the most attempts first.
const MAX_UNPRICED: u64 = 200;

/// Which prices.
#[derive(Debug, Default)]
pub struct Filter {
    /// Text in the model's name, in any case.
    pub text: Option<String>,
    /// Where they come from.
    pub source: Option<Source>,
}

/// A model that was used and not priced.
#[derive(Debug, FromQueryResult)]
pub struct Unpriced {
    /// The model.
    pub name: String,
    /// Attempts without a cost.
    pub attempts: i64,
    /// The first of them.
    pub first_seen_at: DateTime<Utc>,
    /// The last of them.
    pub last_seen_at: DateTime<Utc>,
}

/// All prices. A row that cannot be read is passed over, as the gateway does.
///
/// # Errors
/// When the database does not answer.
pub async fn book(db: &impl ConnectionTrait) -> Result<PriceBook, DbErr> {
    let mut rows = Vec::new();
    for row in price::Entity::find().all(db).await? {
        let id = row.id;
        match row.read() {
            Ok(row) => rows.push(row),
            Err(why) => tracing::warn!(price.id = id, why, "a stored price cannot be read"),
        }
    }
    Ok(PriceBook::new(rows))
}

/// A page of what models cost now, by name.
#[must_use]
pub fn list<'b>(
    book: &'b PriceBook,
    filter: &Filter,
    window: &Window<String>,
    now: DateTime<Utc>,
) -> Page<Priced<'b>> {
    let text = filter.text.as_ref().map(|text| text.to_lowercase());
    let after = window.after.as_deref();
    let wanted = book
        .models()
        .into_iter()
        .filter(|model| after.is_none_or(|after| *model > after))
        .filter(|model| {
            text.as_ref()
                .is_none_or(|text| model.to_lowercase().contains(text))
        })
        .filter_map(|model| book.exact(model, now))
        .filter(|priced| filter.source.is_none_or(|source| priced.source == source));
    let fetch = usize::try_from(window.fetch()).unwrap_or(usize::MAX);
    Page::cut(window, wanted.take(fetch).collect(), |priced| priced.model)
}

/// Models of usage lines without a cost, those of attempts that used nothing left out.
///
/// # Errors
/// When the database does not answer.
pub async fn unpriced(db: &DatabaseConnection) -> Result<Vec<Unpriced>, DbErr> {
    use usage::Column;
    let name = || Func::coalesce([Expr::col(Column::Model), Expr::col(Column::RequestedModel)]);
    usage::Entity::find()
        .select_only()
        .expr_as(name(), "name")
        .expr_as(Column::Id.count(), "attempts")
        .expr_as(Column::CreatedAt.min(), "first_seen_at")
        .expr_as(Column::CreatedAt.max(), "last_seen_at")
        .filter(Column::CostNanoUsd.is_null())
        .filter(Column::SettledFrom.ne("none"))
        .filter(
            Column::Model
                .is_not_null()
                .or(Column::RequestedModel.is_not_null()),
        )
        .group_by(Expr::expr(name()))
        .order_by(Column::Id.count(), Order::Desc)
        .order_by(Expr::expr(name()), Order::Asc)
        .limit(MAX_UNPRICED)
        .into_model()
        .all(db)
        .await
}
