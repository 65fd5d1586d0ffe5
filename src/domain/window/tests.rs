//! Tests of windows: known days, and laws over decades in zones that do all kinds of things.

use chrono::NaiveDateTime;
use chrono_tz::{America, Asia, Australia, Europe, Pacific};
use proptest::prelude::*;

use super::*;

const ZONES: [Tz; 8] = [
    Europe::Berlin,
    America::New_York,
    America::Sao_Paulo,
    America::Havana,
    Asia::Shanghai,
    Australia::Lord_Howe,
    Pacific::Apia,
    Tz::UTC,
];

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(time: &str) -> Period {
    Period::Day(time.parse().unwrap())
}

#[track_caller]
fn is(period: Period, zone: Tz, now: &str, start: &str, end: &str) {
    let expected = Window {
        start: utc(start),
        end: utc(end),
    };
    assert_eq!(period.window(zone, utc(now)), expected);
}

#[test]
fn days_weeks_and_months_begin_by_the_clock_on_the_wall() {
    is(
        day("00:00"),
        Asia::Shanghai,
        "2026-03-01T15:59:59Z",
        "2026-02-28T16:00:00Z",
        "2026-03-01T16:00:00Z",
    );
    is(
        day("18:30"),
        Asia::Shanghai,
        "2026-03-01T10:29:59Z",
        "2026-02-28T10:30:00Z",
        "2026-03-01T10:30:00Z",
    );
    is(
        day("18:30"),
        Asia::Shanghai,
        "2026-03-01T10:30:00Z",
        "2026-03-01T10:30:00Z",
        "2026-03-02T10:30:00Z",
    );
    // A Sunday, and the Monday after it.
    is(
        Period::Week,
        Tz::UTC,
        "2026-11-22T23:59:59Z",
        "2026-11-16T00:00:00Z",
        "2026-11-23T00:00:00Z",
    );
    is(
        Period::Week,
        Tz::UTC,
        "2026-11-23T00:00:00Z",
        "2026-11-23T00:00:00Z",
        "2026-11-30T00:00:00Z",
    );
    // Leap years, the end of a year, and a month with a change of clocks in it.
    is(
        Period::Month,
        Tz::UTC,
        "2028-02-29T12:00:00Z",
        "2028-02-01T00:00:00Z",
        "2028-03-01T00:00:00Z",
    );
    is(
        Period::Month,
        Tz::UTC,
        "2026-12-31T23:59:59Z",
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    );
    is(
        Period::Month,
        Europe::Berlin,
        "2026-03-31T21:59:59Z",
        "2026-02-28T23:00:00Z",
        "2026-03-31T22:00:00Z",
    );
}

#[test]
fn a_time_that_is_left_out_begins_with_the_jump_and_one_that_comes_twice_the_first_time() {
    // 29 March 2026: from 02:00 to 03:00, at 01:00 UTC.
    is(
        day("02:30"),
        Europe::Berlin,
        "2026-03-29T00:59:59Z",
        "2026-03-28T01:30:00Z",
        "2026-03-29T01:00:00Z",
    );
    is(
        day("02:30"),
        Europe::Berlin,
        "2026-03-29T01:00:00Z",
        "2026-03-29T01:00:00Z",
        "2026-03-30T00:30:00Z",
    );
    // 25 October 2026: from 03:00 back to 02:00, at 01:00 UTC.
    is(
        day("02:30"),
        Europe::Berlin,
        "2026-10-25T01:30:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-26T01:30:00Z",
    );
    // Half an hour, on Lord Howe: 4 October 2026, 02:00 to 02:30.
    is(
        day("02:15"),
        Australia::Lord_Howe,
        "2026-10-03T15:30:00Z",
        "2026-10-03T15:30:00Z",
        "2026-10-04T15:15:00Z",
    );
    // Samoa had no 30 December 2011: the 29th is followed by the 31st, after 24 hours.
    is(
        day("00:00"),
        Pacific::Apia,
        "2011-12-30T09:59:59Z",
        "2011-12-29T10:00:00Z",
        "2011-12-30T10:00:00Z",
    );
    is(
        day("12:00"),
        Pacific::Apia,
        "2011-12-30T10:00:00Z",
        "2011-12-30T10:00:00Z",
        "2011-12-30T22:00:00Z",
    );
}

#[test]
fn five_hours_begin_with_the_first_spending_after_the_last() {
    let hour = 60 * 60 * 1_000;
    assert_eq!(first_spend(FIVE_HOURS, []), None);
    let history = [
        (0, 1),
        (4 * hour, 2),
        (5 * hour, 0),
        (6 * hour, 4),
        (11 * hour - 1, 8),
    ];
    assert_eq!(first_spend(FIVE_HOURS, history), Some((6 * hour, 12)));
}

