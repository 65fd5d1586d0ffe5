//! Usage over time and in the spans people think in. Hours belong to the span they begin in.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::usage_hourly::hour_from;

use super::calendar::{day_of, month_of, next, start_of, week_of};
use crate::{
    Admin,
    problem::{Mistake, Problem},
    query::{
        page::Window,
        usage::{self, By, Filter, Slice, Sort, Sums},
    },
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

/// How a series is sorted out.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    /// By what.
    pub by: By,
    /// What the largest are the largest of.
    pub sort: Sort,
    /// How many of them.
    pub most: u64,
}

/// Usage over time.
pub struct Series {
    /// All of it, by when each point begins.
    pub points: Vec<(DateTime<Utc>, Sums)>,
    /// The largest, where it was sorted out.
    pub members: Option<Vec<Member>>,
}

/// One of a series that is sorted out.
pub struct Member {
    /// In all of the span.
    pub sums: Sums,
    /// As many as the series has points.
    pub slices: Vec<Slice>,
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
    split: Option<Split>,
) -> Result<Series, Problem> {
    let to = filter.to.unwrap_or_else(Utc::now);
    let from = filter.from.unwrap_or(to - TimeDelta::hours(24));
    (filter.from, filter.to) = (Some(from), Some(to));
    let starts = (hour_from(from)..hour_from(to))
        .map(|hour| DateTime::from_timestamp(hour * 3600, 0).unwrap_or_default());
    let starts = starts.take(MOST_POINTS + 1).collect();
    series(admin, &filter, starts, split).await
}

/// Every day of a span in the system's time zone, those that are only begun included; the last thirty if none is given.
///
/// # Errors
/// 422 when the span is too long.
pub async fn days(
    admin: &Admin,
    mut filter: Filter,
    split: Option<Split>,
) -> Result<Series, Problem> {
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
    series(admin, &filter, starts, split).await
}

/// Hours put where they begin, in all and by whom.
async fn series(
    admin: &Admin,
    filter: &Filter,
    starts: Vec<DateTime<Utc>>,
    split: Option<Split>,
) -> Result<Series, Problem> {
    if starts.len() > MOST_POINTS {
        let message = format!("begins more than {MOST_POINTS} points before `to`");
        return Err(Problem::invalid(vec![Mistake::new(
            "from",
            "out_of_range",
            message,
        )]));
    }
    let mut points: Vec<_> = starts
        .iter()
        .map(|start| (*start, Sums::default()))
        .collect();
    let cuts: Vec<_> = starts.iter().copied().map(hour_from).collect();
    let whole = async { Ok::<_, Problem>(usage::by_hour(&admin.db, filter, &cuts).await?) };
    let parts = async {
        match split {
            Some(split) => {
                let members = members(admin, filter, &starts, &cuts, split).await?;
                Ok(Some(members))
            }
            None => Ok(None),
        }
    };
    let (whole, members) = tokio::try_join!(whole, parts)?;
    for sums in whole {
        if let Some((_, point)) = place(&starts, sums.id).and_then(|at| points.get_mut(at)) {
            point.add(&sums);
        }
    }
    Ok(Series { points, members })
}

/// The largest, each with its part of every point.
async fn members(
    admin: &Admin,
    filter: &Filter,
    starts: &[DateTime<Utc>],
    cuts: &[i64],
    split: Split,
) -> Result<Vec<Member>, Problem> {
    let Split { by, sort, most } = split;
    let window = Window {
        after: None,
        limit: most,
    };
    let largest = usage::by(&admin.db, by, sort, filter, window).await?;
    let groups: Vec<_> = largest.items.into_iter().map(|(_, sums)| sums).collect();
    let slices = usage::slices(&admin.db, by, &groups, filter, cuts).await?;
    let mut members: Vec<_> = groups
        .into_iter()
        .map(|sums| Member {
            slices: vec![Slice::none(&sums); starts.len()],
            sums,
        })
        .collect();
    let named = members.iter().enumerate();
    let order: HashMap<_, _> = named
        .map(|(at, member)| ((member.sums.id, member.sums.name.clone()), at))
        .collect();
    for slice in slices {
        let member = order.get(&(slice.id, slice.name.clone()));
        let member = member.and_then(|at| members.get_mut(*at));
        let point = place(starts, slice.hour);
        if let (Some(member), Some(point)) = (member, point)
            && let Some(sum) = member.slices.get_mut(point)
        {
            sum.add(&slice);
        }
    }
    Ok(members)
}

/// The point an hour belongs to: the last that does not begin after it.
fn place(starts: &[DateTime<Utc>], hour: i64) -> Option<usize> {
    let begins = DateTime::from_timestamp(hour * 3600, 0).unwrap_or_default();
    let after = starts.partition_point(|start| *start <= begins);
    after.checked_sub(1)
}
