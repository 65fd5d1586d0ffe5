//! The public port with a certificate: HTTP/2 by ALPN, HTTP/1.1 for who cannot.

use reqwest::Version;
use serde_json::{Value, json};
use switchyard::settings::Tls;

use crate::support::{TestApp, Upstream, http};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_makes_it_tls_with_http_2() {
    let files = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let upstream = Upstream::start().await;
    let app = TestApp::builder()
        .settings(|settings| settings.server.tls = Some(Tls { cert, key }))
        .start()
        .await;
    app.provider("a", "claude", &upstream.url("chunks=3"), json!({}))
        .await;
    for (version, is_http1) in [(Version::HTTP_2, false), (Version::HTTP_11, true)] {
        let mut client = http().danger_accept_invalid_certs(true);
        if is_http1 {
            client = client.http1_only();
        }
        let response = client
            .build()
            .unwrap()
            .post(format!("https://{}/v1/messages", app.authority()))
            .header("x-api-key", app.key())
            .json(&json!({"model": "m", "stream": true, "x": "a".repeat(100_000)}))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.version(), version);
        assert!(response.text().await.unwrap().contains("message_stop"));
    }
    assert_eq!(
        app.rows(2).await[0]["usage"]["outputTokens"],
        Value::from(5)
    );
}

#[tokio::test]
async fn a_certificate_that_is_none_is_an_error_that_names_the_file() {
    let data = tempfile::tempdir().unwrap();
    let cert = data.path().join("cert.pem");
    std::fs::write(&cert, "nothing").unwrap();
    let mut settings = switchyard::settings::Settings::default();
    settings.data_dir = data.path().to_owned();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings.server.tls = Some(Tls {
        cert: cert.clone(),
        key: cert,
    });
    let Err(error) = switchyard::app::App::start(settings).await else {
        panic!("started without a certificate");
    };
    assert!(error.to_string().contains("cert.pem"), "{error}");
}