#[test]
fn every_dimension_has_its_span() {
    let now = utc("2026-11-21T10:00:00Z");
    let mut limits = Limits::default();
    let of = |limits: &Limits, dimension| window(dimension, limits, Tz::UTC, now);
    assert_eq!(of(&limits, Dimension::Rpm), None);
    let Some(Span::Rolling { bucket, count, .. }) = of(&limits, Dimension::Usd5h) else {
        panic!("rolling by default");
    };
    assert_eq!(bucket * count, FIVE_HOURS);
    let at = now.timestamp_millis();
    assert_eq!(
        of(&limits, Dimension::Usd5h).unwrap().since(at + 299_999),
        at - FIVE_HOURS
    );
    limits.reset_5h = ResetMode::Fixed;
    limits.reset_day = ResetMode::Rolling;
    let spans = windows(&limits, |period| period.window(Tz::UTC, now));
    let Span::Rolling { bucket, count, .. } = spans[1] else {
        panic!("the day rolls");
    };
    assert_eq!(bucket * count, 24 * 60 * 60 * 1_000);
    assert_eq!(spans[0].since(at), at - FIVE_HOURS);
    assert_eq!(spans[4].since(at), 0);
    let mut tags: Vec<u16> = spans.iter().map(Span::tag).collect();
    tags.extend(
        windows(&Limits::default(), |p| p.window(Tz::UTC, now))[..2]
            .iter()
            .map(Span::tag),
    );
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 7, "no two definitions share a tag: {tags:?}");
}

/// The first instant at which the wall shows `wall` or later, found by looking at every minute of three days.
fn looked_up(zone: Tz, wall: NaiveDateTime) -> DateTime<Utc> {
    let from = wall.and_utc() - TimeDelta::hours(36);
    (0..3 * 24 * 60)
        .map(|minute| from + TimeDelta::minutes(minute))
        .find(|at| at.with_timezone(&zone).naive_local() >= wall)
        .unwrap()
}

fn periods() -> impl Strategy<Value = Period> {
    prop_oneof![
        3 => (0_u32..1_440).prop_map(|m| Period::Day(TimeOfDay::from_minutes(m))),
        1 => Just(Period::Week),
        1 => Just(Period::Month),
    ]
}

/// Instants of 1980 to 2040, half of them within two days of a change of clocks.
fn instants() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    (
        0..ZONES.len(),
        315_532_800_i64..2_208_988_800,
        any::<bool>(),
        -172_800_i64..172_800,
    )
        .prop_map(|(zone, seconds, is_near, off)| {
            let zone = ZONES[zone];
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            if !is_near {
                return (zone, at);
            }
            let shown = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local() - at.naive_utc();
            let change = (0..366)
                .map(|d| at + TimeDelta::days(d))
                .find(|at| shown(*at) != shown(*at + TimeDelta::days(1)));
            (zone, change.unwrap_or(at) + TimeDelta::seconds(off))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn windows_tile_time((zone, now) in instants(), period in periods()) {
        let window = period.window(zone, now);
        prop_assert!(window.start <= now && now < window.end);
        let tick = TimeDelta::milliseconds(1);
        for same in [window.start, window.end - tick] {
            prop_assert_eq!(period.window(zone, same), window);
        }
        prop_assert_eq!(period.window(zone, window.end).start, window.end);
        prop_assert_eq!(period.window(zone, window.start - tick).end, window.start);
    }

    #[test]
    fn beginnings_are_those_a_person_would_find((zone, now) in instants(), period in periods()) {
        let window = period.window(zone, now);
        // Walk over the dates around it, by the definition.
        let mut found = Vec::new();
        let date = now.with_timezone(&zone).date_naive();
        for off in -33..34_i64 {
            let date = date + TimeDelta::days(off);
            let (is_first, minutes) = match period {
                Period::Day(time) => (off.abs() < 4, u32::from(time.minutes())),
                Period::Week => (date.format("%u").to_string() == "1" && off.abs() < 10, 0),
                Period::Month => (date.day() == 1, 0),
            };
            if is_first {
                let wall = date.and_hms_opt(minutes / 60, minutes % 60, 0).unwrap();
                found.push(looked_up(zone, wall));
            }
        }
        prop_assert_eq!(found.iter().filter(|at| **at <= now).max(), Some(&window.start));
        prop_assert_eq!(found.iter().filter(|at| **at > now).min(), Some(&window.end));
    }
}
