//! Tests of the sums of each hour: they are those of the history, whatever happens on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use entity::usage_hourly;
use entity::value::ClientName;

use super::*;

type Key = (i64, i64, i64, i64, String, String);

/// Holds the sums against what history says, which is added up here the plain way.
pub(super) async fn sums_agree(test: &TestDb) {
    let mut expected = BTreeMap::<Key, [i64; 16]>::new();
    let hour = |at: chrono::DateTime<chrono::Utc>| at.timestamp().div_euclid(3600);
    let requests = request_log::Entity::find().all(&test.db).await.unwrap();
    for row in &requests {
        let (Some(user), Some(key)) = (row.user_id, row.key_id) else {
            continue;
        };
        let model = row.model.clone().or(row.requested_model.clone());
        let client = match row.user_agent.as_deref() {
            None => ClientName::Unknown,
            Some(text) if text.starts_with("claude-cli/") => ClientName::ClaudeCode,
            Some(_) => ClientName::Other,
        };
        let place = (
            hour(row.created_at),
            user,
            key,
            row.provider_id.unwrap_or(0),
            model.unwrap_or_default(),
            client.as_str().to_owned(),
        );
        let sums = expected.entry(place).or_default();
        sums[0] += 1;
        sums[1] += i64::from(row.status >= 400 && row.status != 499);
    }
    for line in UsageLines::find().all(&test.db).await.unwrap() {
        let model = line.model.clone().or(line.requested_model.clone());
        let place = (
            hour(line.created_at),
            line.user_id,
            line.key_id,
            line.provider_id,
            model.unwrap_or_default(),
            line.client.as_str().to_owned(),
        );
        let sums = expected.entry(place).or_default();
        sums.iter_mut()
            .skip(2)
            .zip(figures(&line))
            .for_each(|(sum, figure)| *sum += figure);
    }
    let rows = usage_hourly::Entity::find().all(&test.db).await.unwrap();
    let kept: BTreeMap<Key, [i64; 16]> = rows.into_iter().map(read).collect();
    assert_eq!(kept, expected);
}

/// What a line adds to the sums that come after requests and failures.
fn figures(line: &usage::Model) -> [i64; 14] {
    let from = |name: &str| i64::from(line.settled_from == name);
    [
        from("terminal"),
        from("partial"),
        from("estimate"),
        from("none"),
        i64::from(line.cost_nano_usd.is_none() && line.settled_from != "none"),
        line.input_tokens,
        line.cache_read_tokens,
        line.cache_write5m_tokens,
        line.cache_write1h_tokens,
        line.output_tokens,
        line.reasoning_tokens,
        line.image_input_tokens,
        line.image_output_tokens,
        line.cost_nano_usd.unwrap_or(0),
    ]
}

fn read(row: usage_hourly::Model) -> (Key, [i64; 16]) {
    let place = (
        row.hour,
        row.user_id,
        row.key_id,
        row.provider_id,
        row.model,
        row.client.as_str().to_owned(),
    );
    let sums = [
        row.requests,
        row.failures,
        row.attempts_terminal,
        row.attempts_partial,
        row.attempts_estimate,
        row.attempts_none,
        row.attempts_unpriced,
        row.input_tokens,
        row.cache_read_tokens,
        row.cache_write5m_tokens,
        row.cache_write1h_tokens,
        row.output_tokens,
        row.reasoning_tokens,
        row.image_input_tokens,
        row.image_output_tokens,
        row.cost_nano_usd,
    ];
    (place, sums)
}

/// Traffic of a few users, keys, providers, models and clients over some hours, the same for the same seed.
fn traffic(count: u64, seed: u64) -> Vec<Entry> {
    let mut state = seed;
    let mut any = |below: u64| {
        // Knuth's MMIX generator; its high bits are the good ones.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((state >> 33) % below).unwrap()
    };
    let mut entries = Vec::new();
    for _ in 0..count {
        let mut entry = entry();
        let age = chrono::TimeDelta::minutes(any(600));
        let request = &mut entry.request;
        request.created_at -= age;
        request.user_id = (any(10) > 0).then_some(any(3));
        request.key_id = request.user_id.map(|user| user * 10 + any(2));
        request.provider_id = (any(5) > 0).then_some(any(3));
        request.model = (any(4) > 0).then(|| format!("model-{}", any(3)));
        request.requested_model = (any(4) > 0).then(|| "asked".to_owned());
        request.status = [200, 200, 200, 400, 429, 499, 503][usize::try_from(any(7)).unwrap()];
        request.user_agent = [None, Some("claude-cli/2.1"), Some("curl/8")]
            [usize::try_from(any(3)).unwrap()]
        .map(str::to_owned);
        let attempts = usize::try_from(any(3)).unwrap();
        entry.lines.truncate(attempts);
        for line in &mut entry.lines {
            line.created_at -= age - chrono::TimeDelta::minutes(any(30));
            line.user_id = request.user_id.unwrap_or(0);
            line.key_id = request.key_id.unwrap_or(0);
            line.provider_id = any(3);
            line.model = (any(4) > 0).then(|| format!("model-{}", any(3)));
            line.settled_from = ["terminal", "partial", "estimate", "none"]
                [usize::try_from(any(4)).unwrap()]
            .to_owned();
            line.cost_nano_usd = (any(5) > 0).then_some(any(1_000_000_007));
            line.output_tokens = any(1000);
            line.cache_read_tokens = any(100_000);
        }
        entries.push(entry);
    }
    entries
}

