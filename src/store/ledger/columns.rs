//! The columns of the rows that the ledger writes, each beside its value.

use chrono::{DateTime, Utc};
use entity::usage;
use entity::usage_hourly::{PrimaryKey, SUMMED};
use entity::value::Multiplier;
use sea_orm::{IdenStatic, Iterable};
use uuid::Uuid;

use super::request::Request;
use super::rollup::Hourly;
use crate::domain::client_name::name_of;

/// A column's value.
pub(super) enum Bound<'r> {
    Id(Uuid),
    Time(DateTime<Utc>),
    Text(&'r str),
    MaybeText(Option<&'r str>),
    Number(i64),
    MaybeNumber(Option<i64>),
    Small(i32),
    Flag(bool),
}

/// A row and its table.
pub(super) trait Row {
    const TABLE: &'static str;
    /// In the order of [`Row::values`].
    const COLUMNS: &'static [&'static str];
    /// The column of JSON, if there is one.
    const JSON: Option<&'static str>;

    /// What happens to a row that is there already: nothing.
    fn on_conflict() -> String {
        "(id) DO NOTHING".to_owned()
    }

    fn values(&self) -> impl IntoIterator<Item = Bound<'_>>;
}

/// Pairs columns with values, so that neither can be moved without the other.
macro_rules! row {
    ($row:ty, $table:literal, json: $json:expr, $(on_conflict: $on_conflict:expr,)? |$it:ident| $($column:literal => $value:expr,)+) => {
        impl Row for $row {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$($column),+];
            const JSON: Option<&'static str> = $json;

            $(
                fn on_conflict() -> String {
                    $on_conflict
                }
            )?

            fn values(&self) -> impl IntoIterator<Item = Bound<'_>> {
                let $it = self;
                [$($value),+]
            }
        }
    };
}

row! { usage::Model, "usage_lines", json: None, |line|
    "id" => Bound::Id(line.id),
    "request_id" => Bound::Id(line.request_id),
    "attempt" => Bound::Small(line.attempt),
    "created_at" => Bound::Time(line.created_at),
    "user_id" => Bound::Number(line.user_id),
    "key_id" => Bound::Number(line.key_id),
    "provider_id" => Bound::Number(line.provider_id),
    "requested_model" => Bound::MaybeText(line.requested_model.as_deref()),
    "model" => Bound::MaybeText(line.model.as_deref()),
    "input_tokens" => Bound::Number(line.input_tokens),
    "cache_read_tokens" => Bound::Number(line.cache_read_tokens),
    "cache_write5m_tokens" => Bound::Number(line.cache_write5m_tokens),
    "cache_write1h_tokens" => Bound::Number(line.cache_write1h_tokens),
    "output_tokens" => Bound::Number(line.output_tokens),
    "reasoning_tokens" => Bound::Number(line.reasoning_tokens),
    "image_input_tokens" => Bound::Number(line.image_input_tokens),
    "image_output_tokens" => Bound::Number(line.image_output_tokens),
    "cost_nano_usd" => Bound::MaybeNumber(line.cost_nano_usd),
    "price_ref" => Bound::MaybeText(line.price_ref.as_deref()),
    "service_tier" => Bound::MaybeText(line.service_tier.as_deref()),
    "provider_multiplier" => Bound::MaybeNumber(line.provider_multiplier.map(Multiplier::millionths)),
    "group_multiplier" => Bound::MaybeNumber(line.group_multiplier.map(Multiplier::millionths)),
    "client" => Bound::Text(line.client.as_str()),
    "settled_from" => Bound::Text(&line.settled_from),
    "raw" => Bound::MaybeText(line.raw.as_deref()),
}

