//! Users, keys, providers and settings: created, read, changed, deleted.

use entity::{
    provider,
    value::{KeyHasher, Sealer},
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{As, UPSTREAM_KEY, everywhere};

#[tokio::test]
async fn a_user_lives_and_dies() {
    everywhere(async |app| {
        let admin = As::admin();
        let made = app
            .post(&admin, "/api/v1/users", json!({"name": "Ada"}))
            .await
            .expect(201);
        let user = made.json();
        let at = made.header("location").to_owned();
        assert_eq!(at, format!("/api/v1/users/{}", user["id"]));
        assert_eq!(
            (&user["role"], &user["isEnabled"]),
            (&json!("user"), &json!(true))
        );
        assert_eq!(
            (&user["tags"], &user["expiresAt"]),
            (&json!([]), &json!(null))
        );

        let change = json!({"note": "n", "tags": ["Blue"], "expiresAt": "2031-02-03T04:05:06Z"});
        let user = app.patch(&admin, &at, change).await.expect(200).json();
        assert_eq!((&user["note"], &user["name"]), (&json!("n"), &json!("Ada")));
        assert_eq!(user["expiresAt"], json!("2031-02-03T04:05:06+00:00"));
        let clear = json!({"note": null, "expiresAt": null});
        let user = app.patch(&admin, &at, clear).await.expect(200).json();
        assert_eq!(
            (&user["note"], &user["expiresAt"]),
            (&json!(""), &json!(null))
        );
        assert_eq!(user["tags"], json!(["Blue"]));

        for (query, found) in [("q=AD", 1), ("q=%25", 0), ("tag=blue", 1), ("tag=blu", 0)] {
            let list = app
                .get(&admin, &format!("/api/v1/users?{query}"))
                .await
                .expect(200);
            assert_eq!(
                list.json()["items"].as_array().unwrap().len(),
                found,
                "{query}"
            );
        }
        let again = app
            .post(&admin, "/api/v1/users", json!({"name": "Ada"}))
            .await
            .expect(409);
        assert_eq!(
            (again.code(), again.mistakes()),
            ("conflict".into(), vec!["name".into()])
        );

        app.delete(&admin, &at).await.expect(204);
        app.get(&admin, &at).await.expect(404);
        app.patch(&admin, &at, json!({"note": "x"}))
            .await
            .expect(404);
        app.delete(&admin, &at).await.expect(404);
        app.post(&admin, "/api/v1/users", json!({"name": "Ada"}))
            .await
            .expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_dies_with_its_user() {
    everywhere(async |app| {
        let admin = As::admin();
        let (user, key, secret) = app.user_with_key(json!({"name": "u"}), json!({})).await;
        assert!(secret.starts_with("sk-") && secret.len() > 40);
        let stored = entity::api_key::Entity::find_by_id(key)
            .one(&app.db)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            stored.key_hash,
            KeyHasher::new(b"test").hash(&secret).to_hex()
        );

        let at = format!("/api/v1/keys/{key}");
        let read = app.get(&admin, &at).await.expect(200);
        assert!(!read.text.contains(&secret));
        let read = read.json();
        assert_eq!(read["prefix"], json!(secret[..10]));
        assert_eq!(read["lastFour"], json!(secret[secret.len() - 4..]));
        assert_eq!(
            (&read["name"], &read["canLoginWebUi"]),
            (&json!("default"), &json!(false))
        );

        let holder = As::bearer(&secret);
        app.get(&holder, "/api/v1/me").await.expect(200);
        app.patch(&admin, &at, json!({"isEnabled": false}))
            .await
            .expect(200);
        app.get(&holder, "/api/v1/me").await.expect(401);
        app.patch(&admin, &at, json!({"isEnabled": null, "name": "n"}))
            .await
            .expect(200);
        app.get(&holder, "/api/v1/me").await.expect(200);
        app.patch(&admin, &at, json!({"expiresAt": "2001-01-01T00:00:00Z"}))
            .await
            .expect(200);
        app.get(&holder, "/api/v1/me").await.expect(401);
        app.patch(&admin, &at, json!({"expiresAt": null}))
            .await
            .expect(200);

        let list = app
            .get(&admin, &format!("/api/v1/keys?userId={user}"))
            .await
            .expect(200);
        assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
        app.delete(&admin, &format!("/api/v1/users/{user}"))
            .await
            .expect(204);
        app.get(&holder, "/api/v1/me").await.expect(401);
        app.get(&admin, &at).await.expect(404);
        let list = app.get(&admin, "/api/v1/keys").await.expect(200);
        assert_eq!(list.json()["items"], json!([]));
        let keys = format!("/api/v1/users/{user}/keys");
        app.post(&admin, &keys, json!({})).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_provider_keeps_its_credential_to_itself() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({"name": "p", "type": "claude", "url": "https://a.example", "apiKey": UPSTREAM_KEY});
        let made = app.post(&admin, "/api/v1/providers", body).await.expect(201);
        let at = made.header("location").to_owned();
        let provider = made.json();
        let defaults = json!([1, 0, 1, true, [], {}]);
        let told = ["weight", "priority", "maxAttempts", "isEnabled", "allowedModels", "customHeaders"];
        assert_eq!(json!(told.map(|field| &provider[field])), defaults);
        assert_eq!(provider["timeouts"]["connectMs"], json!(10_000));
        assert_eq!(provider["apiKeySet"], json!(true));

        let change = json!({
            "timeouts": {"idleMs": 5}, "weight": 7, "groupPriorities": {"blue": -1},
            "modelRedirects": [{"source": "a", "target": "b"}], "customHeaders": {"x-team": "blue"},
            "type": "gemini-cli",
        });
        let changed = app.patch(&admin, &at, change).await.expect(200);
        assert!(!changed.text.contains(UPSTREAM_KEY));
        let changed = changed.json();
        assert_eq!(changed["timeouts"], json!({"connectMs": 10_000, "firstByteMs": 120_000, "firstContentMs": 300_000, "idleMs": 5, "totalMs": 600_000}));
        assert_eq!((&changed["type"], &changed["weight"]), (&json!("gemini-cli"), &json!(7)));
        let change = json!({"timeouts": {"idleMs": null}, "weight": null, "apiKey": "sk-other"});
        let changed = app.patch(&admin, &at, change).await.expect(200).json();
        assert_eq!((&changed["timeouts"]["idleMs"], &changed["weight"]), (&json!(120_000), &json!(1)));

        let row = provider::Entity::find().one(&app.db).await.unwrap().unwrap();
        let opened = Sealer::new(b"test").open(provider::API_KEY_PLACE, &row.api_key);
        assert_eq!(opened.unwrap().expose(), "sk-other");
        let list = app.get(&admin, "/api/v1/providers?q=A.EXAMPLE").await.expect(200);
        assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
        assert!(!list.text.contains("sk-other"));
        app.delete(&admin, &at).await.expect(204);
        app.get(&admin, &at).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn the_egress_policy_binds_providers() {
    everywhere(async |app| {
        let admin = As::admin();
        let local =
            json!({"name": "l", "type": "codex", "url": "http://127.0.0.1:1", "apiKey": "k"});
        let made = app
            .post(&admin, "/api/v1/providers", local.clone())
            .await
            .expect(201);
        let at = made.header("location").to_owned();
        let read = app.get(&admin, "/api/v1/settings").await.expect(200).json();
        assert_eq!(read["egressPolicy"], json!("allow-private"));
        let strict = json!({"egressPolicy": "public-only"});
        app.patch(&admin, "/api/v1/settings", strict.clone())
            .await
            .expect(200);
        let read = app.get(&admin, "/api/v1/settings").await.expect(200).json();
        assert_eq!(read["egressPolicy"], strict["egressPolicy"]);
        let mut other = local;
        other["name"] = json!("m");
        let refused = app
            .post(&admin, "/api/v1/providers", other.clone())
            .await
            .expect(422);
        assert_eq!(refused.mistakes(), ["url"]);
        let refused = app
            .patch(&admin, &at, json!({"url": "http://10.0.0.1"}))
            .await
            .expect(422);
        assert_eq!(refused.mistakes(), ["url"]);
        app.patch(&admin, "/api/v1/settings", json!({"egressPolicy": null}))
            .await
            .expect(200);
        app.post(&admin, "/api/v1/providers", other)
            .await
            .expect(201);
    })
    .await;
}

/// Changes one after another, each with the status it gets.
fn changes() -> Vec<(&'static str, &'static str, Value, u16)> {
    let provider =
        json!({"name": "p", "type": "claude", "url": "https://a.example", "apiKey": "k"});
    let rule = json!({"name": "r", "match": "contains", "pattern": "(", "fault": "key"});
    vec![
        ("POST", "/api/v1/users", json!({"name": "a"}), 201),
        ("PATCH", "/api/v1/users/1", json!({"note": "x"}), 200),
        ("POST", "/api/v1/users/1/keys", json!({}), 201),
        ("PATCH", "/api/v1/keys/1", json!({"name": "x"}), 200),
        ("POST", "/api/v1/providers", provider.clone(), 201),
        ("PATCH", "/api/v1/providers/1", json!({"weight": 2}), 200),
        (
            "PATCH",
            "/api/v1/settings",
            json!({"egressPolicy": "public-only"}),
            200,
        ),
        ("POST", "/api/v1/provider-groups", json!({"name": "g"}), 201),
        (
            "PATCH",
            "/api/v1/provider-groups/1",
            json!({"note": "x"}),
            200,
        ),
        ("POST", "/api/v1/error-rules", rule.clone(), 201),
        (
            "PATCH",
            "/api/v1/error-rules/1",
            json!({"priority": 2}),
            200,
        ),
        ("POST", "/api/v1/users", json!({"name": "a"}), 409),
        ("POST", "/api/v1/provider-groups", json!({"name": "g"}), 409),
        (
            "PATCH",
            "/api/v1/error-rules/1",
            json!({"match": "regex"}),
            422,
        ),
        ("POST", "/api/v1/providers", provider, 409),
        (
            "PATCH",
            "/api/v1/providers/1",
            json!({"url": "http://10.0.0.1"}),
            422,
        ),
        ("PATCH", "/api/v1/users/99", json!({}), 404),
        ("DELETE", "/api/v1/provider-groups/1", json!({}), 204),
        ("DELETE", "/api/v1/error-rules/1", json!({}), 204),
        ("DELETE", "/api/v1/keys/1", json!({}), 204),
        ("DELETE", "/api/v1/providers/1", json!({}), 204),
        ("DELETE", "/api/v1/users/1", json!({}), 204),
    ]
}

#[tokio::test]
async fn every_change_bumps_the_revision_and_reloads_and_a_refused_one_does_neither() {
    everywhere(async |app| {
        let admin = As::admin();
        let mut before = (app.revision().await, app.reloads());
        for (method, at, body, status) in changes() {
            app.send(&admin, method, at, Some(body.to_string()))
                .await
                .expect(status);
            let now = (app.revision().await, app.reloads());
            let step = if status < 300 { 1 } else { 0 };
            assert_eq!(
                now,
                (before.0 + step, before.1 + step as usize),
                "{method} {at} {status}"
            );
            before = now;
        }
    })
    .await;
}

#[tokio::test]
async fn two_admins_do_not_overwrite_each_other() {
    everywhere(async |app| {
        let admin = As::admin();
        let made = app
            .post(&admin, "/api/v1/users", json!({"name": "a"}))
            .await
            .expect(201);
        let at = made.header("location").to_owned();
        let first = As::admin().with("if-match", made.header("etag"));
        let changed = app
            .patch(&first, &at, json!({"note": "one"}))
            .await
            .expect(200);
        let late = app
            .patch(&first, &at, json!({"note": "two"}))
            .await
            .expect(412);
        assert_eq!(late.code(), "precondition_failed");
        app.delete(&first, &at).await.expect(412);
        let read = app.get(&admin, &at).await.expect(200);
        assert_eq!(read.json()["note"], json!("one"));
        assert_eq!(read.header("etag"), changed.header("etag"));
        let second = As::admin().with("if-match", read.header("etag"));
        app.delete(&second, &at).await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn lists_are_walked_by_cursor() {
    everywhere(async |app| {
        let admin = As::admin();
        for i in 0..7 {
            let body = json!({"name": format!("user {i}")});
            app.post(&admin, "/api/v1/users", body).await.expect(201);
        }
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let at = format!("/api/v1/users?limit=3{cursor}");
            let page = app.get(&admin, &at).await.expect(200).json();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 3 && !items.is_empty());
            names.extend(items.iter().map(|u| u["name"].as_str().unwrap().to_owned()));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(
            names,
            (0..7).map(|i| format!("user {i}")).collect::<Vec<_>>()
        );
        let bad = app.get(&admin, "/api/v1/users?cursor=!!").await.expect(422);
        assert_eq!(bad.mistakes(), ["cursor"]);
    })
    .await;
}
