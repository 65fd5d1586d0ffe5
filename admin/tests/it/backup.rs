//! The configuration taken along, and put back elsewhere.

mod notifications;

use std::collections::BTreeMap;

use entity::{notification_target, provider, value::TargetCredentials};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use crate::support::{Answer, App, As, between, everywhere};

const PASSPHRASE: &str = "correct horse battery";
/// In every secret of the test, and nowhere else.
const MARK: &str = "f00dfeed";

async fn make(app: &App, at: &str, body: Value) -> Value {
    app.post(&As::admin(), at, body).await.expect(201).json()
}

/// Something of every kind, with most of what it can be set to; a key that opens the dashboard.
async fn fill(app: &App) -> String {
    let user = json!({"name": "ann", "note": "n", "tags": ["a", "b"], "role": "admin", "expiresAt": "2999-01-31T12:00:00.123456Z",
        "providerGroup": "g, default", "allowedModels": ["m"], "allowedClients": ["claude-code"], "blockedClients": ["codex-cli"],
        "rpm": 7, "limit5hUsd": "1.5", "limitDailyUsd": 2, "limitTotalUsd": "0.000000001", "limitConcurrentSessions": 0,
        "limit5hResetMode": "fixed", "dailyResetMode": "rolling", "dailyResetTime": "06:30", "limitConcurrentRequests": 9});
    let key = json!({"name": "laptop", "canLoginWebUi": true, "limitMonthlyUsd": "3", "limitConcurrentRequests": 4});
    let (_, _, key) = app.user_with_key(user, key).await;
    app.user_with_key(json!({"name": "bob", "isEnabled": false}), json!({}))
        .await;
    let group = json!({"name": "g", "costMultiplier": "1.25", "note": "x"});
    make(app, "/api/v1/provider-groups", group).await;
    let provider = json!({"name": "p", "type": "openai-compatible", "url": "http://10.0.0.1:8080/v1", "endpoints": ["https://b.example"],
        "apiKey": format!("sk-{MARK}"), "proxyUrl": format!("socks5://me:{MARK}@gate:1080"), "proxyFallbackToDirect": true,
        "customHeaders": {"x-team": "blue", "X-Relay-Token": format!("t-{MARK}")}, "note": "n", "weight": 3, "priority": -2,
        "groupTags": ["g"], "groupPriorities": {"g": 4}, "allowedModels": ["m", {"match": "prefix", "pattern": "gpt-"}],
        "modelRedirects": [{"match": "regex", "source": "^a", "target": "b"}], "maxAttempts": 2, "timeouts": {"idleMs": 9000},
        "activeTime": {"start": "22:00", "end": "06:00"}, "costMultiplier": "0.85", "breaker": {"failureThreshold": 0},
        "healthCheck": {"kind": "http", "path": "/up"}, "hedgeAfterMs": 800, "limitConcurrentRequests": 5, "limitWeeklyUsd": "8",
        "preserveClientIp": true, "allowedClients": ["codex-cli"]});
    let provider = make(app, "/api/v1/providers", provider).await["id"].clone();
    let plain = json!({"name": "q", "type": "claude", "url": "https://q.example", "apiKey": format!("{MARK}-q")});
    make(app, "/api/v1/providers", plain).await;
    for (pattern, provider) in [("x", json!(null)), ("y", json!(null)), ("z", provider)] {
        let rule = json!({"name": "r", "match": "contains", "pattern": pattern, "fault": "client", "providerId": provider,
            "overrideStatus": 418, "overrideMessage": "no", "priority": 3});
        make(app, "/api/v1/error-rules", rule).await;
    }
    for (model, body) in [
        (
            "m",
            json!({"inputPerMillionUsd": "3", "tiers": [{"aboveTokens": 200000, "inputPerMillionUsd": 6}], "aliases": ["n"]}),
        ),
        (
            "openai%2Fo",
            json!({"perRequestUsd": "0.5", "effectiveAt": "2026-01-01T00:00:00Z"}),
        ),
    ] {
        let at = format!("/api/v1/prices/{model}");
        app.send(&As::admin(), "PUT", &at, Some(body.to_string()))
            .await
            .expect(200);
    }
    app.delete(&As::admin(), "/api/v1/prices/m")
        .await
        .expect(204);
    notify(app).await;
    let settings =
        json!({"timeZone": "Europe/Berlin", "stickySeconds": 60, "auditRetentionDays": 0});
    app.patch(&As::admin(), "/api/v1/settings", settings)
        .await
        .expect(200);
    key
}

