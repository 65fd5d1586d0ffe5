//! How providers are chosen and reached: their fields, their breakers, their health, and what would happen to a request.

use std::sync::PoisonError;

use admin::gateway::{Explain, Protocol};
use entity::{
    provider,
    value::{Sealer, Strings},
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{App, As, PROXY_PASSWORD, everywhere};

const PROVIDERS: &str = "/api/v1/providers";

fn minimal(name: &str) -> Value {
    json!({"name": name, "type": "claude", "url": "https://a.example", "apiKey": "k"})
}

async fn create(app: &App, name: &str) -> String {
    let made = app.post(&As::admin(), PROVIDERS, minimal(name)).await;
    made.expect(201).header("location").to_owned()
}

/// The fields of routing, as a provider that says nothing of them has them.
fn defaults() -> Value {
    json!({
        "endpoints": [], "allowedClients": [], "blockedClients": [], "activeTime": null, "costMultiplier": "1",
        "breaker": {"failureThreshold": 5, "failurePercent": 50, "openSeconds": 60, "halfOpenSuccesses": 2},
        "healthCheck": {"kind": "off", "path": "/", "intervalSeconds": 30},
        "hedgeAfterMs": 0, "limitConcurrentRequests": 0, "proxy": null, "proxyFallbackToDirect": false,
    })
}

#[track_caller]
fn holds(provider: &Value, fields: &Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&provider[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_provider_keeps_how_it_is_chosen_and_reached() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = create(app, "p").await;
        holds(&app.get(&admin, &at).await.expect(200).json(), &defaults());

        let fields = json!({
            "endpoints": ["https://b.example/api", "http://10.0.0.5:8080"],
            "allowedClients": ["claude-code"], "blockedClients": ["codex"],
            "activeTime": {"start": "22:00", "end": "06:30"}, "costMultiplier": "0.85",
            "breaker": {"failureThreshold": 0, "failurePercent": 100, "openSeconds": 5, "halfOpenSuccesses": 1},
            "healthCheck": {"kind": "http", "path": "/health?x=1", "intervalSeconds": 10},
            "hedgeAfterMs": 1500, "limitConcurrentRequests": 7, "proxyFallbackToDirect": true,
            "timeouts": {"connectMs": 1, "firstByteMs": 2, "firstContentMs": 3, "idleMs": 4, "totalMs": 5},
            "allowedModels": ["a", {"match": "prefix", "pattern": "gpt-"}, {"match": "regex", "pattern": "^x(1|2)$"}],
            "modelRedirects": [
                {"match": "suffix", "source": "-old", "target": "new"}, {"match": "exact", "source": "s", "target": "t"},
            ],
        });
        let changed = app.patch(&admin, &at, fields.clone()).await.expect(200);
        holds(&changed.json(), &fields);
        let mut whole = minimal("whole");
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let made = app.post(&admin, PROVIDERS, whole).await.expect(201);
        holds(&made.json(), &fields);

        let parts = json!({
            "breaker": {"openSeconds": null, "failureThreshold": 9}, "healthCheck": {"kind": "tcp", "path": null},
            "timeouts": {"firstContentMs": null}, "costMultiplier": 2,
        });
        let merged = app.patch(&admin, &at, parts).await.expect(200).json();
        let breaker = json!({"failureThreshold": 9, "failurePercent": 100, "openSeconds": 60, "halfOpenSuccesses": 1});
        holds(&merged, &json!({
            "breaker": breaker, "healthCheck": {"kind": "tcp", "path": "/", "intervalSeconds": 10}, "costMultiplier": "2",
            "timeouts": {"connectMs": 1, "firstByteMs": 2, "firstContentMs": 300_000, "idleMs": 4, "totalMs": 5},
            "endpoints": fields["endpoints"],
        }));

        let mut nothing = defaults();
        let fields = nothing.as_object_mut().unwrap();
        fields.remove("proxy");
        fields.insert("allowedModels".into(), json!(null));
        fields.values_mut().for_each(|value| *value = json!(null));
        let back = app.patch(&admin, &at, nothing).await.expect(200).json();
        holds(&back, &defaults());
        holds(&back, &json!({"allowedModels": []}));
    })
    .await;
}