#[tokio::test]
async fn sums_are_those_of_random_traffic() {
    for test in TestDb::all().await {
        let ledger = open(&test, Bounds::default());
        let entries = traffic(2000, 7);
        running(&ledger, async {
            for part in entries.chunks(250) {
                part.iter().for_each(|entry| ledger.record(entry.clone()));
                // Some again, in the same batch and in a later one.
                part[..20]
                    .iter()
                    .for_each(|entry| ledger.record(entry.clone()));
                sleep(Duration::from_millis(60)).await;
            }
        })
        .await;
        assert!(ledger.flush(Duration::from_secs(20)).await);
        assert_eq!(lines_in(&test).await, ids(&entries));
        assert_eq!(requests_in(&test).await, 2000);
        sums_agree(&test).await;
        drop(ledger);
        test.drop().await;
    }
}

/// The journal's files and what is in them.
fn journal(test: &TestDb) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(test.dir.path())
        .unwrap()
        .map(|file| file.unwrap().path());
    let of_journal = files.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        path.is_file() && !name.contains(".db")
    });
    of_journal
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

#[tokio::test]
async fn lines_posted_again_after_a_crash_count_once() {
    for test in TestDb::all().await {
        let entries = traffic(600, 11);
        let ledger = open(&test, Bounds::default());
        let held = lock(&test).await;
        let kept = Mutex::new(Vec::new());
        running(&ledger, async {
            entries[..400]
                .iter()
                .for_each(|entry| ledger.record(entry.clone()));
            let lines: usize = entries[..400].iter().map(|entry| entry.lines.len()).sum();
            eventually(10, "journaled", async || {
                let text: usize = journal(&test)
                    .iter()
                    .map(|(_, bytes)| bytes.iter().filter(|b| **b == b'\n').count())
                    .sum();
                text >= lines
            })
            .await;
            // As a process leaves it that is killed before the database has the lines, or after and before the journal knows.
            *kept.lock().await = journal(&test);
            held.rollback().await.unwrap();
            eventually(20, "posted", async || ledger.stats().journal_bytes == 0).await;
        })
        .await;
        assert!(ledger.flush(SOON).await);
        drop(ledger);
        sums_agree(&test).await;
        for (path, bytes) in kept.into_inner() {
            fs::write(path, bytes).unwrap();
        }
        let ledger = open(&test, Bounds::default());
        assert!(
            ledger.stats().journal_bytes > 0,
            "it is all to be posted again"
        );
        running(&ledger, async {
            entries[400..]
                .iter()
                .for_each(|entry| ledger.record(entry.clone()));
            eventually(20, "posted again", async || {
                ledger.stats().journal_bytes == 0
            })
            .await;
        })
        .await;
        assert!(ledger.flush(SOON).await);
        assert_eq!(lines_in(&test).await, ids(&entries));
        sums_agree(&test).await;
        drop(ledger);
        test.drop().await;
    }
}

#[tokio::test]
async fn history_from_before_is_summed_up_by_the_migration() {
    use migration::{Migrator, MigratorTrait};
    for test in TestDb::all().await {
        let ledger = open(&test, Bounds::default());
        traffic(300, 13).into_iter().for_each(|mut entry| {
            entry.request.user_agent = None;
            ledger.record(entry);
        });
        assert!(ledger.flush(SOON).await);
        drop(ledger);
        // Back to before there were sums.
        let since = u32::try_from(Migrator::migrations().len() - 6).unwrap();
        Migrator::down(&test.db, Some(since)).await.unwrap();
        Migrator::up(&test.db, None).await.unwrap();
        let rows = usage_hourly::Entity::find().all(&test.db).await.unwrap();
        assert!(rows.len() > 20);
        sums_agree(&test).await;
        test.drop().await;
    }
}
