//! Who may do what, and what happens to those who guess.

use std::sync::atomic::Ordering;

use entity::admin_session;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{App, As, TOKEN, everywhere};

/// Operations of the document as method, address with made-up ids, and the role they need.
fn operations(app: &App) -> Vec<(String, String, Option<String>)> {
    let mut all = Vec::new();
    for (path, item) in app.document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["security"][0]["bearer"][0].as_str();
            let at = path
                .replace(
                    "requests/{id}",
                    "requests/01920000-0000-7000-8000-000000000000",
                )
                .replace("{id}", "424242")
                .replace("{dimension}", "model");
            all.push((method.to_uppercase(), at, role.map(str::to_owned)));
        }
    }
    assert!(all.len() >= 25, "{all:?}");
    all
}

#[tokio::test]
async fn each_operation_lets_in_exactly_whom_the_document_says() {
    everywhere(async |app| {
        let read_only = app.user_with_key(json!({"name": "r"}), json!({})).await.2;
        let login = json!({"canLoginWebUi": true});
        let user = app
            .user_with_key(json!({"name": "u"}), login.clone())
            .await
            .2;
        let boss = json!({"name": "a", "role": "admin"});
        let admin = app.user_with_key(boss, login).await.2;
        let callers = [
            (0, As::nobody()),
            (1, As::bearer(&read_only)),
            (2, As::bearer(&user)),
            (3, As::bearer(&admin)),
            (3, As::nobody().with("x-api-key", TOKEN)),
        ];
        for (method, at, role) in operations(app) {
            let need = match role.as_deref() {
                None => 0,
                Some("key") => 1,
                Some("user") => 2,
                Some("admin") => 3,
                Some(other) => panic!("{other}"),
            };
            app.end_what_is_endless(&at);
            for (rank, who) in &callers {
                // A body that is refused for itself shows that the caller was let in.
                let body = (method != "GET").then(|| "[]".to_owned());
                let status = app.send(who, &method, &at, body).await.status.as_u16();
                let let_in = ![401, 403].contains(&status);
                assert_eq!(let_in, *rank >= need, "{method} {at} as {rank}: {status}");
                assert!(
                    *rank > 0 || need == 0 || status == 401,
                    "{method} {at}: {status}"
                );
                assert!(status < 500, "{method} {at} as {rank}: {status}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_cookie_without_its_csrf_token_reads_and_changes_nothing() {
    everywhere(async |app| {
        let (browser, _, _) = log_in(app, TOKEN).await;
        let wrong = browser.clone().with("x-csrf-token", "0".repeat(64));
        let revision = app.revision().await;
        for (method, at, role) in operations(app) {
            if role.is_none() {
                continue;
            }
            app.end_what_is_endless(&at);
            for who in [&browser, &wrong] {
                let answer = app.send(who, &method, &at, None).await;
                if method == "GET" {
                    let status = answer.status.as_u16();
                    assert!(![401, 403].contains(&status), "{method} {at}: {status}");
                } else {
                    assert_eq!(
                        answer.expect(403).code(),
                        "csrf_token_wrong",
                        "{method} {at}"
                    );
                }
            }
        }
        assert_eq!(app.revision().await, revision);
        app.get(&browser, "/api/v1/auth/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn wrong_credentials_open_nothing_and_are_told_of_once() {
    everywhere(async |app| {
        let (browser, _, _) = log_in(app, TOKEN).await;
        let mut statuses = std::collections::BTreeSet::new();
        for (method, at, role) in operations(app) {
            if role.is_some() {
                let wrong = As::bearer("sk-wrong-0123456789");
                let status = app.send(&wrong, &method, &at, None).await.status;
                statuses.insert(status.as_u16());
            }
        }
        assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [401, 429]);
        let told = app.get(&browser, "/api/v1/audit?action=shut-out").await;
        let told = told.expect(200).json();
        assert_eq!(told["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn no_operation_reaches_another_users_things() {
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true});
        let (user, key, _) = app
            .user_with_key(json!({"name": "victim"}), login.clone())
            .await;
        let (_, _, secret) = app.user_with_key(json!({"name": "other"}), login).await;
        let (other, revision) = (As::bearer(&secret), app.revision().await);
        let mut tried = 0;
        for (path, item) in app.document["paths"].as_object().unwrap() {
            let id = match path {
                path if path.starts_with("/api/v1/users/{id}") => user,
                path if path.starts_with("/api/v1/keys/{id}") => key,
                _ => continue,
            };
            let at = path.replace("{id}", &id.to_string());
            for method in item.as_object().unwrap().keys() {
                let bodies = [
                    json!({}),
                    json!({"enabled": false}),
                    json!({"expiresAt": "2020-01-01T00:00:00Z"}),
                ];
                let mut status = 422;
                for body in bodies {
                    let body = (method != "get").then(|| body.to_string());
                    let answer = app.send(&other, &method.to_uppercase(), &at, body).await;
                    status = answer.status.as_u16();
                    if status != 422 {
                        break;
                    }
                }
                assert!([403, 404].contains(&status), "{method} {at}: {status}");
                tried += 1;
            }
        }
        assert!(tried >= 15, "{tried}");
        assert_eq!(app.revision().await, revision);
    })
    .await;
}

#[tokio::test]
async fn a_user_sees_only_the_users_own() {
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true});
        let own = json!({"name": "own", "providerGroup": "blue, red"});
        let (user, key, secret) = app.user_with_key(own, login.clone()).await;
        let (other, others_key, _) = app.user_with_key(json!({"name": "other"}), login).await;
        let me = As::bearer(&secret);
        app.get(&me, &format!("/api/v1/users/{user}"))
            .await
            .expect(200);
        app.get(&me, &format!("/api/v1/users/{other}"))
            .await
            .expect(404);
        app.get(&me, &format!("/api/v1/users/{other}/keys"))
            .await
            .expect(404);
        app.get(&me, &format!("/api/v1/keys/{others_key}"))
            .await
            .expect(404);
        app.get(&me, &format!("/api/v1/keys?userId={other}"))
            .await
            .expect(403);
        app.get(&me, &format!("/api/v1/requests?userId={other}"))
            .await
            .expect(403);
        app.get(&me, "/api/v1/requests?providerId=1")
            .await
            .expect(403);
        app.delete(&me, &format!("/api/v1/keys/{others_key}"))
            .await
            .expect(404);
        app.patch(&me, &format!("/api/v1/keys/{others_key}"), json!({}))
            .await
            .expect(404);
        app.post(&me, &format!("/api/v1/users/{other}/keys"), json!({}))
            .await
            .expect(404);
        let mine = app.get(&me, "/api/v1/keys").await.expect(200).json();
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        assert_eq!(mine["items"][0]["id"], json!(key));
    })
    .await;
}

#[tokio::test]
async fn a_user_keeps_keys_within_the_users_own_groups() {
    everywhere(async |app| {
        let own = json!({"name": "own", "providerGroup": "blue, red"});
        let login = json!({"canLoginWebUi": true});
        let (user, key, secret) = app.user_with_key(own, login).await;
        let me = As::bearer(&secret);
        let keys = format!("/api/v1/users/{user}/keys");
        app.post(&me, &keys, json!({"providerGroup": "red"}))
            .await
            .expect(201);
        let reach = app
            .post(&me, &keys, json!({"providerGroup": "red,gold"}))
            .await
            .expect(403);
        assert_eq!(reach.mistakes(), ["providerGroup"]);
        let at = format!("/api/v1/keys/{key}");
        app.patch(&me, &at, json!({"name": "mine"}))
            .await
            .expect(200);
        app.patch(&me, &at, json!({"providerGroup": null}))
            .await
            .expect(403);
        app.patch(
            &me,
            &format!("/api/v1/users/{user}"),
            json!({"role": "admin"}),
        )
        .await
        .expect(403);
    })
    .await;
}

async fn log_in(app: &App, key: &str) -> (As, Value, String) {
    let answer = app
        .post(&As::nobody(), "/api/v1/auth/login", json!({"key": key}))
        .await;
    let answer = answer.expect(200);
    let cookie = answer.header("set-cookie").to_owned();
    let pair = cookie.split(';').next().unwrap().to_owned();
    (As::nobody().with("cookie", pair), answer.json(), cookie)
}

#[tokio::test]
async fn a_session_is_opened_used_and_ended() {
    everywhere(async |app| {
        let (browser, session, cookie) = log_in(app, TOKEN).await;
        for part in [
            "; HttpOnly",
            "; SameSite=Strict",
            "; Secure",
            "; Path=/",
            "; Max-Age=604800",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let value = browser.0[0].1.split_once('=').unwrap().1.to_owned();
        assert!(value.len() >= 43, "256 bits");
        let row = admin_session::Entity::find()
            .one(&app.db)
            .await
            .unwrap()
            .unwrap();
        assert!(!row.token_hash.contains(&value) && row.key_id.is_none());
        assert_eq!(
            (&session["role"], &session["me"]["user"]),
            (&json!("admin"), &json!(null))
        );

        let read = app
            .get(&browser, "/api/v1/auth/session")
            .await
            .expect(200)
            .json();
        assert_eq!(read["csrfToken"], session["csrfToken"]);
        let csrf = session["csrfToken"].as_str().unwrap();
        let user = json!({"name": "u"});
        let forged = app
            .post(&browser, "/api/v1/users", user.clone())
            .await
            .expect(403);
        assert_eq!(forged.code(), "csrf_token_wrong");
        let wrong = browser.clone().with("x-csrf-token", "0".repeat(csrf.len()));
        app.post(&wrong, "/api/v1/users", user.clone())
            .await
            .expect(403);
        app.post(&wrong, "/api/v1/auth/logout", json!({}))
            .await
            .expect(403);
        let right = browser.clone().with("x-csrf-token", csrf);
        app.post(&right, "/api/v1/users", user).await.expect(201);

        let out = app
            .send(&right, "POST", "/api/v1/auth/logout", None)
            .await
            .expect(204);
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        let over = app.get(&browser, "/api/v1/auth/session").await.expect(401);
        assert_eq!(over.code(), "session_over");
        assert_eq!(
            admin_session::Entity::find().count(&app.db).await.unwrap(),
            0
        );
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_with_the_right_to_log_in() {
    everywhere(async |app| {
        let admin = As::admin();
        let login = json!({"canLoginWebUi": true});
        let (_, key, secret) = app.user_with_key(json!({"name": "u"}), login).await;
        let (browser, session, _) = log_in(app, &secret).await;
        assert_eq!(
            (&session["role"], &session["me"]["key"]["id"]),
            (&json!("user"), &json!(key))
        );
        let at = format!("/api/v1/keys/{key}");
        app.get(&browser, "/api/v1/keys").await.expect(200);
        app.patch(&admin, &at, json!({"canLoginWebUi": false}))
            .await
            .expect(200);
        app.get(&browser, "/api/v1/keys").await.expect(401);
        let body = json!({"key": secret});
        let refused = app
            .post(&As::nobody(), "/api/v1/auth/login", body)
            .await
            .expect(403);
        assert_eq!(refused.code(), "web_ui_not_allowed");
        app.patch(&admin, &at, json!({"canLoginWebUi": true}))
            .await
            .expect(200);
        app.get(&browser, "/api/v1/keys").await.expect(401);
        let (browser, _, _) = log_in(app, &secret).await;
        app.get(&browser, "/api/v1/keys").await.expect(200);
        app.delete(&admin, &at).await.expect(204);
        app.get(&browser, "/api/v1/keys").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn credentials_that_are_wrong_or_conflict() {
    everywhere(async |app| {
        for who in [
            As::bearer(""),
            As::bearer("sk-nobody"),
            As::bearer(&format!("admin-token:{TOKEN}")),
            As::nobody().with("authorization", format!("Basic {TOKEN}")),
            As::nobody().with("cookie", "switchyard-session=nothing"),
            As::admin().with("x-api-key", "another"),
        ] {
            let refused = app.get(&who, "/api/v1/me").await.expect(401);
            assert_eq!(refused.header("www-authenticate"), "Bearer", "{who:?}");
        }
        app.get(&As::admin().with("x-api-key", TOKEN), "/api/v1/me")
            .await
            .expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_guesser_is_shut_out_even_with_the_right_credential() {
    everywhere(async |app| {
        for i in 0..20 {
            let body = json!({"key": format!("sk-guess-{i}")});
            let who = As::bearer(&format!("sk-guess-{i}"));
            if i % 2 == 0 {
                app.post(&As::nobody(), "/api/v1/auth/login", body)
                    .await
                    .expect(401);
            } else {
                app.get(&who, "/api/v1/me").await.expect(401);
            }
        }
        let shut = app.get(&As::admin(), "/api/v1/me").await.expect(429);
        assert_eq!(shut.code(), "too_many_failures");
        let seconds: u64 = shut.header("retry-after").parse().unwrap();
        assert!((590..=601).contains(&seconds), "{seconds}");
        app.post(&As::nobody(), "/api/v1/auth/login", json!({"key": TOKEN}))
            .await
            .expect(429);
        app.get(&As::nobody(), "/api/health/live").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn health_is_public_and_honest() {
    everywhere(async |app| {
        let nobody = As::nobody();
        app.get(&nobody, "/api/health/live").await.expect(200);
        app.get(&nobody, "/api/health/ready").await.expect(200);
        let health = app.get(&nobody, "/api/health").await.expect(200).json();
        assert_eq!(
            (&health["status"], &health["version"]),
            (&json!("ok"), &json!("0.0.0-test"))
        );
        let parts = health["parts"].as_array().unwrap();
        let names: Vec<_> = parts.iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["database", "configuration"]);
        assert!(parts[0]["figures"]["latencyMs"].is_i64());
        assert_eq!(parts[1]["figures"]["journalBytes"], json!(4096));
        let behind = |health: &Value| health["parts"][1]["figures"]["revisionsBehind"].as_i64();
        let before = behind(&health).unwrap();
        let user = json!({"name": "u"});
        app.post(&As::admin(), "/api/v1/users", user)
            .await
            .expect(201);
        let health = app.get(&nobody, "/api/health").await.expect(200).json();
        assert_eq!(
            behind(&health),
            Some(before + 1),
            "this gateway never loads"
        );
        app.gateway.stopping.store(true, Ordering::SeqCst);
        let ready = app
            .get(&nobody, "/api/health/ready")
            .await
            .expect(503)
            .json();
        assert_eq!(ready, json!({"status": "stopping"}));
        app.gateway.stopping.store(false, Ordering::SeqCst);
        app.db.clone().close().await.unwrap();
        let ready = app
            .get(&nobody, "/api/health/ready")
            .await
            .expect(503)
            .json();
        assert_eq!(ready, json!({"status": "down"}));
        app.get(&nobody, "/api/health/live").await.expect(200);
        let refused = app.get(&As::bearer("sk-x"), "/api/v1/me").await.expect(503);
        assert_eq!(refused.code(), "database_unavailable");
    })
    .await;
}