/// Targets, two of which are called alike, and rules that name the second of them first.
async fn notify(app: &App) {
    let targets = [
        json!({"name": "ops", "kind": "webhook", "url": format!("https://hook.example/{MARK}"), "language": "zh",
            "headers": {"x-key": format!("k-{MARK}")}, "template": "{\"title\": \"{{title}}\"}"}),
        json!({"name": "bot", "kind": "telegram", "botToken": format!("1:{MARK}"), "chatId": "-100", "isEnabled": false}),
        json!({"name": "ops", "kind": "webhook", "url": format!("https://other.example/{MARK}")}),
        json!({"name": "ops", "kind": "dingtalk", "url": format!("https://oapi.example/?t={MARK}"), "secret": format!("SEC{MARK}")}),
    ];
    let mut ids = Vec::new();
    for target in targets {
        let target = make(app, "/api/v1/notifications/targets", target).await;
        ids.push(target["id"].clone());
    }
    for rule in [
        json!({"name": "n", "event": "error-rate-jump", "targetIds": [ids[2], ids[0]], "thresholdPercent": 30, "windowMinutes": 5,
            "minimumRequests": 50, "quietMinutes": 60}),
        json!({"name": "n", "event": "daily-report", "targetIds": [ids[3]], "reportTime": "07:15", "isEnabled": false}),
        json!({"name": "nobody", "event": "breaker-opened", "targetIds": []}),
    ] {
        make(app, "/api/v1/notifications/rules", rule).await;
    }
}

async fn back_up(app: &App) -> Answer {
    let body = json!({"passphrase": PASSPHRASE});
    let answer = app.post(&As::admin(), "/api/v1/system/backup", body).await;
    answer.expect(200)
}

async fn restore(app: &App, backup: &Value, dry_run: Option<bool>) -> Answer {
    let mut body = json!({"passphrase": PASSPHRASE, "backup": backup});
    if let Some(dry_run) = dry_run {
        body["dryRun"] = json!(dry_run);
    }
    app.post(&As::admin(), "/api/v1/system/restore", body).await
}

/// Restores what is there already, which changes nothing; what it says.
async fn restore_same(app: &App, backup: &Value) -> Value {
    let same = restore(app, backup, Some(false)).await.expect(200).json();
    assert_eq!(
        (&same["created"], &same["changed"]),
        (&json!([]), &json!([])),
        "{same}"
    );
    same
}

/// A provider's credential, the address of its proxy, and its headers.
type Opened = (String, Option<String>, BTreeMap<String, String>);

/// What providers' secrets are, in the clear.
async fn opened(app: &App) -> Vec<Opened> {
    let sealer = app.sealer();
    let rows = provider::Entity::find().all(&app.db).await.unwrap();
    let open = |row: provider::Model| {
        let key = sealer.open(provider::API_KEY_PLACE, &row.api_key).unwrap();
        let proxy = row.proxy_url.map(|url| {
            let url = sealer.open(provider::PROXY_URL_PLACE, &url).unwrap();
            url.expose().to_owned()
        });
        let headers = row.custom_headers.open(&sealer).unwrap();
        (key.expose().to_owned(), proxy, headers)
    };
    rows.into_iter().map(open).collect()
}

/// What targets of notifications are written to with, in the order in which they were made.
async fn credentials(app: &App) -> Vec<TargetCredentials> {
    let rows = notification_target::Entity::find()
        .order_by_asc(notification_target::Column::Id)
        .all(&app.db)
        .await
        .unwrap();
    let open = |row: notification_target::Model| {
        TargetCredentials::open(&app.sealer(), &row.credentials).unwrap()
    };
    rows.into_iter().map(open).collect()
}

