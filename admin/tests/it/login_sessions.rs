//! Sessions of the dashboard: which there are, and what ends them.

use serde_json::{Value, json};

use crate::support::{App, As, TOKEN, everywhere};

async fn log_in(app: &App, key: &str, agent: &str) -> As {
    let who = As::nobody().with("user-agent", agent);
    let answer = app
        .post(&who, "/api/v1/auth/login", json!({"key": key}))
        .await
        .expect(200);
    let pair = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let csrf = answer.json()["csrfToken"].as_str().unwrap().to_owned();
    As::nobody().with("cookie", pair).with("x-csrf-token", csrf)
}

async fn sessions(app: &App, who: &As) -> Vec<Value> {
    let list = app.get(who, "/api/v1/auth/sessions").await.expect(200);
    list.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_those_whose_they_are() {
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true, "name": "laptop"});
        let (user, key, secret) = app.user_with_key(json!({"name": "u"}), login.clone()).await;
        let (_, _, other) = app.user_with_key(json!({"name": "o"}), login).await;
        let here = log_in(app, &secret, "Browser/1").await;
        let there = log_in(app, &secret, "Browser/2").await;
        let others = log_in(app, &other, "Browser/3").await;
        let boss = log_in(app, TOKEN, "Browser/4").await;
        assert_eq!(sessions(app, &boss).await.len(), 4);
        assert_eq!(sessions(app, &As::admin()).await.len(), 4);
        let mine = sessions(app, &here).await;
        assert_eq!(mine.len(), 2);
        let current: Vec<_> = mine
            .iter()
            .filter(|s| s["isCurrent"] == json!(true))
            .collect();
        assert_eq!(current.len(), 1);
        assert_eq!(
            (
                &current[0]["userId"],
                &current[0]["keyId"],
                &current[0]["userAgent"]
            ),
            (&json!(user), &json!(key), &json!("Browser/1"))
        );
        let theirs = sessions(app, &others).await[0]["id"].clone();
        let at = |id: &Value| format!("/api/v1/auth/sessions/{}", id.as_str().unwrap());
        app.delete(&here, &at(&theirs)).await.expect(404);
        let ended = app.delete(&here, "/api/v1/auth/sessions").await.expect(200);
        assert_eq!(ended.json(), json!({"ended": 1}));
        app.get(&there, "/api/v1/me").await.expect(401);
        app.get(&here, "/api/v1/me").await.expect(200);
        app.delete(&boss, &at(&theirs)).await.expect(204);
        app.get(&others, "/api/v1/me").await.expect(401);
        app.delete(&boss, &at(&theirs)).await.expect(404);
        let told = app
            .get(&As::admin(), "/api/v1/audit?resource=session")
            .await
            .json();
        let actions: Vec<_> = told["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["action"].clone())
            .collect();
        assert_eq!(
            actions,
            ["logout", "logout", "login", "login", "login", "login"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_for_good_when_its_key_or_user_is_switched_off() {
    everywhere(async |app| {
        let admin = As::admin();
        let login = json!({"canLoginWebUi": true});
        let (user, key, secret) = app.user_with_key(json!({"name": "u"}), login).await;
        let (user, key) = (
            format!("/api/v1/users/{user}"),
            format!("/api/v1/keys/{key}"),
        );
        let (off, on) = (json!({"enabled": false}), json!({"enabled": true}));
        for (at, off, on) in [
            (format!("{user}/enable"), &off, &on),
            (format!("{key}/enable"), &off, &on),
        ] {
            let browser = log_in(app, &secret, "b").await;
            app.post(&admin, &at, off.clone()).await.expect(200);
            app.post(&admin, &at, on.clone()).await.expect(200);
            app.get(&browser, "/api/v1/me").await.expect(401);
        }
        let browser = log_in(app, &secret, "b").await;
        app.patch(&admin, &key, json!({"canLoginWebUi": false}))
            .await
            .expect(200);
        app.patch(&admin, &key, json!({"canLoginWebUi": true}))
            .await
            .expect(200);
        app.get(&browser, "/api/v1/me").await.expect(401);
        let browser = log_in(app, &secret, "b").await;
        app.delete(&admin, &user).await.expect(204);
        app.get(&browser, "/api/v1/me").await.expect(401);
        assert!(sessions(app, &admin).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_other_nodes_tell_of_guesses_counts() {
    everywhere(async |app| {
        for _ in 0..19 {
            app.throttle().failed(None, std::time::Instant::now());
        }
        app.get(&As::bearer("sk-guess"), "/api/v1/me")
            .await
            .expect(401);
        assert_eq!(
            app.gateway
                .failures
                .load(std::sync::atomic::Ordering::SeqCst),
            1
        );
        app.get(&As::admin(), "/api/v1/me").await.expect(429);
    })
    .await;
}
