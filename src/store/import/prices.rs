//! Prices: of each model the one that holds there.
//!
//! A price needs no link: it is its model, its source, its figures and its moment. What a table says there becomes what a table says here,
//! what was set by hand there is set by hand here, each from the moment it was written there.

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use entity::price;
use entity::value::Strings;
use entity::value::price::{Price, Source as PriceSource, litellm};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait};
use serde_json::Value;
use serde_json::value::RawValue;

use super::links::Links;
use super::report::Table;
use super::row::{Reading, Row};
use super::source::Source;

/// Rows of one statement.
const BATCH: usize = 500;

/// The tables' fields of what is dearer in long contexts, and the factor that may stand for one.
const LONG_CONTEXT: [(&str, &str); 5] = [
    ("input_cost_per_token", "input_multiplier"),
    ("output_cost_per_token", "output_multiplier"),
    (
        "cache_creation_input_token_cost",
        "cache_creation_input_multiplier",
    ),
    (
        "cache_creation_input_token_cost_above_1hr",
        "cache_creation_input_multiplier_above_1hr",
    ),
    ("cache_read_input_token_cost", "cache_read_input_multiplier"),
];

type Fields = BTreeMap<String, Box<RawValue>>;

/// The price of each model that holds there: one set by hand before one of a table, then the newest.
pub(super) async fn effective(source: &Source) -> Result<Vec<Row>, DbErr> {
    source
        .rows(
            "SELECT CAST(to_jsonb(p) AS text) AS row FROM (SELECT DISTINCT ON (model_name) * FROM model_prices \
             ORDER BY model_name, (source = 'manual') DESC, created_at DESC NULLS LAST, id DESC) AS p",
        )
        .await
}

/// Imports prices; `found` is how many rows there are there, older ones included.
pub(super) async fn prices(
    tx: &DatabaseTransaction,
    links: &Links<'_>,
    rows: &[Row],
    found: u64,
) -> Result<Table, DbErr> {
    let mut table = Table::new("model_prices");
    table.found = found;
    let older = found.saturating_sub(rows.len() as u64);
    if older > 0 {
        table.notes.add(
            0,
            format!("{older} older prices of the same models were left out"),
        );
    }
    let mut here: HashMap<(String, String), Vec<price::Model>> = HashMap::new();
    for row in price::Entity::find().all(tx).await? {
        let track = here.entry((row.model.clone(), row.source.clone()));
        track.or_default().push(row);
    }
    let mut added = Vec::new();
    for row in rows {
        let mut read = Reading::new(row);
        let price = match read_price(&mut read, links) {
            Ok(price) => price,
            Err(why) => {
                table.skipped.add(row.id(), why);
                continue;
            }
        };
        for wrong in read.wrong {
            table
                .notes
                .add(row.id(), format!("{}: {wrong}", price.model));
        }
        let track = here.get(&(price.model.clone(), price.source.clone()));
        let track = track.map_or(&[][..], Vec::as_slice);
        if is_here(track, &price) {
            table.same += 1;
            continue;
        }
        if track.is_empty() {
            table.new += 1;
        } else {
            table.changed += 1;
        }
        added.push(price::ActiveModel {
            id: NotSet,
            model: Set(price.model),
            source: Set(price.source),
            figures: Set(price.figures),
            aliases: Set(price.aliases),
            effective_at: Set(price.effective_at),
            created_at: Set(price.created_at),
        });
    }
    for batch in added.chunks(BATCH) {
        price::Entity::insert_many(batch.to_vec()).exec(tx).await?;
    }
    Ok(table)
}

/// Whether it was written before, or says what is said already.
fn is_here(track: &[price::Model], price: &price::Model) -> bool {
    let says_same =
        |row: &price::Model| row.figures == price.figures && row.aliases == price.aliases;
    let last = track.iter().max_by_key(|row| (row.effective_at, row.id));
    let mut written = track
        .iter()
        .filter(|row| row.effective_at == price.effective_at);
    last.is_some_and(says_same) || written.any(says_same)
}

