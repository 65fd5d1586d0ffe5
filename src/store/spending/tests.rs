//! Tests of what was spent: the same as adding up all lines one by one, whatever the window and the reset.

use std::path::Path;

use chrono_tz::Tz;
use entity::value::{Limits, ResetMode, TimeOfDay};

use super::*;
use crate::domain::limits::Dimension;
use crate::domain::window::windows;
use crate::store::Stop;
use crate::store::ledger::{Bounds, Entry, Ledger};
use crate::store::testing::{TestDb, eventually, request_row, usage_line};

/// Attempts of two keys of one user at one provider, one every 37 minutes for 50 days, each dearer than the one before.
fn history(now: DateTime<Utc>) -> Vec<usage::Model> {
    (0_u32..2_000)
        .map(|number| {
            let at = now - TimeDelta::minutes(37) * i32::try_from(number).unwrap();
            usage::Model {
                id: Uuid::new_v7(uuid::Timestamp::from_unix(
                    uuid::NoContext,
                    u64::try_from(at.timestamp()).unwrap() + 2,
                    number,
                )),
                created_at: at,
                user_id: 1,
                key_id: i64::from(number % 2) + 1,
                provider_id: 1,
                cost_nano_usd: (number % 7 != 0).then_some(1_000_000 + i64::from(number)),
                ..usage_line(1)
            }
        })
        .collect()
}

async fn write(db: &DatabaseConnection, dir: &Path, lines: &[usage::Model]) {
    let ledger = Ledger::open(db.clone(), dir, Bounds::default()).unwrap();
    let (stop, stopped): (_, Stop) = tokio::sync::watch::channel(false);
    let feed = async {
        for line in lines {
            ledger.record(Entry {
                request: request_row(),
                lines: vec![line.clone()],
            });
        }
        eventually(60, "the lines are written", async || {
            ledger.stats().queued_lines == 0
        })
        .await;
        stop.send(true).unwrap();
    };
    tokio::join!(ledger.run(stopped), feed);
}

/// Every window begins somewhere else, with and without a reset in it.
fn spenders(now: DateTime<Utc>) -> Vec<Spender> {
    let resets = [None, Some(TimeDelta::minutes(90)), Some(TimeDelta::days(9))];
    let subjects = [
        Subject::Key(1),
        Subject::Key(2),
        Subject::User(1),
        Subject::Provider(1),
        Subject::Key(9),
    ];
    let mut spenders = Vec::new();
    for (zone, reset) in iproduct([Tz::UTC, Tz::Asia__Kathmandu], resets) {
        for subject in subjects {
            let limits = Limits {
                reset_day: match subject {
                    Subject::Key(1) => ResetMode::Rolling,
                    _ => ResetMode::Fixed,
                },
                day_starts: TimeOfDay::from_minutes(7 * 60 + 11),
                reset_at: reset.map(|ago| now - ago),
                ..Limits::default()
            };
            spenders.push(Spender {
                party: Party { subject, limits },
                windows: windows(&limits, |period| period.window(zone, now)),
            });
        }
    }
    spenders
}

fn iproduct<A: Copy, B: Copy, const N: usize, const M: usize>(
    a: [A; N],
    b: [B; M],
) -> impl Iterator<Item = (A, B)> {
    a.into_iter()
        .flat_map(move |a| b.into_iter().map(move |b| (a, b)))
}

/// What a window holds, line by line.
fn counted(spender: &Spender, since: i64, lines: &[usage::Model]) -> i64 {
    let reset = spender.party.limits.reset_at;
    let since = since.max(reset.map_or(0, |at| at.timestamp_millis()));
    let is_own = |line: &usage::Model| match spender.party.subject {
        Subject::Key(id) => line.key_id == id,
        Subject::User(id) => line.user_id == id,
        Subject::Provider(id) => line.provider_id == id,
    };
    let own = lines.iter().filter(|line| is_own(line));
    let counted = own.filter(|line| line.created_at.timestamp_millis() >= since);
    counted.filter_map(|line| line.cost_nano_usd).sum()
}

#[tokio::test]
async fn what_was_spent_is_the_sum_of_the_lines() {
    let now: DateTime<Utc> = "2026-11-21T10:20:30.5Z".parse().unwrap();
    let lines = history(now);
    let spenders = spenders(now);
    for test in TestDb::all().await {
        let dir = tempfile::tempdir().unwrap();
        write(&test.db, dir.path(), &lines).await;
        let seeds = seeds(&test.db, &spenders, now).await.unwrap();
        assert_eq!(seeds.len(), spenders.len());
        for (spender, seed) in seeds {
            for (index, dimension) in Dimension::MONEY.into_iter().enumerate() {
                let since = spender.windows[index].since(now.timestamp_millis());
                let history = seed.history[index].iter();
                let live = history.filter(|(at, _)| *at >= since);
                let found: i64 = live.map(|(_, spent)| spent).sum();
                assert_eq!(
                    found,
                    counted(&spender, since, &lines),
                    "{dimension:?} {spender:?}"
                );
            }
        }
        let latest = latest(&test.db).await.unwrap();
        assert_eq!(latest.last().map(|cost| cost.cost), lines[1].cost_nano_usd);
    }
}
