//! `/prices`: what models cost. A model's name stands in the path with its slashes encoded: `openai%2Fgpt-5`.

use std::sync::Arc;

use entity::value::price::{PriceBook, litellm::MAX_NAME};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};

use super::{
    Tag,
    answers::{ChangeRefused, DeleteRefused, Deleted, ListRefused, One, ReadRefused},
    body::Body,
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    problem::{Mistake, Problem},
    query::{page::Window, prices as query},
    service::{
        now,
        prices::{self, fetch, reprice},
        settings,
    },
};

mod amount;
mod input;
mod object;
mod table;

use input::{PriceInput, RepriceInput, SyncInput};
use object::{
    ImportReport, Price, PriceChange, PriceHistory, PriceList, PriceSource, UnpricedList,
    UnpricedModel,
};
use table::Table;

/// The operations.
pub struct Api(pub Arc<Admin>);

/// What pricing history again did, or would do.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct RepriceReport {
    /// Whether it was done.
    pub applied: bool,
    /// Attempts looked at in this call.
    pub lines: u64,
    /// Attempts there are in the whole range, counted by the call without a `cursor`; null in those that go on.
    #[oai(nullable)]
    pub total_lines: Option<u64>,
    /// Those whose cost changes.
    pub changed: u64,
    /// Those that have no cost and get none, because there is no price.
    pub unpriced: u64,
    /// What they cost before, together.
    pub before_usd: String,
    /// What they cost after.
    pub after_usd: String,
    /// Send it as `cursor` to go on; null when all is done.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1/prices", tag = "Tag::Prices")]
