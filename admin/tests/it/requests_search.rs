//! The request log searched: any filters together find exactly the rows that pass all of them, however the search goes about it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{request_log, value::ClientName};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, As, everywhere};

/// Rows: more than the first strides of a search have.
const ROWS: u64 = 2_600;

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn row(number: u64, random: &mut Numbers) -> request_log::Model {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let at = start + TimeDelta::seconds(number as i64 * 10);
    let stamp = uuid::Timestamp::from_unix(uuid::NoContext, at.timestamp() as u64, 0);
    let user = random.below(20).pow(2) / 40;
    let status = match random.below(100) {
        0..90 => 200,
        90..94 => 429,
        94..97 => 502,
        97 => 499,
        _ => 400,
    };
    let asked = format!("model-{}", random.below(6));
    let sent = match random.below(10) {
        0 => Some(format!("model-{}", random.below(6))),
        1 => None,
        _ => Some(asked.clone()),
    };
    let clients = [
        ClientName::ClaudeCode,
        ClientName::CodexCli,
        ClientName::Unknown,
    ];
    let is_failed = status >= 400;
    request_log::Model {
        id: Uuid::new_v7(stamp),
        created_at: at,
        user_id: (user > 0).then_some(user as i64),
        key_id: Some((user * 2 + random.below(2)) as i64),
        provider_id: (random.below(9) > 0).then_some(random.below(4) as i64),
        session_id: (random.below(3) > 0).then(|| format!("s-{}", number / 12)),
        protocol: ["anthropic", "responses"][random.below(2) as usize].into(),
        endpoint: ["POST /v1/messages", "POST /v1/Embeddings"][random.below(2) as usize].into(),
        requested_model: (random.below(20) > 0).then_some(asked),
        model: sent,
        status,
        is_stream: random.below(2) == 0,
        error_code: is_failed
            .then(|| ["upstream_error", "overloaded"][random.below(2) as usize].into()),
        error_message: is_failed.then(|| format!("relay-{} said no_100%", random.below(3))),
        input_tokens: 1,
        cache_read_tokens: 0,
        cache_write5m_tokens: 0,
        cache_write1h_tokens: 0,
        output_tokens: 2,
        reasoning_tokens: 0,
        cost_nano_usd: (random.below(10) > 0).then_some(random.below(1000) as i64 * 1_000_000),
        settled_from: "terminal".into(),
        duration_ms: random.below(60_000) as i64,
        ttfb_ms: None,
        ttft_ms: None,
        overhead_us: 1,
        request_bytes: 1,
        response_bytes: 1,
        client_ip: Some(format!("192.0.2.{}", random.below(5))),
        user_agent: Some("=cmd|' /C calc'!A0, \"quoted\"".into()),
        client: clients[random.below(3) as usize],
        chain: json!([{"attempt": 1}]),
    }
}

async fn fill(app: &App) -> Vec<request_log::Model> {
    let mut random = Numbers(7);
    let mut rows: Vec<_> = (0..ROWS).map(|number| row(number, &mut random)).collect();
    for some in rows.chunks(200) {
        let some = some.iter().cloned().map(IntoActiveModel::into_active_model);
        request_log::Entity::insert_many(some)
            .exec_without_returning(&app.db)
            .await
            .unwrap();
    }
    rows.reverse();
    rows
}

/// What a filter lets pass.
type Passes = Box<dyn Fn(&request_log::Model) -> bool>;

/// A filter: its parameter, and what it lets pass.
type Filter = (String, Passes);

