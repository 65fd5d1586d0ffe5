//! Error rules: created, read, changed, deleted, and held against a sample.

use serde_json::json;

use crate::support::{App, As, everywhere};

const RULES: &str = "/api/v1/error-rules";

async fn provider(app: &App) -> i64 {
    let body = json!({"name": "p", "type": "claude", "url": "https://a.example", "apiKey": "k"});
    let made = app.post(&As::admin(), "/api/v1/providers", body).await;
    made.expect(201).json()["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_rule_lives_and_dies() {
    everywhere(async |app| {
        let admin = As::admin();
        let provider = provider(app).await;
        let body = json!({"name": "long", "match": "contains", "pattern": "too long", "fault": "poison"});
        let made = app.post(&admin, RULES, body).await.expect(201);
        let at = made.header("location").to_owned();
        let mut rule = made.json();
        assert_eq!(at, format!("{RULES}/{}", rule["id"]));
        for field in ["id", "createdAt", "updatedAt"] {
            rule.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(
            rule,
            json!({
                "name": "long", "providerId": null, "match": "contains", "pattern": "too long", "fault": "poison",
                "overrideStatus": null, "overrideMessage": null, "priority": 0, "isEnabled": true,
            })
        );

        let change = json!({
            "match": "regex", "pattern": "^too (long|big)$", "fault": "client", "providerId": provider,
            "overrideStatus": 413, "overrideMessage": "Too long.", "priority": -3, "isEnabled": false,
        });
        let changed = app.patch(&admin, &at, change.clone()).await.expect(200).json();
        for (field, value) in change.as_object().unwrap() {
            assert_eq!(&changed[field], value, "{field}");
        }
        for (query, found) in [
            (format!("providerId={provider}"), 1),
            ("providerId=99".into(), 0),
            ("isEnabled=true".into(), 0),
            ("isEnabled=false".into(), 1),
        ] {
            let list = app.get(&admin, &format!("{RULES}?{query}")).await.expect(200);
            assert_eq!(list.json()["items"].as_array().unwrap().len(), found, "{query}");
        }
        let clear = json!({"providerId": null, "overrideStatus": null, "overrideMessage": null, "priority": null, "isEnabled": null});
        let cleared = app.patch(&admin, &at, clear).await.expect(200);
        let told = cleared.json();
        assert_eq!(json!([told["providerId"], told["overrideStatus"], told["overrideMessage"]]), json!([null, null, null]));
        assert_eq!((&told["priority"], &told["isEnabled"]), (&json!(0), &json!(true)));

        let stale = As::admin().with("if-match", made.header("etag"));
        app.patch(&stale, &at, json!({"name": "late"})).await.expect(412);
        app.delete(&stale, &at).await.expect(412);
        let current = As::admin().with("if-match", cleared.header("etag"));
        app.delete(&current, &at).await.expect(204);
        app.get(&admin, &at).await.expect(404);
        app.delete(&admin, &at).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_rule_with_mistakes_is_refused() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({
            "name": " ", "match": "regex", "pattern": "(", "fault": "network", "overrideStatus": 200,
            "overrideMessage": "", "priority": "high", "case": true,
        });
        let refused = app.post(&admin, RULES, body).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            ["case", "fault", "name", "overrideMessage", "overrideStatus", "pattern", "priority"]
        );
        let refused = app.post(&admin, RULES, json!({})).await.expect(422);
        assert_eq!(refused.mistakes(), ["fault", "match", "name", "pattern"]);
        let mut body = json!({"name": "r", "match": "contains", "pattern": "[", "fault": "key", "providerId": 99});
        let refused = app.post(&admin, RULES, body.clone()).await.expect(422);
        assert_eq!(refused.mistakes(), ["providerId"]);
        body["providerId"] = json!(null);
        let made = app.post(&admin, RULES, body).await.expect(201);
        // The stored pattern is no expression, and neither is the new one for a rule that has become one.
        let at = made.header("location");
        let refused = app.patch(&admin, at, json!({"match": "regex"})).await.expect(422);
        assert_eq!(refused.mistakes(), ["pattern"]);
        app.patch(&admin, at, json!({"match": "regex", "pattern": "a+"})).await.expect(200);
        let refused = app.patch(&admin, at, json!({"pattern": "a{9999}{9999}"})).await.expect(422);
        assert_eq!(refused.mistakes(), ["pattern"]);
        let refused = app.patch(&admin, at, json!({"providerId": 99})).await.expect(422);
        assert_eq!(refused.mistakes(), ["providerId"]);
    })
    .await;
}

#[tokio::test]
async fn a_sample_shows_what_the_rules_make_of_it() {
    everywhere(async |app| {
        let admin = As::admin();
        let provider = provider(app).await;
        for body in [
            json!({"name": "any", "match": "contains", "pattern": "Quota", "fault": "key"}),
            json!({"name": "first", "match": "regex", "pattern": "quota .* exceeded", "fault": "model", "priority": -1,
                "overrideStatus": 429, "overrideMessage": "Try later."}),
            json!({"name": "off", "match": "contains", "pattern": "quota", "fault": "client", "priority": -9, "isEnabled": false}),
            json!({"name": "own", "match": "exact", "pattern": "QUOTA for m exceeded", "fault": "provider", "priority": -2,
                "providerId": provider}),
        ] {
            app.post(&admin, RULES, body).await.expect(201);
        }
        let at = format!("{RULES}/test");
        let names = |verdict: &serde_json::Value| {
            let matches = verdict["matches"].as_array().unwrap().iter();
            matches.map(|rule| rule["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let sample = " quota for m exceeded\n";
        let verdict = app.post(&admin, &at, json!({"sample": sample})).await.expect(200).json();
        assert_eq!(names(&verdict), ["first", "any"]);
        assert_eq!(
            json!([verdict["fault"], verdict["overrideStatus"], verdict["overrideMessage"]]),
            json!(["model", 429, "Try later."])
        );
        let ask = json!({"sample": sample, "providerId": provider});
        let verdict = app.post(&admin, &at, ask).await.expect(200).json();
        assert_eq!(names(&verdict), ["own", "first", "any"]);
        assert_eq!(json!([verdict["fault"], verdict["overrideStatus"]]), json!(["provider", null]));
        let verdict = app.post(&admin, &at, json!({"sample": "fine", "providerId": null})).await.expect(200).json();
        assert_eq!((names(&verdict), &verdict["fault"]), (vec![], &json!(null)));
        let refused = app.post(&admin, &at, json!({"sample": "", "text": "x"})).await.expect(422);
        assert_eq!(refused.mistakes(), ["sample", "text"]);
        app.get(&admin, &at).await.expect(422);
    })
    .await;
}
