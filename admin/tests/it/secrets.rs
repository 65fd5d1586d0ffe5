//! Nothing that is asked for shows a secret: everything is created with marked ones, then everything is read.

use serde_json::{Value, json};

use crate::support::{App, As, TOKEN, everywhere};

/// In every secret of the test, and nowhere else.
const MARK: &str = "f00dfeed";

async fn make(app: &App, at: &str, body: Value) -> Value {
    app.post(&As::admin(), at, body).await.expect(201).json()
}

/// Somewhere for messages to go, in every way that has secrets.
async fn create_targets(app: &App) {
    for (kind, more) in [
        (
            "webhook",
            json!({"url": format!("https://hook.example/{MARK}"), "headers": {"x-key": MARK}}),
        ),
        (
            "dingtalk",
            json!({"url": format!("https://ding.example/?access_token={MARK}"), "secret": MARK}),
        ),
        (
            "telegram",
            json!({"botToken": format!("1:{MARK}"), "chatId": "1"}),
        ),
    ] {
        let mut target = more;
        target["name"] = json!(kind);
        target["kind"] = json!(kind);
        make(app, "/api/v1/notifications/targets", target).await;
    }
}

/// Creates one of everything, with every secret there can be, and changes and rotates it; all secrets there were.
async fn create_everything(app: &App) -> Vec<String> {
    let admin = As::admin();
    let login = json!({"canLoginWebUi": true});
    let (user, key, first) = app.user_with_key(json!({"name": "u"}), login).await;
    let rotated = app
        .send(&admin, "POST", &format!("/api/v1/keys/{key}/rotate"), None)
        .await;
    let second = rotated.expect(200).json()["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let once = As::admin().with("idempotency-key", "one");
    let third = app
        .post(&once, &format!("/api/v1/users/{user}/keys"), json!({}))
        .await;
    let third = third.expect(201).json()["key"].as_str().unwrap().to_owned();
    let provider = json!({
        "name": "p", "type": "claude", "url": "https://relay.example",
        "apiKey": format!("sk-{MARK}-key"), "proxyUrl": format!("http://me:{MARK}-password@gate:3128"),
        "customHeaders": {"x-relay-token": format!("{MARK}-header"), "x-next": format!("https://me:{MARK}-url@next/"), "x-team": "blue"},
    });
    let provider = make(app, "/api/v1/providers", provider).await["id"].clone();
    let at = format!("/api/v1/providers/{provider}");
    let change = json!({"apiKey": format!("sk-{MARK}-other"), "proxyUrl": format!("http://{MARK}@gate:3128")});
    app.patch(&admin, &at, change).await.expect(200);
    app.post(&admin, &format!("{at}/clone"), json!({}))
        .await
        .expect(201);
    make(app, "/api/v1/provider-groups", json!({"name": "g"})).await;
    let rule = json!({"name": "r", "match": "contains", "pattern": "x", "fault": "client"});
    make(app, "/api/v1/error-rules", rule).await;
    create_targets(app).await;
    let body = json!({"key": second});
    let opened = app
        .post(&As::nobody(), "/api/v1/auth/login", body)
        .await
        .expect(200);
    let cookie = opened.header("set-cookie").split(';').next().unwrap();
    let cookie = cookie.split_once('=').unwrap().1.to_owned();
    take_along(app).await;
    // Mistakes must not be repeated with what was in them.
    let wrong = json!({"name": "", "apiKey": format!("{MARK}\nwrong"), "proxyUrl": format!("ftp://{MARK}@x")});
    let refused = app.patch(&admin, &at, wrong).await.expect(422);
    assert!(!refused.text.contains(MARK), "{}", refused.text);
    vec![
        first,
        second,
        third,
        cookie,
        MARK.to_owned(),
        TOKEN.to_owned(),
    ]
}

/// What can be taken along has the secrets sealed, and what it was sealed with is not in it.
async fn take_along(app: &App) {
    let admin = As::admin();
    let backup = json!({"passphrase": format!("{MARK} passphrase")});
    let backup = app
        .post(&admin, "/api/v1/system/backup", backup)
        .await
        .expect(200);
    assert!(!backup.text.contains(MARK), "{}", backup.text);
    for (passphrase, status) in [("passphrase", 200), ("wrong", 422)] {
        let ask = json!({"passphrase": format!("{MARK} {passphrase}"), "backup": backup.json()});
        let told = app
            .post(&admin, "/api/v1/system/restore", ask)
            .await
            .expect(status);
        assert!(!told.text.contains(MARK), "{}", told.text);
    }
}

#[tokio::test]
async fn no_operation_shows_a_secret() {
    everywhere(async |app| {
        let secrets = create_everything(app).await;
        let mut seen = 0;
        let mut texts = Vec::new();
        for (path, item) in app.document["paths"].as_object().unwrap() {
            if !item["get"].is_object() {
                continue;
            }
            for id in 1..=12 {
                let at = path
                    .replace(
                        "requests/{id}",
                        "requests/01920000-0000-7000-8000-000000000000",
                    )
                    .replace("{id}", &id.to_string())
                    .replace("{model}", "m")
                    .replace("{dimension}", "model");
                app.end_what_is_endless(&at);
                let answer = app.get(&As::admin(), &at).await;
                seen += usize::from(answer.status == 200);
                texts.push((at.clone(), answer.text));
                if at == *path {
                    break;
                }
            }
        }
        assert!(seen > 40, "{seen}");
        for (at, text) in &texts {
            for secret in &secrets {
                assert!(
                    !text.contains(secret.as_str()),
                    "{at} shows {secret}: {text}"
                );
            }
        }
        // Nor is one in the clear in any table that may be copied.
        for (table, column) in [
            ("audit", "before"),
            ("audit", "after"),
            ("idempotency", "answer"),
            ("providers", "api_key"),
            ("providers", "proxy_url"),
            ("notification_targets", "credentials"),
            ("providers", "custom_headers"),
            ("api_keys", "key_hash"),
            ("admin_sessions", "token_hash"),
        ] {
            let sql = format!("SELECT CAST(\"{column}\" AS text) FROM {table}");
            let rows = app.raw(&sql).await;
            assert!(!rows.is_empty(), "{table}");
            for secret in &secrets {
                let text = Value::from(rows.clone()).to_string();
                assert!(
                    !text.contains(secret.as_str()),
                    "{table}.{column} holds {secret}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_mark_that_comes_back_keeps_what_it_stands_for() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({"name": "p", "type": "claude", "url": "https://relay.example", "apiKey": "k",
            "customHeaders": {"x-relay-token": "first", "x-team": "blue"}});
        let made = make(app, "/api/v1/providers", body).await;
        let mark = made["customHeaders"]["x-relay-token"].clone();
        assert!(mark.as_str().unwrap().starts_with("(secret ") && made["customHeaders"]["x-team"] == "blue");
        let at = format!("/api/v1/providers/{}", made["id"]);
        let change = async |headers: Value| {
            let change = json!({ "customHeaders": headers });
            app.patch(&admin, &at, change).await
        };
        let stored = async || {
            use sea_orm::EntityTrait;
            let row = entity::provider::Entity::find().one(&app.db).await.unwrap().unwrap();
            row.custom_headers.open(&app.sealer()).unwrap()
        };
        // The mark in any case of the name keeps the value, beside others that are new.
        let kept = change(json!({"X-Relay-Token": mark, "x-team": "red", "x-auth-hint": "second"})).await.expect(200).json();
        assert_eq!(kept["customHeaders"]["X-Relay-Token"], mark);
        let now = stored().await;
        assert_eq!((now["X-Relay-Token"].as_str(), now["x-team"].as_str(), now["x-auth-hint"].as_str()), ("first", "red", "second"));
        // In another header's place, or when it is another's, it is no value; nor is it one for what is new.
        for headers in [json!({"x-other-token": mark}), json!({"X-Relay-Token": "(secret 00000000)"}), json!({"x-team": "(secret)"})] {
            let refused = change(headers.clone()).await.expect(422);
            assert_eq!(refused.json()["errors"][0]["code"], "masked", "{headers}");
        }
        let copy = json!({"name": "q", "type": "claude", "url": "https://relay.example", "apiKey": "k", "customHeaders": {"x-relay-token": mark}});
        let refused = app.post(&admin, "/api/v1/providers", copy).await.expect(422);
        assert_eq!(refused.mistakes(), ["customHeaders.x-relay-token"]);
        // What is tried with it is tried with the value.
        let ask = json!({"model": "m", "changes": {"customHeaders": {"X-Relay-Token": mark}}});
        app.post(&admin, &format!("{at}/test"), ask).await.expect(200);
        let tried = app.gateway.trials.lock().unwrap().pop().unwrap();
        assert_eq!(tried.provider.custom_headers.open(&app.sealer()).unwrap()["X-Relay-Token"], "first");
        // A new value is another mark; what is left out is gone.
        let changed = change(json!({"x-relay-token": "third"})).await.expect(200).json();
        assert_ne!(changed["customHeaders"]["x-relay-token"], mark);
        assert_eq!(stored().await.len(), 1);
    })
    .await;
}