impl Api {
    /// List prices
    ///
    /// What each model costs now, by name.
    #[oai(path = "/", method = "get", operation_id = "listPrices")]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// Text in the model's name, in any case.
        q: Query<Option<String>>,
        /// Where the price comes from.
        source: Query<Option<PriceSource>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<PriceList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let book = query::book(&self.0.db).await?;
        let filter = query::Filter {
            text: q.0,
            source: source.0.map(Into::into),
        };
        let page = query::list(&book, &filter, &window, now());
        let page = page.map(|priced| Price::new(priced.model, &priced));
        Ok(Json(PriceList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// List models without a price
    ///
    /// Models of attempts that used something and have no cost.
    #[oai(path = "/unpriced", method = "get", operation_id = "listUnpriced")]
    async fn unpriced(&self, _caller: ForAdmin) -> Result<Json<UnpricedList>, ListRefused> {
        let unpriced = query::unpriced(&self.0.db).await?;
        let book = query::book(&self.0.db).await?;
        let items = unpriced.into_iter();
        Ok(Json(UnpricedList {
            items: items.map(|u| UnpricedModel::new(u, &book)).collect(),
        }))
    }

    /// Import prices
    ///
    /// Takes LiteLLM's `model_prices_and_context_window.json` as the body. Without `apply` it only says what would change.
    #[oai(path = "/import", method = "post", operation_id = "importPrices")]
    async fn import(
        &self,
        caller: ForAdmin,
        /// Take it over; else only say what that would do. Default false.
        apply: Query<Option<bool>>,
        table: Table,
    ) -> Result<Json<ImportReport>, ChangeRefused> {
        let apply = apply.0.unwrap_or(false);
        let import = prices::import(&self.0, &caller.0, table.0, apply).await?;
        Ok(Json(ImportReport::new(import, apply)))
    }

    /// Fetch and import prices
    ///
    /// As importing, with the table fetched from an address. Without `apply` it only says what would change.
    #[oai(path = "/sync", method = "post", operation_id = "syncPrices")]
    async fn sync(
        &self,
        caller: ForAdmin,
        body: Body<SyncInput>,
    ) -> Result<Json<ImportReport>, ChangeRefused> {
        let policy = settings::read(&self.0.db).await?.value.egress_policy;
        let url = body.0.url.as_deref().unwrap_or(fetch::DEFAULT_URL);
        let apply = body.0.apply.unwrap_or(false);
        let table = fetch::fetch(url, policy).await?;
        let import = prices::import(&self.0, &caller.0, table, apply).await?;
        Ok(Json(ImportReport::new(import, apply)))
    }

    /// Price history again
    ///
    /// Gives attempts of a time the cost they have by today's prices of that time, and their requests the sum. Without `apply` it only
    /// says what would change. A call does what it can in ten seconds; go on with `nextCursor` until it is null. What has no price keeps
    /// its cost.
    #[oai(path = "/reprice", method = "post", operation_id = "reprice")]
    async fn reprice(
        &self,
        caller: ForAdmin,
        body: Body<RepriceInput>,
    ) -> Result<Json<RepriceReport>, ChangeRefused> {
        let apply = body.0.apply.unwrap_or(false);
        let range = reprice::Range {
            from: body.0.from,
            to: body.0.to,
            models: body.0.models,
            after: Window::new(body.0.cursor.as_deref(), None)?.after,
        };
        let done = reprice::reprice(&self.0, &caller.0, &range, apply).await?;
        if apply && done.next.is_none() {
            // What was spent is another sum now. Where that fails the next start makes it good.
            self.0.gateway.rebuild_limits().await;
        }
        Ok(Json(RepriceReport {
            applied: apply,
            lines: done.lines,
            total_lines: done.total,
            changed: done.changed,
            unpriced: done.unpriced,
            before_usd: usd(done.before),
            after_usd: usd(done.after),
            next_cursor: done.next.map(crate::query::page::cursor),
        }))
    }

    /// Read a model's price
    ///
    /// What a request for this model costs now: under its own name, or another of it.
    #[oai(path = "/:model", method = "get", operation_id = "getPrice")]
    async fn read(
        &self,
        _caller: ForAdmin,
        /// The model, its slashes encoded.
        model: Path<String>,
    ) -> Result<One<Price>, ReadRefused> {
        let book = query::book(&self.0.db).await?;
        Ok(one(&book, &model.0)?)
    }

    /// Set a model's price
    ///
    /// By hand, which wins over imported and built-in prices. It replaces the price as a whole; figures that are left out are not listed.
    #[oai(path = "/:model", method = "put", operation_id = "setPrice")]
    async fn put(
        &self,
        caller: ForAdmin,
        /// The model, its slashes encoded.
        model: Path<String>,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<PriceInput>,
    ) -> Result<One<Price>, ChangeRefused> {
        must_be_name(&model.0)?;
        let manual = body.0.into();
        let book = prices::put(&self.0, &caller.0, &model.0, if_match.0.as_deref(), manual).await?;
        Ok(one(&book, &model.0)?)
    }

    /// Delete a model's price
    ///
    /// Ends what was set by hand; imported and built-in prices hold again. History keeps what it was billed.
    #[oai(path = "/:model", method = "delete", operation_id = "deletePrice")]
    async fn delete(
        &self,
        caller: ForAdmin,
        /// The model, its slashes encoded.
        model: Path<String>,
        /// The version this is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
    ) -> Result<Deleted, DeleteRefused> {
        prices::delete(&self.0, &caller.0, &model.0, if_match.0.as_deref()).await?;
        Ok(Deleted::Deleted)
    }

    /// Read a model's prices through time
    #[oai(
        path = "/:model/history",
        method = "get",
        operation_id = "getPriceHistory"
    )]
    async fn history(
        &self,
        _caller: ForAdmin,
        /// The model, its slashes encoded.
        model: Path<String>,
    ) -> Result<Json<PriceHistory>, ReadRefused> {
        let book = query::book(&self.0.db).await?;
        let mut rows: Vec<_> = book.rows(&model.0).collect();
        rows.sort_by_key(|row| (row.source, std::cmp::Reverse((row.effective_at, row.id))));
        let mut items: Vec<_> = rows.into_iter().map(PriceChange::stored).collect();
        let built_in = PriceBook::default();
        let built_in = built_in.exact(&model.0, now());
        items.extend(built_in.map(|priced| PriceChange::built_in(priced.price)));
        if items.is_empty() {
            return Err(Problem::not_found("price").into());
        }
        Ok(Json(PriceHistory { items }))
    }
}

fn one(book: &PriceBook, model: &str) -> Result<One<Price>, Problem> {
    let priced = book.lookup(model, now());
    let priced = priced.ok_or_else(|| Problem::not_found("price"))?;
    let version = prices::etag(&priced.reference());
    Ok(One::Found(Json(Price::new(model, &priced)), version))
}

/// # Errors
/// 422 when it is no model's name.
pub fn must_be_name(model: &str) -> Result<(), Problem> {
    let is_name =
        !model.trim().is_empty() && model.len() <= MAX_NAME && !model.chars().any(char::is_control);
    if is_name {
        return Ok(());
    }
    let message = "must be a name of at most 256 bytes";
    Err(Problem::invalid(vec![Mistake::new(
        "model", "invalid", message,
    )]))
}

/// Nano-USD as decimal USD.
fn usd(nano: i128) -> String {
    const ONE: i128 = 1_000_000_000;
    let fraction = format!("{:09}", nano % ONE);
    match fraction.trim_end_matches('0') {
        "" => (nano / ONE).to_string(),
        fraction => format!("{}.{fraction}", nano / ONE),
    }
}
