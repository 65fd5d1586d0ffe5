//! Money that is spent, or nearly.

use chrono::{DateTime, TimeDelta, Utc};
use entity::notification_rule::Model as Rule;

use crate::domain::limits::{Dimension, Party};
use crate::domain::notice::{Finding, Item, Usd, cut};
use crate::domain::window::{Span, Windows};
use crate::store::counters::Reading;

/// A limit that does not begin anew by itself is told of again after this.
const FOREVER: TimeDelta = TimeDelta::days(400);

/// Whose limits, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// The user a key belongs to.
    pub owner: Option<String>,
}

/// The limits of money of which at least `percent` is spent.
#[must_use]
pub fn find(
    party: &Party,
    named: &Named,
    (reading, windows): (&Reading, &Windows),
    percent: i32,
    now: DateTime<Utc>,
) -> Vec<Finding> {
    let found = Dimension::MONEY.into_iter().enumerate();
    let found = found.filter_map(|(index, dimension)| {
        let limit = dimension.limit(&party.limits).filter(|limit| *limit > 0)?;
        let spent = reading.used[dimension.index()];
        let share = i128::from(spent) * 100 / i128::from(limit);
        if share < i128::from(percent) {
            return None;
        }
        let (resets_at, quiet_until) = end(&windows[index], reading.frees_at[index], now);
        let since = match windows[index] {
            Span::Fixed {
                start, end: None, ..
            } => start,
            _ => 0,
        };
        Some(Finding {
            subject: format!(
                "{}:{}:{limit}:{percent}:{since}",
                party.subject,
                dimension.code()
            ),
            quiet_until,
            item: Item::Limit {
                of: party.subject.kind().to_owned(),
                name: cut(&named.name),
                owner: named.owner.as_deref().map(cut),
                limit: dimension.code().to_owned(),
                spent_usd: Usd(spent),
                limit_usd: Usd(limit),
                percent: i64::try_from(share).unwrap_or(i64::MAX),
                resets_at,
            },
        })
    });
    found.collect()
}

/// What a rule about a limit goes by: all of it is spent, or so much of it.
#[must_use]
pub fn percent(rule: &Rule) -> i32 {
    use entity::value::NoticeKind;
    match rule.event {
        NoticeKind::ProviderOutOfBudget => 100,
        _ => rule.threshold(),
    }
}

/// When a window begins anew, if that is known, and until when it is quiet: a rolling one for its length.
fn end(
    span: &Span,
    frees_at: Option<i64>,
    now: DateTime<Utc>,
) -> (Option<DateTime<Utc>>, DateTime<Utc>) {
    let known = match *span {
        Span::Fixed { end, .. } => end.and_then(DateTime::from_timestamp_millis),
        Span::OnSpend { .. } => frees_at.and_then(DateTime::from_timestamp_millis),
        Span::Rolling { .. } => None,
    };
    let quiet = match *span {
        Span::Fixed { .. } => FOREVER,
        Span::OnSpend { length, .. } => TimeDelta::milliseconds(length),
        Span::Rolling { bucket, count, .. } => TimeDelta::milliseconds(bucket * count),
    };
    (known, known.filter(|end| *end > now).unwrap_or(now + quiet))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use entity::value::{Limits, ResetMode};

    use super::*;
    use crate::domain::limits::Subject;
    use crate::domain::window::windows;

    const DOLLAR: i64 = 1_000_000_000;

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    fn found(limits: Limits, spent: [i64; 5], percent: i32) -> Vec<Finding> {
        let now = at("2026-11-21T10:00:00Z");
        let party = Party {
            subject: Subject::Key(5),
            limits,
        };
        let named = Named {
            name: "laptop".into(),
            owner: Some("ann".into()),
        };
        let windows = windows(&limits, |period| period.window(Tz::UTC, now));
        let mut reading = Reading::default();
        for (dimension, spent) in Dimension::MONEY.into_iter().zip(spent) {
            reading.used[dimension.index()] = spent * DOLLAR / 100;
        }
        find(&party, &named, (&reading, &windows), percent, now)
    }

    #[test]
    fn each_limit_is_told_of_until_its_window_ends() {
        let limits = Limits {
            usd_5h: Some(10 * DOLLAR),
            usd_day: Some(10 * DOLLAR),
            usd_week: Some(10 * DOLLAR),
            usd_total: Some(10 * DOLLAR),
            reset_5h: ResetMode::Rolling,
            reset_day: ResetMode::Fixed,
            ..Limits::default()
        };
        let found = found(limits, [800, 799, 900, 5_000, 1_000], 80);
        let told: Vec<(&str, DateTime<Utc>)> = found
            .iter()
            .map(|finding| (finding.subject.as_str(), finding.quiet_until))
            .collect();
        assert_eq!(told[0].1, at("2026-11-21T15:00:00Z"));
        assert!(
            told[0].0.starts_with("key:5:usd_5h:10000000000:80:"),
            "{told:?}"
        );
        assert!(told[1].0.starts_with("key:5:usd_week:"), "{told:?}");
        assert_eq!(told[1].1, at("2026-11-23T00:00:00Z"));
        assert!(told[2].0.starts_with("key:5:usd_total:"), "{told:?}");
        assert!(told[2].1 > at("2027-11-21T00:00:00Z"));
        assert_eq!(told.len(), 3);
        let Item::Limit { percent, owner, .. } = &found[1].item else {
            panic!("{found:?}")
        };
        assert_eq!((*percent, owner.as_deref()), (90, Some("ann")));
    }

    #[test]
    fn another_limit_or_threshold_is_another_matter() {
        let limits = |usd: i64| Limits {
            usd_month: Some(usd * DOLLAR),
            ..Limits::default()
        };
        let subject = |usd, percent| found(limits(usd), [950; 5], percent)[0].subject.clone();
        assert_eq!(subject(10, 80), subject(10, 80));
        assert_ne!(subject(10, 80), subject(10, 95));
        assert_ne!(subject(10, 80), subject(11, 80));
        assert!(found(limits(0), [950; 5], 80).is_empty());
        assert!(found(limits(10), [950; 5], 100).is_empty());
    }
}
