//! Users and keys switched on and off and renewed, and keys exchanged.

use serde_json::json;

use crate::support::{As, TOKEN, everywhere};

#[tokio::test]
async fn users_and_keys_are_switched_and_renewed() {
    everywhere(async |app| {
        let admin = As::admin();
        let (user, key, secret) = app.user_with_key(json!({"name": "u"}), json!({})).await;
        let me = As::bearer(&secret);
        for at in [
            format!("/api/v1/users/{user}"),
            format!("/api/v1/keys/{key}"),
        ] {
            let off = app
                .post(&admin, &format!("{at}/enable"), json!({"enabled": false}))
                .await;
            assert_eq!(off.expect(200).json()["isEnabled"], json!(false));
            app.get(&me, "/api/v1/me").await.expect(401);
            let past = json!({"expiresAt": "2020-01-01T00:00:00Z", "isEnabled": true});
            let renewed = app
                .post(&admin, &format!("{at}/renew"), past)
                .await
                .expect(200)
                .json();
            assert_eq!(
                (&renewed["isEnabled"], &renewed["expiresAt"]),
                (&json!(true), &json!("2020-01-01T00:00:00+00:00"))
            );
            app.get(&me, "/api/v1/me").await.expect(401);
            let more = json!({"expiresAt": "2099-01-01T00:00:00Z"});
            app.post(&admin, &format!("{at}/renew"), more)
                .await
                .expect(200);
            app.get(&me, "/api/v1/me").await.expect(200);
            for (verb, body, path) in [
                ("enable", json!({}), "enabled"),
                ("renew", json!({"expiresAt": null}), "expiresAt"),
            ] {
                let refused = app
                    .post(&admin, &format!("{at}/{verb}"), body)
                    .await
                    .expect(422);
                assert_eq!(refused.mistakes(), [path]);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_rotated_key_is_new_and_the_old_one_is_nobodys() {
    everywhere(async |app| {
        let login = json!({"name": "laptop", "canLoginWebUi": true, "rpm": 5});
        let (_, key, old) = app.user_with_key(json!({"name": "u"}), login).await;
        let opened = app
            .post(&As::nobody(), "/api/v1/auth/login", json!({"key": old}))
            .await
            .expect(200);
        let cookie = opened
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let browser = As::nobody().with("cookie", cookie);
        app.get(&browser, "/api/v1/keys").await.expect(200);
        let reloads = app.reloads();

        let rotated = app
            .send(
                &As::bearer(&old),
                "POST",
                &format!("/api/v1/keys/{key}/rotate"),
                None,
            )
            .await;
        let rotated = rotated.expect(200).json();
        let new = rotated["key"].as_str().unwrap().to_owned();
        assert_eq!(app.reloads(), reloads + 1);
        assert!(new.starts_with("sk-") && new != old);
        assert_eq!(
            (&rotated["id"], &rotated["name"], &rotated["rpm"]),
            (&json!(key), &json!("laptop"), &json!(5))
        );
        assert_eq!(rotated["lastFour"], json!(new[new.len() - 4..]));
        app.get(&As::bearer(&new), "/api/v1/me").await.expect(200);
        app.get(&As::bearer(&old), "/api/v1/me").await.expect(401);
        app.get(&browser, "/api/v1/keys").await.expect(401);
        let read = app
            .get(&As::bearer(TOKEN), &format!("/api/v1/keys/{key}"))
            .await
            .expect(200);
        assert!(!read.text.contains(&new));

        let (_, _, other) = app
            .user_with_key(json!({"name": "other"}), json!({"canLoginWebUi": true}))
            .await;
        app.send(
            &As::bearer(&other),
            "POST",
            &format!("/api/v1/keys/{key}/rotate"),
            None,
        )
        .await
        .expect(404);
    })
    .await;
}
