//! Providers tried out, asked for their models, copied, and filled in from presets.

use admin::gateway::{TrialAsk, TrialReport, TrialUsage};
use entity::{
    provider::API_KEY_PLACE,
    value::{EgressPolicy, Sealer},
};
use serde_json::{Value, json};

use crate::support::{App, As, UPSTREAM_KEY, everywhere};

fn draft() -> Value {
    json!({
        "name": "p", "type": "openai-compatible", "url": "https://relay.example", "apiKey": UPSTREAM_KEY,
        "allowedModels": [{"match": "prefix", "pattern": "gpt"}, "gpt-x"],
        "modelRedirects": [{"source": "a", "target": "b"}],
    })
}

async fn provider(app: &App) -> String {
    let made = app.post(&As::admin(), "/api/v1/providers", draft()).await;
    made.expect(201).header("location").to_owned()
}

fn good() -> TrialReport {
    TrialReport {
        is_ok: true,
        url: Some("https://relay.example/v1/chat/completions".into()),
        status: Some(200),
        connect_ms: Some(12),
        first_byte_ms: Some(34),
        total_ms: 56,
        excerpt: "{}".into(),
        usage: Some(TrialUsage {
            input_tokens: 7,
            ..TrialUsage::default()
        }),
        ..TrialReport::default()
    }
}

#[tokio::test]
async fn a_provider_is_tried_as_it_is_and_as_it_would_be() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = format!("{}/test", provider(app).await);
        *app.gateway.report.lock().unwrap() = good();
        let revision = app.revision().await;
        let report = app.post(&admin, &at, json!({})).await.expect(200).json();
        assert_eq!(
            (
                &report["ok"],
                &report["firstByteMs"],
                &report["usage"]["inputTokens"]
            ),
            (&json!(true), &json!(34), &json!(7))
        );
        let changes = json!({"url": "https://other.example", "apiKey": "new-key", "weight": 9});
        let body = json!({"model": "m", "prompt": "hi", "stream": true, "changes": changes});
        app.post(&admin, &at, body).await.expect(200);
        let trials = std::mem::take(&mut *app.gateway.trials.lock().unwrap());
        let sealer = Sealer::new(b"test");
        let key = |i: usize| {
            sealer
                .open(API_KEY_PLACE, &trials[i].provider.api_key)
                .unwrap()
        };
        assert_eq!(key(0).expose(), UPSTREAM_KEY);
        assert_eq!(key(1).expose(), "new-key");
        assert_eq!(trials[1].provider.url, "https://other.example");
        assert_eq!(trials[1].provider.model_redirects.0.len(), 1);
        let TrialAsk::Answer {
            model, is_stream, ..
        } = &trials[0].ask
        else {
            panic!("{trials:?}")
        };
        assert_eq!((model.as_str(), *is_stream), ("gpt-x", false));
        let asked = TrialAsk::Answer {
            model: "m".into(),
            text: "hi".into(),
            is_stream: true,
        };
        assert_eq!(trials[1].ask, asked);
        assert_eq!(app.revision().await, revision, "nothing is changed by it");

        let body = json!({"provider": draft(), "model": "m"});
        app.post(&admin, "/api/v1/providers/test", body)
            .await
            .expect(200);
        let trials = std::mem::take(&mut *app.gateway.trials.lock().unwrap());
        assert_eq!(
            (trials[0].provider.id, trials[0].provider.name.as_str()),
            (0, "p")
        );
        assert_eq!(app.revision().await, revision);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_tried_is_said() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = provider(app).await;
        let mut nameless = draft();
        nameless["allowedModels"] = json!([]);
        let body = json!({"provider": nameless});
        let refused = app.post(&admin, "/api/v1/providers/test", body).await;
        assert_eq!(refused.expect(422).mistakes(), ["model"]);
        let mut bad = draft();
        bad["url"] = json!("http://169.254.169.254");
        bad["weight"] = json!(1000);
        let body = json!({"provider": bad, "model": ""});
        let refused = app.post(&admin, "/api/v1/providers/test", body).await;
        assert_eq!(refused.expect(422).mistakes(), ["model", "provider.weight"]);
        bad["weight"] = json!(1);
        let body = json!({"provider": bad, "model": "m"});
        let refused = app.post(&admin, "/api/v1/providers/test", body).await;
        assert_eq!(refused.expect(422).mistakes(), ["provider.url"]);
        let policy = serde_json::to_value(EgressPolicy::PublicOnly).unwrap();
        let settings = json!({"egressPolicy": policy});
        app.patch(&admin, "/api/v1/settings", settings)
            .await
            .expect(200);
        let body = json!({"changes": {"url": "http://127.0.0.1:9"}});
        app.post(&admin, &format!("{at}/test"), body)
            .await
            .expect(422);
        app.post(&admin, "/api/v1/providers/4711/test", json!({}))
            .await
            .expect(404);
        assert!(app.gateway.trials.lock().unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn models_are_listed_or_the_provider_is_to_blame() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = format!("{}/models", provider(app).await);
        app.gateway.report.lock().unwrap().models = vec!["a".into(), "b".into()];
        let models = app.get(&admin, &at).await.expect(200).json();
        assert_eq!(models["items"], json!(["a", "b"]));
        assert_eq!(app.gateway.trials.lock().unwrap()[0].ask, TrialAsk::Models);
        app.gateway.report.lock().unwrap().error = Some("the provider answered 401".into());
        let failed = app.get(&admin, &at).await.expect(502);
        assert_eq!(failed.code(), "upstream_failed");
        assert!(failed.text.contains("answered 401"));
    })
    .await;
}

#[tokio::test]
async fn a_copy_has_the_credential_and_is_switched_off() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = provider(app).await;
        app.send(&admin, "POST", &format!("{at}/limits/reset"), None)
            .await
            .expect(200);
        let original = app.get(&admin, &at).await.json();
        let copy = app
            .post(&admin, &format!("{at}/clone"), json!({}))
            .await
            .expect(201);
        let (location, copy) = (copy.header("location").to_owned(), copy.json());
        assert_eq!(
            (
                &copy["name"],
                &copy["isEnabled"],
                &copy["apiKeySet"],
                &copy["limitsResetAt"]
            ),
            (
                &json!("p (copy)"),
                &json!(false),
                &json!(true),
                &json!(null)
            )
        );
        for field in ["url", "allowedModels", "modelRedirects", "timeouts"] {
            assert_eq!(copy[field], original[field], "{field}");
        }
        assert_eq!(app.get(&admin, &location).await.expect(200).json(), copy);
        let again = app
            .post(&admin, &format!("{at}/clone"), json!({}))
            .await
            .expect(201);
        assert_eq!(again.json()["name"], json!("p (copy 2)"));
        let named = json!({"name": "p"});
        app.post(&admin, &format!("{at}/clone"), named)
            .await
            .expect(409);
    })
    .await;
}

#[tokio::test]
async fn every_preset_makes_a_provider() {
    everywhere(async |app| {
        let admin = As::admin();
        let presets = app.get(&admin, "/api/v1/provider-presets").await.expect(200).json();
        let presets = presets["items"].as_array().unwrap().clone();
        assert!(presets.len() > 15);
        for preset in presets {
            let provider = json!({"name": preset["id"], "type": preset["type"], "url": preset["url"], "apiKey": "k"});
            app.post(&admin, "/api/v1/providers", provider).await.expect(201);
        }
    })
    .await;
}
