//! Prices: set by hand, taken over from a public table, and applied to history.
//!
//! Rows are only added, so what a price was at any moment can always be told. A price for a model that had none holds from the beginning of
//! time, so that history can be priced by it; a price in the place of another holds from now, so that history keeps what it was billed.

use chrono::{DateTime, Utc};
use entity::{
    price,
    value::{
        Strings,
        price::{Price, PriceBook, Source, litellm},
    },
};
use http::StatusCode;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter,
};
use serde_json::{Value, json};

use super::{
    audit::{Action, Subject},
    change::Change,
    now,
};
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
    query::prices::book,
};

pub mod fetch;
pub mod reprice;

/// Rows of one statement.
const BATCH: usize = 500;
/// Models of an import that the audit names.
const TOLD: usize = 100;

/// A price to set.
#[derive(Debug)]
pub struct Manual {
    /// The figures.
    pub price: Price,
    /// Other names of the model.
    pub aliases: Vec<String>,
    /// From when on it holds; none as the module says.
    pub effective_at: Option<DateTime<Utc>>,
}

/// What taking over a table does, or would do.
#[derive(Debug, Default)]
pub struct Import {
    /// Models that had no price.
    pub added: Vec<Difference>,
    /// Models whose price differs from what they had, those set by hand left aside.
    pub changed: Vec<Difference>,
    /// Models whose price is what they have.
    pub unchanged: usize,
    /// Entries that are no price, and why.
    pub ignored: Vec<(String, String)>,
}

/// A model's price in a table.
#[derive(Debug)]
pub struct Difference {
    /// The model.
    pub model: String,
    /// Its figures before, if it had any.
    pub before: Option<Price>,
    /// Its figures in the table.
    pub after: Price,
    /// A price set by hand goes on to win over it.
    pub is_overruled: bool,
}

/// Sets a model's price by hand.
///
/// # Errors
/// 412 when the price is not the one `if_match` names.
pub async fn put(
    admin: &Admin,
    caller: &Identity,
    model: &str,
    if_match: Option<&str>,
    manual: Manual,
) -> Result<PriceBook, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let book_before = book(change.tx()).await?;
    let now = now();
    must_match(&book_before, model, if_match, now)?;
    let is_first = book_before.exact(model, now).is_none();
    let effective_at = manual.effective_at.unwrap_or(since(is_first, now));
    let before = book_before.exact(model, now).map(|p| picture(p.price));
    let after = json!({
        "figures": manual.price.to_string(),
        "aliases": manual.aliases,
        "effectiveAt": effective_at,
    });
    let subject = Subject::new("price", model, model);
    change.note(Action::Update, subject, before, Some(after));
    let row = row(model, Source::Manual, Some(&manual.price), effective_at);
    let row = price::ActiveModel {
        aliases: Set(Strings(manual.aliases)),
        ..row
    };
    price::Entity::insert(row).exec(change.tx()).await?;
    let book_after = book(change.tx()).await?;
    change.commit().await?;
    Ok(book_after)
}

/// Ends a model's price that was set by hand: from now on what a table says holds again. What was to come is taken back.
///
/// # Errors
/// 404 when none was set; 412.
pub async fn delete(
    admin: &Admin,
    caller: &Identity,
    model: &str,
    if_match: Option<&str>,
) -> Result<(), Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let book = book(change.tx()).await?;
    let now = now();
    must_match(&book, model, if_match, now)?;
    let future = price::Entity::delete_many()
        .filter(price::Column::Model.eq(model))
        .filter(price::Column::Source.eq(Source::Manual.name()))
        .filter(price::Column::EffectiveAt.gt(now))
        .exec(change.tx())
        .await?;
    let current = book.exact(model, now);
    let is_set = current.is_some_and(|priced| priced.source == Source::Manual);
    if !is_set && future.rows_affected == 0 {
        return Err(Problem::not_found("price set by hand"));
    }
    let before = current.map(|p| picture(p.price));
    let subject = Subject::new("price", model, model);
    change.note(Action::Delete, subject, before, None);
    if is_set {
        let end = row(model, Source::Manual, None, now);
        price::Entity::insert(end).exec(change.tx()).await?;
    }
    change.commit().await
}