#[tokio::test]
async fn a_plain_rule_is_an_exact_one() {
    everywhere(async |app| {
        let at = create(app, "p").await;
        let change = json!({
            "allowedModels": [{"match": "exact", "pattern": "a"}, {"pattern": "b"}, {"match": "contains", "pattern": "c"}],
            "modelRedirects": [{"source": "s", "target": "t"}],
        });
        let changed = app.patch(&As::admin(), &at, change).await.expect(200).json();
        holds(&changed, &json!({
            "allowedModels": ["a", "b", {"match": "contains", "pattern": "c"}],
            "modelRedirects": [{"match": "exact", "source": "s", "target": "t"}],
        }));
    })
    .await;
}

#[tokio::test]
async fn a_proxy_keeps_its_credentials_to_itself() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = create(app, "p").await;
        let url = format!("socks5h://me:{PROXY_PASSWORD}@127.0.0.1:9050");
        // Its own address may be private under every policy.
        let strict = json!({"egressPolicy": "public-only"});
        app.patch(&admin, "/api/v1/settings", strict)
            .await
            .expect(200);
        let changed = app
            .patch(&admin, &at, json!({"proxyUrl": url}))
            .await
            .expect(200)
            .json();
        assert_eq!(changed["proxy"], json!("socks5h://127.0.0.1:9050"));
        assert_eq!(changed.get("proxyUrl"), None);
        let row = provider::Entity::find()
            .one(&app.db)
            .await
            .unwrap()
            .unwrap();
        let sealed = row.proxy_url.unwrap();
        let opened = Sealer::new(b"test").open(provider::PROXY_URL_PLACE, &sealed);
        assert_eq!(opened.unwrap().expose(), url);

        let kept = app
            .patch(&admin, &at, json!({"weight": 2}))
            .await
            .expect(200)
            .json();
        assert_eq!(kept["proxy"], json!("socks5h://127.0.0.1:9050"));
        let gone = app
            .patch(&admin, &at, json!({"proxyUrl": null}))
            .await
            .expect(200)
            .json();
        assert_eq!(gone["proxy"], json!(null));
        let row = provider::Entity::find()
            .one(&app.db)
            .await
            .unwrap()
            .unwrap();
        assert!(row.proxy_url.is_none() && row.endpoints == Strings::default());

        for bad in [
            "",
            "gate:80",
            "ftp://gate",
            "http://me:secret-word@",
            "https://gate:0",
            "socks5://gate/x",
        ] {
            let refused = app
                .patch(&admin, &at, json!({"proxyUrl": bad}))
                .await
                .expect(422);
            assert_eq!(refused.mistakes(), ["proxyUrl"], "{bad}");
            assert!(!refused.text.contains("secret-word"));
        }
    })
    .await;
}

