//! When the daily report is due, and of which day it tells.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::notification_rule::{Model as Rule, REPORT_MINUTE};
use entity::value::TimeOfDay;

use crate::domain::window::{Period, Window};

/// A report that could not be made in time is still made so much later.
const LATEST: TimeDelta = TimeDelta::hours(12);

/// A report that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The day it tells of.
    pub day: NaiveDate,
    /// When that was.
    pub window: Window,
    /// When the next one is due.
    pub next: DateTime<Utc>,
}

/// The report a rule owes now. A rule that was made or changed after its time of the day begins tomorrow.
///
/// The times are those of windows (`domain::window`), which know of clocks that jump.
#[must_use]
pub fn due(rule: &Rule, zone: Tz, now: DateTime<Utc>) -> Option<Due> {
    let minute = rule.report_minute.unwrap_or(REPORT_MINUTE);
    let minute = TimeOfDay::from_minutes(u32::try_from(minute).unwrap_or_default());
    let turn = Period::Day(minute).window(zone, now);
    if turn.start < rule.updated_at || now - turn.start > LATEST {
        return None;
    }
    let midnight = Period::Day(TimeOfDay::from_minutes(0));
    let today = midnight.window(zone, turn.start);
    let window = midnight.window(zone, today.start - TimeDelta::milliseconds(1));
    Some(Due {
        day: window.start.with_timezone(&zone).date_naive(),
        window,
        next: turn.end,
    })
}

#[cfg(test)]
mod tests {
    use entity::value::NoticeKind;

    use super::*;
    use crate::policy::notify::testing::rule;

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    #[test]
    fn it_is_due_at_its_time_in_the_system_s_zone_and_tells_of_yesterday() {
        let rule = rule(NoticeKind::DailyReport);
        let zone = Tz::Asia__Shanghai;
        // 09:00 in Shanghai is 01:00 UTC.
        assert_eq!(due(&rule, zone, at("2026-11-21T00:59:59Z")), None);
        let due = due(&rule, zone, at("2026-11-21T01:00:00Z")).unwrap();
        assert_eq!(due.day.to_string(), "2026-11-20");
        assert_eq!(due.window.start, at("2026-11-19T16:00:00Z"));
        assert_eq!(due.window.end, at("2026-11-20T16:00:00Z"));
        assert_eq!(due.next, at("2026-11-22T01:00:00Z"));
    }

    #[test]
    fn a_late_one_is_made_and_a_new_rule_waits() {
        let mut rule = rule(NoticeKind::DailyReport);
        rule.report_minute = Some(30);
        assert!(due(&rule, Tz::UTC, at("2026-11-21T12:30:00Z")).is_some());
        assert_eq!(due(&rule, Tz::UTC, at("2026-11-21T12:30:01Z")), None);
        rule.updated_at = at("2026-11-21T00:31:00Z");
        assert_eq!(due(&rule, Tz::UTC, at("2026-11-21T02:00:00Z")), None);
        assert!(due(&rule, Tz::UTC, at("2026-11-22T02:00:00Z")).is_some());
    }

    #[test]
    fn a_day_of_23_hours_is_a_day() {
        let rule = rule(NoticeKind::DailyReport);
        let due = due(&rule, Tz::Europe__Berlin, at("2026-03-30T08:00:00Z")).unwrap();
        assert_eq!(due.day.to_string(), "2026-03-29");
        assert_eq!(due.window.end - due.window.start, TimeDelta::hours(23));
    }
}
