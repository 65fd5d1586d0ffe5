//! Takes over the database of a claude-code-hub 0.9.
//!
//! | part | what it answers for |
//! |---|---|
//! | `source`, `row` | reading: one read-only transaction, rows as JSON so that older versions and odd values are no end |
//! | `links`, `shelf`, `names` | which row here came from which there, and the rule of what is written again |
//! | `people`, `providers`, `matches`, `rules`, `prices`, `settings` | what each row means here |
//! | `history`, `totals` | requests and what they cost |
//! | `report` | what was done |
//!
//! What is configured is written in one transaction that bumps the revision, so that a gateway that runs takes all of it at once, or none.
//! A dry run does the same and then does not commit, so that it tells exactly what would happen. History follows, in batches.

mod history;
mod links;
mod matches;
mod names;
mod people;
mod prices;
mod providers;
mod report;
mod row;
mod rules;
mod settings;
mod shelf;
mod source;
mod totals;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::value::{KeyHasher, Sealer};
use entity::{audit, revision};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, ExprTrait,
    QueryFilter, TransactionTrait,
};
use serde_json::{Map, Value, json};

use super::database::within;
use history::{History, Ids, Range};
use links::{Kind, Links};
use people::{KeyIds, Owners};
pub use report::{Month, Report, Said, Table};
use row::Row;
use source::Source;

/// The longest that writing what is configured may take.
const CONFIGURE: Duration = Duration::from_secs(300);

/// Who it was, in the audit: whoever runs the command has the database itself.
const ACTOR: &str = "switchyard import";

/// Tables without a counterpart here that people may miss, and what is in them.
const LEFT_OUT: [(&str, &str); 9] = [
    ("sensitive_words", "sensitive words"),
    ("request_filters", "request filters"),
    ("provider_endpoints", "addresses in pools of endpoints"),
    ("provider_vendors", "vendors of providers"),
    ("notification_settings", "settings of notifications"),
    ("webhook_targets", "targets of notifications"),
    ("notification_target_bindings", "bindings of notifications"),
    ("audit_log", "rows of the audit log"),
    ("provider_cache_effectiveness", "measurements of caches"),
];

/// With what and how far it is imported.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Hashes client keys.
    pub hasher: &'a KeyHasher,
    /// Seals credentials.
    pub sealer: &'a Sealer,
    /// Whether anything is written.
    pub is_applied: bool,
    /// Days of history; none is all of it.
    pub history_days: Option<u32>,
}

/// Why nothing, or not all, was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source does not answer, or is none.
    #[error("the database to import from: {0}")]
    Source(DbErr),
    /// The database here does not take it.
    #[error("the gateway's own database: {0}")]
    Target(DbErr),
    /// It ended on the way, on either side. What was configured is in, and so is history up to where it got.
    #[error("importing history ended early, the next import goes on from there: {0}")]
    History(DbErr),
}

/// All that is configured there.
struct Configured {
    users: Vec<Row>,
    keys: Vec<Row>,
    groups: Vec<Row>,
    providers: Vec<Row>,
    rules: Vec<Row>,
    settings: Vec<Row>,
    prices: Vec<Row>,
    price_count: u64,
}

/// Imports from `from` into `db`, which is migrated; or tells what that would do.
///
/// # Errors
/// When either database fails, or `from` is no claude-code-hub database. Single rows that cannot be imported are in the report.
pub async fn run(
    from: &DatabaseConnection,
    db: &DatabaseConnection,
    options: Options<'_>,
) -> Result<Report, ImportError> {
    let source = Source::open(from).await.map_err(ImportError::Source)?;
    let read = async {
        Ok((
            source.fingerprint().await?,
            Configured::read(&source).await?,
        ))
    };
    let (fingerprint, there) = read.await.map_err(ImportError::Source)?;
    let mut report = Report {
        is_applied: options.is_applied,
        source: fingerprint.clone(),
        left_out: left_out(&source).await.map_err(ImportError::Source)?,
        ..Report::default()
    };
    let mut links = Links::load(db, &fingerprint, options.hasher)
        .await
        .map_err(ImportError::Target)?;
    let configured = configure(db, &mut links, &there, options, &mut report);
    let keys = within(CONFIGURE, configured)
        .await
        .map_err(ImportError::Target)?;
    if options.history_days == Some(0) {
        return Ok(report);
    }
    let ids = Ids {
        users: ids(&links, Kind::User, &there.users),
        providers: ids(&links, Kind::Provider, &there.providers),
        keys,
    };
    drop(there);
    past(&source, db, &mut links, &ids, options, &mut report)
        .await
        .map_err(ImportError::History)?;
    Ok(report)
}