/// Takes over a public table, or only says what that would do.
///
/// # Errors
/// 422 when the text is no table.
pub async fn import(
    admin: &Admin,
    caller: &Identity,
    json: String,
    apply: bool,
) -> Result<Import, Problem> {
    // Reading a table takes long enough for others to notice.
    let listing = tokio::task::spawn_blocking(move || litellm::read(&json)).await;
    let listing = match listing {
        Ok(Ok(listing)) => listing,
        Ok(Err(e)) => return Err(not_a_table(&e.to_string())),
        Err(e) => return Err(not_a_table(&e.to_string())),
    };
    if !apply {
        return Ok(compare(&book(&admin.db).await?, listing, now()));
    }
    let mut change = Change::begin(admin, caller).await?;
    let now = now();
    let import = compare(&book(change.tx()).await?, listing, now);
    let added = import.added.iter().map(|d| (d, since(true, now)));
    let changed = import.changed.iter().map(|d| (d, now));
    let rows: Vec<_> = added
        .chain(changed)
        .map(|(d, from)| row(&d.model, Source::Synced, Some(&d.after), from))
        .collect();
    if rows.is_empty() {
        return Ok(import);
    }
    for batch in rows.chunks(BATCH) {
        price::Entity::insert_many(batch.to_vec())
            .exec(change.tx())
            .await?;
    }
    let after = json!({ "added": names(&import.added), "changed": names(&import.changed) });
    let subject = Subject::new("price", "import", "");
    change.note(Action::Import, subject, None, Some(after));
    change.commit().await?;
    Ok(import)
}

fn compare(book: &PriceBook, listing: litellm::Listing, now: DateTime<Utc>) -> Import {
    let mut import = Import::default();
    for (model, listed) in listing.models {
        let current = book.exact_without_manual(&model, now);
        let before = current.map(|priced| priced.price.clone());
        if before.as_ref() == Some(&listed.price) {
            import.unchanged += 1;
            continue;
        }
        let effective = book.exact(&model, now);
        let list = match before {
            None => &mut import.added,
            Some(_) => &mut import.changed,
        };
        list.push(Difference {
            is_overruled: effective.is_some_and(|priced| priced.source == Source::Manual),
            model,
            before,
            after: listed.price,
        });
    }
    let ignored = listing.ignored.into_iter();
    import.ignored = ignored
        .map(|(model, why)| (model, why.to_string()))
        .collect();
    import
}

/// The first of the models of a list, and how many there are.
fn names(list: &[Difference]) -> Value {
    let first = list.iter().take(TOLD).map(|d| d.model.as_str());
    json!({ "models": list.len(), "first": first.collect::<Vec<_>>() })
}

fn picture(price: &Price) -> Value {
    json!({ "figures": price.to_string() })
}

/// The version of a model's price, as `ETag` has it.
#[must_use]
pub fn etag(reference: &str) -> String {
    format!("\"{reference}\"")
}

fn must_match(
    book: &PriceBook,
    model: &str,
    if_match: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let Some(wanted) = if_match else {
        return Ok(());
    };
    let current = book.exact(model, now).map(|p| etag(&p.reference()));
    let mut versions = wanted.split(',').map(str::trim);
    if versions.any(|v| current.as_deref().is_some_and(|c| v == "*" || v == c)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition_failed",
        "It was changed meanwhile. Read it again and decide anew.",
    ))
}

fn since(is_first: bool, now: DateTime<Utc>) -> DateTime<Utc> {
    if is_first { DateTime::UNIX_EPOCH } else { now }
}

fn row(
    model: &str,
    source: Source,
    figures: Option<&Price>,
    effective_at: DateTime<Utc>,
) -> price::ActiveModel {
    price::ActiveModel {
        id: NotSet,
        model: Set(model.to_owned()),
        source: Set(source.name().to_owned()),
        figures: Set(figures.map(Price::to_string)),
        aliases: Set(Strings::default()),
        effective_at: Set(effective_at),
        created_at: Set(now()),
    }
}

fn not_a_table(why: &str) -> Problem {
    let message = format!("is not LiteLLM's table of prices: {why}");
    Problem::invalid(vec![Mistake::new("body", "invalid", message)])
}
