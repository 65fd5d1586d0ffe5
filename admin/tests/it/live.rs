//! What runs now, and the program itself.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{request_log, value::ClientName};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, As, everywhere};

fn stamped(at: DateTime<Utc>) -> Uuid {
    let nanos = at.timestamp_subsec_nanos();
    Uuid::new_v7(uuid::Timestamp::from_unix(
        uuid::NoContext,
        at.timestamp() as u64,
        nanos,
    ))
}

/// A request that is over.
async fn over(app: &App, minutes: i64, user_id: i64, key_id: i64, session: &str) {
    let at = Utc::now() - TimeDelta::minutes(minutes);
    let row = request_log::Model {
        id: stamped(at),
        created_at: at,
        user_id: Some(user_id),
        key_id: Some(key_id),
        provider_id: Some(9),
        session_id: Some(session.into()),
        protocol: "anthropic".into(),
        endpoint: "POST /v1/messages".into(),
        requested_model: Some("opus".into()),
        model: Some("opus".into()),
        status: 200,
        is_stream: true,
        error_code: None,
        error_message: None,
        input_tokens: 10,
        cache_read_tokens: 20,
        cache_write5m_tokens: 30,
        cache_write1h_tokens: 40,
        output_tokens: 50,
        reasoning_tokens: 5,
        cost_nano_usd: Some(12_300_000),
        settled_from: "terminal".into(),
        duration_ms: 1,
        ttfb_ms: None,
        ttft_ms: None,
        overhead_us: 1,
        request_bytes: 1,
        response_bytes: 1,
        client_ip: None,
        user_agent: None,
        client: ClientName::Unknown,
        chain: json!([]),
    };
    request_log::Entity::insert(row.into_active_model())
        .exec_without_returning(&app.db)
        .await
        .unwrap();
}

/// A request under way.
fn under_way(app: &App, user_id: i64, key_id: i64, session: Option<&str>) -> Uuid {
    let now = Utc::now();
    let request = admin::gateway::LiveRequest {
        id: stamped(now),
        created_at: now,
        user_id,
        key_id,
        provider_id: Some(9),
        session_id: session.map(str::to_owned),
        protocol: "anthropic",
        model: Some("sonnet".into()),
        is_stream: true,
        attempts: 2,
        bytes: 77,
    };
    let id = request.id;
    app.gateway.live.lock().unwrap().push(request);
    id
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|s| s["sessionId"].as_str().unwrap()).collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn sessions_are_those_of_now_and_of_lately() {
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true});
        let (user, key, secret) = app.user_with_key(json!({"name": "ann"}), login).await;
        over(app, 1, user, key, "a").await;
        over(app, 2, user, key, "a").await;
        over(app, 3, user + 1, key + 1, "a").await;
        over(app, 5, user, key, "b").await;
        over(app, 600, user, key, "old").await;
        under_way(app, user, key, Some("b"));
        under_way(app, user, key, None);
        let admin = As::admin();
        let all = app.get(&admin, "/api/v1/sessions").await.expect(200).json();
        assert_eq!(names(&all), ["b", "a", "a"]);
        let b = &all["items"][0];
        assert_eq!(
            (&b["inFlight"], &b["requests"], &b["model"]),
            (&json!(1), &json!(1), &json!("sonnet"))
        );
        let a = &all["items"][1];
        assert_eq!(
            (&a["requests"], &a["tokens"], &a["costUsd"]),
            (&json!(2), &json!(300), &json!("0.0246"))
        );
        assert_eq!(
            (&a["userName"], &a["keyId"], &a["providerId"]),
            (&json!("ann"), &json!(key), &json!(9))
        );
        let live = app
            .get(&admin, "/api/v1/sessions?liveOnly=true")
            .await
            .expect(200)
            .json();
        assert_eq!(names(&live), ["b"]);
        let long = app
            .get(&admin, "/api/v1/sessions?minutes=1000")
            .await
            .expect(200)
            .json();
        assert_eq!(names(&long), ["b", "a", "a", "old"]);
        let first = app
            .get(&admin, "/api/v1/sessions?limit=2")
            .await
            .expect(200)
            .json();
        let next = first["nextCursor"].as_str().unwrap();
        let second = app
            .get(&admin, &format!("/api/v1/sessions?limit=2&cursor={next}"))
            .await;
        let second = second.expect(200).json();
        assert_eq!([names(&first), names(&second)].concat(), ["b", "a", "a"]);
        assert_eq!(
            (&second["items"][0]["keyId"], &second["nextCursor"]),
            (&json!(key + 1), &json!(null))
        );
        app.get(&admin, "/api/v1/sessions?cursor=eA")
            .await
            .expect(422);
        let mine = app
            .get(&As::bearer(&secret), "/api/v1/sessions")
            .await
            .expect(200)
            .json();
        assert_eq!(names(&mine), ["b", "a"]);
        assert_eq!(mine["items"][0]["providerId"], json!(null));
        let one = app
            .get(&admin, "/api/v1/sessions/a")
            .await
            .expect(200)
            .json();
        assert_eq!(one["sessions"].as_array().unwrap().len(), 2);
        let one = app
            .get(&As::bearer(&secret), "/api/v1/sessions/b")
            .await
            .expect(200)
            .json();
        assert_eq!(
            (
                one["live"].as_array().unwrap().len(),
                &one["live"][0]["attempts"]
            ),
            (1, &json!(0))
        );
        app.get(&admin, "/api/v1/sessions/none").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_ended_by_an_admin_or_by_its_owner() {
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true});
        let (user, key, secret) = app.user_with_key(json!({"name": "ann"}), login).await;
        under_way(app, user, key, Some("s"));
        let others = under_way(app, user + 1, key + 1, Some("s"));
        let me = As::bearer(&secret);
        let ended = app
            .send(&me, "POST", "/api/v1/sessions/s/end", None)
            .await
            .expect(200);
        assert_eq!(ended.json(), json!({"endedRequests": 1}));
        app.send(&me, "POST", "/api/v1/sessions/s/end", None)
            .await
            .expect(404);
        let left = app
            .get(&As::admin(), "/api/v1/requests/live")
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&left["total"], &left["items"][0]["id"]),
            (&json!(1), &json!(others.to_string()))
        );
        let ended = app
            .send(&As::admin(), "POST", "/api/v1/sessions/s/end", None)
            .await;
        assert_eq!(ended.expect(200).json(), json!({"endedRequests": 1}));
        over(app, 1, user, key, "done").await;
        let ended = app
            .send(&As::admin(), "POST", "/api/v1/sessions/done/end", None)
            .await;
        assert_eq!(ended.expect(200).json(), json!({"endedRequests": 0}));
    })
    .await;
}

