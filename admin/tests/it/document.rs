//! The document and the pages that show it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    conforms,
    support::{As, everywhere},
};

#[tokio::test]
async fn every_operation_is_described_whole() {
    everywhere(async |app| {
        let document = &app.document;
        assert_eq!(document["openapi"], "3.1.0");
        let schemes = document["components"]["securitySchemes"]
            .as_object()
            .unwrap();
        assert!(
            ["bearer", "apiKey", "session"]
                .iter()
                .all(|name| schemes.contains_key(*name))
        );
        let mut ids = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let at = format!("{method} {path}");
                assert!(
                    operation["summary"].as_str().is_some_and(|s| !s.is_empty()),
                    "{at}"
                );
                let id = operation["operationId"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{at}"));
                assert!(ids.insert(id.to_owned()), "{id} twice");
                assert!(!operation["tags"].as_array().unwrap().is_empty(), "{at}");
                check_responses(&at, operation);
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    assert!(parameter["description"].is_string(), "{at} {parameter}");
                }
            }
        }
        let text = document.to_string();
        for word in ["nullable", "charset", ":admin\""] {
            assert!(!text.contains(word), "{word}");
        }
        check_references(document, document);
    })
    .await;
}

#[tokio::test]
async fn every_creation_can_be_asked_for_once_and_every_version_can_be_named() {
    everywhere(async |app| {
        let mut creations = 0;
        for (path, item) in app.document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let parameters = operation["parameters"].as_array();
                let has = |name: &str| {
                    let mut parameters = parameters.into_iter().flatten();
                    parameters.any(|p| p["name"] == name)
                };
                if operation["responses"]["201"].is_object() {
                    assert!(has("Idempotency-Key"), "{method} {path}");
                    creations += 1;
                }
                let is_precise = operation["responses"]["412"].is_object();
                let is_versioned = item["get"]["responses"]["200"]["headers"]["ETag"].is_object();
                if is_versioned && ["patch", "put", "delete"].contains(&method.as_str()) {
                    assert!(is_precise && has("If-Match"), "{method} {path}");
                }
            }
        }
        assert!(creations >= 6, "{creations}");
    })
    .await;
}

#[tokio::test]
async fn every_body_and_every_answer_has_an_example_that_fits() {
    everywhere(async |app| {
        let document = &app.document;
        let mut bodies = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let at = format!("{method} {path}");
                let answers = operation["responses"].as_object().unwrap().values();
                for holder in answers.chain([&operation["requestBody"]]) {
                    for (kind, media) in holder["content"].as_object().into_iter().flatten() {
                        let example = match kind.as_str() {
                            "application/json" => &media["example"],
                            "application/problem+json" => {
                                let named = media["examples"].as_object().unwrap();
                                let target = named.values().next().unwrap()["$ref"].as_str();
                                let target = target.unwrap().trim_start_matches('#');
                                document.pointer(&format!("{target}/value")).unwrap()
                            }
                            _ => continue,
                        };
                        assert!(!example.is_null(), "{at} {kind}");
                        conforms::check(document, &media["schema"], example, &at);
                        bodies += 1;
                    }
                }
            }
        }
        assert!(bodies > 500, "{bodies}");
    })
    .await;
}

fn check_responses(at: &str, operation: &Value) {
    let responses = operation["responses"].as_object().unwrap();
    assert!(
        responses.keys().any(|status| status.starts_with('2')),
        "{at}"
    );
    let is_open = operation["security"].as_array().unwrap().is_empty();
    if !is_open {
        for status in ["401", "403", "429", "500", "503"] {
            assert!(responses.contains_key(status), "{at} lacks {status}");
        }
    }
    for (status, response) in responses {
        let content = response["content"].as_object();
        assert!(
            !response["description"].as_str().unwrap().is_empty(),
            "{at} {status}"
        );
        assert!(
            status == "204" || content.is_some_and(|c| !c.is_empty()),
            "{at} {status}"
        );
        for media in content.into_iter().flat_map(|content| content.values()) {
            assert!(media["schema"].is_object(), "{at} {status}");
        }
    }
}

fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                assert!(
                    document.pointer(target.trim_start_matches('#')).is_some(),
                    "{target}"
                );
            }
            fields.values().for_each(|v| check_references(document, v));
        }
        Value::Array(items) => items.iter().for_each(|v| check_references(document, v)),
        _ => {}
    }
}

#[tokio::test]
async fn the_pages_ask_nobody_but_us() {
    everywhere(async |app| {
        for page in ["/", "/anything/else", "/api/v1/scalar", "/api/v1/docs"] {
            let answer = app.get(&As::nobody(), page).await.expect(200);
            assert!(
                answer.header("content-type").starts_with("text/html"),
                "{page}"
            );
            assert!(!answer.text.contains("//"), "{page} names another address");
            let policy = answer.header("content-security-policy");
            assert!(
                !policy.contains("http") && !policy.contains('*'),
                "{policy}"
            );
            for part in [
                "default-src 'self'",
                "script-src 'self';",
                "connect-src 'self'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.contains(part), "{policy}");
            }
            for asset in references(&answer.text) {
                let asset = app.get(&As::nobody(), &asset).await.expect(200);
                assert!(asset.text.len() > 50);
            }
        }
        for (asset, holds) in [
            ("scalar.js", "withDefaultFonts"),
            ("swagger-ui.js", "SwaggerUIBundle"),
            ("swagger-ui.css", ".swagger-ui"),
        ] {
            let asset = app
                .get(&As::nobody(), &format!("/api/v1/assets/{asset}"))
                .await
                .expect(200);
            assert!(asset.text.len() > 100_000 && asset.text.contains(holds));
        }
    })
    .await;
}

/// What a page's `src` and `href` name.
fn references(page: &str) -> Vec<String> {
    let quoted = page
        .split("src=\"")
        .skip(1)
        .chain(page.split("href=\"").skip(1));
    quoted
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_predecessors_addresses_lead_on_and_unknown_ones_nowhere() {
    everywhere(async |app| {
        for (old, new) in [
            ("openapi.json", "openapi.json"),
            ("scalar", "scalar"),
            ("docs", "docs"),
        ] {
            let moved = app
                .get(&As::nobody(), &format!("/api/actions/{old}"))
                .await
                .expect(308);
            assert_eq!(moved.header("location"), format!("/api/v1/{new}"));
        }
        for nowhere in [
            "/api",
            "/api/",
            "/api/v1",
            "/api/v1/nothing",
            "/api/v2/users",
            "/api/actions/users",
        ] {
            let answer = app.get(&As::admin(), nowhere).await.expect(404);
            assert_eq!(answer.code(), "not_found", "{nowhere}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert!(
                answer
                    .header("content-security-policy")
                    .contains("frame-ancestors 'none'")
            );
        }
        let wrong = app
            .send(&As::admin(), "PUT", "/api/v1/users", None)
            .await
            .expect(405);
        assert_eq!(
            (wrong.code(), wrong.header("allow")),
            ("method_not_allowed".into(), "GET, PATCH, POST")
        );
        let post = app
            .send(&As::admin(), "POST", "/elsewhere", None)
            .await
            .expect(404);
        assert_eq!(post.code(), "not_found");
    })
    .await;
}

/// The dashboard's types are made of this file. `UPDATE_OPENAPI=1` writes it anew.
#[tokio::test]
async fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json");
    everywhere(async |app| {
        let mut document = app.document.clone();
        document["info"]["version"] = Value::from("0.0.0");
        let current = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == current,
            "admin/web/openapi.json is not current: UPDATE_OPENAPI=1 cargo test -p switchyard-admin --test admin document, \
             then `npm run schema` in admin/web"
        );
    })
    .await;
}
