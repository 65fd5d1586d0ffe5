//! Who changed what.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{App, As, UPSTREAM_KEY, everywhere};

async fn audit(app: &App, query: &str) -> Vec<Value> {
    let list = app
        .get(&As::admin(), &format!("/api/v1/audit?{query}"))
        .await;
    let list = list.expect(200).json();
    list["items"].as_array().unwrap().clone()
}

async fn detail(app: &App, entry: &Value) -> Value {
    let at = format!("/api/v1/audit/{}", entry["id"]);
    app.get(&As::admin(), &at).await.expect(200).json()
}

#[tokio::test]
async fn a_change_is_told_with_before_and_after_and_who() {
    everywhere(async |app| {
        let boss = json!({"name": "boss", "role": "admin"});
        let login = json!({"canLoginWebUi": true, "name": "laptop"});
        let (boss, boss_key, secret) = app.user_with_key(boss, login).await;
        let me = As::bearer(&secret);
        let user = app.post(&me, "/api/v1/users", json!({"name": "u"})).await;
        let id = user.expect(201).json()["id"].clone();
        let at = format!("/api/v1/users/{id}");
        let patch = json!({"note": "new", "limitDailyUsd": "5"});
        app.patch(&me, &at, patch).await.expect(200);
        app.delete(&As::admin(), &at).await.expect(204);

        let told = audit(app, &format!("resource=user&resourceId={id}")).await;
        let actions: Vec<_> = told.iter().map(|e| e["action"].clone()).collect();
        assert_eq!(actions, ["delete", "update", "create"]);
        assert_eq!(told[1]["changed"], json!(["limitDailyUsd", "note"]));
        let actor = &told[1]["actor"];
        assert_eq!(
            (&actor["userId"], &actor["keyId"], &actor["name"]),
            (&json!(boss), &json!(boss_key), &json!("boss (laptop)"))
        );
        assert_eq!(told[0]["actor"]["keyId"], json!(null));
        let whole = detail(app, &told[1]).await;
        assert_eq!(
            (&whole["before"]["note"], &whole["after"]["note"]),
            (&json!(""), &json!("new"))
        );
        assert_eq!(detail(app, &told[2]).await["before"], json!(null));
        assert_eq!(detail(app, &told[0]).await["after"], json!(null));

        assert_eq!(audit(app, &format!("actorUserId={boss}")).await.len(), 2);
        assert_eq!(audit(app, "action=delete").await.len(), 1);
        assert_eq!(audit(app, "from=2099-01-01T00:00:00Z").await.len(), 0);
        assert_eq!(audit(app, "to=2020-01-01T00:00:00Z").await.len(), 0);
        app.get(&As::admin(), "/api/v1/audit/999999")
            .await
            .expect(404);
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_read_page_by_page_newest_first() {
    everywhere(async |app| {
        for i in 0..7 {
            let user = json!({"name": format!("u{i}")});
            app.post(&As::admin(), "/api/v1/users", user)
                .await
                .expect(201);
        }
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let at = format!("/api/v1/audit?limit=3{cursor}");
            let page = app.get(&As::admin(), &at).await.expect(200).json();
            for entry in page["items"].as_array().unwrap() {
                names.push(entry["resourceName"].as_str().unwrap().to_owned());
            }
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(names, ["u6", "u5", "u4", "u3", "u2", "u1", "u0"]);
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_a_mark_that_differs_where_secrets_differ() {
    everywhere(async |app| {
        let admin = As::admin();
        let provider = json!({
            "name": "p", "type": "claude", "url": "https://relay.example", "apiKey": UPSTREAM_KEY,
            "customHeaders": {"x-relay-token": "hidden-relay-token", "x-team": "blue"},
        });
        let made = app.post(&admin, "/api/v1/providers", provider).await;
        let id = made.expect(201).json()["id"].clone();
        let at = format!("/api/v1/providers/{id}");
        app.patch(&admin, &at, json!({"apiKey": "another"}))
            .await
            .expect(200);
        app.patch(&admin, &at, json!({"apiKey": "another", "weight": 3}))
            .await
            .expect(200);
        let told = audit(app, "resource=provider").await;
        assert_eq!(told[0]["changed"], json!(["weight"]));
        assert_eq!(told[1]["changed"], json!(["apiKey"]));
        let whole = app
            .get(&admin, &format!("/api/v1/audit/{}", told[1]["id"]))
            .await
            .expect(200);
        for secret in ["another", "hidden-relay-token"] {
            assert!(!whole.text.contains(secret), "{}", whole.text);
        }
        let whole = whole.json();
        assert!(
            whole["after"]["apiKey"]
                .as_str()
                .unwrap()
                .starts_with("(secret ")
        );
        assert_ne!(whole["before"]["apiKey"], whole["after"]["apiKey"]);
        assert_eq!(whole["after"]["customHeaders"]["x-team"], json!("blue"));
    })
    .await;
}

/// Every revision there is was made by a change the audit tells of.
pub async fn tells_of_every_revision(app: &App) {
    let mut revisions = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let at = format!("/api/v1/audit?limit=200{cursor}");
        let page = app.get(&As::admin(), &at).await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        revisions.extend(items.iter().filter_map(|e| e["revision"].as_i64()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let now = app.revision().await;
    let all: BTreeSet<i64> = (2..=now).collect();
    assert_eq!(revisions, all);
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "the table of all changes there are, on one screen"
)]
async fn every_kind_of_change_is_told() {
    everywhere(async |app| {
        let admin = As::admin();
        let (user, key, _) = app.user_with_key(json!({"name": "u"}), json!({})).await;
        let provider =
            json!({"name": "p", "type": "claude", "url": "https://r.example", "apiKey": "k"});
        let provider = app.post(&admin, "/api/v1/providers", provider).await;
        let provider = provider.expect(201).json()["id"].clone();
        let group = app
            .post(&admin, "/api/v1/provider-groups", json!({"name": "g"}))
            .await;
        let group = group.expect(201).json()["id"].clone();
        let rule = json!({"name": "r", "match": "contains", "pattern": "x", "fault": "client"});
        let rule = app.post(&admin, "/api/v1/error-rules", rule).await;
        let rule = rule.expect(201).json()["id"].clone();
        for (method, at, body, status) in [
            (
                "POST",
                format!("/api/v1/users/{user}/enable"),
                Some(json!({"enabled": true})),
                200,
            ),
            (
                "POST",
                format!("/api/v1/users/{user}/renew"),
                Some(json!({"expiresAt": "2099-01-01T00:00:00Z"})),
                200,
            ),
            (
                "POST",
                format!("/api/v1/users/{user}/limits/reset"),
                None,
                200,
            ),
            (
                "POST",
                format!("/api/v1/keys/{key}/limits/reset"),
                None,
                200,
            ),
            ("POST", format!("/api/v1/keys/{key}/rotate"), None, 200),
            (
                "PATCH",
                format!("/api/v1/keys/{key}"),
                Some(json!({"name": "n"})),
                200,
            ),
            (
                "PATCH",
                "/api/v1/users".into(),
                Some(json!({"ids": [user], "changes": {"note": "n"}})),
                200,
            ),
            (
                "POST",
                format!("/api/v1/providers/{provider}/limits/reset"),
                None,
                200,
            ),
            (
                "POST",
                format!("/api/v1/providers/{provider}/clone"),
                Some(json!({})),
                201,
            ),
            (
                "PATCH",
                format!("/api/v1/provider-groups/{group}"),
                Some(json!({"note": "n"})),
                200,
            ),
            (
                "PATCH",
                format!("/api/v1/error-rules/{rule}"),
                Some(json!({"priority": 3})),
                200,
            ),
            (
                "PATCH",
                "/api/v1/settings".into(),
                Some(json!({"pingSeconds": 5})),
                200,
            ),
            (
                "PATCH",
                "/api/v1/settings".into(),
                Some(json!({"pingSeconds": 6})),
                200,
            ),
            (
                "PUT",
                "/api/v1/prices/m".into(),
                Some(json!({"inputPerMillionUsd": "1"})),
                200,
            ),
            ("DELETE", "/api/v1/prices/m".into(), None, 204),
            ("DELETE", format!("/api/v1/error-rules/{rule}"), None, 204),
            (
                "DELETE",
                format!("/api/v1/provider-groups/{group}"),
                None,
                204,
            ),
            ("DELETE", format!("/api/v1/providers/{provider}"), None, 204),
            ("DELETE", format!("/api/v1/keys/{key}"), None, 204),
            ("DELETE", format!("/api/v1/users/{user}"), None, 204),
        ] {
            let revision = app.revision().await;
            let body = body.map(|body: Value| body.to_string());
            app.send(&admin, method, &at, body).await.expect(status);
            assert_eq!(app.revision().await, revision + 1, "{method} {at}");
        }
        tells_of_every_revision(app).await;
        // A user takes the keys along: each is told of.
        app.user_with_key(json!({"name": "v"}), json!({})).await;
        let user = app.get(&admin, "/api/v1/users?q=v").await.json()["items"][0]["id"].clone();
        app.delete(&admin, &format!("/api/v1/users/{user}"))
            .await
            .expect(204);
        let last = audit(app, "limit=2").await;
        assert_eq!(
            (&last[0]["resource"], &last[1]["resource"]),
            (&json!("user"), &json!("key"))
        );
        let reset = app
            .send(&admin, "POST", "/api/v1/breakers/reset", None)
            .await;
        reset.expect(200);
        let last = audit(app, "limit=1").await;
        assert_eq!(
            (&last[0]["action"], &last[0]["resource"]),
            (&json!("reset"), &json!("breaker"))
        );
    })
    .await;
}

#[tokio::test]
async fn the_audit_can_be_taken_along_as_a_table() {
    everywhere(async |app| {
        let admin = As::admin();
        for name in ["=ann", "bob"] {
            let body = json!({ "name": name });
            app.post(&admin, "/api/v1/users", body).await.expect(201);
        }
        app.post(&admin, "/api/v1/provider-groups", json!({"name": "g"}))
            .await
            .expect(201);
        let table = app.get(&admin, "/api/v1/audit/export?resource=user").await;
        let table = table.expect(200);
        assert!(table.header("content-disposition").contains("audit.csv"));
        let lines: Vec<_> = table.text.lines().collect();
        assert_eq!(lines.len(), 3, "{}", table.text);
        assert!(lines[0].starts_with("id,at,actorUserId,"));
        assert!(lines[1].contains(",create,user,2,bob,"), "{}", lines[1]);
        // Newest first, and nothing that a spreadsheet would run.
        assert!(lines[2].contains(",create,user,1,'=ann,"), "{}", lines[2]);
        let one = app
            .get(&admin, "/api/v1/audit/export?maxRows=1")
            .await
            .expect(200);
        assert_eq!(one.text.lines().count(), 2);
    })
    .await;
}
