//! Usage over time and in the spans people think in. Hours belong to the span they begin in.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;

use super::calendar::{day_of, month_of, next, start_of, week_of};
use crate::{
    Admin,
    problem::{Mistake, Problem},
    query::usage::{self, Filter, Sums, hour_from},
};

/// Most points of a series.
const MOST_POINTS: usize = 1000;

/// What was used since each of these moments began, and at all.
pub struct Summary {
    /// The time zone of the others.
    pub time_zone: Tz,
    /// Since midnight.
    pub today: Sums,
    /// Since Monday.
    pub week: Sums,
    /// Since the first of the month.
    pub month: Sums,
    /// At all.
    pub total: Sums,
}

/// Day, week, month and all of what `filter` names.
///
/// # Errors
/// When the database does not answer.
pub async fn summary(admin: &Admin, filter: &Filter) -> Result<Summary, Problem> {
    let time_zone = admin.gateway.time_zone();
    let day = day_of(Utc::now(), time_zone);
    let since = async |from| {
        let filter = Filter {
            from,
            ..filter.clone()
        };
        usage::total(&admin.db, &filter).await
    };
    Ok(Summary {
        time_zone,
        today: since(Some(start_of(day, time_zone))).await?,
        week: since(Some(start_of(week_of(day), time_zone))).await?,
        month: since(Some(start_of(month_of(day), time_zone))).await?,
        total: since(None).await?,
    })
}

/// Every hour of a span; the last day's if none is given.
///
/// # Errors
/// 422 when the span is too long.
pub async fn hours(
    admin: &Admin,
    mut filter: Filter,
) -> Result<Vec<(DateTime<Utc>, Sums)>, Problem> {
    let to = filter.to.unwrap_or_else(Utc::now);
    let from = filter.from.unwrap_or(to - TimeDelta::hours(24));
    (filter.from, filter.to) = (Some(from), Some(to));
    let starts = (hour_from(from)..hour_from(to))
        .map(|hour| DateTime::from_timestamp(hour * 3600, 0).unwrap_or_default());
    points(admin, &filter, starts.take(MOST_POINTS + 1).collect()).await
}

/// Every day of a span in the system's time zone, those that are only begun included; the last thirty if none is given.
///
/// # Errors
/// 422 when the span is too long.
pub async fn days(
    admin: &Admin,
    mut filter: Filter,
) -> Result<Vec<(DateTime<Utc>, Sums)>, Problem> {
    let zone = admin.gateway.time_zone();
    let to = filter.to.unwrap_or_else(Utc::now);
    let from = filter.from.unwrap_or_else(|| {
        let today = day_of(to, zone);
        let first = today.num_days_from_ce() - 29;
        start_of(
            chrono::NaiveDate::from_num_days_from_ce_opt(first).unwrap_or(today),
            zone,
        )
    });
    (filter.from, filter.to) = (Some(from), Some(to));
    let mut starts = Vec::new();
    let mut day = day_of(from, zone);
    while start_of(day, zone) < to && starts.len() <= MOST_POINTS {
        starts.push(start_of(day, zone));
        day = next(day);
    }
    points(admin, &filter, starts).await
}

/// Hours put where they begin.
async fn points(
    admin: &Admin,
    filter: &Filter,
    starts: Vec<DateTime<Utc>>,
) -> Result<Vec<(DateTime<Utc>, Sums)>, Problem> {
    if starts.len() > MOST_POINTS {
        let message = format!("begins more than {MOST_POINTS} points before `to`");
        return Err(Problem::invalid(vec![Mistake::new(
            "from",
            "out_of_range",
            message,
        )]));
    }
    let mut points: Vec<_> = starts
        .into_iter()
        .map(|start| (start, Sums::default()))
        .collect();
    for sums in usage::by_hour(&admin.db, filter).await? {
        let begins = DateTime::from_timestamp(sums.id * 3600, 0).unwrap_or_default();
        let after = points.partition_point(|(start, _)| *start <= begins);
        if let Some((_, point)) = after.checked_sub(1).and_then(|at| points.get_mut(at)) {
            point.add(&sums);
        }
    }
    Ok(points)
}
