//! Creations that are carried out once.

use std::sync::Arc;

use entity::idempotency;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait, Set};
use serde_json::{Value, json};

use crate::support::{App, As, everywhere, side_by_side};

fn with(key: &str) -> As {
    As::admin().with("idempotency-key", key)
}

async fn users(app: &App) -> usize {
    let list = app.get(&As::admin(), "/api/v1/users?limit=200").await;
    list.expect(200).json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_again_gets_the_first_answer_and_changes_nothing() {
    everywhere(async |app| {
        let who = with("a-1");
        let first = app.post(&who, "/api/v1/users", json!({"name": "u"})).await;
        let first = first.expect(201);
        let revision = app.revision().await;
        // How it is written is no matter.
        let again = app
            .send(
                &who,
                "POST",
                "/api/v1/users",
                Some("{ \"name\":\"u\" }".into()),
            )
            .await
            .expect(201);
        assert_eq!(first.json(), again.json());
        for name in ["location", "etag", "content-type"] {
            assert_eq!(first.header(name), again.header(name), "{name}");
        }
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(first.header("idempotent-replayed"), "");
        assert_eq!((users(app).await, app.revision().await), (1, revision));
        let other = app.post(&who, "/api/v1/users", json!({"name": "v"})).await;
        let other = other.expect(422);
        assert_eq!(other.code(), "idempotency_key_reused");
        assert_eq!(other.mistakes(), ["Idempotency-Key"]);
        let elsewhere = json!({"name": "u"});
        let elsewhere = app.post(&who, "/api/v1/provider-groups", elsewhere).await;
        assert_eq!(elsewhere.expect(422).code(), "idempotency_key_reused");
    })
    .await;
}

#[tokio::test]
async fn a_new_keys_secret_is_repeated_and_not_readable_in_the_database() {
    everywhere(async |app| {
        let user = app
            .post(&As::admin(), "/api/v1/users", json!({"name": "u"}))
            .await;
        let at = format!("/api/v1/users/{}/keys", user.json()["id"]);
        let first = app
            .post(&with("k"), &at, json!({}))
            .await
            .expect(201)
            .json();
        let again = app
            .post(&with("k"), &at, json!({}))
            .await
            .expect(201)
            .json();
        assert_eq!(first["key"], again["key"]);
        let secret = first["key"].as_str().unwrap();
        app.get(&As::bearer(secret), "/api/v1/me").await.expect(200);
        let row = idempotency::Entity::find().one(&app.db).await.unwrap();
        let row = row.unwrap();
        assert!(row.answer.is_some());
        let raw: Vec<Value> = app.raw("SELECT answer FROM idempotency").await;
        assert!(!raw[0].to_string().contains(secret), "{raw:?}");
        let at = format!("/api/v1/keys/{}/rotate", first["id"]);
        let new = app.send(&with("r"), "POST", &at, None).await.expect(200);
        let same = app.send(&with("r"), "POST", &at, None).await.expect(200);
        assert_eq!(new.json()["key"], same.json()["key"]);
        assert_ne!(new.json()["key"], first["key"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_and_keys_are_each_callers_own() {
    everywhere(async |app| {
        let who = with("x");
        app.post(&who, "/api/v1/users", json!({"name": ""}))
            .await
            .expect(422);
        app.post(&who, "/api/v1/users", json!({"name": "taken"}))
            .await
            .expect(201);
        app.post(&with("y"), "/api/v1/users", json!({"name": "taken"}))
            .await
            .expect(409);
        app.post(&with("y"), "/api/v1/users", json!({"name": "free"}))
            .await
            .expect(201);
        let boss = json!({"name": "boss", "role": "admin"});
        let boss = app
            .user_with_key(boss, json!({"canLoginWebUi": true}))
            .await;
        let boss = As::bearer(&boss.2).with("idempotency-key", "x");
        app.post(&boss, "/api/v1/users", json!({"name": "taken"}))
            .await
            .expect(409);
        for bad in ["", "with space", &"x".repeat(256)] {
            let refused = app
                .post(&with(bad), "/api/v1/users", json!({"name": "n"}))
                .await;
            assert_eq!(refused.expect(422).mistakes(), ["Idempotency-Key"]);
        }
    })
    .await;
}

#[tokio::test]
async fn answers_are_forgotten_after_a_day_and_a_lost_one_is_said_to_be() {
    everywhere(async |app| {
        let body = json!({"name": "u"});
        app.post(&with("a"), "/api/v1/users", body.clone())
            .await
            .expect(201);
        let row = idempotency::Entity::find().one(&app.db).await.unwrap();
        let mut row = row.unwrap().into_active_model();
        row.answer = Set(None);
        let row = row.update(&app.db).await.unwrap();
        let lost = app.post(&with("a"), "/api/v1/users", body.clone()).await;
        assert_eq!(lost.expect(409).code(), "idempotency_answer_lost");
        let mut row = row.into_active_model();
        row.expires_at = Set("2020-01-01T00:00:00Z".parse().unwrap());
        row.update(&app.db).await.unwrap();
        app.post(&with("a"), "/api/v1/users", body)
            .await
            .expect(409);
        app.post(&with("a"), "/api/v1/users", json!({"name": "v"}))
            .await
            .expect(201);
        let kept = idempotency::Entity::find().count(&app.db).await.unwrap();
        assert_eq!(kept, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_on_two_nodes_one_is_carried_out() {
    side_by_side(async |nodes| {
        let asks = (0..12).map(|i| {
            let node = nodes[i % 2].clone();
            tokio::spawn(async move {
                let body = json!({"name": "only", "note": "n"});
                let answer = node.post(&with("same"), "/api/v1/users", body).await;
                answer.expect(201).json()
            })
        });
        let mut answers = Vec::new();
        for ask in asks.collect::<Vec<_>>() {
            answers.push(ask.await.unwrap());
        }
        assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
        assert_eq!(users(&nodes[0]).await, 1);
    })
    .await;
}

/// Ten edits of one version at once, over both nodes: exactly one is made, the others are told that they came too late.
async fn race(nodes: &[Arc<App>; 2], at: &str, version: &str, edit: impl Fn(usize) -> Value) {
    assert!(version.starts_with('"') && version.len() > 3, "{version}");
    let edits = (0..10).map(|i| {
        let (node, at) = (nodes[i % 2].clone(), at.to_owned());
        let (who, body) = (As::admin().with("if-match", version), edit(i));
        tokio::spawn(async move { (node.patch(&who, &at, body.clone()).await, body) })
    });
    let mut won = Vec::new();
    for edit in edits.collect::<Vec<_>>() {
        let (answer, body) = edit.await.unwrap();
        match answer.status.as_u16() {
            200 => won.push(body),
            _ => assert_eq!(answer.expect(412).code(), "precondition_failed"),
        }
    }
    assert_eq!(won.len(), 1, "{at}: {won:?}");
    let read = nodes[1].get(&As::admin(), at).await.expect(200);
    for (field, value) in won[0].as_object().unwrap() {
        assert_eq!(read.json()[field], *value);
    }
    assert_ne!(read.header("etag"), version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_edits_of_one_version_exactly_one_wins() {
    side_by_side(async |nodes| {
        let (admin, node) = (As::admin(), &nodes[0]);
        let provider =
            json!({"name": "p", "type": "claude", "url": "https://r.example", "apiKey": "k"});
        let rule = json!({"name": "r", "match": "contains", "pattern": "x", "fault": "client"});
        for (at, body) in [
            ("/api/v1/users", json!({"name": "u"})),
            ("/api/v1/users/1/keys", json!({})),
            ("/api/v1/providers", provider),
            ("/api/v1/provider-groups", json!({"name": "g"})),
            ("/api/v1/error-rules", rule),
        ] {
            let made = node.post(&admin, at, body).await.expect(201);
            let (at, version) = (made.header("location"), made.header("etag"));
            race(nodes, at, version, |i| json!({"name": format!("n{i}")})).await;
        }
        let settings = node.get(&admin, "/api/v1/settings").await;
        let version = settings.header("etag");
        race(
            nodes,
            "/api/v1/settings",
            version,
            |i| json!({"pingSeconds": i}),
        )
        .await;
    })
    .await;
}
