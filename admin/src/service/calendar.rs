//! Days, weeks and months of a time zone as moments.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// When a day begins: at midnight, or with its first moment where the clocks leave midnight out.
#[must_use]
pub fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    // No zone leaves out more than a day.
    let minutes = (0..=24 * 60).map(|minute| midnight + TimeDelta::minutes(minute));
    minutes
        .filter_map(|time| zone.from_local_datetime(&time).earliest())
        .map(|time| time.to_utc())
        .next()
        .unwrap_or_else(|| midnight.and_utc())
}

/// The day a moment is in.
#[must_use]
pub fn day_of(time: DateTime<Utc>, zone: Tz) -> NaiveDate {
    time.with_timezone(&zone).date_naive()
}

/// The day after.
#[must_use]
pub fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// The Monday of a day's week.
#[must_use]
pub fn week_of(day: NaiveDate) -> NaiveDate {
    day.week(chrono::Weekday::Mon).first_day()
}

/// The first day of a day's month.
#[must_use]
pub fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_where_their_clocks_say() {
        let start = |day: &str, zone: Tz| start_of(day.parse().unwrap(), zone).to_rfc3339();
        let berlin = chrono_tz::Europe::Berlin;
        assert_eq!(start("2026-03-29", berlin), "2026-03-28T23:00:00+00:00");
        assert_eq!(start("2026-03-30", berlin), "2026-03-29T22:00:00+00:00");
        // Midnight does not exist there, or twice.
        let santiago = chrono_tz::America::Santiago;
        assert_eq!(start("2026-09-06", santiago), "2026-09-06T04:00:00+00:00");
        let havana = chrono_tz::America::Havana;
        assert_eq!(start("2026-11-01", havana), "2026-11-01T04:00:00+00:00");
        let late = "2026-03-28T23:30:00Z".parse().unwrap();
        assert_eq!(day_of(late, berlin).to_string(), "2026-03-29");
        let sunday: NaiveDate = "2026-03-01".parse().unwrap();
        assert_eq!(week_of(sunday).to_string(), "2026-02-23");
        assert_eq!(month_of(week_of(sunday)).to_string(), "2026-02-01");
        assert_eq!(
            next("2028-02-28".parse().unwrap()).to_string(),
            "2028-02-29"
        );
    }
}
