//! People are told by message what happens: once, again when it did not arrive, and by one node of several.

use chrono::{DateTime, TimeDelta, Utc};
use entity::value::{ClientName, Secret};
use entity::{notification_rule, usage_hourly};
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, Set};
use serde_json::{Value, json};

use crate::support::{Front, Receiver, TestApp, TestStore, Upstream, eventually};

/// In every secret of these tests, and nowhere else.
const MARK: &str = "f00dfeed";

fn ask(text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]})
}

async fn target(front: &Front, body: Value) -> i64 {
    let made = front.create("/notifications/targets", body).await;
    made["id"].as_i64().unwrap()
}

async fn webhook(front: &Front, receiver: &Receiver) -> i64 {
    let url = receiver.url(&format!("/hook/{MARK}-path"));
    let body = json!({
        "name": "hook", "kind": "webhook", "url": url, "headers": {"x-secret": format!("{MARK}-header")},
    });
    target(front, body).await
}

async fn rule(front: &Front, event: &str, target: i64, more: Value) -> i64 {
    let mut body = json!({"name": event, "event": event, "targetIds": [target]});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let made = front.create("/notifications/rules", body).await;
    made["id"].as_i64().unwrap()
}

async fn deliveries(front: &Front) -> Vec<Value> {
    let list = front.get("/notifications/deliveries").await;
    list["items"].as_array().unwrap().clone()
}

/// Waits until so many are in the log, all of them so far.
async fn all_are(front: &Front, state: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} {state} deliveries"), || async {
        let found = deliveries(front).await;
        let is_so = found.iter().all(|row| row["state"] == state);
        (is_so && found.len() == count).then_some(found)
    })
    .await
}

