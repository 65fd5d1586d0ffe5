//! The same change of many: all or none.

use serde_json::json;

use crate::support::{As, everywhere};

#[tokio::test]
async fn many_users_are_changed_alike_or_none() {
    everywhere(async |app| {
        let admin = As::admin();
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            let user = json!({"name": name, "limitDailyUsd": "1", "limitWeeklyUsd": "7"});
            let made = app.post(&admin, "/api/v1/users", user).await.expect(201);
            ids.push(made.json()["id"].as_i64().unwrap());
        }
        let (revision, reloads) = (app.revision().await, app.reloads());
        let changes = json!({"tags": ["team"], "limitDailyUsd": "5", "isEnabled": false});
        let body = json!({"ids": [ids[2], ids[0]], "changes": changes});
        let changed = app.patch(&admin, "/api/v1/users", body).await.expect(200);
        let changed = changed.json()["items"].as_array().unwrap().clone();
        assert_eq!(changed.len(), 2);
        for (user, id) in changed.iter().zip([ids[0], ids[2]]) {
            assert_eq!(user["id"], json!(id));
            assert_eq!(
                (
                    &user["tags"],
                    &user["limitDailyUsd"],
                    &user["limitWeeklyUsd"]
                ),
                (&json!(["team"]), &json!("5"), &json!("7"))
            );
        }
        assert_eq!(
            (app.revision().await, app.reloads()),
            (revision + 1, reloads + 1)
        );
        let tags = app.get(&admin, "/api/v1/users/tags").await.expect(200);
        assert_eq!(tags.json(), json!({"items": ["team"]}));
        let told = app.get(&admin, "/api/v1/audit?action=update").await.json();
        assert_eq!(told["items"].as_array().unwrap().len(), 2);

        let body = json!({"ids": [ids[0], 4711, ids[1], 4712], "changes": {"note": "no"}});
        let none = app.patch(&admin, "/api/v1/users", body).await.expect(422);
        assert_eq!(none.mistakes(), ["ids[1]", "ids[3]"]);
        let list = app.get(&admin, "/api/v1/users").await.text;
        assert!(!list.contains("\"no\""));
        assert_eq!(app.revision().await, revision + 1);
    })
    .await;
}

#[tokio::test]
async fn every_mistake_of_a_batch_is_named_where_it_is() {
    everywhere(async |app| {
        let admin = As::admin();
        for (at, body, mistakes) in [
            ("users", json!({"ids": [], "changes": {}}), vec!["ids"]),
            ("users", json!({"ids": [1, 1], "changes": {"name": "x", "limitDailyUsd": "-1"}}), vec!["changes.limitDailyUsd", "changes.name", "ids[1]"]),
            ("users", json!({"ids": ["x"], "changes": {"colour": 1}}), vec!["changes.colour", "ids[0]"]),
            ("keys", json!({"changes": {"name": "x"}}), vec!["changes.name", "ids"]),
            ("providers", json!({"ids": [1], "changes": {"url": "ftp://x", "customHeaders": {"authorization": "x"}}}), vec!["changes.customHeaders.authorization", "changes.url"]),
        ] {
            let at = format!("/api/v1/{at}");
            let refused = app.patch(&admin, &at, body).await.expect(422);
            assert_eq!(refused.mistakes(), mistakes, "{at}");
        }
    })
    .await;
}

#[tokio::test]
async fn many_keys_and_many_providers_are_changed() {
    everywhere(async |app| {
        let admin = As::admin();
        let (_, one, secret) = app.user_with_key(json!({"name": "a"}), json!({})).await;
        let (_, two, _) = app.user_with_key(json!({"name": "b"}), json!({})).await;
        let found = app
            .get(&admin, "/api/v1/keys?q=DEFAULT&isEnabled=true")
            .await;
        assert_eq!(found.json()["items"].as_array().unwrap().len(), 2);
        let body = json!({"ids": [one, two], "changes": {"isEnabled": false, "rpm": 3}});
        let changed = app
            .patch(&admin, "/api/v1/keys", body)
            .await
            .expect(200)
            .json();
        assert_eq!(changed["items"][1]["rpm"], json!(3));
        app.get(&As::bearer(&secret), "/api/v1/me")
            .await
            .expect(401);
        let mut ids = Vec::new();
        for name in ["p", "q"] {
            let provider =
                json!({"name": name, "type": "claude", "url": "https://r.example", "apiKey": "k"});
            let made = app
                .post(&admin, "/api/v1/providers", provider)
                .await
                .expect(201);
            ids.push(made.json()["id"].clone());
        }
        let changes =
            json!({"priority": 7, "timeouts": {"idleMs": 5}, "proxyUrl": "http://u:pw@gate:3128"});
        let body = json!({"ids": ids, "changes": changes});
        let changed = app
            .patch(&admin, "/api/v1/providers", body)
            .await
            .expect(200)
            .json();
        for provider in changed["items"].as_array().unwrap() {
            assert_eq!(
                (
                    &provider["priority"],
                    &provider["timeouts"]["idleMs"],
                    &provider["proxy"]
                ),
                (&json!(7), &json!(5), &json!("http://gate:3128"))
            );
            assert_eq!(provider["apiKeySet"], json!(true));
        }
    })
    .await;
}
