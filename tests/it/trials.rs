//! Providers tried out: the request really goes the way that requests of clients go.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{FakeProxy, Speaks, TestApp, Upstream};

async fn post(app: &TestApp, path: &str, body: Value) -> (u16, Value) {
    let request = app.admin(Method::POST, path).json(&body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

async fn create(app: &TestApp, provider: &Value) -> i64 {
    let (status, made) = post(app, "/providers", provider.clone()).await;
    assert_eq!(status, 201, "{made:#}");
    made["id"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_answers_and_lists_its_models() {
    let app = TestApp::start().await;
    let upstream = Upstream::start().await;
    for (kind, path) in [
        ("claude", "/v1/messages"),
        ("claude-auth", "/v1/messages"),
        ("codex", "/v1/responses"),
        ("openai-compatible", "/v1/chat/completions"),
        ("gemini", "/v1beta/models/m:generateContent"),
        ("gemini-cli", "/v1internal:generateContent"),
    ] {
        let provider = json!({"name": kind, "type": kind, "url": upstream.url(""), "apiKey": "sk-upstream-secret"});
        let id = create(&app, &provider).await;
        for stream in [false, true] {
            let body = json!({"model": "m", "stream": stream});
            let (status, report) = post(&app, &format!("/providers/{id}/test"), body).await;
            assert_eq!(
                (status, &report["ok"]),
                (200, &json!(true)),
                "{kind} {stream}: {report:#}"
            );
            assert_eq!(report["status"], json!(200));
            assert!(
                report["usage"]["outputTokens"].as_u64().unwrap() > 0,
                "{report:#}"
            );
            let url = report["url"].as_str().unwrap();
            assert!(stream || url.ends_with(path), "{url}");
            let times: Vec<u64> = ["connectMs", "firstByteMs", "totalMs"]
                .iter()
                .map(|name| report[name].as_u64().unwrap())
                .collect();
            assert!(times.is_sorted(), "{times:?}");
            assert!(!report["excerpt"].as_str().unwrap().is_empty());
        }
        let request = app.admin(Method::GET, &format!("/providers/{id}/models"));
        let response = request.send().await.unwrap();
        if kind == "gemini-cli" {
            assert_eq!(response.status(), 502);
            continue;
        }
        assert_eq!(response.status(), 200, "{kind}");
        let models: Value = response.json().await.unwrap();
        assert!(models["items"].as_array().unwrap().len() >= 3, "{models:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_without_secrets() {
    let app = TestApp::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let draft = |url: String| json!({"name": "d", "type": "claude", "url": url, "apiKey": "sk-upstream-secret"});
    let body = json!({"provider": draft(format!("http://{address}")), "model": "m"});
    let (status, report) = post(&app, "/providers/test", body).await;
    assert_eq!((status, &report["ok"]), (200, &json!(false)), "{report:#}");
    assert_eq!(
        (&report["status"], &report["connectMs"]),
        (&json!(null), &json!(null))
    );
    assert!(report["error"].as_str().unwrap().len() > 5);

    let upstream = Upstream::start().await;
    let script = "status=401;errorMessage=wrong key sk-upstream-secret".replace(' ', "%20");
    let body = json!({"provider": draft(upstream.url(&script)), "model": "m"});
    let (_, report) = post(&app, "/providers/test", body).await;
    assert_eq!(
        (&report["ok"], &report["status"]),
        (&json!(false), &json!(401)),
        "{report:#}"
    );
    // The address is the test's own doing.
    for field in ["excerpt", "error"] {
        let text = report[field].as_str().unwrap();
        assert!(!text.contains("sk-upstream-secret"), "{report:#}");
    }
    // Nothing of it is in the log of requests, and no provider was made.
    let list: Value = app
        .admin(Method::GET, "/providers")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_through_the_proxy_and_never_past_it() {
    let app = TestApp::start().await;
    let upstream = Upstream::start().await;
    let proxy = FakeProxy::start(Speaks::Http, None).await;
    let through = |proxy: String| {
        json!({
            "name": "d", "type": "openai-compatible", "url": upstream.url(""), "apiKey": "k",
            "proxyUrl": proxy, "proxyFallbackToDirect": true,
        })
    };
    let body = json!({"provider": through(format!("http://{}", proxy.address())), "model": "m"});
    let (_, report) = post(&app, "/providers/test", body).await;
    assert_eq!(report["ok"], json!(true), "{report:#}");
    assert_eq!(proxy.asked().len(), 1);
    let body = json!({"provider": through("http://127.0.0.1:9".into()), "model": "m"});
    let (_, report) = post(&app, "/providers/test", body).await;
    assert_eq!(report["ok"], json!(false), "{report:#}");
    assert!(
        report["error"].as_str().unwrap().contains("proxy"),
        "{report:#}"
    );
}