row! { Request, "request_log", json: Some("chain"), |row|
    "id" => Bound::Id(row.id),
    "created_at" => Bound::Time(row.created_at),
    "user_id" => Bound::MaybeNumber(row.user_id),
    "key_id" => Bound::MaybeNumber(row.key_id),
    "provider_id" => Bound::MaybeNumber(row.provider_id),
    "session_id" => Bound::MaybeText(row.session_id.as_deref()),
    "protocol" => Bound::Text(row.protocol),
    "endpoint" => Bound::Text(&row.endpoint),
    "requested_model" => Bound::MaybeText(row.requested_model.as_deref()),
    "model" => Bound::MaybeText(row.model.as_deref()),
    "status" => Bound::Small(row.status),
    "is_stream" => Bound::Flag(row.is_stream),
    "error_code" => Bound::MaybeText(row.error_code),
    "error_message" => Bound::MaybeText(row.error_message.as_deref()),
    "input_tokens" => Bound::Number(row.input_tokens),
    "cache_read_tokens" => Bound::Number(row.cache_read_tokens),
    "cache_write5m_tokens" => Bound::Number(row.cache_write5m_tokens),
    "cache_write1h_tokens" => Bound::Number(row.cache_write1h_tokens),
    "output_tokens" => Bound::Number(row.output_tokens),
    "reasoning_tokens" => Bound::Number(row.reasoning_tokens),
    "cost_nano_usd" => Bound::MaybeNumber(row.cost_nano_usd),
    "settled_from" => Bound::Text(row.settled_from),
    "duration_ms" => Bound::Number(row.duration_ms),
    "ttfb_ms" => Bound::MaybeNumber(row.ttfb_ms),
    "ttft_ms" => Bound::MaybeNumber(row.ttft_ms),
    "overhead_us" => Bound::Number(row.overhead_us),
    "request_bytes" => Bound::Number(row.request_bytes),
    "response_bytes" => Bound::Number(row.response_bytes),
    "client_ip" => Bound::MaybeText(row.client_ip.as_deref()),
    "user_agent" => Bound::MaybeText(row.user_agent.as_deref()),
    "client" => Bound::Text(name_of(row.user_agent.as_deref()).as_str()),
    "chain" => Bound::Text(&row.chain),
}

row! { Hourly<'_>, "usage_hourly", json: None, on_conflict: add_up(), |row|
    "hour" => Bound::Number(row.place.hour),
    "user_id" => Bound::Number(row.place.user_id),
    "key_id" => Bound::Number(row.place.key_id),
    "provider_id" => Bound::Number(row.place.provider_id),
    "model" => Bound::Text(row.place.model),
    "client" => Bound::Text(row.place.client.as_str()),
    "requests" => Bound::Number(row.sums.requests),
    "failures" => Bound::Number(row.sums.failures),
    "attempts_terminal" => Bound::Number(row.sums.attempts_terminal),
    "attempts_partial" => Bound::Number(row.sums.attempts_partial),
    "attempts_estimate" => Bound::Number(row.sums.attempts_estimate),
    "attempts_none" => Bound::Number(row.sums.attempts_none),
    "attempts_unpriced" => Bound::Number(row.sums.attempts_unpriced),
    "input_tokens" => Bound::Number(row.sums.input_tokens),
    "cache_read_tokens" => Bound::Number(row.sums.cache_read_tokens),
    "cache_write5m_tokens" => Bound::Number(row.sums.cache_write5m_tokens),
    "cache_write1h_tokens" => Bound::Number(row.sums.cache_write1h_tokens),
    "output_tokens" => Bound::Number(row.sums.output_tokens),
    "reasoning_tokens" => Bound::Number(row.sums.reasoning_tokens),
    "image_input_tokens" => Bound::Number(row.sums.image_input_tokens),
    "image_output_tokens" => Bound::Number(row.sums.image_output_tokens),
    "cost_nano_usd" => Bound::Number(row.sums.cost_nano_usd),
}

/// A sum is added to what is there.
fn add_up() -> String {
    let place: Vec<_> = PrimaryKey::iter().map(|column| column.as_str()).collect();
    let added = SUMMED
        .map(|sum| sum.as_str())
        .map(|sum| format!("{sum} = usage_hourly.{sum} + excluded.{sum}"));
    format!("({}) DO UPDATE SET {}", place.join(", "), added.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use entity::{request_log, usage_hourly};

    use super::*;

    fn written<R: Row>() -> BTreeSet<&'static str> {
        R::COLUMNS.iter().copied().collect()
    }

    fn there<C: Iterable + IdenStatic>() -> BTreeSet<&'static str> {
        C::iter().map(|column| column.as_str()).collect()
    }

    #[test]
    fn every_column_of_a_table_is_written() {
        assert_eq!(written::<usage::Model>(), there::<usage::Column>());
        assert_eq!(written::<Request>(), there::<request_log::Column>());
        assert_eq!(written::<Hourly<'_>>(), there::<usage_hourly::Column>());
    }
}