/// Writes what is configured, in one transaction; the keys' ids by the keys.
async fn configure(
    db: &DatabaseConnection,
    links: &mut Links<'_>,
    there: &Configured,
    options: Options<'_>,
    report: &mut Report,
) -> Result<KeyIds, DbErr> {
    let tx = begin(db).await?;
    let owners = Owners::new(&there.users);
    let mut tables = vec![people::users(&tx, links, &there.users).await?];
    let (table, keys) = people::keys(&tx, links, options.hasher, &there.keys, &owners).await?;
    tables.push(table);
    tables.push(rules::groups(&tx, links, &there.groups).await?);
    tables.push(providers::providers(&tx, links, options.sealer, &there.providers).await?);
    tables.push(rules::error_rules(&tx, links, &there.rules).await?);
    tables.push(prices::prices(&tx, links, &there.prices, there.price_count).await?);
    tables.push(settings::settings(&tx, links, &there.settings, &mut report.warnings).await?);
    report.tables = tables;
    if options.is_applied && report.has_changes() {
        audit(&tx, links.now, report).await?;
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    Ok(keys)
}

/// The revision is bumped first: its one row then holds every other change back until this one is done.
async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let tx = db.begin().await?;
    revision::Entity::update_many()
        .col_expr(
            revision::Column::Number,
            Expr::col(revision::Column::Number).add(1),
        )
        .filter(revision::Column::Id.eq(revision::ONLY_ID))
        .exec(&tx)
        .await?;
    Ok(tx)
}

/// Says in the audit that it was imported, and how much of what.
async fn audit(tx: &DatabaseTransaction, now: DateTime<Utc>, report: &Report) -> Result<(), DbErr> {
    let tables = report.tables.iter().map(|table| {
        let counts = json!({"new": table.new, "changed": table.changed});
        (table.name.to_owned(), counts)
    });
    let tables: Map<String, Value> = tables.collect();
    let revision = revision::Entity::find_by_id(revision::ONLY_ID)
        .one(tx)
        .await?;
    let entry = audit::ActiveModel {
        id: NotSet,
        at: Set(now),
        actor_key_id: Set(None),
        actor_user_id: Set(None),
        actor_name: Set(ACTOR.to_owned()),
        by_session: Set(false),
        peer: Set(None),
        action: Set("import".to_owned()),
        resource: Set("import".to_owned()),
        resource_id: Set(report.source.clone()),
        resource_name: Set("claude-code-hub".to_owned()),
        before: Set(None),
        after: Set(Some(Value::Object(tables))),
        revision: Set(revision.map(|row| row.number)),
    };
    audit::Entity::insert(entry).exec(tx).await?;
    Ok(())
}

async fn past(
    source: &Source,
    db: &DatabaseConnection,
    links: &mut Links<'_>,
    ids: &Ids,
    options: Options<'_>,
    report: &mut Report,
) -> Result<(), DbErr> {
    let since = options.history_days.map(|days| since(Utc::now(), days));
    let range = Range::since(source, since).await?;
    let fingerprint = report.source.clone();
    let history = History::new(source, ids, &fingerprint, db, options.is_applied);
    let table = history.import(links, range, &mut report.warnings).await?;
    report.tables.push(table);
    let begun = links.target(Kind::History, 1).unwrap_or(range.after);
    let range = Range {
        after: std::cmp::min(range.after, begun),
    };
    let price_ref = history::price_ref(&fingerprint);
    report.months = totals::months(source, range, db, &price_ref).await?;
    for month in &report.months {
        if options.is_applied && !month.is_same() {
            report.warnings.push(format!(
                "{}: the sum here is not the sum there. Requests that were not imported, and prices that were applied again here, make a difference.",
                month.month
            ));
        }
    }
    Ok(())
}

fn since(now: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    now - TimeDelta::days(days.into())
}

fn ids(links: &Links<'_>, kind: Kind, rows: &[Row]) -> HashMap<i64, i64> {
    let ids = rows.iter().map(Row::id);
    ids.filter_map(|id| Some((id, links.target(kind, id)?)))
        .collect()
}

async fn left_out(source: &Source) -> Result<Vec<(String, i64)>, DbErr> {
    let mut left_out = Vec::new();
    for (table, what) in LEFT_OUT {
        if !source.has(table) {
            continue;
        }
        let sql = format!("SELECT COUNT(*) AS number FROM \"{table}\"");
        let count = source.number(&sql).await?.unwrap_or(0);
        if count > 0 {
            left_out.push((what.to_owned(), count));
        }
    }
    Ok(left_out)
}

// === impl Configured ===

impl Configured {
    async fn read(source: &Source) -> Result<Self, DbErr> {
        let count = "SELECT COUNT(*) AS number FROM model_prices";
        let count = source.number(count).await?.unwrap_or(0);
        Ok(Self {
            users: source.table("users").await?,
            keys: source.table("keys").await?,
            groups: source.table("provider_groups").await?,
            providers: source.table("providers").await?,
            rules: source.table("error_rules").await?,
            settings: source.table("system_settings").await?,
            prices: prices::effective(source).await?,
            price_count: count.unsigned_abs(),
        })
    }
}
