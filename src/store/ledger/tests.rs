//! Tests of the ledger with databases that work, that are away, and that refuse.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use entity::request_log;
use entity::usage::Entity as UsageLines;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, TransactionTrait};
use tokio::time::sleep;
use uuid::Uuid;

use super::*;
use crate::domain::client_name::name_of;
use crate::store::testing::{TestDb, eventually, execute, logs, request_row, usage_line};
use sums::sums_agree;

mod sums;

const SOON: Duration = Duration::from_secs(5);

fn open(test: &TestDb, bounds: Bounds) -> Ledger {
    Ledger::open(test.db.clone(), test.dir.path(), bounds).unwrap()
}

fn entry() -> Entry {
    let request = request_row();
    let mut lines = vec![usage_line(1), usage_line(2)];
    for line in &mut lines {
        line.request_id = request.id;
    }
    Entry { request, lines }
}

/// Runs `ledger` beside `body`, and stops it.
async fn running(ledger: &Ledger, body: impl Future<Output = ()>) {
    let stop = watch::Sender::new(false);
    let until_done = async {
        body.await;
        stop.send_replace(true);
    };
    tokio::join!(ledger.run(stop.subscribe()), until_done);
}

async fn lines_in(test: &TestDb) -> BTreeSet<Uuid> {
    let lines = UsageLines::find().all(&test.db).await.unwrap();
    lines.into_iter().map(|line| line.id).collect()
}

async fn requests_in(test: &TestDb) -> usize {
    let rows = request_log::Entity::find().all(&test.db).await.unwrap();
    rows.len()
}

/// Keeps everybody else from writing, for as long as it is held.
async fn lock(test: &TestDb) -> DatabaseTransaction {
    let transaction = test.db.begin().await.unwrap();
    let sql = if test.db.get_database_backend() == DbBackend::Postgres {
        "LOCK TABLE usage_lines, request_log IN EXCLUSIVE MODE"
    } else {
        "UPDATE revision SET number = number"
    };
    transaction.execute_unprepared(sql).await.unwrap();
    transaction
}

fn ids(entries: &[Entry]) -> BTreeSet<Uuid> {
    let lines = entries.iter().flat_map(|entry| &entry.lines);
    lines.map(|line| line.id).collect()
}

/// Compiles only if the ledger can be run as a task of its own.
#[tokio::test]
async fn it_runs_as_a_task() {
    fn task<T: Send + 'static>(_: T) {}
    let test = TestDb::sqlite().await;
    let ledger = Arc::new(open(&test, Bounds::default()));
    let stop = watch::Sender::new(false);
    task({
        let (ledger, stop) = (Arc::clone(&ledger), stop.subscribe());
        async move { ledger.run(stop).await }
    });
    task(async move { ledger.flush(SOON).await });
}

#[tokio::test]
async fn what_is_recorded_is_in_the_database_once() {
    for test in TestDb::all().await {
        let ledger = open(&test, Bounds::default());
        let entries: Vec<Entry> = (0..700).map(|_| entry()).collect();
        running(&ledger, async {
            for entry in entries.iter().chain(&entries[..100]) {
                ledger.record(entry.clone());
            }
            eventually(10, "all posted", async || {
                let stats = ledger.stats();
                stats.queued_lines + stats.queued_requests == 0 && stats.journal_bytes == 0
            })
            .await;
        })
        .await;
        assert!(ledger.flush(SOON).await);
        assert_eq!(lines_in(&test).await, ids(&entries));
        sums_agree(&test).await;
        sums_agree(&test).await;
        assert_eq!(requests_in(&test).await, 700);
        let written = UsageLines::find_by_id(entries[3].lines[1].id);
        let written = written.one(&test.db).await.unwrap();
        assert_eq!(written.as_ref(), Some(&entries[3].lines[1]));
        assert_row(&test, &entries[3].request).await;
        let expected = Stats {
            is_database_ok: true,
            is_journal_ok: true,
            ..Stats::default()
        };
        assert_eq!(ledger.stats(), expected);
        drop(ledger);
        test.drop().await;
    }
}