#[tokio::test]
async fn the_live_view_ends_with_the_gateway() {
    everywhere(async |app| {
        let id = under_way(app, 1, 1, Some("s"));
        let admin = As::admin();
        let watched = app.get(&admin, "/api/v1/live");
        let meanwhile = async {
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
            app.gateway.live.lock().unwrap().clear();
            tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
            app.gateway
                .stopping
                .store(true, std::sync::atomic::Ordering::SeqCst);
        };
        let (answer, ()) = tokio::join!(watched, meanwhile);
        let answer = answer.expect(200);
        assert_eq!(answer.header("content-type"), "text/event-stream");
        let events: Vec<_> = answer.text.split_terminator("\n\n").collect();
        let read = |event: &str, name: &str| -> Value {
            let data = event.strip_prefix(&format!("event: {name}\ndata: "));
            serde_json::from_str(data.unwrap_or_else(|| panic!("{event}"))).unwrap()
        };
        assert_eq!(events.len(), 2, "{events:?}");
        let snapshot = read(events[0], "snapshot");
        assert_eq!(
            (&snapshot["requests"][0]["id"], &snapshot["total"]),
            (&json!(id.to_string()), &json!(1))
        );
        let change = read(events[1], "change");
        assert_eq!(
            (&change["ended"], &change["total"]),
            (&json!([id.to_string()]), &json!(0))
        );
    })
    .await;
}

#[tokio::test]
async fn the_operator_sees_the_program_and_says_what_is_logged() {
    everywhere(async |app| {
        let admin = As::admin();
        let system = app.get(&admin, "/api/v1/system").await.expect(200).json();
        assert_eq!(
            (&system["version"], &system["journalBytes"]),
            (&json!("0.0.0-test"), &json!(5))
        );
        assert_eq!(system["health"]["parts"][0]["name"], "database");
        assert!(["sqlite", "postgres"].contains(&system["database"].as_str().unwrap()));
        let metrics = app.get(&admin, "/api/v1/system/metrics").await.expect(200);
        let scraped = app.get(&As::nobody(), "/metrics").await.expect(200);
        assert_eq!(metrics.text, scraped.text);
        assert!(
            scraped
                .header("content-type")
                .starts_with("text/plain; version=0.0.4")
        );
        let change = |filter: &str| {
            app.send(
                &admin,
                "PUT",
                "/api/v1/system/log-level",
                Some(json!({"filter": filter}).to_string()),
            )
        };
        let refused = change("debug").await.expect(503);
        assert_eq!(refused.code(), "logging_not_ours");
        *app.gateway.log_filter.lock().unwrap() = Some("info".into());
        assert_eq!(change("wrong").await.expect(422).mistakes(), ["filter"]);
        assert_eq!(
            change("debug").await.expect(200).json(),
            json!({"filter": "debug"})
        );
        let read = app
            .get(&admin, "/api/v1/system/log-level")
            .await
            .expect(200);
        assert_eq!(read.json(), json!({"filter": "debug"}));
    })
    .await;
}

#[tokio::test]
async fn history_is_counted_before_it_is_deleted() {
    everywhere(async |app| {
        let admin = As::admin();
        let ask = |body: Value| app.post(&admin, "/api/v1/system/prune", body);
        let dry = ask(json!({"what": "requests", "olderThanDays": 30})).await.expect(200).json();
        assert_eq!((&dry["rows"], &dry["dryRun"], &dry["done"]), (&json!(12), &json!(true), &json!(false)));
        let real = json!({"what": "details", "olderThanDays": 30, "dryRun": false});
        assert_eq!(ask(real).await.expect(200).json()["rows"], json!(7));
        let asked: Vec<_> = app.gateway.pruned.lock().unwrap().iter().map(|p| (p.what, p.is_dry)).collect();
        use admin::gateway::Prunable::{Details, Requests};
        assert_eq!(asked, [(Requests, true), (Details, false)]);
        let young = json!({"what": "usage-lines", "olderThanDays": 30});
        assert_eq!(ask(young).await.expect(422).mistakes(), ["olderThanDays"]);
        let wrong = json!({"what": "all", "olderThanDays": 0, "force": true});
        assert_eq!(ask(wrong).await.expect(422).mistakes(), ["force", "olderThanDays", "what"]);
        let days = json!({"requestRetentionDays": 90, "detailRetentionDays": 30, "usageRetentionDays": 30});
        let refused = app.patch(&admin, "/api/v1/settings", days).await.expect(422);
        assert_eq!(refused.mistakes(), ["usageRetentionDays"]);
    })
    .await;
}