/// What is configured, without ids and times, as lists tell of it.
async fn picture(app: &App) -> Value {
    let mut all = json!({});
    let mut targets = Vec::new();
    for list in [
        "users",
        "keys",
        "providers",
        "provider-groups",
        "error-rules",
        "notifications/targets",
        "notifications/rules",
        "prices?source=manual",
        "settings",
    ] {
        let mut read = app
            .get(&As::admin(), &format!("/api/v1/{list}"))
            .await
            .expect(200)
            .json();
        if let Some(items) = read["items"].as_array_mut() {
            if list == "notifications/targets" {
                targets = items.iter().map(|target| target["id"].clone()).collect();
            }
            for item in items.iter_mut() {
                for id in item["targetIds"].as_array_mut().into_iter().flatten() {
                    *id = json!(targets.iter().position(|target| target == id));
                }
                for own in [
                    "id",
                    "userId",
                    "createdAt",
                    "updatedAt",
                    "reference",
                    "customHeaders",
                ] {
                    item.as_object_mut().unwrap().remove(own);
                }
                if item["providerId"].is_i64() {
                    item["providerId"] = json!("one");
                }
            }
        }
        all[list] = read;
    }
    all
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn a_restored_gateway_is_the_one_that_was_backed_up() {
    between(async |here, there| {
        let key = fill(here).await;
        let backup = back_up(here).await;
        assert!(
            backup
                .header("content-disposition")
                .starts_with("attachment; filename=\"switchyard-backup-2")
        );
        assert!(!backup.text.contains(MARK) && !backup.text.contains(PASSPHRASE));
        let backup = backup.json();
        there.get(&As::bearer(&key), "/api/v1/me").await.expect(401);

        // It says what it would do, and does nothing.
        let before = (there.revision().await, there.reloads());
        let told = restore(there, &backup, None).await.expect(200).json();
        assert_eq!(told["dryRun"], json!(true));
        assert_eq!((there.revision().await, there.reloads()), before);
        assert_eq!(picture(there).await["users"]["items"], json!([]));
        let done = restore(there, &backup, Some(false))
            .await
            .expect(200)
            .json();
        assert_eq!(done["created"], told["created"]);
        assert_eq!(done["changed"], told["changed"]);
        assert_eq!(
            (there.revision().await, there.reloads()),
            (before.0 + 1, before.1 + 1)
        );
        let created = done["created"].as_array().unwrap();
        let of = |kind: &str| created.iter().filter(|thing| thing["kind"] == kind).count();
        let counts = [
            "user",
            "key",
            "provider",
            "provider-group",
            "error-rule",
            "price",
            "notification-target",
            "notification-rule",
            "key-origin",
        ]
        .map(of);
        assert_eq!(counts, [2, 2, 2, 1, 3, 3, 4, 3, 1], "{done}");

        // All of it is there, and works: the same key logs in, and the providers' secrets are what they were.
        assert_eq!(picture(there).await, picture(here).await);
        there
            .get(&As::bearer(&key), "/api/v1/users")
            .await
            .expect(200);
        there
            .get(&As::bearer("sk-wrong"), "/api/v1/users")
            .await
            .expect(401);
        let again = back_up(there).await.json();
        for list in [
            "users",
            "keys",
            "providerGroups",
            "prices",
            "errorRules",
            "notificationRules",
            "settings",
        ] {
            assert_eq!(again[list], backup[list], "{list}");
        }
        let (was, is) = (opened(here).await, opened(there).await);
        assert_eq!(was, is);
        assert_eq!(was[0].2["X-Relay-Token"], format!("t-{MARK}"));
        let (was, is) = (credentials(here).await, credentials(there).await);
        assert_eq!(was, is);
        assert_eq!(
            was[3].secret.as_ref().unwrap().expose(),
            format!("SEC{MARK}")
        );

        // Who did it is written down, each thing and the whole.
        let audit = there
            .get(&As::admin(), "/api/v1/audit?limit=200")
            .await
            .json()
            .to_string();
        for (action, resource) in [
            ("restore", "configuration"),
            ("create", "key-origin"),
            ("create", "notification-target"),
            ("create", "key"),
        ] {
            assert!(
                audit.contains(&format!("\"action\":\"{action}\""))
                    && audit.contains(&format!("\"resource\":\"{resource}\"")),
                "{audit}"
            );
        }
        assert!(!audit.contains(MARK));
        let audit = here
            .get(&As::admin(), "/api/v1/audit?action=backup")
            .await
            .json();
        assert_eq!(audit["items"].as_array().unwrap().len(), 1);

        // Twice is once, here as there.
        for app in [here, there] {
            let before = (app.revision().await, app.reloads());
            restore_same(app, &backup).await;
            assert_eq!((app.revision().await, app.reloads()), before);
        }

        // What was restored can be taken along again, to a third.
        let home = restore(here, &again, Some(false)).await.expect(200).json();
        assert_eq!(home["changed"], json!([]), "{home}");
        assert_eq!(home["created"].as_array().unwrap().len(), 1, "{home}");
    })
    .await;
}

#[tokio::test]
async fn what_is_there_is_changed_and_what_the_backup_does_not_know_is_left() {
    everywhere(async |app| {
        fill(app).await;
        let backup = back_up(app).await.json();
        let admin = As::admin();
        app.patch(
            &admin,
            "/api/v1/users/1",
            json!({"note": "other", "rpm": 8}),
        )
        .await
        .expect(200);
        app.patch(
            &admin,
            "/api/v1/providers/1",
            json!({"apiKey": "sk-changed", "customHeaders": {"x-team": "red"}}),
        )
        .await
        .expect(200);
        app.post(&admin, "/api/v1/users/1/limits/reset", json!({}))
            .await
            .expect(200);
        app.delete(&admin, "/api/v1/keys/1").await.expect(204);
        app.delete(&admin, "/api/v1/error-rules/2")
            .await
            .expect(204);
        make(app, "/api/v1/users", json!({"name": "new"})).await;
        let done = restore(app, &backup, Some(false)).await.expect(200).json();
        let changed = |name: &str| {
            let mut changed = done["changed"].as_array().unwrap().iter();
            changed
                .find(|thing| thing["name"] == name)
                .unwrap_or_else(|| panic!("{done}"))["fields"]
                .clone()
        };
        assert_eq!(changed("ann"), json!(["note", "rpm"]));
        assert_eq!(changed("p"), json!(["apiKey", "customHeaders"]));
        let names: Vec<_> = done["created"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["laptop (ann)", "r"]);
        let left = done["left"]
            .as_array()
            .unwrap()
            .iter()
            .find(|left| left["kind"] == "user")
            .unwrap();
        assert_eq!((&left["same"], &left["others"]), (&json!(1), &json!(1)));
        // From when on limits count is history, and stays.
        let ann = app.get(&admin, "/api/v1/users/1").await.json();
        assert!(ann["limitsResetAt"].is_string() && ann["note"] == "n");
        restore_same(app, &backup).await;
    })
    .await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn every_mistake_is_told_of_and_nothing_is_done() {
    everywhere(async |app| {
        fill(app).await;
        let good = back_up(app).await.json();
        let revision = app.revision().await;
        let mut bad = good.clone();
        bad["users"][0]["rpm"] = json!(-1);
        bad["users"][1]["name"] = json!(" ");
        bad["users"][1]["tags"] = json!([""]);
        bad["keys"][0]["hash"] = json!("z".repeat(64));
        bad["keys"][1]["user"] = json!("nobody");
        bad["providers"][0]["url"] = json!("http://169.254.169.254/");
        bad["providers"][0]["proxyUrl"] = json!("http://gate:1");
        bad["providers"][1]["name"] = json!("p");
        bad["providers"][1]["apiKey"] = json!("sk-in-the-clear");
        bad["prices"][0]["figures"] = json!("input=lots");
        bad["errorRules"][0]["match"] = json!("regex");
        bad["errorRules"][0]["pattern"] = json!("(");
        bad["notificationTargets"][0]["template"] = json!("{{nothing}}");
        bad["notificationTargets"][1]["url"] = json!("https://in.the.clear");
        bad["notificationTargets"][2]["name"] = json!(" ");
        bad["notificationRules"][0]["targets"] = json!([0, 4, 0]);
        bad["notificationRules"][0]["reportTime"] = json!("07:15");
        bad["notificationRules"][1]["targets"] = json!(["ops"]);
        bad["settings"]["timeZone"] = json!("Mars/Olympus");
        let refused = restore(app, &bad, Some(false)).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            [
                "backup.errorRules[0].pattern",
                "backup.keys[0].hash",
                "backup.keys[1].user",
                "backup.notificationRules[0].reportTime",
                "backup.notificationRules[0].targets[1]",
                "backup.notificationRules[0].targets[2]",
                "backup.notificationRules[1].targets[0]",
                "backup.notificationTargets[0].template",
                "backup.notificationTargets[1].url",
                "backup.notificationTargets[2].name",
                "backup.prices[0].figures",
                "backup.providers[0].proxyUrl",
                "backup.providers[0].url",
                "backup.providers[1].apiKey",
                "backup.providers[1].name",
                "backup.settings.timeZone",
                "backup.users[0].rpm",
                "backup.users[1].name",
                "backup.users[1].tags[0]",
            ]
        );

        // What was changed beside a secret does not let it out.
        let mut moved = good.clone();
        moved["providers"][0]["url"] = json!("https://elsewhere.example");
        moved["providers"][1]["sealed"]["apiKey"] =
            moved["providers"][0]["sealed"]["apiKey"].clone();
        // The seal of a group's robot does not fit a bot, and what is cut short does not open.
        moved["notificationTargets"][1]["sealed"] =
            moved["notificationTargets"][3]["sealed"].clone();
        moved["notificationTargets"][2]["sealed"] = json!("v1:");
        moved["keyOrigins"][0]["mark"] = json!("0123456789abcdef");
        let refused = restore(app, &moved, Some(false)).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            [
                "backup.keyOrigins[0].hashingKey",
                "backup.notificationTargets[1].sealed",
                "backup.notificationTargets[1].sealed",
                "backup.notificationTargets[2].sealed",
                "backup.providers[0].sealed.apiKey",
                "backup.providers[0].sealed.headers.X-Relay-Token",
                "backup.providers[0].sealed.proxyUrl",
                "backup.providers[1].sealed.apiKey",
            ]
        );

        // Another's key is not taken away.
        let mut taken = good.clone();
        taken["keys"][0]["user"] = json!("bob");
        let refused = restore(app, &taken, Some(false)).await.expect(422);
        assert_eq!(refused.mistakes(), ["backup.keys[0].user"]);

        // A wrong passphrase, a later version, no backup at all, figures that would exhaust the machine.
        let body = json!({"passphrase": "wrong", "backup": good});
        let refused = app
            .post(&As::admin(), "/api/v1/system/restore", body)
            .await
            .expect(422);
        assert_eq!(refused.json()["errors"][0]["code"], "wrong_passphrase");
        for (field, value) in [("version", json!(2)), ("format", json!("other"))] {
            let mut other = good.clone();
            other[field] = value;
            let refused = restore(app, &other, None).await.expect(422);
            assert_eq!(refused.mistakes(), [format!("backup.{field}")]);
        }
        let mut costly = good.clone();
        costly["seal"]["memoryKib"] = json!(4_000_000);
        assert_eq!(
            restore(app, &costly, None).await.expect(422).mistakes(),
            ["backup.seal.memoryKib"]
        );
        let refused = app
            .post(
                &As::admin(),
                "/api/v1/system/backup",
                json!({"passphrase": "short"}),
            )
            .await;
        assert_eq!(refused.expect(422).mistakes(), ["passphrase"]);
        assert_eq!(app.revision().await, revision);
    })
    .await;
}

#[tokio::test]
async fn what_the_policy_forbids_comes_back_and_is_told_of() {
    everywhere(async |app| {
        fill(app).await;
        app.patch(
            &As::admin(),
            "/api/v1/settings",
            json!({"egressPolicy": "public-only"}),
        )
        .await
        .expect(200);
        let backup = back_up(app).await.json();
        app.delete(&As::admin(), "/api/v1/providers/1")
            .await
            .expect(204);
        let done = restore(app, &backup, Some(false)).await.expect(200).json();
        assert!(
            done["notes"][0]
                .as_str()
                .unwrap()
                .contains("Provider p will not be asked"),
            "{done}"
        );
    })
    .await;
}