#[tokio::test]
async fn an_outage_costs_no_line_and_little_memory() {
    for test in TestDb::all().await {
        let (logs, _guard) = logs();
        let bounds = Bounds {
            requests: 50,
            backlog: 40,
            ..Bounds::default()
        };
        let ledger = open(&test, bounds);
        let entries: Vec<Entry> = (0..600).map(|_| entry()).collect();
        running(&ledger, async {
            let held = lock(&test).await;
            for part in entries.chunks(100) {
                part.iter().for_each(|entry| ledger.record(entry.clone()));
                sleep(Duration::from_millis(150)).await;
            }
            eventually(5, "journaled", async || ledger.stats().queued_lines <= 540).await;
            assert!(ledger.stats().journal_bytes > 300 * 1200);
            eventually(30, "noticed", async || !ledger.stats().is_database_ok).await;
            held.rollback().await.unwrap();
            eventually(30, "posted", async || {
                let stats = ledger.stats();
                stats.journal_bytes == 0 && stats.queued_lines == 0 && stats.is_database_ok
            })
            .await;
        })
        .await;
        assert_eq!(lines_in(&test).await, ids(&entries));
        sums_agree(&test).await;
        sums_agree(&test).await;
        let stats = ledger.stats();
        assert_eq!(stats.lost_lines, 0);
        assert!(stats.dropped_requests > 0);
        let dropped = usize::try_from(stats.dropped_requests).unwrap();
        assert_eq!(requests_in(&test).await + dropped, 600);
        assert_eq!(logs.count("the database does not take"), 1);
        assert_eq!(
            logs.count("the database takes usage and request rows again"),
            1
        );
        assert_eq!(logs.count("request log rows are being dropped"), 1);
        drop(ledger);
        test.drop().await;
    }
}

