//! The control endpoints.

use serde_json::{Value, json};

use super::{Running, messages};

#[tokio::test]
async fn behaviours_are_set_over_http() {
    let mock = Running::start().await;
    let url = mock.url("/_mock/behaviours/a%20b");
    let put = async |body: Value| mock.client.put(&url).json(&body).send().await.unwrap();
    assert_eq!(
        put(json!({ "status": 418, "retryAfter": 1 }))
            .await
            .status(),
        204
    );
    let response = mock
        .post("/b/a%20b/v1/messages", &messages(false))
        .await
        .unwrap();
    assert_eq!(response.status(), 418);
    let refused = put(json!({ "stattus": 418 })).await;
    assert_eq!(refused.status(), 400);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("unknown field `stattus`")
    );
    let named: Value = mock.get("/_mock/behaviours").await.json().await.unwrap();
    assert_eq!(named["a b"]["status"], 418);
    let delete = async || mock.client.delete(&url).send().await.unwrap().status();
    assert_eq!(delete().await, 204);
    assert_eq!(delete().await, 404);
}

#[tokio::test]
async fn requests_are_listed_and_forgotten() {
    let mock = Running::start().await;
    assert_eq!(mock.get("/_mock/health").await.status(), 200);
    mock.answer("/v1/messages?beta=true", &messages(false))
        .await;
    let list: Value = mock.get("/_mock/requests").await.json().await.unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let item = &list["items"][0];
    assert_eq!(item["pathAndQuery"], "/v1/messages?beta=true");
    assert_eq!(item["method"], "POST");
    assert_eq!(item["version"], "HTTP/1.1");
    assert_eq!(item["clientGone"], false);
    assert_eq!(item["bodySha256"].as_str().unwrap().len(), 64);
    let url = mock.url("/_mock/requests");
    assert_eq!(mock.client.delete(url).send().await.unwrap().status(), 204);
    assert!(mock.recorder.seen().is_empty());
    assert_eq!(mock.get("/_mock/nothing").await.status(), 404);
}
