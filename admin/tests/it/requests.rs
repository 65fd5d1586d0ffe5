//! The request log: filtered, walked, read.

use chrono::{DateTime, TimeDelta, Utc};
use entity::request_log;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, As, everywhere};

/// A row; `age` minutes old, with whatever `edit` makes of it.
async fn row(app: &App, age: i64, edit: impl FnOnce(&mut request_log::Model)) -> Uuid {
    let at: DateTime<Utc> = "2026-01-01T12:00:00Z".parse().unwrap();
    let at = at - TimeDelta::minutes(age);
    let stamp = uuid::Timestamp::from_unix(uuid::NoContext, at.timestamp() as u64, 0);
    let mut row = request_log::Model {
        id: Uuid::new_v7(stamp),
        created_at: at,
        user_id: Some(1),
        key_id: Some(1),
        provider_id: Some(1),
        session_id: None,
        protocol: "anthropic".into(),
        endpoint: "POST /v1/messages".into(),
        requested_model: Some("opus".into()),
        model: Some("opus-4".into()),
        status: 200,
        is_stream: true,
        error_code: None,
        error_message: Some("relay-7 said no".into()),
        input_tokens: 10,
        cache_read_tokens: 20,
        cache_write5m_tokens: 30,
        cache_write1h_tokens: 40,
        output_tokens: 50,
        reasoning_tokens: 5,
        cost_nano_usd: Some(12_300_000),
        settled_from: "terminal".into(),
        duration_ms: 1500,
        ttfb_ms: Some(200),
        ttft_ms: None,
        overhead_us: 1250,
        request_bytes: 1,
        response_bytes: 2,
        client_ip: Some("192.0.2.7".into()),
        user_agent: None,
        client: entity::value::ClientName::default(),
        chain: json!([{"attempt": 1, "providerId": 1, "providerName": "relay-7", "outcome": "completed", "edits": []}]),
    };
    edit(&mut row);
    let id = row.id;
    let row: request_log::ActiveModel = row.into();
    request_log::Entity::insert(row)
        .exec(&app.db)
        .await
        .unwrap();
    id
}

/// Six rows that differ; their ids, newest first.
async fn six(app: &App) -> Vec<String> {
    let mut newest_first = Vec::new();
    for age in 0..6 {
        let id = row(app, age, |r| {
            r.user_id = (age != 3).then_some(age % 2);
            r.key_id = Some(age);
            r.provider_id = Some(age / 3);
            r.status = if age == 2 { 502 } else { 200 };
            r.session_id = (age == 4).then(|| "s-4".into());
            r.model = Some(if age == 1 { "sonnet-4" } else { "opus-4" }.into());
            r.requested_model = Some(if age == 5 { "sonnet-4" } else { "opus" }.into());
            r.endpoint = if age == 0 {
                "POST /v1/Responses"
            } else {
                "POST /v1/messages"
            }
            .into();
        });
        newest_first.push(id.await.to_string());
    }
    newest_first
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn filters_narrow_and_cursors_walk_newest_first() {
    everywhere(async |app| {
        let newest_first = six(app).await;
        let admin = As::admin();
        for (query, wanted) in [
            ("", vec![0, 1, 2, 3, 4, 5]),
            ("userId=1", vec![1, 5]),
            ("keyId=4", vec![4]),
            ("providerId=0", vec![0, 1, 2]),
            ("status=502", vec![2]),
            ("sessionId=s-4", vec![4]),
            ("model=sonnet-4", vec![1, 5]),
            ("endpoint=responses", vec![0]),
            ("from=2026-01-01T11:58:00Z", vec![0, 1, 2]),
            ("to=2026-01-01T11:58:00Z", vec![3, 4, 5]),
            (
                "from=2026-01-01T13:57:00%2B02:00&to=2026-01-01T11:59:00Z",
                vec![2, 3],
            ),
            ("userId=0&status=502", vec![2]),
        ] {
            let page = app
                .get(&admin, &format!("/api/v1/requests?{query}"))
                .await
                .expect(200);
            let wanted: Vec<_> = wanted
                .into_iter()
                .map(|i: usize| newest_first[i].clone())
                .collect();
            assert_eq!(ids(&page.json()), wanted, "{query}");
        }
        let first = app
            .get(&admin, "/api/v1/requests?limit=4")
            .await
            .expect(200)
            .json();
        let next = first["nextCursor"].as_str().unwrap();
        row(app, -1, |_| {}).await;
        let at = format!("/api/v1/requests?limit=4&cursor={next}");
        let second = app.get(&admin, &at).await.expect(200).json();
        assert_eq!([ids(&first), ids(&second)].concat(), newest_first);
        assert_eq!(second["nextCursor"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn one_request_is_told_with_its_chain() {
    everywhere(async |app| {
        let id = row(app, 0, |r| r.cost_nano_usd = None).await;
        let read = app
            .get(&As::admin(), &format!("/api/v1/requests/{id}"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&read["costUsd"], &read["overheadMs"]),
            (&json!(null), &json!(1.25))
        );
        assert_eq!(read["createdAt"], json!("2026-01-01T12:00:00+00:00"));
        let usage = json!({
            "inputTokens": 10, "cacheReadTokens": 20, "cacheWrite5mTokens": 30,
            "cacheWrite1hTokens": 40, "outputTokens": 50, "reasoningTokens": 5,
        });
        assert_eq!(read["usage"], usage);
        assert_eq!(read["chain"][0]["providerName"], json!("relay-7"));
        assert_eq!(read["chain"][0]["fault"], json!(null));
        let id = row(app, 1, |_| {}).await;
        let read = app
            .get(&As::admin(), &format!("/api/v1/requests/{id}"))
            .await
            .expect(200)
            .json();
        assert_eq!(read["costUsd"], json!("0.0123"));
        let nothing = format!("/api/v1/requests/{}", Uuid::nil());
        app.get(&As::admin(), &nothing).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_user_is_told_of_the_users_own_and_not_of_providers() {
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true});
        let (user, _, secret) = app.user_with_key(json!({"name": "u"}), login).await;
        let mine = row(app, 0, |r| r.user_id = Some(user)).await;
        let others = row(app, 1, |r| r.user_id = Some(user + 1)).await;
        let nobodys = row(app, 2, |r| r.user_id = None).await;
        let me = As::bearer(&secret);
        let list = app.get(&me, "/api/v1/requests").await.expect(200);
        assert_eq!(ids(&list.json()), [mine.to_string()]);
        let read = app
            .get(&me, &format!("/api/v1/requests/{mine}"))
            .await
            .expect(200);
        assert!(!read.text.contains("relay-7") && !list.text.contains("relay-7"));
        assert_eq!(
            (&read.json()["providerId"], &read.json()["chain"]),
            (&json!(null), &json!([]))
        );
        for hidden in [others, nobodys] {
            app.get(&me, &format!("/api/v1/requests/{hidden}"))
                .await
                .expect(404);
        }
    })
    .await;
}