/// A provider whose breaker opens at its first failure and goes on trial a second later.
async fn fragile(front: &Front, name: &str, url: &str) -> i64 {
    let more =
        json!({"breaker": {"failureThreshold": 1, "openSeconds": 1, "halfOpenSuccesses": 1}});
    front.provider(name, "claude", url, more).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_breaker_that_opens_is_told_once_and_told_when_it_closes() {
    let receiver = Receiver::start().await;
    let (bad, good) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let front = app.front();
    let hook = webhook(&front, &receiver).await;
    rule(&front, "breaker-opened", hook, json!({})).await;
    rule(&front, "breaker-closed", hook, json!({})).await;
    let id = fragile(&front, "bad", &bad.url("status=503;times=2")).await;
    front
        .provider("good", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    assert_eq!(app.post("/v1/messages", &ask("a")).await.status(), 200);
    let received = receiver.wait_for(1).await;
    let told = &received[0];
    assert_eq!(told.target, format!("POST /hook/{MARK}-path"));
    assert!(told.head.contains(&format!("x-secret: {MARK}-header")));
    assert_eq!(
        (&told.body["event"], &told.body["level"]),
        (&json!("breaker-opened"), &json!("problem"))
    );
    assert_eq!(told.body["title"], "[Switchyard] Breaker opened: bad");
    assert_eq!(told.body["items"][0]["provider"], "bad");
    // It fails again on trial, which is nothing new, and then it works.
    let mut n = 0;
    loop {
        n += 1;
        assert_eq!(
            app.post("/v1/messages", &ask(&n.to_string()))
                .await
                .status(),
            200
        );
        let found = front.get(&format!("/providers/{id}/breaker")).await;
        let mut items = found["items"].as_array().unwrap().iter();
        if items.all(|breaker| breaker["state"] == "closed") {
            break;
        }
        assert!(n < 2_000, "{found:#}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let received = receiver.wait_for(2).await;
    assert_eq!(received[1].body["event"], "breaker-closed");
    assert_eq!(received[1].body["level"], "good");
    let rows = all_are(&front, "delivered", 2).await;
    assert_eq!(rows[1]["title"], "[Switchyard] Breaker opened: bad");
    assert_eq!(
        (&rows[1]["attempts"], &rows[1]["status"]),
        (&json!(1), &json!(200))
    );
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_not_taken_is_sent_again_and_a_hopeless_one_is_given_up() {
    let receiver = Receiver::start().await;
    let bad = Upstream::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    receiver.answer([(503, "later"), (500, MARK), (200, "ok")]);
    let hook = webhook(&front, &receiver).await;
    rule(&front, "breaker-opened", hook, json!({})).await;
    fragile(&front, "one", &bad.url("status=503")).await;
    assert_eq!(app.post("/v1/messages", &ask("a")).await.status(), 503);
    let received = receiver.wait_for(3).await;
    let statuses: Vec<u16> = received.iter().map(|message| message.status).collect();
    assert_eq!(statuses, [503, 500, 200]);
    assert_eq!(received[0].body, received[2].body);
    let row = all_are(&front, "delivered", 1).await.remove(0);
    assert_eq!((&row["attempts"], &row["error"]), (&json!(3), &json!(null)));
    assert_eq!(row["nextAttemptAt"], json!(null));
    let counted = |metrics: &str, lines: &[&str]| {
        let mut wanted = lines.iter();
        wanted.all(|line| metrics.lines().any(|found| found == *line))
    };
    let metrics = metrics(&app).await;
    let lines = [
        r#"switchyard_notifications_total{kind="webhook",outcome="delivered"} 1"#,
        r#"switchyard_notification_retries_total{kind="webhook"} 2"#,
    ];
    assert!(counted(&metrics, &lines), "{metrics}");

    receiver.answer([(410, "gone")]);
    fragile(&front, "two", &bad.url("status=502")).await;
    app.post("/v1/messages", &ask("b")).await;
    let given_up = eventually("the second to be given up", || async {
        let row = deliveries(&front).await.remove(0);
        (row["state"] == "failed").then_some(row)
    })
    .await;
    assert_eq!(
        (&given_up["attempts"], &given_up["status"]),
        (&json!(1), &json!(410))
    );
    assert_eq!(given_up["error"], "the answer is 410: gone");

    // Another waits for longer than it is counted how many do.
    receiver.answer((0..4).map(|_| (503, "later")));
    fragile(&front, "three", &bad.url("status=502")).await;
    app.post("/v1/messages", &ask("c")).await;
    let failed = r#"switchyard_notifications_total{kind="webhook",outcome="failed"} 1"#;
    eventually("one to be counted that waits", || async {
        let metrics = self::metrics(&app).await;
        counted(&metrics, &[failed, "switchyard_notifications_waiting 1"]).then_some(())
    })
    .await;
}

async fn metrics(app: &TestApp) -> String {
    let metrics = app.admin(Method::GET, "/system/metrics").send().await;
    metrics.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_when_the_gateway_ends_is_sent_by_the_next() {
    let receiver = Receiver::start().await;
    let bad = Upstream::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    receiver.answer([(500, "not now"), (500, "not now")]);
    let hook = webhook(&front, &receiver).await;
    rule(&front, "breaker-opened", hook, json!({})).await;
    fragile(&front, "bad", &bad.url("status=503")).await;
    app.post("/v1/messages", &ask("a")).await;
    eventually("the first attempt to have failed", || async {
        let row = deliveries(&front).await.into_iter().next()?;
        (row["state"] == "pending" && row["status"] == 500).then_some(())
    })
    .await;
    let app = app.restart().await;
    receiver.wait_for(3).await;
    let row = all_are(&app.front(), "delivered", 1).await.remove(0);
    assert_eq!(row["attempts"], json!(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_is_told_of_once_a_window_and_models_without_a_price_too() {
    let receiver = Receiver::start().await;
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    front.price("m", &json!({"perRequestUsd": 1})).await;
    let hook = webhook(&front, &receiver).await;
    let budget = json!({"limitTotalUsd": "2"});
    let provider = front
        .provider("p", "claude", &upstream.url(""), budget)
        .await;
    let user = front
        .user(json!({"name": "bob", "limitMonthlyUsd": "100"}))
        .await;
    let (key, secret) = front
        .key(user, json!({"name": "desk", "limitDailyUsd": "2"}))
        .await;
    for text in ["a", "b"] {
        let answer = front.post("/v1/messages", &secret).json(&ask(text));
        assert_eq!(answer.send().await.unwrap().status(), 200);
    }
    for subject in [format!("keys/{key}"), format!("providers/{provider}")] {
        let window = if subject.starts_with("keys") {
            "limitDailyUsd"
        } else {
            "limitTotalUsd"
        };
        eventually("both requests to be paid", || async {
            (front.spent(&subject, window).await == 2_000_000_000).then_some(())
        })
        .await;
    }
    rule(&front, "limit-near", hook, json!({"thresholdPercent": 90})).await;
    let near = &receiver.wait_for(1).await[0].body;
    assert_eq!(
        near["title"],
        "[Switchyard] Limit nearly reached: desk, 100 %"
    );
    let item = &near["items"][0];
    assert_eq!(
        json!([
            item["of"],
            item["owner"],
            item["limit"],
            item["spentUsd"],
            item["limitUsd"]
        ]),
        json!(["key", "bob", "usd_day", "2.00", "2.00"])
    );
    rule(&front, "provider-out-of-budget", hook, json!({})).await;
    let spent = &receiver.wait_for(2).await[1].body;
    assert_eq!(
        spent["title"],
        "[Switchyard] Provider out of budget: p, 100 %"
    );
    // Without its limit the provider serves again; what it serves has no price.
    let path = format!("/providers/{provider}");
    front.change(&path, json!({"limitTotalUsd": null})).await;
    front
        .change(&format!("/keys/{key}"), json!({"limitDailyUsd": null}))
        .await;
    let mut unknown = ask("c");
    unknown["model"] = json!("nobody-prices-this");
    eventually("a request without a price", || async {
        let answer = front.post("/v1/messages", &secret).json(&unknown);
        (answer.send().await.unwrap().status() == 200).then_some(())
    })
    .await;
    eventually("its usage to be summed up", || async {
        let totals = front.get("/usage/totals").await.to_string();
        totals.contains("\"unpricedAttempts\":1").then_some(())
    })
    .await;
    rule(&front, "unpriced-model", hook, json!({})).await;
    let unpriced = &receiver.wait_for(3).await[2].body;
    assert_eq!(unpriced["items"][0]["model"], "nobody-prices-this");
    // Looking again tells nothing again: another rule is looked at after these, and its message comes alone.
    rule(&front, "unpriced-model", hook, json!({"name": "second"})).await;
    receiver.wait_for(4).await;
    let rows = all_are(&front, "delivered", 4).await;
    assert_eq!(rows[0]["ruleName"], "second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_rate_that_jumps_is_told() {
    let receiver = Receiver::start().await;
    let bad = Upstream::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    let hook = webhook(&front, &receiver).await;
    let never = json!({"breaker": {"failureThreshold": 0}});
    front
        .provider("bad", "claude", &bad.url("status=500"), never)
        .await;
    for n in 0..6 {
        app.post("/v1/messages", &ask(&n.to_string())).await;
    }
    let more = json!({"minimumRequests": 6, "thresholdPercent": 50, "windowMinutes": 5});
    rule(&front, "error-rate-jump", hook, more).await;
    let told = &receiver.wait_for(1).await[0].body;
    assert_eq!(told["event"], "error-rate-jump");
    let item = &told["items"][0];
    assert_eq!(
        json!([
            item["requests"],
            item["failures"],
            item["percent"],
            item["percentBefore"]
        ]),
        json!([6, 6, 100, null])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daily_report_tells_of_yesterday_once() {
    let receiver = Receiver::start().await;
    let store = TestStore::sqlite();
    let app = TestApp::builder().settings(store.settle_in()).start().await;
    let front = app.front();
    let hook = webhook(&front, &receiver).await;
    let now = Utc::now();
    let db = store.connect().await;
    // Two days of it, for the report is of the day before the one in which it was due an hour ago.
    for days in [1, 2] {
        let noon = (now - TimeDelta::hours(1) - TimeDelta::days(days)).date_naive();
        let row = usage_hourly::ActiveModel {
            hour: Set(usage_hourly::hour_of(
                noon.and_hms_opt(12, 0, 0).unwrap().and_utc(),
            )),
            user_id: Set(1),
            key_id: Set(1),
            provider_id: Set(0),
            model: Set("m".into()),
            client: Set(ClientName::default()),
            requests: Set(4),
            failures: Set(1),
            attempts_terminal: Set(4),
            attempts_partial: Set(0),
            attempts_estimate: Set(0),
            attempts_none: Set(0),
            attempts_unpriced: Set(0),
            input_tokens: Set(10),
            cache_read_tokens: Set(0),
            cache_write5m_tokens: Set(0),
            cache_write1h_tokens: Set(0),
            output_tokens: Set(2),
            reasoning_tokens: Set(0),
            image_input_tokens: Set(0),
            image_output_tokens: Set(0),
            cost_nano_usd: Set(1_250_000_000 * days),
        };
        let row = usage_hourly::Entity::insert(row);
        row.exec_without_returning(&db).await.unwrap();
    }
    let due = (now - TimeDelta::hours(1)).format("%H:%M").to_string();
    let id = rule(&front, "daily-report", hook, json!({"reportTime": due})).await;
    // It begins tomorrow, unless it was there before its time of the day.
    let long_ago = DateTime::<Utc>::UNIX_EPOCH;
    notification_rule::Entity::update_many()
        .col_expr(notification_rule::Column::UpdatedAt, Expr::value(long_ago))
        .exec(&db)
        .await
        .unwrap();
    front.change("/settings", json!({"pingSeconds": 16})).await;
    let told = receiver.wait_for(1).await.remove(0).body;
    let day = (now - TimeDelta::hours(1) - TimeDelta::days(1)).date_naive();
    assert_eq!(told["title"], format!("[Switchyard] Daily report: {day}"));
    let report = &told["items"][0];
    assert_eq!(
        json!([
            report["costUsd"],
            report["requests"],
            report["failures"],
            report["tokens"]
        ]),
        json!(["1.25", 4, 1, 12])
    );
    assert_eq!(report["users"][0]["name"], "ann");
    // Read again, the rule owes nothing: another that owes the same is looked at after it, and its message comes alone.
    let second = rule(
        &front,
        "daily-report",
        hook,
        json!({"name": "second", "reportTime": due}),
    )
    .await;
    notification_rule::Entity::update_many()
        .col_expr(notification_rule::Column::UpdatedAt, Expr::value(long_ago))
        .exec(&db)
        .await
        .unwrap();
    assert_ne!(id, second);
    front.change("/settings", json!({"pingSeconds": 17})).await;
    receiver.wait_for(2).await;
    let rows = all_are(&front, "delivered", 2).await;
    assert_eq!(
        (&rows[0]["ruleName"], &rows[1]["ruleName"]),
        (&json!("second"), &json!("daily-report"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_nodes_on_one_database_one_speaks() {
    let Some(store) = TestStore::postgres().await else {
        return;
    };
    let receiver = Receiver::start().await;
    let upstream = Upstream::start().await;
    let secret = format!("{0}{0}", uuid::Uuid::new_v4().simple());
    let node = async |has_key: bool| {
        let secret = Secret::new(secret.clone());
        let builder = TestApp::builder();
        let builder = if has_key {
            builder
        } else {
            builder.without_key()
        };
        builder
            .settings(store.settle_in())
            .settings(move |settings| settings.admin.secret_key = Some(secret))
            .start()
            .await
    };
    let first = node(true).await;
    let second = node(false).await;
    let fronts = [first.front(), second.front()];
    let hook = webhook(&fronts[0], &receiver).await;
    rule(
        &fronts[0],
        "breaker-opened",
        hook,
        json!({"quietMinutes": 60}),
    )
    .await;
    let open = async |name: &str, nodes: &[usize]| {
        let more = json!({
            "breaker": {"failureThreshold": 1, "openSeconds": 600}, "allowedModels": [name],
        });
        let url = upstream.url("status=503");
        let id = fronts[0].provider(name, "claude", &url, more).await;
        let mut body = ask("x");
        body["model"] = json!(name);
        for node in nodes {
            // Each counts its own failures; the other hears of them as advice only.
            eventually(&format!("{name} to be open at {node}"), || async {
                let asked = fronts[*node].post("/v1/messages", first.key());
                asked.json(&body).send().await.unwrap();
                let found = fronts[*node].get(&format!("/providers/{id}/breaker")).await;
                (found["items"][0]["state"] == "open").then_some(())
            })
            .await;
        }
    };
    open("both", &[0, 1]).await;
    // Each node tells of these after it has had its say about that.
    open("mine", &[0]).await;
    open("yours", &[1]).await;
    let titles = eventually("three providers to be told of", || async {
        let items = receiver.received().into_iter();
        let items = items.flat_map(|message| message.body["items"].as_array().cloned().unwrap());
        let mut names: Vec<String> = items
            .map(|item| item["provider"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        (names.contains(&"mine".into()) && names.contains(&"yours".into())).then_some(names)
    })
    .await;
    assert_eq!(titles, ["both", "mine", "yours"]);
    let rows = eventually("all to be delivered", || async {
        let rows = deliveries(&fronts[1]).await;
        let is_done = rows.iter().all(|row| row["state"] == "delivered");
        is_done.then_some(rows)
    })
    .await;
    assert_eq!(rows.len(), receiver.received().len());
    assert!(rows.iter().all(|row| row["attempts"] == 1), "{rows:#?}");
    drop((first, second));
    store.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_test_button_says_what_came_back_and_nothing_shows_a_secret() {
    let receiver = Receiver::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    let hook = webhook(&front, &receiver).await;
    let bot = json!({
        "name": "bot", "kind": "telegram", "url": receiver.url(""), "botToken": format!("1:{MARK}"), "chatId": "@ops",
    });
    let bot = target(&front, bot).await;
    let ding = json!({
        "name": "ding", "kind": "dingtalk", "url": receiver.url(&format!("/robot?access_token={MARK}{MARK}")),
        "secret": format!("SEC{MARK}"), "language": "zh",
    });
    let ding = target(&front, ding).await;
    let test = async |id: i64| {
        let path = format!("/notifications/targets/{id}/test");
        let response = app.admin(Method::POST, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json::<Value>().await.unwrap()
    };
    receiver.answer([(204, "")]);
    let report = test(hook).await;
    assert_eq!(
        json!([report["ok"], report["status"], report["error"]]),
        json!([true, 204, null])
    );
    // They repeat what they are not to.
    receiver.answer([(401, "{\"ok\":false,\"description\":\"no bot 1:f00dfeed\"}")]);
    let report = test(bot).await;
    assert_eq!(json!([report["ok"], report["status"]]), json!([false, 401]));
    let error = report["error"].as_str().unwrap();
    assert!(error.contains("no bot (secret)"), "{error}");
    receiver.answer([(
        200,
        "{\"errcode\":300001,\"errmsg\":\"no token f00dfeedf00dfeed\"}",
    )]);
    let report = test(ding).await;
    assert_eq!(json!([report["ok"], report["status"]]), json!([false, 200]));
    assert!(
        report["excerpt"]
            .as_str()
            .unwrap()
            .contains("no token (secret)")
    );

    let received = receiver.received();
    assert_eq!(received[0].body["event"], "test");
    assert_eq!(received[1].target, format!("POST /bot1:{MARK}/sendMessage"));
    assert_eq!(received[1].body["chat_id"], "@ops");
    assert!(received[2].target.contains("&timestamp=") && received[2].target.contains("&sign="));
    let title = received[2].body["markdown"]["title"].as_str().unwrap();
    assert!(title.contains("测试"), "{title}");

    // Nobody there.
    drop(receiver);
    let report = test(hook).await;
    assert_eq!(
        json!([report["ok"], report["status"]]),
        json!([false, null])
    );
    assert!(!report.to_string().contains(MARK), "{report}");
    let rows = all_are_tests(&front).await;
    assert_eq!(rows.len(), 4);
    for path in [
        "/notifications/targets",
        "/notifications/rules",
        "/notifications/deliveries",
        "/audit",
        "/audit/1",
        "/audit/2",
        "/audit/3",
        "/audit/4",
        "/audit/5",
    ] {
        let answer = front.get(path).await.to_string();
        assert!(!answer.contains(MARK), "{path}: {answer}");
    }
}

async fn all_are_tests(front: &Front) -> Vec<Value> {
    let rows = deliveries(front).await;
    assert!(
        rows.iter()
            .all(|row| row["event"] == "test" && row["ruleId"].is_null())
    );
    rows
}
