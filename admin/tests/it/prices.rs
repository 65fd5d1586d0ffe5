//! Prices: listed, set, imported, fetched, and history priced by them.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{request_log, usage, usage_hourly::hour_of, usage_span::State, value::ClientName};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

use crate::{
    support::{App, As, everywhere},
    usage::{closed, states, stored, sum_up, summed},
};

const AT: &str = "/api/v1/prices";

async fn put(app: &App, model: &str, body: Value) -> crate::support::Answer {
    let at = format!("{AT}/{model}");
    app.send(&As::admin(), "PUT", &at, Some(body.to_string()))
        .await
}

#[tokio::test]
async fn a_price_is_set_read_and_ended() {
    everywhere(async |app| {
        let admin = As::admin();
        let builtin = app.get(&admin, &format!("{AT}/claude-opus-4-7")).await;
        let builtin = builtin.expect(200).json();
        assert_eq!((&builtin["source"], &builtin["effectiveAt"]), (&json!("builtin"), &json!(null)));
        assert_eq!(builtin["inputPerMillionUsd"], json!("5"));
        assert_eq!(builtin["tiers"][0]["serviceTier"], json!("batch"));

        let before = app.revision().await;
        let body = json!({"inputPerMillionUsd": "3", "outputPerTokenUsd": 0.000015, "perRequestUsd": 0.5,
                          "tiers": [{"aboveTokens": 200000, "inputPerMillionUsd": 6}, {"serviceTier": "priority", "inputPerMillionUsd": "12.5"}]});
        let made = put(app, "claude-opus-4-7", body).await.expect(200);
        let version = made.header("etag").to_owned();
        let price = made.json();
        assert_eq!((&price["source"], &price["inputPerMillionUsd"]), (&json!("manual"), &json!("3")));
        assert_eq!((&price["outputPerMillionUsd"], &price["perRequestUsd"]), (&json!("15"), &json!("0.5")));
        assert_eq!(
            price["tiers"],
            json!([{"aboveTokens": 0, "serviceTier": "priority", "inputPerMillionUsd": "12.5"},
                   {"aboveTokens": 200000, "serviceTier": "standard", "inputPerMillionUsd": "6"}])
        );
        assert_eq!(app.revision().await, before + 1);

        let at = format!("{AT}/claude-opus-4-7");
        let stale = admin.clone().with("if-match", "\"builtin\"");
        let change = json!({"inputPerMillionUsd": 4}).to_string();
        app.send(&stale, "PUT", &at, Some(change.clone())).await.expect(412);
        app.delete(&stale, &at).await.expect(412);
        let fresh = admin.clone().with("if-match", &version);
        app.send(&fresh, "PUT", &at, Some(change)).await.expect(200);
        app.delete(&admin, &at).await.expect(204);
        app.delete(&admin, &at).await.expect(404);
        let now = app.get(&admin, &at).await.expect(200).json();
        assert_eq!(now["source"], json!("builtin"));
        let history = app.get(&admin, &format!("{at}/history")).await.expect(200).json();
        let told: Vec<_> = history["items"].as_array().unwrap().iter().map(|i| (&i["source"], &i["isEnd"])).collect();
        let (manual, yes, no) = (json!("manual"), json!(true), json!(false));
        assert_eq!(told, [(&manual, &yes), (&manual, &no), (&manual, &no), (&json!("builtin"), &no)]);
    })
    .await;
}

#[tokio::test]
async fn a_name_with_slashes_is_a_name() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({"inputPerMillionUsd": "1", "aliases": ["quick"]});
        let made = put(app, "house%2Fteam%2Fmodel%3Av1", body)
            .await
            .expect(200)
            .json();
        assert_eq!(made["model"], json!("house/team/model:v1"));
        assert_eq!(
            made["effectiveAt"],
            json!("1970-01-01T00:00:00+00:00"),
            "the first reaches back"
        );
        for (name, priced_as) in [
            ("house%2Fteam%2Fmodel%3Av1", "house/team/model:v1"),
            ("quick", "house/team/model:v1"),
            ("openrouter%2Fx-ai%2Fgrok-4.20-20260101", "xai/grok-4.20"),
            (
                "us.anthropic.claude-opus-4-7-20260416-v9:0",
                "claude-opus-4-7-20260416",
            ),
        ] {
            let read = app
                .get(&admin, &format!("{AT}/{name}"))
                .await
                .expect(200)
                .json();
            assert_eq!(read["pricedAs"], json!(priced_as), "{name}");
        }
        let at = format!("{AT}/house%2Fteam%2Fmodel%3Av1");
        app.get(&admin, &format!("{at}/history")).await.expect(200);
        app.delete(&admin, &at).await.expect(204);
        app.get(&admin, &at).await.expect(404);
        app.get(&admin, &format!("{AT}/claude-opus-4-99"))
            .await
            .expect(404);
        app.get(&admin, &format!("{AT}/nothing/history"))
            .await
            .expect(404);
    })
    .await;
}