#[tokio::test]
async fn every_mistake_of_routing_is_named_at_once() {
    everywhere(async |app| {
        let mut body = minimal("p");
        let wrong = json!({
            "endpoints": ["https://b.example", "ftp://c", "https://b.example", "http://169.254.169.254", 7],
            "allowedClients": ["x", " "], "blockedClients": [1], "activeTime": {"start": "25:00", "end": "9:00"},
            "costMultiplier": "1,5", "hedgeAfterMs": -1, "limitConcurrentRequests": 1.5, "proxyFallbackToDirect": "no",
            "breaker": {"failurePercent": 101, "openSeconds": 0, "halfOpenSuccesses": 0, "threshold": 1},
            "healthCheck": {"kind": "ping", "intervalSeconds": 0}, "proxyUrl": "socks4://gate",
            "allowedModels": ["ok", 5, {"match": "glob", "pattern": "a*"}, {"match": "regex"}],
            "modelRedirects": [{"match": "regex", "source": "(", "target": "t"}], "timeouts": {"firstContentMs": 86_400_001},
        });
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = app.post(&As::admin(), PROVIDERS, body).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            [
                "activeTime.end", "activeTime.start", "allowedClients[1]", "allowedModels[1]", "allowedModels[2].match",
                "allowedModels[3].pattern", "blockedClients[0]", "breaker.failurePercent", "breaker.halfOpenSuccesses",
                "breaker.openSeconds", "breaker.threshold", "costMultiplier", "endpoints[4]", "healthCheck.intervalSeconds",
                "healthCheck.kind", "hedgeAfterMs", "limitConcurrentRequests", "modelRedirects[0].source",
                "proxyFallbackToDirect", "proxyUrl", "timeouts.firstContentMs",
            ]
        );
        let body = json!({
            "endpoints": ["https://b.example", "ftp://c", "https://b.example", "http://169.254.169.254", "http://u:p@d"],
            "healthCheck": {"path": "health"}, "activeTime": {"start": "09:00"},
            "allowedModels": [{"match": "regex", "pattern": "["}, {"match": "prefix", "pattern": " "}, "", {"pattern": "a", "kind": 1}],
            "modelRedirects": [{"match": "prefix", "source": "a", "target": " "}],
        });
        let at = create(app, "q").await;
        let refused = app.patch(&As::admin(), &at, body).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            ["activeTime.end", "allowedModels[3].kind", "endpoints[1]", "endpoints[2]", "endpoints[3]", "endpoints[4]",
                "healthCheck.path", "modelRedirects[0].target"]
        );
        let body = json!({"allowedModels": [{"match": "regex", "pattern": "["}, {"match": "prefix", "pattern": " "}, ""]});
        let refused = app.patch(&As::admin(), &at, body).await.expect(422);
        assert_eq!(refused.mistakes(), ["allowedModels[0].pattern", "allowedModels[1].pattern", "allowedModels[2]"]);
        assert!(refused.text.contains("unclosed character class"), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn the_egress_policy_binds_further_addresses_too() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = create(app, "p").await;
        let private = json!({"endpoints": ["https://b.example", "http://10.0.0.1"]});
        app.patch(&admin, &at, private.clone()).await.expect(200);
        let strict = json!({"egressPolicy": "public-only"});
        app.patch(&admin, "/api/v1/settings", strict)
            .await
            .expect(200);
        let refused = app.patch(&admin, &at, private.clone()).await.expect(422);
        assert_eq!(refused.mistakes(), ["endpoints[1]"]);
        let mut body = minimal("q");
        body["url"] = json!("http://127.0.0.1");
        body["endpoints"] = json!(["http://localhost"]);
        let refused = app.post(&admin, PROVIDERS, body).await.expect(422);
        assert_eq!(refused.mistakes(), ["endpoints[0]", "url"]);
        // What is there already stays, and other fields can be changed.
        app.patch(&admin, &at, json!({"weight": 3}))
            .await
            .expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_document_tells_unions_as_they_are() {
    everywhere(async |app| {
        let schemas = &app.document["components"]["schemas"];
        let rule = &schemas["NameRule"];
        assert_eq!(
            rule["anyOf"],
            json!([{"type": "string"}, {"$ref": "#/components/schemas/NamePattern"}])
        );
        assert_eq!(rule.get("type"), None);
        assert_eq!(schemas["NamePattern"]["additionalProperties"], json!(false));
        assert_eq!(schemas["NamePattern"]["required"], json!(["pattern"]));
        let create = &schemas["ProviderCreate"]["properties"];
        let choices = json!([{"type": "string"}, {"type": "number"}, {"type": "null"}]);
        assert_eq!(create["costMultiplier"]["anyOf"], choices);
        assert_eq!(
            schemas["Provider"]["properties"]["costMultiplier"]["type"],
            json!("string")
        );
        let item = json!({"$ref": "#/components/schemas/NameRule"});
        assert_eq!(create["allowedModels"]["items"], item);
        assert_eq!(create["proxyUrl"]["writeOnly"], json!(true));
        assert_eq!(schemas["Provider"]["properties"].get("proxyUrl"), None);
    })
    .await;
}

#[tokio::test]
async fn breakers_are_shown_and_reset() {
    everywhere(async |app| {
        let admin = As::admin();
        let before = (app.revision().await, app.reloads());
        assert_eq!(create(app, "p").await, format!("{PROVIDERS}/1"));
        let of_one = app.get(&admin, "/api/v1/providers/1/breaker").await.expect(200).json();
        let open = json!({
            "providerId": 1, "scope": "endpoint", "subject": "https://b.example", "state": "open",
            "reason": "5 failures in a row", "openedAt": "2026-01-02T03:04:05+00:00", "openUntil": "2026-01-02T03:05:05+00:00",
            "consecutiveFailures": 5, "timesOpened": 1, "advised": true,
            "samples": [{"at": "2026-01-02T03:04:05+00:00", "fault": "provider", "status": 502, "message": "Bad Gateway"}],
        });
        assert_eq!(of_one["items"][1], open);
        assert_eq!((&of_one["items"][0]["state"], of_one["items"].as_array().unwrap().len()), (&json!("closed"), 2));
        let all = app.get(&admin, "/api/v1/breakers").await.expect(200).json();
        assert_eq!(all["items"][0], open);
        let half = &all["items"][1];
        assert_eq!(
            json!([half["providerId"], half["scope"], half["subject"], half["state"], half["openedAt"], half["samples"]]),
            json!([2, "model", "m", "half_open", null, []])
        );
        assert_eq!(all["items"].as_array().unwrap().len(), 2);

        let reset = app.send(&admin, "POST", "/api/v1/providers/1/breaker/reset", None).await.expect(200).json();
        assert_eq!(reset, json!({"reset": 2}));
        let reset = app.send(&admin, "POST", "/api/v1/breakers/reset", None).await.expect(200).json();
        assert_eq!(reset, json!({"reset": 3}));
        for (method, at) in [("GET", "breaker"), ("POST", "breaker/reset"), ("GET", "health")] {
            let at = format!("/api/v1/providers/99/{at}");
            app.send(&admin, method, &at, None).await.expect(404);
        }
        let resets = app.gateway.resets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert_eq!(resets, [Some(1), None]);
        // A reset is no change of configuration.
        assert_eq!((app.revision().await, app.reloads()), (before.0 + 1, before.1 + 1));
    })
    .await;
}

#[tokio::test]
async fn the_health_of_a_providers_addresses_is_shown() {
    everywhere(async |app| {
        create(app, "p").await;
        let health = app.get(&As::admin(), "/api/v1/providers/1/health").await.expect(200).json();
        assert_eq!(
            health,
            json!({"items": [
                {"url": "https://1.example", "healthy": true, "checkedAt": null, "addresses": [], "error": null},
                {"url": "https://b.example", "healthy": false, "checkedAt": "2026-01-02T03:04:05+00:00",
                    "addresses": ["192.0.2.1:443"], "error": "connection refused"},
            ]})
        );
    })
    .await;
}

#[tokio::test]
async fn a_request_that_might_come_is_explained() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = "/api/v1/routing/explain";
        let ask = json!({
            "protocol": "gemini-cli", "model": "m", "keyId": 1, "sessionId": "s", "userAgent": "codex/1", "isStream": true,
        });
        let told = app.post(&admin, at, ask).await.expect(200).json();
        let candidate = |id: i64, kept: bool, probability: f64| json!({
            "providerId": id, "providerName": format!("p{id}"), "kept": kept, "reasons": [{"code": "no_weight", "text": "its weight is 0"}],
            "tier": -1, "weight": 3, "probability": probability, "isNominee": id == 7,
        });
        assert_eq!(
            told,
            json!({
                "candidates": [candidate(7, true, 0.75), candidate(8, false, 0.0)],
                "nominee": {"providerId": 7, "by": "session", "reason": "its prefix is cached there"},
                "chosenTier": -1, "notes": ["one provider is left out"],
            })
        );
        let short = json!({"protocol": "anthropic", "model": "m", "keyId": 2});
        let away = app.post(&admin, at, short).await.expect(503);
        assert_eq!(away.code(), "unavailable");
        let asked = app.gateway.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let whole = Explain {
            protocol: Protocol::GeminiCli,
            model: "m".into(),
            key_id: 1,
            session_id: Some("s".into()),
            user_agent: Some("codex/1".into()),
            is_stream: true,
        };
        let short = Explain {
            protocol: Protocol::Anthropic,
            key_id: 2,
            session_id: None,
            user_agent: None,
            is_stream: false,
            ..whole.clone()
        };
        assert_eq!(asked, [whole, short]);

        let unknown = json!({"protocol": "openai", "model": "m", "keyId": 99});
        let refused = app.post(&admin, at, unknown).await.expect(422);
        assert_eq!(refused.mistakes(), ["keyId"]);
        let refused = app.post(&admin, at, json!({"protocol": "soap", "model": " ", "stream": 1})).await.expect(422);
        assert_eq!(refused.mistakes(), ["keyId", "model", "protocol", "stream"]);
    })
    .await;
}
