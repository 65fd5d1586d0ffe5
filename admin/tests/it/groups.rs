//! Provider groups: created, read, changed, deleted.

use serde_json::json;

use crate::support::{As, everywhere};

const GROUPS: &str = "/api/v1/provider-groups";

#[tokio::test]
async fn a_group_lives_and_dies() {
    everywhere(async |app| {
        let admin = As::admin();
        let made = app
            .post(&admin, GROUPS, json!({"name": "vip"}))
            .await
            .expect(201);
        let at = made.header("location").to_owned();
        let group = made.json();
        assert_eq!(at, format!("{GROUPS}/{}", group["id"]));
        assert_eq!(
            (&group["costMultiplier"], &group["note"]),
            (&json!("1"), &json!(""))
        );

        for (given, told) in [
            (json!("0.850"), "0.85"),
            (json!(1.25), "1.25"),
            (json!(3), "3"),
            (json!(0), "0"),
            (json!(null), "1"),
        ] {
            let change = json!({"costMultiplier": given, "note": "n"});
            let group = app.patch(&admin, &at, change).await.expect(200).json();
            assert_eq!(
                (&group["costMultiplier"], &group["note"]),
                (&json!(told), &json!("n"))
            );
        }
        let stale = As::admin().with("if-match", made.header("etag"));
        app.patch(&stale, &at, json!({"note": "late"}))
            .await
            .expect(412);
        app.delete(&stale, &at).await.expect(412);

        app.delete(&admin, &at).await.expect(204);
        app.get(&admin, &at).await.expect(404);
        app.patch(&admin, &at, json!({})).await.expect(404);
        app.post(&admin, GROUPS, json!({"name": "vip"}))
            .await
            .expect(201);
    })
    .await;
}

#[tokio::test]
async fn groups_are_listed_and_their_names_are_unique() {
    everywhere(async |app| {
        let admin = As::admin();
        let made = app
            .post(&admin, GROUPS, json!({"name": "vip"}))
            .await
            .expect(201);
        let at = made.header("location").to_owned();
        let full = json!({"name": "team", "costMultiplier": "0.5", "note": "cheap"});
        app.post(&admin, GROUPS, full).await.expect(201);
        let taken = app
            .post(&admin, GROUPS, json!({"name": "vip"}))
            .await
            .expect(409);
        assert_eq!(taken.mistakes(), ["name"]);
        let taken = app
            .patch(&admin, &at, json!({"name": "team"}))
            .await
            .expect(409);
        assert_eq!(taken.mistakes(), ["name"]);
        for (query, found) in [("", 2), ("?q=CHEAP", 1), ("?q=x", 0)] {
            let list = app
                .get(&admin, &format!("{GROUPS}{query}"))
                .await
                .expect(200);
            assert_eq!(
                list.json()["items"].as_array().unwrap().len(),
                found,
                "{query}"
            );
        }
        let page = app
            .get(&admin, &format!("{GROUPS}?limit=1"))
            .await
            .expect(200)
            .json();
        let cursor = page["nextCursor"].as_str().unwrap();
        let rest = app
            .get(&admin, &format!("{GROUPS}?cursor={cursor}"))
            .await
            .expect(200)
            .json();
        assert_eq!(rest["items"][0]["name"], json!("team"));
        assert_eq!(rest["nextCursor"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn a_group_with_mistakes_is_refused() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({"name": "a,b", "costMultiplier": "-1", "note": 3, "factor": 1});
        let refused = app.post(&admin, GROUPS, body).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            ["costMultiplier", "factor", "name", "note"]
        );
        for bad in [
            json!("1e3"),
            json!(-0.5),
            json!(1e-7),
            json!("1000.1"),
            json!(true),
            json!([1]),
        ] {
            let body = json!({"name": "a", "costMultiplier": bad});
            let refused = app.post(&admin, GROUPS, body).await.expect(422);
            assert_eq!(refused.mistakes(), ["costMultiplier"], "{bad}");
        }
        let refused = app
            .post(&admin, GROUPS, json!({"note": "x"}))
            .await
            .expect(422);
        assert_eq!(refused.mistakes(), ["name"]);
        let refused = app
            .post(&admin, GROUPS, json!({"name": " "}))
            .await
            .expect(422);
        assert_eq!(refused.mistakes(), ["name"]);
    })
    .await;
}
