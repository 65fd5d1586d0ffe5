//! What was spent by the month, there and here.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use super::history::Range;
use super::report::Month;
use super::row::nano;
use super::source::Source;

/// Endpoints that are free there.
pub(super) const FREE: [&str; 2] = ["/v1/messages/count_tokens", "/v1/responses/compact"];

/// Sums of both sides. There, by its own rule of what is billed; here, of the lines that carry `price_ref`.
pub(super) async fn months(
    source: &Source,
    range: Range,
    db: &DatabaseConnection,
    price_ref: &str,
) -> Result<Vec<Month>, DbErr> {
    let mut months = BTreeMap::<String, Month>::new();
    if let Some(sql) = there(source, range) {
        for row in source.ask(&sql).await? {
            let name: String = row.try_get("", "month")?;
            let cost: String = row.try_get("", "cost")?;
            let month = months.entry(name).or_default();
            month.requests = row.try_get("", "requests")?;
            month.there = amount(&cost);
        }
    }
    let month = match db.get_database_backend() {
        DbBackend::Postgres => "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM')",
        _ => "strftime('%Y-%m', created_at)",
    };
    // The reference is made here, of hexadecimal digits.
    let sql = format!(
        "SELECT {month} AS month, COUNT(*) AS lines, CAST(SUM(cost_nano_usd) AS BIGINT) AS cost FROM usage_lines WHERE price_ref = '{price_ref}' GROUP BY 1"
    );
    let statement = Statement::from_string(db.get_database_backend(), sql);
    for row in db.query_all_raw(statement).await? {
        let name: String = row.try_get("", "month")?;
        let cost: Option<i64> = row.try_get("", "cost")?;
        let month = months.entry(name).or_default();
        month.lines = row.try_get("", "lines")?;
        month.here = cost.unwrap_or(0).into();
    }
    let named = months.into_iter();
    Ok(named.map(|(month, sums)| Month { month, ..sums }).collect())
}

/// Asks there: the ledger, and requests that are missing in it.
fn there(source: &Source, range: Range) -> Option<String> {
    let free = FREE.map(|path| format!("'{path}'")).join(", ");
    let billed = |alias: &str, id: &str| {
        format!(
            "{alias}.created_at IS NOT NULL AND {alias}.blocked_by IS NULL AND {alias}.is_replay IS NOT TRUE AND {alias}.{id} > {} \
             AND lower(rtrim(coalesce({alias}.endpoint, ''), '/')) NOT IN ({free})",
            range.after
        )
    };
    let mut parts = Vec::new();
    if source.has("usage_ledger") {
        let billed = billed("l", "request_id");
        parts.push(format!(
            "SELECT l.created_at, l.cost_usd FROM usage_ledger AS l WHERE {billed}"
        ));
    }
    if source.has("message_request") {
        let missing = if source.has("usage_ledger") {
            "AND NOT EXISTS (SELECT 1 FROM usage_ledger AS l WHERE l.request_id = m.id)"
        } else {
            ""
        };
        let billed = billed("m", "id");
        parts.push(format!(
            "SELECT m.created_at, m.cost_usd FROM message_request AS m WHERE {billed} AND m.deleted_at IS NULL {missing}"
        ));
    }
    if parts.is_empty() {
        return None;
    }
    Some(format!(
        "SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, COUNT(*) AS requests, \
         CAST(coalesce(SUM(cost_usd), 0) AS text) AS cost FROM ({}) AS billed GROUP BY 1",
        parts.join(" UNION ALL ")
    ))
}

/// A sum can be larger than what one cost may be.
fn amount(decimal: &str) -> i128 {
    nano(decimal).map_or(0, i128::from)
}
