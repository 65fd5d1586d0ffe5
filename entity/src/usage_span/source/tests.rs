//! Tests of what is planned to be read: every hour once, whatever there is.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::*;

fn span(id: i64, hours: Range<i64>) -> Span {
    Span { id, hours }
}

/// Spans of hours and of days by two time zones, some of each missing, in the order in which they are read.
fn spans() -> impl Strategy<Value = Vec<Span>> {
    let all = (0..=19)
        .flat_map(|day: i64| {
            let hours = (0..24).map(move |hour| day * 24 + hour..day * 24 + hour + 1);
            hours.chain([day * 24..day * 24 + 24, day * 24 + 7..day * 24 + 31])
        })
        .collect::<Vec<_>>();
    let is_there = prop::collection::vec(0..10_u8, all.len());
    (is_there, 0..10_u8).prop_flat_map(move |(chance, missing)| {
        let some = all.iter().zip(&chance).filter(|(_, is)| **is >= missing);
        let mut some: Vec<_> = some.map(|(hours, _)| hours.clone()).collect();
        some.sort_by_key(|hours| (hours.start, -hours.end));
        Just((1..).zip(some).map(|(id, hours)| span(id, hours)).collect())
    })
}

proptest! {
    #[test]
    fn every_hour_is_read_once_and_in_its_point(
        spans in spans(),
        from in 0..400_i64,
        length in 0..300_i64,
        step in prop::sample::select(vec![1, 24, 168, 1000]),
        offset in 0..24_i64,
        by_two in any::<bool>(),
    ) {
        let hours = from..from + length;
        let mut points: Vec<i64> = (0..600).map(|at| at * step + offset).collect();
        points.retain(|point| hours.contains(point));
        points.insert(0, from);
        let needed = if by_two { Cut::USER | Cut::MODEL } else { Cut::USER };
        let plan = Plan::new(&spans, hours.clone(), &points, needed);
        prop_assert!(!plan.rest.is_empty() && plan.rest.len() <= MOST_PIECES);
        let mut read = vec![0; 1000];
        for piece in &plan.rest {
            for hour in piece.clone() {
                read[usize::try_from(hour).unwrap()] += 1;
            }
        }
        let point_of = |hour: i64| points.partition_point(|point| *point <= hour);
        for id in &plan.spans {
            let span = spans.iter().find(|span| span.id == *id).unwrap();
            prop_assert!(span.cuts().any(|cut| cut == plan.cut));
            for hour in span.hours.clone() {
                read[usize::try_from(hour).unwrap()] += 1;
                prop_assert_eq!(point_of(hour), point_of(span.hours.start));
            }
        }
        for (hour, times) in (0..).zip(read) {
            prop_assert_eq!(times, i32::from(hours.contains(&hour)), "hour {}", hour);
        }
    }
}

#[test]
fn days_are_taken_whole_and_the_edges_by_the_hour() {
    let spans = [span(1, 24..48), span(2, 24..25), span(3, 48..72)];
    let (always, never) = (ALWAYS.start, ALWAYS.end);
    let plan = |start: i64, end: i64, points: &[i64], needed| {
        let plan = Plan::new(&spans, Range { start, end }, points, needed);
        let rest = plan.rest.into_iter().map(|hours| (hours.start, hours.end));
        (plan.spans, rest.collect::<Vec<_>>())
    };
    assert_eq!(
        plan(always, never, &[], Cut::default()),
        (vec![1, 3], vec![(always, 24), (72, never)])
    );
    let pair = Cut::MODEL | Cut::USER;
    assert_eq!(plan(24, 72, &[24, 48], pair), (vec![1, 3], vec![(72, 72)]));
    let hourly: Vec<i64> = (24..72).collect();
    assert_eq!(plan(24, 72, &hourly, Cut::USER), (vec![2], vec![(25, 72)]));
    // An hour has no pairs, and nothing is sorted out by keys and models.
    assert_eq!(plan(24, 30, &[], pair), (vec![], vec![(24, 30)]));
    let of_key = Cut::MODEL | Cut::KEY;
    assert_eq!(plan(24, 48, &[], of_key), (vec![], vec![(24, 48)]));
    // From nothing on.
    assert_eq!(plan(30, 20, &[], Cut::USER), (vec![], vec![(30, 30)]));
}
