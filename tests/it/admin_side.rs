//! The admin side behind the public port, or on an address of its own.

use serde_json::Value;

use crate::support::{ADMIN_TOKEN, TestApp, eventually, http};

async fn get(url: String) -> (u16, String) {
    let client = http()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let response = client.get(url).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_port_serves_everything() {
    let app = TestApp::start().await;
    let base = app.base();
    for (path, status) in [
        ("/api/health/live", 200),
        ("/api/health/ready", 200),
        ("/api/health", 200),
        ("/api/v1/openapi.json", 200),
        ("/api/v1/scalar", 200),
        ("/api/v1/docs", 200),
        ("/api/actions/scalar", 308),
        ("/api/v1/users", 401),
        ("/api/v1/nothing", 404),
        ("/", 200),
    ] {
        let (got, body) = get(format!("{base}{path}")).await;
        assert_eq!(got, status, "{path}: {body}");
    }
    let (_, document) = get(format!("{base}/api/v1/openapi.json")).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert!(
        document["paths"]["/providers"].is_object()
            || document["paths"]["/api/v1/providers"].is_object()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_its_own_takes_it_off_the_public_port() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let app = TestApp::builder()
        .settings(move |settings| settings.server.admin_listen = Some(port))
        .without_key()
        .start()
        .await;
    let (status, _) = get(format!("{}/api/v1/openapi.json", app.base())).await;
    assert_eq!(status, 404);
    let (status, _) = get(format!("{}/", app.base())).await;
    assert_eq!(status, 404);
    let (status, _) = get(format!("{}/api/health/ready", app.base())).await;
    assert_eq!(status, 200);
    let (status, _) = get(format!("http://{port}/api/v1/openapi.json")).await;
    assert_eq!(status, 200);
    let (status, _) = get(format!("http://{port}/api/v1/users")).await;
    assert_eq!(status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_not_read_costs_the_next_request_nothing() {
    let app = TestApp::start().await;
    let base = app.base();
    let client = http().build().unwrap();
    for round in 0..30 {
        let refused = client
            .post(format!("{base}/api/v1/users"))
            .body(vec![b' '; 256 << 10])
            .send()
            .await;
        if let Ok(refused) = refused {
            assert_eq!(refused.status(), 401, "{round}");
        }
        let health = format!("{base}/api/health/live");
        let next = client.get(health).send().await.unwrap();
        assert_eq!(next.status(), 200, "{round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessers_behind_a_trusted_proxy_are_told_apart() {
    let app = TestApp::builder()
        .settings(|settings| settings.server.trusted_proxies = "127.0.0.0/8".parse().unwrap())
        .start()
        .await;
    let ask = async |token: &str, forwarded: &str| {
        let request = http()
            .build()
            .unwrap()
            .get(format!("{}/api/v1/me", app.base()));
        let request = request
            .bearer_auth(token)
            .header("x-forwarded-for", forwarded);
        request.send().await.unwrap().status().as_u16()
    };
    for i in 0..20 {
        assert_eq!(
            ask("sk-guess", &format!("1.1.1.{i}, 203.0.113.9")).await,
            401
        );
    }
    assert_eq!(ask("sk-guess", "203.0.113.9").await, 429);
    assert_eq!(ask("sk-guess", "203.0.113.10").await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_one_node_count_at_the_other() {
    let Ok(url) = std::env::var("TEST_REDIS_URL") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "TEST_REDIS_URL is not set"
        );
        eprintln!("skipped: TEST_REDIS_URL is not set");
        return;
    };
    let node = async || {
        let url = entity::value::Secret::new(url.as_str());
        let builder = TestApp::builder().settings(move |settings| {
            settings.redis.url = Some(url);
            settings.server.trusted_proxies = "127.0.0.0/8".parse().unwrap();
        });
        builder.start().await
    };
    let (one, two) = (node().await, node().await);
    let ask = async |app: &TestApp, token: &str, peer: &str| {
        let request = http()
            .build()
            .unwrap()
            .get(format!("{}/api/v1/me", app.base()));
        let request = request.bearer_auth(token).header("x-forwarded-for", peer);
        request.send().await.unwrap().status().as_u16()
    };
    // Until both are connected to Redis nothing is told, so it is tried with another address each time.
    let tries = std::cell::Cell::new(0);
    eventually("the other node to know of the guesses", || async {
        tries.set(tries.get() + 1);
        let peer = format!("203.0.113.{}", tries.get());
        for _ in 0..20 {
            assert_eq!(ask(&one, "sk-guess", &peer).await, 401);
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let status = ask(&two, ADMIN_TOKEN, &peer).await;
        assert!([200, 429].contains(&status), "{status}");
        (status == 429).then_some(())
    })
    .await;
}
