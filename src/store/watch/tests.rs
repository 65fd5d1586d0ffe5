//! Tests of the watch: freshness, and what happens while the database is away.

use super::*;
use crate::store::testing::{TestDb, eventually, execute, logs};

async fn open(test: &TestDb) -> Watch {
    let sealer = Arc::new(Sealer::new(b"master"));
    Watch::open(test.db.clone(), sealer, Tz::UTC).await.unwrap()
}

async fn set_revision(test: &TestDb, number: i64) {
    execute(&test.db, &format!("UPDATE revision SET number = {number}")).await;
}

/// Runs `watch` beside `body`.
async fn running(watch: &Watch, body: impl Future<Output = ()>) {
    let stop = tokio::sync::watch::Sender::new(false);
    let until_done = async {
        body.await;
        stop.send_replace(true);
    };
    tokio::join!(watch.run(stop.subscribe()), until_done);
}

#[tokio::test]
async fn a_change_is_live_within_two_seconds_and_at_once_when_poked() {
    for test in TestDb::all().await {
        let watch = open(&test).await;
        assert_eq!(watch.revision(), 1);
        running(&watch, async {
            set_revision(&test, 2).await;
            eventually(2, "polled", async || watch.revision() == 2).await;
            for revision in 3..8 {
                set_revision(&test, revision).await;
                watch.poke();
                let began = Instant::now();
                eventually(2, "poked", async || watch.revision() == revision).await;
                assert!(began.elapsed() < POLL_EVERY, "{:?}", began.elapsed());
            }
            // A restored backup has a smaller number.
            set_revision(&test, 4).await;
            eventually(2, "went back", async || watch.current().revision == 4).await;
        })
        .await;
        test.drop().await;
    }
}

#[tokio::test]
async fn without_a_change_the_snapshot_is_the_same_one() {
    let test = TestDb::sqlite().await;
    let watch = open(&test).await;
    let before = watch.current();
    let (a, b) = tokio::join!(watch.reload(), watch.reload());
    assert_eq!((a.unwrap(), b.unwrap()), (1, 1));
    assert!(Arc::ptr_eq(&before, &watch.current()));
    set_revision(&test, 9).await;
    assert_eq!(watch.reload().await.unwrap(), 9);
    assert_eq!(before.revision, 1, "who holds the old one keeps it");
}

#[tokio::test]
async fn an_outage_is_said_once_and_the_last_snapshot_stays() {
    for test in TestDb::all().await {
        let watch = open(&test).await;
        let (logs, _guard) = logs();
        running(&watch, async {
            execute(&test.db, "ALTER TABLE revision RENAME TO gone").await;
            for _ in 0..4 {
                watch.poke();
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(logs.count("the last one stays in force"), 1);
            assert_eq!(watch.current().revision, 1);
            execute(&test.db, "ALTER TABLE gone RENAME TO revision").await;
            set_revision(&test, 2).await;
            eventually(3, "back", async || watch.revision() == 2).await;
        })
        .await;
        assert_eq!(logs.count("the last one stays in force"), 1);
        assert_eq!(logs.count("can be read again"), 1);
        test.drop().await;
    }
}

#[tokio::test]
async fn a_stopped_database_is_found_again() {
    let Some(test) = TestDb::postgres().await else {
        return;
    };
    let watch = open(&test).await;
    let (logs, _guard) = logs();
    running(&watch, async {
        test.stop().await;
        eventually(10, "noticed", async || {
            logs.count("the last one stays in force") == 1
        })
        .await;
        test.start().await;
        eventually(10, "back", async || logs.count("can be read again") == 1).await;
        set_revision(&test, 5).await;
        eventually(5, "fresh", async || watch.revision() == 5).await;
    })
    .await;
    test.drop().await;
}

#[tokio::test]
async fn what_is_left_out_is_said_once() {
    let test = TestDb::sqlite().await;
    let sealed = "v1:AAAA";
    execute(
        &test.db,
        &format!("INSERT INTO providers (name, type, url, api_key, is_enabled, weight, priority, group_priorities, group_tags, allowed_models, model_redirects, max_attempts, timeouts, custom_headers, preserve_client_ip, created_at, updated_at) VALUES ('odd', 'codex', 'https://a', '{sealed}', 1, 1, 0, '{{}}', '[]', '[]', '[]', 1, '{{}}', '{{}}', 0, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')"),
    )
    .await;
    let (logs, _guard) = logs();
    let watch = open(&test).await;
    for revision in 2..5 {
        set_revision(&test, revision).await;
        watch.reload().await.unwrap();
    }
    assert_eq!(watch.current().left_out.len(), 1);
    assert_eq!(logs.count("left out of the configuration"), 1);
}

#[tokio::test]
async fn the_time_zone_of_the_settings_wins_over_the_fallback() {
    let test = TestDb::sqlite().await;
    let sealer = Arc::new(Sealer::new(b"master"));
    let zone = Tz::Asia__Tokyo;
    let watch = Watch::open(test.db.clone(), sealer, zone).await.unwrap();
    assert_eq!(watch.current().time_zone, zone);
    let mut settings = watch.current().settings.clone();
    for (revision, chosen) in [(2, Some(Tz::Europe__Berlin)), (3, None)] {
        settings.time_zone = chosen.map(|zone| zone.name().to_owned());
        let value = serde_json::to_string(&settings).unwrap();
        execute(&test.db, "DELETE FROM settings").await;
        execute(
            &test.db,
            &format!("INSERT INTO settings (id, value, updated_at) VALUES (1, '{value}', '2026-01-01T00:00:00Z')"),
        )
        .await;
        set_revision(&test, revision).await;
        watch.reload().await.unwrap();
        assert_eq!(watch.current().time_zone, chosen.unwrap_or(zone));
    }
}