#[tokio::test]
async fn connections_that_break_again_and_again_cost_nothing() {
    let Some(test) = TestDb::postgres().await else {
        return;
    };
    let ledger = open(&test, Bounds::default());
    let breaker = test.again().await;
    let entries: Vec<Entry> = (0..500).map(|_| entry()).collect();
    running(&ledger, async {
        for part in entries.chunks(50) {
            part.iter().for_each(|entry| ledger.record(entry.clone()));
            sleep(Duration::from_millis(60)).await;
            execute(&breaker, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()").await;
        }
        eventually(30, "posted", async || {
            let stats = ledger.stats();
            stats.journal_bytes == 0 && stats.queued_lines + stats.queued_requests == 0
        })
        .await;
    })
    .await;
    assert_eq!(lines_in(&test).await, ids(&entries));
    sums_agree(&test).await;
    assert_eq!(requests_in(&test).await, 500);
    breaker.close().await.unwrap();
    drop(ledger);
    test.drop().await;
}

#[tokio::test]
async fn a_database_that_is_stopped_for_a_while_costs_no_line() {
    let Some(test) = TestDb::postgres().await else {
        return;
    };
    let (logs, _guard) = logs();
    let ledger = open(&test, Bounds::default());
    let entries: Vec<Entry> = (0..300).map(|_| entry()).collect();
    running(&ledger, async {
        entries[..100]
            .iter()
            .for_each(|entry| ledger.record(entry.clone()));
        eventually(5, "the first posted", async || {
            ledger.stats().queued_lines == 0 && ledger.stats().journal_bytes == 0
        })
        .await;
        test.stop().await;
        entries[100..200]
            .iter()
            .for_each(|entry| ledger.record(entry.clone()));
        eventually(10, "noticed", async || !ledger.stats().is_database_ok).await;
        entries[200..]
            .iter()
            .for_each(|entry| ledger.record(entry.clone()));
        sleep(Duration::from_millis(500)).await;
        test.start().await;
        eventually(20, "posted", async || {
            ledger.stats().is_database_ok && ledger.stats().journal_bytes == 0
        })
        .await;
    })
    .await;
    assert!(ledger.flush(SOON).await);
    assert_eq!(lines_in(&test).await, ids(&entries));
    sums_agree(&test).await;
    assert_eq!(requests_in(&test).await, 300);
    assert_eq!(logs.count("the database does not take"), 1);
    drop(ledger);
    test.drop().await;
}

#[tokio::test]
async fn without_the_database_the_end_leaves_lines_to_the_next_start() {
    for test in TestDb::all().await {
        let entries: Vec<Entry> = (0..50).map(|_| entry()).collect();
        let ledger = open(&test, Bounds::default());
        let held = lock(&test).await;
        running(&ledger, async {
            entries[..25]
                .iter()
                .for_each(|entry| ledger.record(entry.clone()));
            sleep(Duration::from_millis(50)).await;
            entries[25..]
                .iter()
                .for_each(|entry| ledger.record(entry.clone()));
        })
        .await;
        let began = Instant::now();
        assert!(!ledger.flush(Duration::from_millis(300)).await);
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(ledger.stats().dropped_requests, 50);
        assert_eq!(ledger.stats().lost_lines, 0);
        ledger.record(entry());
        assert_eq!(
            ledger.stats().lost_lines,
            2,
            "after the end nothing is taken"
        );
        drop(ledger);
        held.rollback().await.unwrap();

        let ledger = open(&test, Bounds::default());
        assert!(ledger.stats().journal_bytes > 0);
        running(&ledger, async {
            eventually(10, "posted", async || ledger.stats().journal_bytes == 0).await;
        })
        .await;
        assert_eq!(lines_in(&test).await, ids(&entries));
        sums_agree(&test).await;
        sums_agree(&test).await;
        drop(ledger);
        test.drop().await;
    }
}

#[tokio::test]
async fn a_flush_writes_what_nobody_has_written_yet() {
    for test in TestDb::all().await {
        let ledger = open(&test, Bounds::default());
        let entries: Vec<Entry> = (0..1300).map(|_| entry()).collect();
        entries
            .iter()
            .for_each(|entry| ledger.record(entry.clone()));
        assert_eq!(ledger.stats().queued_lines, 2600);
        assert!(ledger.flush(Duration::from_secs(20)).await);
        assert_eq!(lines_in(&test).await, ids(&entries));
        sums_agree(&test).await;
        sums_agree(&test).await;
        assert_eq!(requests_in(&test).await, 1300);
        assert_eq!(ledger.stats().journal_bytes, 0);
        drop(ledger);
        test.drop().await;
    }
}

#[tokio::test]
async fn a_flush_ends_the_writing_that_nobody_stopped() {
    let test = TestDb::sqlite().await;
    let ledger = open(&test, Bounds::default());
    let never = watch::Sender::new(false);
    let entries: Vec<Entry> = (0..100).map(|_| entry()).collect();
    let recording = async {
        for entry in &entries {
            ledger.record(entry.clone());
            sleep(Duration::from_millis(5)).await;
        }
        assert!(ledger.flush(SOON).await);
    };
    tokio::join!(ledger.run(never.subscribe()), recording);
    assert_eq!(lines_in(&test).await, ids(&entries));
    sums_agree(&test).await;
    assert_eq!(ledger.stats().journal_bytes, 0);
}

#[tokio::test]
async fn a_journal_that_takes_nothing_is_said_once_and_stops_nothing() {
    let test = TestDb::sqlite().await;
    let (logs, _guard) = logs();
    let bounds = Bounds {
        journal_bytes: 10,
        ..Bounds::default()
    };
    let ledger = open(&test, bounds);
    let entries: Vec<Entry> = (0..50).map(|_| entry()).collect();
    running(&ledger, async {
        for part in entries.chunks(10) {
            part.iter().for_each(|entry| ledger.record(entry.clone()));
            sleep(Duration::from_millis(150)).await;
        }
        eventually(5, "posted", async || lines_in(&test).await.len() == 100).await;
    })
    .await;
    assert!(!ledger.stats().is_journal_ok);
    assert_eq!(ledger.stats().lost_lines, 0);
    assert_eq!(logs.count("THE USAGE JOURNAL CANNOT BE WRITTEN"), 1);
}

#[tokio::test]
async fn only_beyond_every_bound_is_a_line_lost_and_it_is_counted() {
    let test = TestDb::sqlite().await;
    let (logs, _guard) = logs();
    let bounds = Bounds {
        requests: 3,
        lines: 10,
        backlog: 10,
        journal_bytes: 10,
    };
    let ledger = open(&test, bounds);
    let entries: Vec<Entry> = (0..30).map(|_| entry()).collect();
    running(&ledger, async {
        let held = lock(&test).await;
        for entry in &entries {
            ledger.record(entry.clone());
            sleep(Duration::from_millis(30)).await;
        }
        let lost = ledger.stats().lost_lines;
        assert!((1..60).contains(&lost), "{lost}");
        held.rollback().await.unwrap();
        eventually(20, "posted", async || {
            lines_in(&test).await.len() as u64 + lost == 60
        })
        .await;
        assert_eq!(ledger.stats().lost_lines, lost);
    })
    .await;
    assert_eq!(logs.count("USAGE LINES ARE BEING LOST"), 1);
}

#[tokio::test]
async fn a_row_the_database_refuses_does_not_hold_up_the_others() {
    for test in TestDb::all().await {
        if test.db.get_database_backend() == DbBackend::Postgres {
            execute(&test.db, "ALTER TABLE usage_lines ADD CHECK (attempt < 9)").await;
            execute(&test.db, "ALTER TABLE request_log ADD CHECK (status < 600)").await;
        } else {
            execute(&test.db, "CREATE TRIGGER a BEFORE INSERT ON usage_lines WHEN new.attempt >= 9 BEGIN SELECT RAISE(ABORT, 'no'); END").await;
            execute(&test.db, "CREATE TRIGGER b BEFORE INSERT ON request_log WHEN new.status >= 600 BEGIN SELECT RAISE(ABORT, 'no'); END").await;
        }
        let ledger = open(&test, Bounds::default());
        let mut entries: Vec<Entry> = (0..20).map(|_| entry()).collect();
        entries[7].lines[0].attempt = 9;
        entries[8].request.status = 600;
        entries
            .iter()
            .for_each(|entry| ledger.record(entry.clone()));
        assert!(ledger.flush(SOON).await);
        assert_eq!(lines_in(&test).await.len(), 39);
        assert_eq!(requests_in(&test).await, 19);
        let stats = ledger.stats();
        assert_eq!(
            (
                stats.rejected_lines,
                stats.dropped_requests,
                stats.lost_lines
            ),
            (1, 1, 0)
        );
        let kept = std::fs::read(test.dir.path().join("usage.rejected")).unwrap();
        assert_eq!(line::decode(&kept), Some(entries[7].lines[0].clone()));
        drop(ledger);
        test.drop().await;
    }
}

#[tokio::test]
async fn what_clients_send_always_fits() {
    for test in TestDb::all().await {
        let ledger = open(&test, Bounds::default());
        let mut odd = entry();
        let long = "ä\0".repeat(5000);
        odd.request.user_agent = Some(long.clone());
        odd.request.endpoint = long.clone();
        odd.request.requested_model = Some(long.clone());
        odd.request.model = Some(long.clone());
        odd.request.session_id = Some(long.clone());
        odd.request.error_message = Some(long.clone());
        odd.request.chain = serde_json::json!([{ "error": long }]).to_string();
        odd.lines[0].requested_model = Some(long.clone());
        odd.lines[0].model = Some(long.clone());
        odd.lines[0].raw = Some("{\0".to_owned());
        odd.lines[1].raw = Some("x".repeat(100_000));
        ledger.record(odd.clone());
        assert!(ledger.flush(SOON).await);
        assert_eq!(
            ledger.stats().rejected_lines + ledger.stats().dropped_requests,
            0
        );
        assert_eq!(lines_in(&test).await, ids(&[odd]));
        assert_eq!(requests_in(&test).await, 1);
        drop(ledger);
        test.drop().await;
    }
}

const CHILD_DIR: &str = "SWITCHYARD_TEST_CHILD_DIR";

/// Not a test: what the next one runs in another process, to kill it.
#[tokio::test]
#[ignore = "is run by the test below"]
async fn child() {
    let Ok(dir) = std::env::var(CHILD_DIR) else {
        return;
    };
    let dir = Path::new(&dir);
    let db = crate::store::database::connect(&crate::settings::Database::default(), dir)
        .await
        .unwrap();
    let held = db.begin().await.unwrap();
    held.execute_unprepared("UPDATE revision SET number = number")
        .await
        .unwrap();
    let ledger = Ledger::open(db, dir, Bounds::default()).unwrap();
    let mut recorded = std::fs::File::create(dir.join("recorded")).unwrap();
    running(&ledger, async {
        for _ in 0..10_000 {
            let entry = entry();
            let now = chrono::Utc::now().timestamp_millis();
            for line in &entry.lines {
                writeln!(recorded, "{now} {}", line.id).unwrap();
            }
            ledger.record(entry);
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_process_that_is_killed_has_lost_moments_at_most() {
    let test = TestDb::sqlite().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::ledger::tests::child", "--ignored"])
        .env(CHILD_DIR, test.dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let path = test.dir.path().join("recorded");
    eventually(20, "the child records", async || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.lines().count() > 800)
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let killed_at = chrono::Utc::now().timestamp_millis();

    let ledger = open(&test, Bounds::default());
    running(&ledger, async {
        eventually(20, "posted", async || ledger.stats().journal_bytes == 0).await;
    })
    .await;
    let posted = lines_in(&test).await;
    sums_agree(&test).await;
    let text = std::fs::read_to_string(&path).unwrap();
    // Twice what is promised: the machine may be busy with other tests.
    let must: Vec<Uuid> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(at, _)| at.parse::<i64>().unwrap() < killed_at - 400)
        .map(|(_, id)| id.parse().unwrap())
        .collect();
    assert!(must.len() > 100, "{}", must.len());
    let lost = must.iter().filter(|id| !posted.contains(id)).count();
    assert_eq!(lost, 0);
}

/// Every column holds what its field says: numbers that differ would tell if two were exchanged.
async fn assert_row(test: &TestDb, row: &Request) {
    let written = request_log::Entity::find_by_id(row.id).one(&test.db).await;
    let expected = request_log::Model {
        id: row.id,
        created_at: row.created_at,
        user_id: row.user_id,
        key_id: row.key_id,
        provider_id: row.provider_id,
        session_id: row.session_id.clone(),
        protocol: row.protocol.to_owned(),
        endpoint: row.endpoint.clone(),
        requested_model: row.requested_model.clone(),
        model: row.model.clone(),
        status: row.status,
        is_stream: row.is_stream,
        error_code: row.error_code.map(str::to_owned),
        error_message: row.error_message.clone(),
        input_tokens: row.input_tokens,
        cache_read_tokens: row.cache_read_tokens,
        cache_write5m_tokens: row.cache_write5m_tokens,
        cache_write1h_tokens: row.cache_write1h_tokens,
        output_tokens: row.output_tokens,
        reasoning_tokens: row.reasoning_tokens,
        cost_nano_usd: row.cost_nano_usd,
        settled_from: row.settled_from.to_owned(),
        duration_ms: row.duration_ms,
        ttfb_ms: row.ttfb_ms,
        ttft_ms: row.ttft_ms,
        overhead_us: row.overhead_us,
        request_bytes: row.request_bytes,
        response_bytes: row.response_bytes,
        client_ip: row.client_ip.clone(),
        user_agent: row.user_agent.clone(),
        client: name_of(row.user_agent.as_deref()),
        chain: serde_json::from_str(&row.chain).unwrap(),
    };
    assert_eq!(written.unwrap(), Some(expected));
}
