//! Moving over: the command takes over a predecessor's database while the gateway runs, and the keys people have go on working.

use std::process::Command;

use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::{TestApp, Upstream, eventually, http};

const KEY: &str = "sk-0123456789abcdef0123456789abcdef";

/// A database of the predecessor's with one user, key and provider; its address. None where there is no server.
async fn predecessor(provider: &str) -> Option<String> {
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "TEST_POSTGRES_URL is not set: run scripts/test-services run ..."
        );
        eprintln!("skipped: TEST_POSTGRES_URL is not set");
        return None;
    };
    let name = format!("hub_{}", uuid::Uuid::new_v4().simple());
    let server = sea_orm::Database::connect(&url).await.unwrap();
    let sql = format!("CREATE DATABASE {name}");
    server.execute_unprepared(&sql).await.unwrap();
    server.close().await.unwrap();
    let (server, query) = url.split_once('?').unwrap_or((&url, ""));
    let (server, _) = server.rsplit_once('/').unwrap();
    let dsn = format!("{server}/{name}?{query}");
    let db = sea_orm::Database::connect(&dsn).await.unwrap();
    let tables = include_str!("../../src/store/import/tests/predecessor.sql");
    db.execute_unprepared(tables).await.unwrap();
    let rows = format!(
        "INSERT INTO users (name) VALUES ('eve');
         INSERT INTO keys (user_id, key, name) VALUES (1, '{KEY}', 'laptop');
         INSERT INTO provider_vendors (website_domain) VALUES ('relay.example');
         INSERT INTO providers (provider_vendor_id, name, url, key, provider_type, model_redirects)
         VALUES (1, 'relay', '{provider}', 'up-imported', 'claude', '{{\"m\": \"n\"}}');"
    );
    db.execute_unprepared(&rows).await.unwrap();
    db.close().await.unwrap();
    Some(dsn)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_the_predecessor_works_here() {
    let upstream = Upstream::start().await;
    let Some(dsn) = predecessor(&upstream.url("")).await else {
        return;
    };
    let app = TestApp::start().await;
    let import = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_switchyard"))
            .current_dir(app.data_dir())
            .env_clear()
            .env("DATA_DIR", app.data_dir())
            .args(["import", "claude-code-hub", "--from", &dsn])
            .args(more)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}{error}");
        assert!(
            !text.contains(KEY) && !text.contains("up-imported"),
            "{text}"
        );
        text
    };
    let client = http().build().unwrap();
    let ask = || async {
        let request = client
            .post(format!("{}/v1/messages", app.base()))
            .bearer_auth(KEY)
            .json(&json!({"model": "m", "max_tokens": 5}));
        request.send().await.unwrap().status().as_u16()
    };
    assert!(import(&[]).contains("dry run"));
    assert_eq!(ask().await, 401);
    assert!(import(&["--apply", "--history-days", "30"]).contains("Done."));
    eventually("the imported key", || async {
        (ask().await == 200).then_some(())
    })
    .await;
    let seen = upstream.only_seen().await;
    let seen = format!("{seen:?}");
    assert!(seen.contains("up-imported"), "{seen}");
}
