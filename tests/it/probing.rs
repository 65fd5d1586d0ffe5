//! Providers with an open breaker are asked whether they are back, where that is wanted.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use switchyard::mock::Seen;

use crate::support::{FakeProxy, Speaks, TestApp, Upstream, eventually};

fn body(text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]})
}

fn breaking() -> Value {
    json!({"breaker": {"failureThreshold": 3, "openSeconds": 600, "halfOpenSuccesses": 2}})
}

async fn set(app: &TestApp, settings: Value) {
    let request = app.admin(Method::PATCH, "/settings").json(&settings);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
}

async fn breaker(app: &TestApp, id: i64) -> Value {
    let path = format!("/providers/{id}/breaker");
    let response = app.admin(Method::GET, &path).send().await.unwrap();
    let all: Value = response.json().await.unwrap();
    all["items"][0].clone()
}

/// Requests until the provider's breaker is open. None of them fails, because another provider stands by.
async fn open(app: &TestApp, id: i64) -> Value {
    for n in 0..5 {
        let response = app.post("/v1/messages", &body(&n.to_string())).await;
        assert_eq!(response.status(), 200);
    }
    let state = breaker(app, id).await;
    assert_eq!(state["state"], "open", "{state:#}");
    state
}

/// A breaker is as it was. Times are kept by the clock that only goes forward, and waver by a little on the wall.
fn assert_unchanged(now: &Value, before: &Value) {
    for field in ["state", "reason", "consecutiveFailures", "timesOpened"] {
        assert_eq!(now[field], before[field], "{now:#}");
    }
    for field in ["openedAt", "openUntil"] {
        let of = |breaker: &Value| {
            let text = breaker[field].as_str().unwrap();
            chrono::DateTime::parse_from_rfc3339(text).unwrap()
        };
        let change = of(now) - of(before);
        assert!(change.num_milliseconds().abs() < 500, "{field}: {now:#}");
    }
    assert_eq!(samples(now), samples(before), "{now:#}");
}

fn samples(breaker: &Value) -> usize {
    breaker["samples"].as_array().unwrap().len()
}

/// What the provider saw of clients' requests, and of probes.
fn seen(upstream: &Upstream) -> (Vec<Seen>, Vec<Seen>) {
    let seen = upstream.recorder().seen();
    seen.into_iter().partition(|seen| seen.method == "POST")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recovered_provider_gets_traffic_before_its_time_and_no_request_pays_for_it() {
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    set(&app, json!({"probeSeconds": 1})).await;
    let mut more = breaking();
    more["customHeaders"] = json!({"x-team": "blue"});
    let id = app
        .provider("bad", "claude", &bad.url("status=503;times=3"), more)
        .await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    open(&app, id).await;
    let begun = Instant::now();
    eventually("it is asked again", || async {
        let response = app
            .post("/v1/messages", &body(&format!("{:?}", begun.elapsed())))
            .await;
        assert_eq!(response.status(), 200);
        (seen(&bad).0.len() > 3).then_some(())
    })
    .await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    eventually("the breaker is closed", || async {
        (breaker(&app, id).await["state"] == "closed").then_some(())
    })
    .await;

    let (_, probes) = seen(&bad);
    assert!(!probes.is_empty());
    for probe in probes {
        assert_eq!(probe.method, "GET");
        assert!(probe.path_and_query.ends_with("/v1/models"), "{probe:?}");
        assert_eq!(probe.body_len, 0);
        assert_eq!(probe.header("x-api-key"), Some("up-bad"));
        assert_eq!(probe.header("x-team"), Some("blue"));
        assert!(!format!("{probe:?}").contains(app.key()), "{probe:?}");
    }
    assert!(seen(&good).1.is_empty(), "nobody asks who is well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_costs_the_breaker_nothing_until_it_is_good_and_probing_is_off_by_default() {
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let script = bad.url("status=503;times=5");
    let id = app.provider("bad", "claude", &script, breaking()).await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    let before = open(&app, id).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_unchanged(&breaker(&app, id).await, &before);
    assert_eq!((seen(&bad).0.len(), seen(&bad).1.len()), (3, 0));

    set(&app, json!({"probeSeconds": 1})).await;
    eventually("two bad probes", || async {
        (seen(&bad).1.len() == 2).then_some(())
    })
    .await;
    // The next is good, and a second away.
    assert_unchanged(&breaker(&app, id).await, &before);
    // Two good ones close it, though nobody asked for anything.
    let closed = eventually("the breaker is closed", || async {
        let state = breaker(&app, id).await;
        (state["state"] == "closed").then_some(state)
    })
    .await;
    assert_eq!(samples(&closed), samples(&before), "{closed:#}");
    assert_eq!((seen(&bad).0.len(), seen(&bad).1.len()), (3, 4));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(seen(&bad).1.len(), 4, "nobody asks who is well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_behind_a_proxy_is_asked_through_it() {
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let proxy = FakeProxy::start(Speaks::Http, None).await;
    let app = TestApp::start().await;
    set(&app, json!({"probeSeconds": 1})).await;
    let mut more = breaking();
    more["proxyUrl"] = json!(format!("http://{}", proxy.address()));
    let id = app
        .provider("bad", "claude", &bad.url("status=503;times=3"), more)
        .await;
    app.provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    open(&app, id).await;
    let tunnels = proxy.asked().len();
    eventually("the breaker is closed", || async {
        (breaker(&app, id).await["state"] == "closed").then_some(())
    })
    .await;
    assert_eq!(seen(&bad).1.len(), 2);
    assert_eq!(proxy.asked().len(), tunnels + 2);
}