#[expect(clippy::too_many_lines, reason = "one entry a filter")]
fn filters(random: &mut Numbers, rows: &[request_log::Model]) -> Vec<Filter> {
    let one = &rows[random.below(ROWS) as usize];
    let text = |name: &str, value: Option<String>| value.map(|value| format!("{name}={value}"));
    let (user, key, provider) = (one.user_id, one.key_id, one.provider_id);
    let (session, model, code) = (
        one.session_id.clone(),
        one.requested_model.clone(),
        one.error_code.clone(),
    );
    let (status, client, stream) = (one.status, one.client, one.is_stream);
    let (cost, took, at) = (one.cost_nano_usd, one.duration_ms, one.created_at);
    let protocol = one.protocol.clone();
    let number = |name: &str, id: Option<i64>| id.map(|id| format!("{name}={id}"));
    let all: Vec<(Option<String>, Passes)> = vec![
        (number("userId", user), Box::new(move |r| r.user_id == user)),
        (number("keyId", key), Box::new(move |r| r.key_id == key)),
        (
            number("providerId", provider),
            Box::new(move |r| r.provider_id == provider),
        ),
        (
            text("sessionId", session.clone()),
            Box::new(move |r| r.session_id == session),
        ),
        (
            text("model", model.clone()),
            Box::new(move |r| r.model == model || r.requested_model == model),
        ),
        (
            number("status", Some(status.into())),
            Box::new(move |r| r.status == status),
        ),
        (
            Some("statusClass=4xx".into()),
            Box::new(|r| (400..500).contains(&r.status)),
        ),
        (
            Some("statusClass=5xx".into()),
            Box::new(|r| r.status >= 500),
        ),
        (
            Some("statusClass=error".into()),
            Box::new(|r| r.status >= 400),
        ),
        (
            Some("statusClass=success".into()),
            Box::new(|r| r.status < 400),
        ),
        (
            text("errorCode", code.clone()),
            Box::new(move |r| r.error_code == code),
        ),
        (
            Some(format!("protocol={protocol}")),
            Box::new(move |r| r.protocol == protocol),
        ),
        (
            Some("endpoint=embeddings".into()),
            Box::new(|r| r.endpoint.contains("Embed")),
        ),
        (
            Some(format!("client={}", client.as_str())),
            Box::new(move |r| r.client == client),
        ),
        (
            Some(format!("isStream={stream}")),
            Box::new(move |r| r.is_stream == stream),
        ),
        (
            Some("minCostUsd=0.5".into()),
            Box::new(|r| r.cost_nano_usd.is_some_and(|cost| cost >= 500_000_000)),
        ),
        (
            cost.map(|cost| format!("maxCostUsd=0.{cost:09}")),
            Box::new(move |r| r.cost_nano_usd.is_some_and(|other| Some(other) <= cost)),
        ),
        (
            Some(format!("minDurationMs={took}")),
            Box::new(move |r| r.duration_ms >= took),
        ),
        (
            Some(format!("maxDurationMs={took}")),
            Box::new(move |r| r.duration_ms <= took),
        ),
        (
            Some(format!("from={}", at.format("%Y-%m-%dT%H:%M:%SZ"))),
            Box::new(move |r| r.created_at >= at),
        ),
        (
            Some(format!("to={}", at.format("%Y-%m-%dT%H:%M:%SZ"))),
            Box::new(move |r| r.created_at < at),
        ),
        (
            Some("text=RELAY-1%20said%20no_100%25".into()),
            Box::new(|r| r.error_message.as_deref() == Some("relay-1 said no_100%")),
        ),
        (Some("text=no%20such%20text".into()), Box::new(|_| false)),
    ];
    all.into_iter()
        .filter_map(|(parameter, passes)| Some((parameter?, passes)))
        .collect()
}

/// Walks all pages.
async fn walk(app: &App, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let at = format!("/api/v1/requests?limit=37&{query}{cursor}");
        let page = app.get(&As::admin(), &at).await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 37);
        found.extend(
            items
                .iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        match &page["nextCursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return found,
        }
    }
}

