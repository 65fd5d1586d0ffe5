//! Targets and rules of messages: created, read, changed, deleted; what is wrong with them; and the log.

use entity::{
    notification_delivery,
    value::{DeliveryState, NoticeKind, Sealer, TargetCredentials},
};
use sea_orm::{EntityTrait, NotSet, Set};
use serde_json::{Value, json};

use crate::support::{App, As, everywhere};

const TARGETS: &str = "/api/v1/notifications/targets";
const RULES: &str = "/api/v1/notifications/rules";
const DELIVERIES: &str = "/api/v1/notifications/deliveries";
/// In every secret.
const MARK: &str = "f00dfeed";

fn slack() -> Value {
    json!({"name": "ops", "kind": "slack", "url": format!("https://hooks.slack.com/services/{MARK}")})
}

async fn make(app: &App, at: &str, body: Value) -> Value {
    app.post(&As::admin(), at, body).await.expect(201).json()
}

#[tokio::test]
async fn a_target_lives_and_dies_and_shows_no_secret() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({
            "name": "hook", "kind": "webhook", "url": format!("https://hook.example:8443/{MARK}?key={MARK}"),
            "headers": {"authorization": format!("Bearer {MARK}"), "x-team": MARK},
            "template": "{\"text\": \"{{title}}\"}", "language": "zh",
        });
        let made = app.post(&admin, TARGETS, body).await.expect(201);
        let at = made.header("location").to_owned();
        let mut target = made.json();
        assert_eq!(at, format!("{TARGETS}/{}", target["id"]));
        for field in ["id", "createdAt", "updatedAt"] {
            target.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(
            target,
            json!({
                "name": "hook", "kind": "webhook", "address": "https://hook.example:8443", "secretSet": false,
                "botTokenSet": false, "chatId": null, "headerNames": ["authorization", "x-team"],
                "template": "{\"text\": \"{{title}}\"}", "language": "zh", "isEnabled": true,
            })
        );
        // What is not named stays, and null takes away.
        let change = json!({"headers": null, "template": null, "language": null, "isEnabled": false});
        let changed = app.patch(&admin, &at, change).await.expect(200);
        let told = changed.json();
        assert_eq!(
            json!([told["address"], told["headerNames"], told["template"], told["language"], told["isEnabled"]]),
            json!(["https://hook.example:8443", [], null, "en", false])
        );
        let id = told["id"].as_i64().unwrap();
        let row = entity::notification_target::Entity::find_by_id(id);
        let row = row.one(&app.db).await.unwrap().unwrap();
        let kept = TargetCredentials::open(&Sealer::new(b"test"), &row.credentials).unwrap();
        assert!(kept.url.unwrap().expose().contains(MARK));

        app.post(&admin, &format!("{at}/test"), json!({})).await.expect(200);
        let tried = app.gateway.tried.lock().unwrap().clone();
        assert_eq!(tried.last().unwrap().id, id);
        let stale = As::admin().with("if-match", made.header("etag"));
        app.patch(&stale, &at, json!({"name": "late"})).await.expect(412);
        app.delete(&stale, &at).await.expect(412);
        let current = As::admin().with("if-match", changed.header("etag"));
        app.delete(&current, &at).await.expect(204);
        app.get(&admin, &at).await.expect(404);
        app.send(&admin, "POST", &format!("{at}/test"), None).await.expect(404);

        let entries = app.get(&admin, "/api/v1/audit?resource=notification-target").await;
        let entries = entries.expect(200).json();
        let entries = entries["items"].as_array().unwrap();
        assert_eq!(entries.len(), 3);
        for entry in entries {
            let detail = app.get(&admin, &format!("/api/v1/audit/{}", entry["id"])).await;
            let text = detail.expect(200).text;
            assert!(!text.contains(MARK), "{text}");
            assert!(text.contains("(secret "), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_target_with_mistakes_is_refused_with_all_of_them() {
    everywhere(async |app| {
        let admin = As::admin();
        let refused = async |body: Value| {
            let refused = app.post(&admin, TARGETS, body).await.expect(422);
            assert!(!refused.text.contains(MARK), "{}", refused.text);
            refused.mistakes()
        };
        assert_eq!(refused(json!({})).await, ["kind", "name"]);
        let body = json!({
            "name": " ", "kind": "webhook", "url": format!("ftp://{MARK}"), "template": "{\"a\": \"{{secret}}\"}",
            "headers": {"host": MARK, "x y": MARK}, "secret": MARK, "chatId": 5, "color": "red",
        });
        assert_eq!(
            refused(body).await,
            ["chatId", "color", "headers.host", "headers.x y", "name", "secret", "template", "url"]
        );
        for (kind, wrong) in [
            ("feishu", vec!["url"]),
            ("dingtalk", vec!["url"]),
            ("wecom", vec!["url"]),
            ("slack", vec!["url"]),
            ("webhook", vec!["url"]),
            ("telegram", vec!["botToken", "chatId"]),
        ] {
            assert_eq!(refused(json!({"name": "t", "kind": kind})).await, wrong, "{kind}");
        }
        for url in ["http://169.254.169.254/x", "https://a:b@hook.example/", "https://hook.example/#x"] {
            assert_eq!(refused(json!({"name": "t", "kind": "slack", "url": url})).await, ["url"]);
        }
        for template in ["{", "\"{{title}}\"", "{\"a\": {{title}}}"] {
            let body = json!({"name": "t", "kind": "webhook", "url": "https://h.example", "template": template});
            assert_eq!(refused(body).await, ["template"], "{template}");
        }
        let made = make(app, TARGETS, slack()).await;
        let at = format!("{TARGETS}/{}", made["id"]);
        for (change, wrong) in [
            (json!({"url": null}), "url"),
            (json!({"secret": MARK}), "secret"),
            (json!({"chatId": "1"}), "chatId"),
            (json!({"template": "{}"}), "template"),
            (json!({"kind": "webhook"}), "kind"),
        ] {
            let refused = app.patch(&admin, &at, change).await.expect(422);
            assert_eq!(refused.mistakes(), [wrong]);
        }
        let public = json!({"egressPolicy": "public-only"});
        app.patch(&admin, "/api/v1/settings", public).await.expect(200);
        assert_eq!(refused(json!({"name": "t", "kind": "slack", "url": "http://10.0.0.1/x"})).await, ["url"]);
    })
    .await;
}

#[tokio::test]
async fn a_rule_lives_and_dies_and_loses_targets_that_go() {
    everywhere(async |app| {
        let admin = As::admin();
        let first = make(app, TARGETS, slack()).await["id"].clone();
        let second = make(app, TARGETS, slack()).await["id"].clone();
        let body = json!({"name": "near", "event": "limit-near", "targetIds": [first, second]});
        let made = app.post(&admin, RULES, body).await.expect(201);
        let at = made.header("location").to_owned();
        let mut rule = made.json();
        for field in ["id", "createdAt", "updatedAt"] {
            rule.as_object_mut().unwrap().remove(field);
        }
        assert_eq!(
            rule,
            json!({
                "name": "near", "event": "limit-near", "thresholdPercent": null, "windowMinutes": null,
                "minimumRequests": null, "reportTime": null, "quietMinutes": 30, "targetIds": [first, second],
                "isEnabled": true,
            })
        );
        let change = json!({"thresholdPercent": 95, "quietMinutes": 5, "isEnabled": false, "name": "nearer"});
        let changed = app.patch(&admin, &at, change.clone()).await.expect(200).json();
        for (field, value) in change.as_object().unwrap() {
            assert_eq!(&changed[field], value, "{field}");
        }
        app.delete(&admin, &format!("{TARGETS}/{first}")).await.expect(204);
        let left = app.get(&admin, &at).await.expect(200);
        assert_eq!(left.json()["targetIds"], json!([second]));
        let log = app.get(&admin, "/api/v1/audit?resource=notification-rule").await.expect(200).json();
        assert_eq!(log["items"][0]["changed"], json!(["targetIds"]));
        let stale = As::admin().with("if-match", made.header("etag"));
        app.patch(&stale, &at, json!({"name": "late"})).await.expect(412);

        let report = json!({"name": "r", "event": "daily-report", "targetIds": [], "reportTime": "07:30"});
        let report = make(app, RULES, report).await;
        assert_eq!(report["reportTime"], "07:30");
        for (query, found) in [("", 2), ("?event=daily-report", 1), ("?isEnabled=false", 1), ("?limit=1", 1)] {
            let list = app.get(&admin, &format!("{RULES}{query}")).await.expect(200).json();
            assert_eq!(list["items"].as_array().unwrap().len(), found, "{query}");
            assert_eq!(list["nextCursor"].is_string(), query == "?limit=1");
        }
        let current = As::admin().with("if-match", left.header("etag"));
        app.delete(&current, &at).await.expect(204);
        app.get(&admin, &at).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_rule_with_mistakes_is_refused_with_all_of_them() {
    everywhere(async |app| {
        let admin = As::admin();
        let refused = app.post(&admin, RULES, json!({})).await.expect(422);
        assert_eq!(refused.mistakes(), ["event", "name", "targetIds"]);
        let body = json!({
            "name": "", "event": "breaker-opened", "targetIds": [1, 1], "thresholdPercent": 101, "windowMinutes": 5,
            "reportTime": "24:00", "quietMinutes": 0, "cron": "* * * * *",
        });
        let refused = app.post(&admin, RULES, body).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            ["cron", "name", "quietMinutes", "reportTime", "reportTime", "targetIds[1]", "thresholdPercent", "windowMinutes"]
        );
        let body = json!({"name": "r", "event": "test", "targetIds": []});
        assert_eq!(app.post(&admin, RULES, body).await.expect(422).mistakes(), ["event"]);
        let target = make(app, TARGETS, slack()).await["id"].clone();
        let body = json!({"name": "r", "event": "error-rate-jump", "targetIds": [99, target, 98]});
        let refused = app.post(&admin, RULES, body).await.expect(422);
        assert_eq!(refused.mistakes(), ["targetIds[0]", "targetIds[2]"]);
        let body = json!({
            "name": "r", "event": "error-rate-jump", "targetIds": [target], "thresholdPercent": 1, "windowMinutes": 120,
            "minimumRequests": 1,
        });
        let at = format!("{RULES}/{}", make(app, RULES, body).await["id"]);
        for (change, wrong) in [
            (json!({"reportTime": "09:00"}), "reportTime"),
            (json!({"targetIds": [99]}), "targetIds[0]"),
            (json!({"event": "daily-report"}), "event"),
        ] {
            let refused = app.patch(&admin, &at, change).await.expect(422);
            assert_eq!(refused.mistakes(), [wrong]);
        }
    })
    .await;
}

/// Three deliveries: a day apart, to targets 0 to 2.
async fn fill(app: &App) {
    for (number, (event, state)) in [
        (NoticeKind::BreakerOpened, DeliveryState::Delivered),
        (NoticeKind::Test, DeliveryState::Failed),
        (NoticeKind::BreakerOpened, DeliveryState::Pending),
    ]
    .into_iter()
    .enumerate()
    {
        let number = i64::try_from(number).unwrap();
        let time = format!("2026-11-2{number}T10:00:00Z").parse().unwrap();
        let row = notification_delivery::ActiveModel {
            id: NotSet,
            created_at: Set(time),
            rule_id: Set((event != NoticeKind::Test).then_some(7)),
            rule_name: Set("r".into()),
            target_id: Set(number),
            target_name: Set("t".into()),
            event: Set(event),
            title: Set(format!("title {number}")),
            notice: Set(json!({})),
            state: Set(state),
            attempts: Set(1),
            next_attempt_at: Set(time),
            attempted_at: Set(None),
            status: Set(Some(503)),
            error: Set(None),
        };
        let row = notification_delivery::Entity::insert(row);
        row.exec_without_returning(&app.db).await.unwrap();
    }
}

#[tokio::test]
async fn the_log_is_read_in_pages_and_by_filters() {
    everywhere(async |app| {
        let admin = As::admin();
        fill(app).await;
        for (query, found) in [
            ("", vec![2, 1, 0]),
            ("?limit=2", vec![2, 1]),
            ("?targetId=1", vec![1]),
            ("?ruleId=7", vec![2, 0]),
            ("?event=test", vec![1]),
            ("?state=delivered", vec![0]),
            ("?from=2026-11-21T10:00:00Z", vec![2, 1]),
            ("?to=2026-11-21T10:00:00Z", vec![0]),
        ] {
            let list = app
                .get(&admin, &format!("{DELIVERIES}{query}"))
                .await
                .expect(200)
                .json();
            let items = list["items"].as_array().unwrap();
            let titles: Vec<&str> = items
                .iter()
                .map(|row| row["title"].as_str().unwrap())
                .collect();
            let wanted: Vec<String> = found
                .iter()
                .map(|number| format!("title {number}"))
                .collect();
            assert_eq!(titles, wanted, "{query}");
            for row in items {
                assert_eq!(row["nextAttemptAt"].is_string(), row["state"] == "pending");
            }
        }
        let first = app
            .get(&admin, &format!("{DELIVERIES}?limit=2"))
            .await
            .expect(200)
            .json();
        let next = first["nextCursor"].as_str().unwrap();
        let rest = app
            .get(&admin, &format!("{DELIVERIES}?limit=2&cursor={next}"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&rest["items"][0]["title"], &rest["nextCursor"]),
            (&json!("title 0"), &json!(null))
        );
        let wrong = app
            .get(&admin, &format!("{DELIVERIES}?event=x&state=y&cursor=z"))
            .await
            .expect(422);
        assert_eq!(wrong.mistakes(), ["event", "state"]);
    })
    .await;
}
