//! Bad input: every mistake named, each by its path.

use serde_json::json;

use crate::support::{As, everywhere};

#[tokio::test]
async fn every_mistake_is_named_at_once() {
    everywhere(async |app| {
        let body = json!({
            "name": "", "type": "claudia", "url": "http://u:p@a.example/?x=1", "weight": 101, "priority": "high",
            "maxAttempts": 0, "timeouts": {"connectMs": -1, "idleMs": 1.5, "never": 1},
            "customHeaders": {"Authorization": "x", "bad name": "x", "x-ok": "a\nb", "X-Twice": "1", "x-twice": "2"},
            "modelRedirects": [{"source": "", "target": "t"}, {"source": "s"}], "allowedModels": ["ok", " "],
            "groupTags": [7], "isEnabled": "yes", "limitDailyUsd": "a lot", "quota": 5, "note": "a\u{0}b",
        });
        let refused = app.post(&As::admin(), "/api/v1/providers", body).await.expect(422);
        assert_eq!(refused.code(), "validation_failed");
        assert_eq!(
            refused.mistakes(),
            [
                "allowedModels[1]", "apiKey", "customHeaders.Authorization", "customHeaders.bad name",
                "customHeaders.x-ok", "customHeaders.x-twice", "groupTags[0]", "isEnabled", "limitDailyUsd",
                "maxAttempts", "modelRedirects[0].source", "modelRedirects[1].target", "name", "note", "priority", "quota",
                "timeouts.connectMs", "timeouts.idleMs", "timeouts.never", "type", "url", "weight",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn parameters_are_checked_too() {
    everywhere(async |app| {
        let admin = As::admin();
        let refused = app
            .get(
                &admin,
                "/api/v1/requests?limit=0&status=ok&from=yesterday&page=2&userId=1&userId=2",
            )
            .await
            .expect(422);
        assert_eq!(
            refused.mistakes(),
            ["from", "limit", "page", "status", "userId"]
        );
        let refused = app.get(&admin, "/api/v1/users/abc").await.expect(422);
        assert_eq!(refused.mistakes(), ["id"]);
        app.get(&admin, "/api/v1/users?limit=201").await.expect(422);
        app.get(&admin, "/api/v1/users?limit=200").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = "/api/v1/users";
        let broken = app
            .send(&admin, "POST", at, Some("{\"name\":".into()))
            .await
            .expect(400);
        assert_eq!(
            (broken.code(), broken.mistakes()),
            ("malformed_json".into(), vec!["body".into()])
        );
        let list = app.post(&admin, at, json!([])).await.expect(422);
        assert_eq!(list.mistakes(), ["body"]);
        let missing = app.post(&admin, at, json!({})).await.expect(422);
        assert_eq!(missing.mistakes(), ["name"]);
        let null = app
            .post(&admin, at, json!({"name": null}))
            .await
            .expect(422);
        assert_eq!(null.mistakes(), ["name"]);
        let blank = app
            .post(&admin, at, json!({"name": "  ", "rpms": 3}))
            .await
            .expect(422);
        assert_eq!(blank.mistakes(), ["name", "rpms"]);
        let bare = app.send(&admin, "POST", at, None).await.expect(415);
        assert_eq!(bare.code(), "unsupported_media_type");
        let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
        let huge = app.send(&admin, "POST", at, Some(huge)).await.expect(413);
        assert_eq!(huge.code(), "body_too_large");
    })
    .await;
}