fn read_price(read: &mut Reading<'_>, links: &Links<'_>) -> Result<price::Model, String> {
    let model = read.text("model_name").unwrap_or_default();
    let json = read.row().json("price_data").ok_or("has no price_data")?;
    let (price, aliases) = figures(&model, json, read).map_err(|e| format!("{model:?} {e}"))?;
    let is_manual = read.text("source").as_deref() == Some("manual");
    let source = if is_manual {
        PriceSource::Manual
    } else {
        PriceSource::Synced
    };
    Ok(price::Model {
        id: 0,
        model,
        source: source.name().to_owned(),
        figures: Some(price.to_string()),
        aliases: Strings(aliases),
        effective_at: read.time("created_at").unwrap_or(DateTime::UNIX_EPOCH),
        created_at: links.now,
    })
}

/// The figures of `price_data`, which has the fields of LiteLLM's table, and the model's other names.
fn figures(
    model: &str,
    json: &str,
    read: &mut Reading<'_>,
) -> Result<(Price, Vec<String>), String> {
    let mut fields: Fields =
        serde_json::from_str(json).map_err(|_| "has no object for price_data".to_owned())?;
    long_context(&mut fields, read);
    let aliases = fields.get("aliases").map(|v| serde_json::from_str(v.get()));
    let aliases: Vec<Value> = aliases.and_then(Result::ok).unwrap_or_default();
    let table = BTreeMap::from([(model, fields)]);
    let table = serde_json::to_string(&table).map_err(|e| e.to_string())?;
    let mut listing = litellm::read(&table).map_err(|e| e.to_string())?;
    if let Some(listed) = listing.models.remove(model) {
        if !listed.unmetered.is_empty() {
            let what = listed.unmetered.join(", ");
            read.say(format!("cannot be metered here: {what}"));
        }
        let names = aliases.iter().filter_map(Value::as_str);
        let names = names.filter(|name| !name.trim().is_empty() && *name != model);
        return Ok((listed.price, names.map(str::to_owned).collect()));
    }
    let why = listing.ignored.remove(model);
    Err(why.map_or("is no model".to_owned(), |why| why.to_string()))
}

/// Writes `long_context_pricing` as the fields that LiteLLM's table has for it.
fn long_context(fields: &mut Fields, read: &mut Reading<'_>) {
    let Some(json) = fields.remove("long_context_pricing") else {
        return;
    };
    let Ok(Value::Object(long)) = serde_json::from_str(json.get()) else {
        return;
    };
    let Some(threshold) = long.get("threshold_tokens").and_then(Value::as_u64) else {
        read.say("its long_context_pricing has no threshold, left out");
        return;
    };
    let base = |fields: &Fields, name: &str| fields.get(name)?.get().parse::<f64>().ok();
    let of_input = long.get("input_cost_per_token").and_then(Value::as_f64);
    let derived = of_input.zip(base(fields, "input_cost_per_token"));
    let derived = derived.filter(|(_, base)| *base > 0.0);
    for (name, factor) in LONG_CONTEXT {
        let factor = long.get(factor).and_then(Value::as_f64);
        let factor = factor.or_else(|| {
            let (above, base) = derived.filter(|_| name.starts_with("cache"))?;
            Some(above / base)
        });
        let scaled = || Some(base(fields, name)? * factor?);
        let above = long.get(name).and_then(Value::as_f64).or_else(scaled);
        let Some(above) = above.filter(|above| above.is_finite()) else {
            continue;
        };
        if let Ok(figure) = RawValue::from_string(format!("{above:e}")) {
            fields.insert(format!("{name}_above_{threshold}_tokens"), figure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_with_their_thresholds() {
        let row = Row::parse(r#"{"id": 1}"#).unwrap();
        let read = |json: &str| figures("m", json, &mut Reading::new(&row));
        let (price, aliases) = read(
            r#"{"input_cost_per_token": 2.5e-06, "output_cost_per_token": 0.000015, "cache_read_input_token_cost": 2.5e-7,
                "input_cost_per_token_priority": 5e-06, "aliases": ["n", "m", 5],
                "long_context_pricing": {"threshold_tokens": 272000, "scope": "request", "input_cost_per_token": 5e-06, "output_multiplier": 1.5}}"#,
        )
        .unwrap();
        assert_eq!(aliases, ["n"]);
        let expected = "input=2.5 output=15 cache-read=0.25 input:priority=5 input>272000=5 output>272000=22.5 cache-read>272000=0.5";
        assert_eq!(price, expected.parse().unwrap());
        assert!(read("{}").is_err() && read("[]").is_err());
        assert!(read(r#"{"input_cost_per_token": -1}"#).is_err());
    }
}