#[tokio::test]
async fn mistakes_in_a_price_are_all_named() {
    everywhere(async |app| {
        let body = json!({"inputPerMillionUsd": "-1", "inputPerTokenUsd": "1e-6", "outputPerMillionUsd": true, "perRequestUsd": "1001",
                          "cacheReadPerTokenUsd": "1e-16", "aliases": [" "], "cost": 1,
                          "tiers": [{"inputPerMillionUsd": "x"}, {"aboveTokens": -1}]});
        let refused = put(app, "m", body).await.expect(422);
        let named = refused.mistakes();
        for path in ["cost", "tiers[1].aboveTokens"] {
            assert!(named.contains(&path.to_owned()), "{named:?}");
        }
        let body = json!({"inputPerMillionUsd": "-1", "inputPerTokenUsd": "1e-6", "perRequestUsd": "1001",
                          "cacheReadPerTokenUsd": "1e-16", "aliases": [" "], "tiers": [{"inputPerMillionUsd": "x"}]});
        let refused = put(app, "m", body).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            ["aliases[0]", "cacheReadPerTokenUsd", "inputPerMillionUsd", "inputPerTokenUsd", "perRequestUsd", "tiers[0]", "tiers[0].inputPerMillionUsd"]
        );
        assert_eq!(put(app, "m", json!({})).await.expect(422).mistakes(), ["body"]);
        assert_eq!(put(app, "%20", json!({"inputPerMillionUsd": 1})).await.expect(422).mistakes(), ["model"]);
        let span = json!({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "models": []});
        let refused = app.post(&As::admin(), &format!("{AT}/reprice"), span).await.expect(422);
        assert_eq!(refused.mistakes(), ["models", "to"]);
    })
    .await;
}

#[tokio::test]
async fn the_list_is_walked_searched_and_filtered() {
    everywhere(async |app| {
        let admin = As::admin();
        put(app, "AAA-house", json!({"inputPerMillionUsd": 1}))
            .await
            .expect(200);
        let mut names: Vec<String> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app
                .get(&admin, &format!("{AT}?q=CLAUDE-OPUS&limit=40{cursor}"))
                .await
                .expect(200)
                .json();
            let items = page["items"].as_array().unwrap();
            names.extend(
                items
                    .iter()
                    .map(|i| i["model"].as_str().unwrap().to_owned()),
            );
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(names.len() > 50 && names.is_sorted(), "{}", names.len());
        assert!(
            names
                .iter()
                .all(|n| n.to_lowercase().contains("claude-opus"))
        );
        let manual = app
            .get(&admin, &format!("{AT}?source=manual"))
            .await
            .expect(200)
            .json();
        assert_eq!(manual["items"].as_array().unwrap().len(), 1);
        assert_eq!(manual["items"][0]["model"], json!("AAA-house"));
    })
    .await;
}

