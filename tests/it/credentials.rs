//! Who may call, decided from the head alone; and nothing of a client's credential goes upstream.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{RawClient, TestApp, Upstream, http};

/// A path of each dialect, and where its error has type and message.
const DIALECTS: [(&str, &str, &str); 3] = [
    ("/v1/messages", "/error/type", "authentication_error"),
    ("/v1/chat/completions", "/error/code", "invalid_api_key"),
    (
        "/v1beta/models/g:generateContent",
        "/error/status",
        "UNAUTHENTICATED",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_credential_is_refused_before_the_body_in_the_callers_dialect() {
    let app = TestApp::start().await;
    let mut rows = 0;
    for (path, pointer, expected) in DIALECTS {
        for headers in [
            String::new(),
            "Authorization: Bearer sk-wrong\r\n".to_owned(),
            "Authorization: Basic abc\r\n".to_owned(),
            format!(
                "x-api-key: {}\r\nAuthorization: Bearer sk-other\r\n",
                app.key()
            ),
        ] {
            let mut client = RawClient::connect(app.authority()).await;
            // A body is announced and never sent: an answer can only come from the head.
            client
                .send(format!(
                    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n{headers}\r\n"
                ))
                .await;
            let response = client.response().await;
            assert_eq!(response.status, 401, "{path} {headers}");
            let body: Value = serde_json::from_slice(&response.body).unwrap();
            if headers.contains("sk-wrong") {
                assert_eq!(body.pointer(pointer).unwrap(), expected, "{body}");
            }
            assert!(
                response.head.contains("x-request-id: "),
                "{}",
                response.head
            );
            rows += 1;
        }
    }
    for row in app.rows(rows).await {
        assert_eq!(row["status"], 401);
        assert_eq!(row["userId"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_place_for_a_credential_works_and_none_reaches_the_upstream() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let url = upstream.url("");
    for (name, kind) in [
        ("a", "claude"),
        ("b", "codex"),
        ("c", "openai-compatible"),
        ("d", "gemini"),
        ("e", "gemini-cli"),
    ] {
        app.provider(name, kind, &url, json!({})).await;
    }
    let key = app.key().to_owned();
    let paths = [
        ("/v1/messages", "x-api-key", "up-a"),
        ("/v1/responses", "authorization", "Bearer up-b"),
        ("/v1/chat/completions", "authorization", "Bearer up-c"),
        ("/v1beta/models/m:generateContent", "x-goog-api-key", "up-d"),
        ("/v1internal:generateContent", "x-goog-api-key", "up-e"),
    ];
    let http = http().build().unwrap();
    for (path, header, credential) in paths {
        for place in ["authorization", "x-api-key", "x-goog-api-key", "query"] {
            upstream.recorder().clear();
            let query = if place == "query" {
                format!("?beta=true&key={key}&alt=json")
            } else {
                "?beta=true&alt=json".to_owned()
            };
            let mut request = http
                .request(Method::POST, format!("{}{path}{query}", app.base()))
                .header("cookie", "session=secret")
                .header("proxy-authorization", "Basic secret")
                .json(&json!({"model": "m", "messages": [], "input": [], "contents": []}));
            request = match place {
                "query" => request,
                "authorization" => request.header(place, format!("bearer {key}")),
                _ => request.header(place, &key),
            };
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 200, "{path} {place}");
            let seen = upstream.only_seen().await;
            let everything = format!("{:?} {}", seen.headers, seen.path_and_query);
            assert!(!everything.contains(&key), "{path} {place}: {everything}");
            assert!(
                !everything.contains("secret"),
                "{path} {place}: {everything}"
            );
            assert_eq!(seen.header(header), Some(credential), "{path} {place}");
            assert!(
                seen.path_and_query.ends_with("?beta=true&alt=json"),
                "{everything}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_users_that_are_off_or_over_are_refused() {
    let app = TestApp::start().await;
    let user = app.create("/users", json!({"name": "bob"})).await;
    let path = format!("/users/{}/keys", user["id"]);
    let key = app.create(&path, json!({"name": "k"})).await;
    let key_path = format!("/keys/{}", key["id"]);
    let user_path = format!("/users/{}", user["id"]);
    let changes = [
        (
            &key_path,
            json!({"isEnabled": false}),
            json!({"isEnabled": true}),
            "disabled",
        ),
        (
            &key_path,
            json!({"expiresAt": "2020-01-01T00:00:00Z"}),
            json!({"expiresAt": null}),
            "expired",
        ),
        (
            &user_path,
            json!({"isEnabled": false}),
            json!({"isEnabled": true}),
            "disabled",
        ),
        (
            &user_path,
            json!({"expiresAt": "2020-01-01T00:00:00Z"}),
            json!({"expiresAt": null}),
            "expired",
        ),
    ];
    let secret = key["key"].as_str().unwrap();
    let ask = || async {
        let response = http()
            .build()
            .unwrap()
            .post(format!("{}/v1/messages", app.base()))
            .header("x-api-key", secret)
            .json(&json!({"model": "m"}))
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for (path, change, back, word) in changes {
        let changed = app
            .admin(Method::PATCH, path)
            .json(&change)
            .send()
            .await
            .unwrap();
        assert_eq!(changed.status(), 200, "{}", changed.text().await.unwrap());
        let (status, text) = ask().await;
        assert_eq!(status, 401, "{change}");
        assert!(text.contains(word), "{text}");
        app.admin(Method::PATCH, path)
            .json(&back)
            .send()
            .await
            .unwrap();
        let (status, _) = ask().await;
        assert_eq!(status, 503, "good again, and no provider to serve it");
    }
    let gone = app.admin(Method::DELETE, &user_path).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(ask().await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_client_that_still_sends_sees_the_refusal_and_may_go_on() {
    let app = TestApp::start().await;
    let mut client = RawClient::connect(app.authority()).await;
    let body = vec![b' '; 3_000_000];
    for _ in 0..2 {
        client
            .send(format!(
                "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: sk-wrong\r\nContent-Length: {}\r\n\r\n",
                body.len()
            ))
            .await;
        client.send(&body).await;
        assert_eq!(client.response().await.status, 401);
    }
}
