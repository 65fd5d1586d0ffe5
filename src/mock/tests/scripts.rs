//! How a behaviour is stated, chosen and counted.

use super::{Running, messages};
use crate::mock::{BadScript, Behaviour, BodyKind};

#[test]
fn the_inline_form_reads_every_kind_of_value() {
    let script = "status=503;text=123;gzip;bodyKind=notJson;cacheWrite5m=4;header.x-a=b%3D1";
    let behaviour = Behaviour::from_inline(script).unwrap();
    let expected = Behaviour {
        status: Some(503),
        text: Some("123".to_owned()),
        gzip: true,
        body_kind: Some(BodyKind::NotJson),
        cache_write_5m: Some(4),
        headers: [("x-a".to_owned(), "b=1".to_owned())].into(),
        ..Behaviour::default()
    };
    assert_eq!(behaviour, expected);
    let json = serde_json::to_vec(&behaviour).unwrap();
    assert_eq!(Behaviour::from_json(&json).unwrap(), expected);
}

#[test]
fn mistakes_are_refused() {
    for script in ["statuss=1", "status=x", "gzip=2", "bodyKind=nothing"] {
        let refusal = Behaviour::from_inline(script).unwrap_err();
        assert!(
            matches!(refusal, BadScript::Shape(_)),
            "{script}: {refusal}"
        );
    }
    for (script, reason) in [
        ("status=101", "200..=999"),
        ("errorStatus=1000", "200..=999"),
        ("header.a%20b=c", "cannot be sent"),
        ("chunks=100000;chunkBytes=1000", "at most"),
    ] {
        let refusal = Behaviour::from_inline(script).unwrap_err().to_string();
        assert!(refusal.contains(reason), "{script}: {refusal}");
    }
}

#[test]
fn every_key_is_in_the_table() {
    let behaviour = serde_json::to_value(Behaviour::default()).unwrap();
    for docs in [
        include_str!("../../mock.rs"),
        include_str!("../../../docs/mock-upstream.md"),
    ] {
        for key in behaviour.as_object().unwrap().keys() {
            let row = docs
                .lines()
                .any(|line| line.contains("| ") && line.contains(&format!("`{key}`")));
            assert!(row, "{key}");
        }
    }
}

#[tokio::test]
async fn times_counts_each_script_on_its_own() {
    let mock = Running::start().await;
    let status = async |path: &str| {
        mock.post(path, &messages(false))
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let (first, second) = (
        "/~status=429;times=2/v1/messages",
        "/~times=1;status=500/v1/messages",
    );
    assert_eq!(status(first).await, 429);
    assert_eq!(status(second).await, 500);
    assert_eq!(status(first).await, 429);
    assert_eq!(status(first).await, 200);
    assert_eq!(status(second).await, 200);
    mock.stage.clear();
    assert_eq!(status(first).await, 429);
}

#[tokio::test]
async fn a_name_applies_until_it_is_removed() {
    let mock = Running::start().await;
    let status = async |path: &str| {
        mock.post(path, &messages(false))
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let with = |status| Behaviour {
        status: Some(status),
        ..Behaviour::default()
    };
    mock.stage.set("a", with(418));
    mock.stage.set("default", with(503));
    assert_eq!(status("/b/a/v1/messages").await, 418);
    assert_eq!(status("/v1/messages").await, 503);
    assert!(mock.stage.remove("default"));
    assert_eq!(status("/v1/messages").await, 200);
    let response = mock
        .post("/b/none/v1/messages", &messages(false))
        .await
        .unwrap();
    assert_eq!(response.status(), 501);
    assert_eq!(response.headers()["x-mock-problem"], "true");
}