#[tokio::test]
async fn any_filters_together_find_what_passes_them_all() {
    everywhere(async |app| {
        let rows = fill(app).await;
        let mut random = Numbers(11);
        for round in 0..90 {
            let mut chosen = filters(&mut random, &rows);
            let count = 1 + random.below(3) as usize;
            let mut picked: Vec<Filter> = Vec::new();
            while picked.len() < count {
                // Each alone once, then several together.
                let index = if round < chosen.len() {
                    round
                } else {
                    random.below(chosen.len() as u64) as usize
                };
                let filter = chosen.swap_remove(index.min(chosen.len() - 1));
                let name = |(query, _): &Filter| query.split('=').next().unwrap().to_owned();
                if picked.iter().all(|other| name(other) != name(&filter)) {
                    picked.push(filter);
                }
            }
            let query: Vec<_> = picked.iter().map(|(query, _)| query.as_str()).collect();
            let passing = rows
                .iter()
                .filter(|row| picked.iter().all(|(_, passes)| passes(row)));
            let wanted: Vec<_> = passing.map(|row| row.id.to_string()).collect();
            assert_eq!(walk(app, &query.join("&")).await, wanted, "{query:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_is_found_by_its_id_and_mistakes_are_told_together() {
    everywhere(async |app| {
        let rows = fill(app).await;
        let id = rows[7].id.to_string();
        assert_eq!(walk(app, &format!("text={id}")).await, [id]);
        let wrong = "/api/v1/requests?minCostUsd=-1&maxCostUsd=x";
        let answer = app.get(&As::admin(), wrong).await.expect(422);
        assert_eq!(answer.mistakes(), ["maxCostUsd", "minCostUsd"]);
        let wrong = "/api/v1/requests?statusClass=6xx&protocol=smtp&client=me&text=";
        let answer = app.get(&As::admin(), wrong).await.expect(422);
        assert_eq!(
            answer.mistakes(),
            ["client", "protocol", "statusClass", "text"]
        );
    })
    .await;
}

#[tokio::test]
async fn an_export_is_the_list_as_a_table() {
    everywhere(async |app| {
        let rows = fill(app).await;
        let answer = app
            .get(&As::admin(), "/api/v1/requests/export?statusClass=error")
            .await;
        let answer = answer.expect(200);
        assert_eq!(
            answer.header("content-type").split(';').next(),
            Some("text/csv")
        );
        assert!(
            answer
                .header("content-disposition")
                .starts_with("attachment; filename=\"")
        );
        let mut lines = answer.text.split_terminator("\r\n");
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("id,createdAt,userId,userName,")
        );
        let told: Vec<_> = lines
            .map(|line| line.split(',').next().unwrap().to_owned())
            .collect();
        let failed = rows.iter().filter(|row| row.status >= 400);
        let wanted: Vec<_> = failed.map(|row| row.id.to_string()).collect();
        assert_eq!(told, wanted);
        let some = app
            .get(&As::admin(), "/api/v1/requests/export?maxRows=600")
            .await;
        assert_eq!(some.expect(200).text.lines().count(), 601);
        let none = app
            .get(&As::admin(), "/api/v1/requests/export?userId=999")
            .await;
        assert_eq!(none.expect(200).text.lines().count(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_export_tells_users_their_own_without_providers() {
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true});
        let (user, key, secret) = app
            .user_with_key(json!({"name": "=HYPERLINK(1)"}), login)
            .await;
        let mut mine = row(1, &mut Numbers(1));
        (mine.user_id, mine.key_id, mine.provider_id) = (Some(user), Some(key), Some(4));
        mine.error_message = Some("relay-9 said no".into());
        let mut others = row(2, &mut Numbers(2));
        others.user_id = Some(user + 1);
        let id = mine.id;
        let both = [mine, others].map(IntoActiveModel::into_active_model);
        request_log::Entity::insert_many(both)
            .exec_without_returning(&app.db)
            .await
            .unwrap();
        let mine = app
            .get(&As::bearer(&secret), "/api/v1/requests/export")
            .await
            .expect(200);
        let lines: Vec<_> = mine.text.lines().collect();
        assert!(
            lines.len() == 2 && lines[1].starts_with(&id.to_string()),
            "{lines:?}"
        );
        assert!(
            lines[1].contains(",'=HYPERLINK(1),") && !mine.text.contains("relay-9"),
            "{lines:?}"
        );
        let all = app
            .get(&As::admin(), "/api/v1/requests/export")
            .await
            .expect(200);
        assert!(
            all.text.contains(",4,,") && all.text.contains("relay-9"),
            "{}",
            all.text
        );
    })
    .await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn choices_are_what_occurs() {
    use entity::usage_hourly::{ActiveModel, Entity, hour_of};
    use sea_orm::ActiveValue::Set;
    everywhere(async |app| {
        let login = json!({"canLoginWebUi": true});
        let (user, key, secret) = app.user_with_key(json!({"name": "ann"}), login).await;
        let now = hour_of(Utc::now());
        for (age, user_id, key_id, provider_id, model, requests) in [
            (0, user, key, 0, "opus", 2),
            (1, user, key, 3, "opus", 3),
            (2, user + 1, key + 1, 3, "sonnet", 9),
            (24 * 60, user, key, 3, "old", 50),
        ] {
            let mut row = ActiveModel {
                hour: Set(now - age),
                user_id: Set(user_id),
                key_id: Set(key_id),
                provider_id: Set(provider_id),
                model: Set(model.into()),
                client: Set(ClientName::CodexCli),
                requests: Set(requests),
                ..Default::default()
            };
            for sum in [
                &mut row.failures,
                &mut row.attempts_terminal,
                &mut row.attempts_partial,
                &mut row.attempts_estimate,
                &mut row.attempts_none,
                &mut row.attempts_unpriced,
                &mut row.input_tokens,
                &mut row.cache_read_tokens,
                &mut row.cache_write5m_tokens,
                &mut row.cache_write1h_tokens,
                &mut row.output_tokens,
                &mut row.reasoning_tokens,
                &mut row.image_input_tokens,
                &mut row.image_output_tokens,
                &mut row.cost_nano_usd,
            ] {
                *sum = Set(0);
            }
            Entity::insert(row)
                .exec_without_returning(&app.db)
                .await
                .unwrap();
        }
        let all = app
            .get(&As::admin(), "/api/v1/requests/filters")
            .await
            .expect(200)
            .json();
        assert_eq!(
            all["models"],
            json!([{"name": "sonnet", "requests": 9}, {"name": "opus", "requests": 5}])
        );
        assert_eq!(
            all["clients"],
            json!([{"name": "codex-cli", "requests": 14}])
        );
        assert_eq!(
            all["users"][1],
            json!({"id": user, "name": "ann", "requests": 5})
        );
        assert_eq!(
            all["providers"],
            json!([{"id": 3, "name": "", "requests": 12}])
        );
        let mine = app
            .get(&As::bearer(&secret), "/api/v1/requests/filters")
            .await
            .expect(200)
            .json();
        assert_eq!(mine["models"], json!([{"name": "opus", "requests": 5}]));
        assert_eq!(
            (&mine["providers"], mine["keys"].as_array().unwrap().len()),
            (&json!([]), 1)
        );
        // Hours before 1970 are negative.
        for from in ["2020-01-01T00:00:00Z", "0377-10-03T19:56:30Z"] {
            let path = format!("/api/v1/requests/filters?from={from}");
            let old = app.get(&As::admin(), &path).await;
            assert_eq!(old.expect(200).json()["models"][0]["name"], "old", "{from}");
        }
    })
    .await;
}