fn table() -> Value {
    json!({
        "sample_spec": {"input_cost_per_token": 1.0},
        "new/model": {"input_cost_per_token": 2e-06, "output_cost_per_token": 4e-06},
        "gpt-4o": {"input_cost_per_token": 9e-06, "output_cost_per_token": 1e-05},
        "claude-opus-4-7": {"input_cost_per_token": 7e-06},
        "voice": {"input_cost_per_second": 0.1},
    })
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table from the check to its end")]
async fn a_table_is_checked_then_taken_over() {
    everywhere(async |app| {
        let admin = As::admin();
        put(app, "claude-opus-4-7", json!({"inputPerMillionUsd": 3}))
            .await
            .expect(200);
        let check = app
            .post(&admin, &format!("{AT}/import"), table())
            .await
            .expect(200)
            .json();
        let counts = |r: &Value| {
            json!([
                r["applied"],
                r["addedCount"],
                r["changedCount"],
                r["unchangedCount"],
                r["ignoredCount"]
            ])
        };
        assert_eq!(counts(&check), json!([false, 1, 2, 0, 1]));
        assert_eq!(check["added"][0]["after"], json!("input=2 output=4"));
        assert_eq!(
            (
                &check["changed"][0]["model"],
                &check["changed"][0]["isOverruled"]
            ),
            (&json!("claude-opus-4-7"), &json!(true))
        );
        assert!(
            check["ignored"][0]["reason"]
                .as_str()
                .unwrap()
                .contains("no price")
        );
        app.get(&admin, &format!("{AT}/new%2Fmodel"))
            .await
            .expect(404);

        let revision = app.revision().await;
        let done = app
            .post(&admin, &format!("{AT}/import?apply=true"), table())
            .await
            .expect(200)
            .json();
        assert_eq!(counts(&done), json!([true, 1, 2, 0, 1]));
        assert_eq!(app.revision().await, revision + 1);
        let again = app
            .post(&admin, &format!("{AT}/import?apply=true"), table())
            .await
            .expect(200)
            .json();
        assert_eq!(counts(&again), json!([true, 0, 0, 3, 1]));
        assert_eq!(app.revision().await, revision + 1, "nothing changed");
        let source = async |model: &str| {
            app.get(&admin, &format!("{AT}/{model}"))
                .await
                .expect(200)
                .json()["source"]
                .clone()
        };
        assert_eq!(
            [source("new%2Fmodel").await, source("gpt-4o").await],
            [json!("synced"), json!("synced")]
        );
        assert_eq!(source("claude-opus-4-7").await, json!("manual"));
        app.delete(&admin, &format!("{AT}/claude-opus-4-7"))
            .await
            .expect(204);
        assert_eq!(source("claude-opus-4-7").await, json!("synced"));

        for bad in ["[]", "{", "{\"a\":"] {
            let refused = app
                .send(&admin, "POST", &format!("{AT}/import"), Some(bad.into()))
                .await;
            assert_eq!(refused.expect(422).mistakes(), ["body"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_whole_table_is_read_at_once() {
    everywhere(async |app| {
        // As large as the public one: every model there is, at twice its size.
        let models: serde_json::Map<String, Value> = (0..5000)
            .map(|i| {
                (
                    format!("model-{i}"),
                    json!({"input_cost_per_token": 1e-6, "note": "x".repeat(300)}),
                )
            })
            .collect();
        let done = app
            .post(
                &As::admin(),
                &format!("{AT}/import?apply=true"),
                Value::Object(models),
            )
            .await
            .expect(200)
            .json();
        assert_eq!(done["addedCount"], json!(5000));
        assert_eq!(done["added"].as_array().unwrap().len(), 500);
        app.get(&As::admin(), &format!("{AT}/model-4999"))
            .await
            .expect(200);
    })
    .await;
}

/// Answers each connection with the same bytes; its address.
async fn serve(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://{address}/prices.json")
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_table_is_fetched_from_where_it_may_be() {
    everywhere(async |app| {
        let admin = As::admin();
        let at = format!("{AT}/sync");
        let url = serve(ok(&table().to_string())).await;
        let check = app.post(&admin, &at, json!({"url": url})).await.expect(200).json();
        assert_eq!((&check["applied"], &check["addedCount"]), (&json!(false), &json!(1)));
        app.post(&admin, &at, json!({"url": url, "apply": true})).await.expect(200);
        app.get(&admin, &format!("{AT}/new%2Fmodel")).await.expect(200);

        let moved = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        for bad in [
            serve(moved.into()).await,
            serve("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into()).await,
            "http://169.254.169.254/latest/meta-data".into(),
            "http://127.0.0.1:1/".into(),
            "file:///etc/passwd".into(),
        ] {
            let refused = app.post(&admin, &at, json!({"url": bad})).await.expect(422);
            assert_eq!(refused.mistakes(), ["url"], "{bad}");
        }
        let no_table = serve(ok("<html>")).await;
        assert_eq!(app.post(&admin, &at, json!({"url": no_table})).await.expect(422).mistakes(), ["body"]);
        app.patch(&admin, "/api/v1/settings", json!({"egressPolicy": "public-only"})).await.expect(200);
        for private in [url.clone(), url.replace("127.0.0.1", "localhost")] {
            assert_eq!(app.post(&admin, &at, json!({"url": private})).await.expect(422).mistakes(), ["url"]);
        }
    })
    .await;
}

/// A usage line of a request of its own, which ended `age` hours ago.
async fn line(app: &App, age: i64, edit: impl FnOnce(&mut usage::Model)) -> usage::Model {
    let at: DateTime<Utc> = "2026-06-01T12:00:00Z".parse().unwrap();
    let at = at - TimeDelta::hours(age);
    let stamp = uuid::Timestamp::from_unix(uuid::NoContext, at.timestamp().unsigned_abs(), 0);
    let mut line = usage::Model {
        id: Uuid::new_v7(stamp),
        request_id: Uuid::new_v7(stamp),
        attempt: 1,
        created_at: at,
        user_id: 1,
        key_id: 1,
        provider_id: 1,
        requested_model: Some("asked".into()),
        model: Some("house/model".into()),
        input_tokens: 1000,
        cache_read_tokens: 0,
        cache_write5m_tokens: 0,
        cache_write1h_tokens: 0,
        output_tokens: 100,
        reasoning_tokens: 0,
        image_input_tokens: 0,
        image_output_tokens: 0,
        cost_nano_usd: None,
        price_ref: None,
        service_tier: None,
        provider_multiplier: None,
        group_multiplier: None,
        client: ClientName::CodexCli,
        settled_from: "terminal".into(),
        raw: None,
    };
    edit(&mut line);
    line.clone()
        .into_active_model()
        .reset_all()
        .insert(&app.db)
        .await
        .unwrap();
    line
}

async fn request(app: &App, id: Uuid) {
    let row = request_log::Model {
        id,
        created_at: Utc::now(),
        user_id: Some(1),
        key_id: Some(1),
        provider_id: Some(1),
        session_id: None,
        protocol: "openai".into(),
        endpoint: "POST /v1/responses".into(),
        requested_model: None,
        model: None,
        status: 200,
        is_stream: false,
        error_code: None,
        error_message: None,
        input_tokens: 0,
        cache_read_tokens: 0,
        cache_write5m_tokens: 0,
        cache_write1h_tokens: 0,
        output_tokens: 0,
        reasoning_tokens: 0,
        cost_nano_usd: None,
        settled_from: "terminal".into(),
        duration_ms: 0,
        ttfb_ms: None,
        ttft_ms: None,
        overhead_us: 0,
        request_bytes: 0,
        response_bytes: 0,
        client_ip: None,
        user_agent: None,
        client: entity::value::ClientName::default(),
        chain: json!([]),
    };
    row.into_active_model()
        .reset_all()
        .insert(&app.db)
        .await
        .unwrap();
}

async fn cost(app: &App, line: &usage::Model) -> (Option<i64>, Option<String>) {
    let line = usage::Entity::find_by_id(line.id)
        .one(&app.db)
        .await
        .unwrap()
        .unwrap();
    (line.cost_nano_usd, line.price_ref)
}

#[tokio::test]
async fn history_gets_a_cost_once_there_is_a_price() {
    everywhere(async |app| {
        let admin = As::admin();
        let first = line(app, 1, |_| {}).await;
        request(app, first.request_id).await;
        let retry = line(app, 1, |l| {
            l.request_id = first.request_id;
            l.attempt = 2;
            l.service_tier = Some("flex".into());
            l.provider_multiplier = "0.5".parse().ok();
            l.group_multiplier = "3".parse().ok();
        })
        .await;
        let unmodelled = line(app, 2, |l| (l.model, l.requested_model) = (None, Some("house/model".into()))).await;
        let unknown = line(app, 3, |l| l.model = Some("nobody/knows".into())).await;
        let failed = line(app, 3, |l| l.settled_from = "none".into()).await;
        let outside = line(app, 48, |_| {}).await;
        let billed = line(app, 4, |l| (l.cost_nano_usd, l.model) = (Some(77), Some("nobody/knows".into()))).await;

        let unpriced = app.get(&admin, &format!("{AT}/unpriced")).await.expect(200).json();
        let told: Vec<_> = unpriced["items"].as_array().unwrap().iter().map(|i| json!([i["model"], i["attempts"], i["hasPriceNow"]])).collect();
        assert_eq!(told, [json!(["house/model", 4, false]), json!(["nobody/knows", 1, false])]);

        let price = json!({"inputPerMillionUsd": "1", "outputPerMillionUsd": "10", "tiers": [{"serviceTier": "flex", "inputPerMillionUsd": "0.2"}]});
        put(app, "house%2Fmodel", price).await.expect(200);
        let unpriced = app.get(&admin, &format!("{AT}/unpriced")).await.expect(200).json();
        assert_eq!(unpriced["items"][0]["hasPriceNow"], json!(true));

        let at = format!("{AT}/reprice");
        let span = json!({"from": "2026-06-01T00:00:00Z", "to": "2026-06-01T12:00:00Z"});
        let check = app.post(&admin, &at, span.clone()).await.expect(200).json();
        // 1000 at 1 and 100 at 10, twice; 1000 at 0.2 and 100 at 10, times one and a half.
        let expected = json!({"applied": false, "lines": 5, "totalLines": 5, "changed": 3, "unpriced": 1, "beforeUsd": "0.000000077", "afterUsd": "0.005800077", "nextCursor": null});
        assert_eq!(check, expected);
        assert_eq!(cost(app, &first).await, (None, None), "nothing was done");

        sum_up(app).await;
        let hour = hour_of(first.created_at);
        closed(app, &[hour - 48..hour - 24, hour..hour + 1, hour - 12..hour + 12]).await;
        let mut apply = span.clone();
        apply["apply"] = json!(true);
        let done = app.post(&admin, &at, apply.clone()).await.expect(200).json();
        assert_eq!((&done["changed"], &done["afterUsd"]), (&json!(3), &json!("0.005800077")));
        let reference = app.get(&admin, &format!("{AT}/house%2Fmodel")).await.expect(200).json()["reference"].as_str().map(str::to_owned);
        assert_eq!(cost(app, &first).await, (Some(2_000_000), reference.clone()));
        assert_eq!(cost(app, &retry).await, (Some(1_800_000), reference.clone()));
        assert_eq!(cost(app, &unmodelled).await, (Some(2_000_000), reference));
        for same in [&unknown, &failed, &outside] {
            assert_eq!(cost(app, same).await, (None, None));
        }
        assert_eq!(cost(app, &billed).await, (Some(77), None), "a cost is never taken away");
        let row = request_log::Entity::find_by_id(first.request_id).one(&app.db).await.unwrap().unwrap();
        assert_eq!(row.cost_nano_usd, Some(3_800_000));
        assert_eq!(stored(app).await, summed(app).await, "sums follow");
        assert_eq!(states(app).await, [State::Closed, State::Stale, State::Stale]);
        let again = app.post(&admin, &at, apply).await.expect(200).json();
        assert_eq!((&again["changed"], &again["beforeUsd"]), (&json!(0), &json!("0.005800077")));
    })
    .await;
}

#[tokio::test]
async fn history_is_priced_by_the_moment_and_the_model_and_can_go_on() {
    everywhere(async |app| {
        let admin = As::admin();
        let old = line(app, 10, |_| {}).await;
        let new = line(app, 1, |_| {}).await;
        let other = line(app, 1, |l| l.model = Some("gpt-4o".into())).await;
        put(app, "house%2Fmodel", json!({"inputPerMillionUsd": 1})).await.expect(200);
        let later = json!({"inputPerMillionUsd": 2, "effectiveAt": "2026-06-01T06:00:00Z"});
        put(app, "house%2Fmodel", later).await.expect(200);
        let at = format!("{AT}/reprice");
        let span = json!({"from": "2026-05-01T00:00:00Z", "to": "2026-07-01T00:00:00Z", "models": ["house/model"], "apply": true});
        // Going on after the first line leaves it as it is.
        let mut rest = span.clone();
        rest["cursor"] = json!(base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, old.id.to_string()));
        let done = app.post(&admin, &at, rest).await.expect(200).json();
        assert_eq!((&done["lines"], &done["nextCursor"]), (&json!(1), &json!(null)));
        assert_eq!([cost(app, &old).await.0, cost(app, &new).await.0], [None, Some(2_000_000)]);
        app.post(&admin, &at, span.clone()).await.expect(200);
        assert_eq!(cost(app, &old).await.0, Some(1_000_000));
        assert_eq!(cost(app, &other).await.0, None);
        let mut bad = span;
        bad["cursor"] = json!("???");
        assert_eq!(app.post(&admin, &at, bad).await.expect(422).mistakes(), ["cursor"]);

        for i in 0..600 {
            line(app, 20, |l| l.input_tokens = i).await;
        }
        let span = json!({"from": "2026-05-31T00:00:00Z", "to": "2026-06-01T00:00:00Z", "apply": true});
        sum_up(app).await;
        let (done, beside) = tokio::join!(app.post(&admin, &at, span.clone()), app.post(&admin, &at, span));
        assert_eq!(done.expect(200).json()["lines"], json!(600), "more than a batch");
        beside.expect(200);
        assert_eq!(stored(app).await, summed(app).await, "two at once count once");
    })
    .await;
}
