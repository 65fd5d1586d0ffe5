//! Table `usage_hourly`: the sums of each hour, kept by whoever writes history, so that nothing that shows usage reads it line by line.

use chrono::{DateTime, Utc};
use sea_orm::ExprTrait;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, Func, SimpleExpr};

use crate::value::ClientName;

/// What one key used in one hour of one provider and model with one client. Tokens, costs and attempts are those of usage lines, by the
/// hour in which the attempt ended; requests and failures are those of the request log, by the hour in which they arrived.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_hourly")]
pub struct Model {
    /// Hours since 1970, UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hour: i64,
    /// Who pays.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// With which key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: i64,
    /// Who served; 0 for requests that nobody did.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider_id: i64,
    /// The model the provider was asked for, else the one the client asked for; empty when there was none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub model: String,
    /// The program that called.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client: ClientName,
    /// Requests.
    pub requests: i64,
    /// Those of them that were answered with an error, those left by their client not counted.
    pub failures: i64,
    /// Attempts whose usage is the upstream's final word.
    pub attempts_terminal: i64,
    /// Attempts whose usage is what the upstream had said before it was cut.
    pub attempts_partial: i64,
    /// Attempts whose usage is estimated.
    pub attempts_estimate: i64,
    /// Attempts without known usage.
    pub attempts_none: i64,
    /// Attempts with usage and without a price.
    pub attempts_unpriced: i64,
    /// See `usage_lines`.
    pub input_tokens: i64,
    /// See `usage_lines`.
    pub cache_read_tokens: i64,
    /// See `usage_lines`.
    pub cache_write5m_tokens: i64,
    /// See `usage_lines`.
    pub cache_write1h_tokens: i64,
    /// See `usage_lines`.
    pub output_tokens: i64,
    /// See `usage_lines`.
    pub reasoning_tokens: i64,
    /// See `usage_lines`.
    pub image_input_tokens: i64,
    /// See `usage_lines`.
    pub image_output_tokens: i64,
    /// Nano-USD.
    pub cost_nano_usd: i64,
}

/// Relations: none, history outlives what it points at.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Most of one figure of one attempt that is summed up. No attempt comes near it (it is a million USD); a made-up figure must not make a
/// sum overflow.
const MOST: i64 = 1_000_000_000_000_000;

/// The hour a moment is in.
#[must_use]
pub fn hour_of(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(3600)
}

/// The hour that begins at `time` or next after it.
#[must_use]
pub fn hour_from(time: DateTime<Utc>) -> i64 {
    let has_part = time.timestamp().rem_euclid(3600) != 0 || time.timestamp_subsec_nanos() != 0;
    hour_of(time) + i64::from(has_part)
}

/// A figure of one attempt, as it is summed up.
#[must_use]
pub fn counted(figure: i64) -> i64 {
    figure.clamp(0, MOST)
}

/// The model an attempt is summed up under.
#[must_use]
pub fn model_of<'m>(model: Option<&'m str>, requested: Option<&'m str>) -> &'m str {
    model.or(requested).unwrap_or_default()
}

/// The columns that are sums: all but those that say of what.
pub const SUMMED: [Column; 16] = [
    Column::Requests,
    Column::Failures,
    Column::AttemptsTerminal,
    Column::AttemptsPartial,
    Column::AttemptsEstimate,
    Column::AttemptsNone,
    Column::AttemptsUnpriced,
    Column::InputTokens,
    Column::CacheReadTokens,
    Column::CacheWrite5mTokens,
    Column::CacheWrite1hTokens,
    Column::OutputTokens,
    Column::ReasoningTokens,
    Column::ImageInputTokens,
    Column::ImageOutputTokens,
    Column::CostNanoUsd,
];

/// The kinds of tokens that are no part of another.
const TOKENS: [Column; 7] = [
    Column::InputTokens,
    Column::CacheReadTokens,
    Column::CacheWrite5mTokens,
    Column::CacheWrite1hTokens,
    Column::OutputTokens,
    Column::ImageInputTokens,
    Column::ImageOutputTokens,
];

/// The sum of a column as a whole number, which no rows have too. (The sum of big integers is a decimal in `PostgreSQL`.)
#[must_use]
pub fn sum(column: Column) -> SimpleExpr {
    let sum = Func::coalesce([Expr::col(column).sum(), Expr::value(0_i64)]);
    SimpleExpr::from(sum).cast_as("bigint")
}

/// The sum of tokens of all kinds.
#[must_use]
pub fn tokens() -> SimpleExpr {
    let sums = TOKENS.into_iter().map(sum).reduce(ExprTrait::add);
    sums.unwrap_or_else(|| Expr::value(0_i64))
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn what_is_no_part_of_the_key_is_summed_up() {
        let place: Vec<_> = PrimaryKey::iter().map(|column| column.as_str()).collect();
        let rest = Column::iter().map(|column| column.as_str());
        let rest: Vec<_> = rest.filter(|name| !place.contains(name)).collect();
        assert_eq!(SUMMED.map(|column| column.as_str()).to_vec(), rest);
    }

    #[test]
    fn an_hour_is_in_the_span_it_begins_in() {
        let hour = |time: &str| hour_from(time.parse().unwrap());
        let noon = hour("2026-01-01T12:00:00Z");
        assert_eq!(hour("2026-01-01T11:00:00.000001Z"), noon);
        assert_eq!(hour("2026-01-01T12:00:00.5Z"), noon + 1);
        assert_eq!(hour("2026-01-01T12:59:59Z"), noon + 1);
        assert_eq!(hour("1969-12-31T23:30:00Z"), 0);
    }
}
