//! Limits: set, read with what is used of them, counted anew.

use admin::gateway::{Gauge, Subject};
use serde_json::{Value, json};

use crate::support::{App, As, UPSTREAM_KEY, everywhere};

const MONEY: [&str; 5] = [
    "limit5hUsd",
    "limitDailyUsd",
    "limitWeeklyUsd",
    "limitMonthlyUsd",
    "limitTotalUsd",
];

async fn provider(app: &App, more: Value) -> String {
    let mut body =
        json!({"name": "p", "type": "claude", "url": "https://p.example", "apiKey": UPSTREAM_KEY});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = app.post(&As::admin(), "/api/v1/providers", body).await;
    made.expect(201).header("location").to_owned()
}

/// A user's, a key's and a provider's address.
async fn all_three(app: &App) -> [String; 3] {
    let (user, key, _) = app.user_with_key(json!({"name": "u"}), json!({})).await;
    let provider = provider(app, json!({})).await;
    [
        format!("/api/v1/users/{user}"),
        format!("/api/v1/keys/{key}"),
        provider,
    ]
}

#[tokio::test]
async fn limits_are_set_one_by_one_and_taken_away() {
    everywhere(async |app| {
        let admin = As::admin();
        for at in all_three(app).await {
            let fresh = app.get(&admin, &at).await.expect(200).json();
            for name in MONEY {
                assert_eq!(fresh[name], json!(null), "{at} {name}");
            }
            assert_eq!((&fresh["rpm"], &fresh["limitConcurrentSessions"]), (&json!(null), &json!(null)));
            assert_eq!((&fresh["limit5hResetMode"], &fresh["dailyResetMode"]), (&json!("rolling"), &json!("fixed")));
            assert_eq!((&fresh["dailyResetTime"], &fresh["limitsResetAt"]), (&json!("00:00"), &json!(null)));

            let body = json!({"rpm": 10, "limit5hUsd": "0.000000001", "limitDailyUsd": 12.5, "limitWeeklyUsd": 0, "limitMonthlyUsd": "1000000000",
                              "limitTotalUsd": "7.10", "limitConcurrentSessions": 3, "limitConcurrentRequests": 4,
                              "limit5hResetMode": "fixed", "dailyResetMode": "rolling", "dailyResetTime": "06:30"});
            let set = app.patch(&admin, &at, body).await.expect(200).json();
            let money: Vec<_> = MONEY.iter().map(|name| set[*name].as_str().unwrap()).collect();
            assert_eq!(money, ["0.000000001", "12.5", "0", "1000000000", "7.1"]);
            assert_eq!((&set["rpm"], &set["limitConcurrentSessions"], &set["limitConcurrentRequests"]), (&json!(10), &json!(3), &json!(4)));
            assert_eq!(set["dailyResetTime"], json!("06:30"));

            let one = app.patch(&admin, &at, json!({"limitDailyUsd": null, "dailyResetMode": null})).await.expect(200).json();
            assert_eq!((&one["limitDailyUsd"], &one["limitTotalUsd"], &one["limitConcurrentRequests"]), (&json!(null), &json!("7.1"), &json!(4)));
            assert_eq!((&one["dailyResetMode"], &one["limit5hResetMode"]), (&json!("fixed"), &json!("fixed")));
            assert_eq!(app.get(&admin, &at).await.expect(200).json(), one);

            let bad = json!({"limit5hUsd": "-1", "limitDailyUsd": "0.0000000001", "limitTotalUsd": 1_000_000_000.5, "limitWeeklyUsd": [],
                             "rpm": -1, "limitConcurrentRequests": -1, "dailyResetTime": "24:00", "dailyResetMode": "never"});
            let refused = app.patch(&admin, &at, bad).await.expect(422);
            assert_eq!(refused.mistakes(), ["dailyResetMode", "dailyResetTime", "limit5hUsd", "limitConcurrentRequests", "limitDailyUsd",
                                            "limitTotalUsd", "limitWeeklyUsd", "rpm"]);
        }
        let (user, key, _) = app.user_with_key(json!({"name": "limited", "limitDailyUsd": 1, "limitConcurrentRequests": 0}), json!({"rpm": 0})).await;
        let user = app.get(&admin, &format!("/api/v1/users/{user}")).await.expect(200).json();
        assert_eq!((&user["limitDailyUsd"], &user["limitConcurrentRequests"]), (&json!("1"), &json!(0)));
        let key = app.get(&admin, &format!("/api/v1/keys/{key}")).await.expect(200).json();
        assert_eq!((&key["rpm"], &key["limitConcurrentRequests"]), (&json!(0), &json!(null)));
    })
    .await;
}

#[tokio::test]
async fn clients_of_a_user_are_lists_of_rules() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({"name": "u", "allowedClients": ["claude-code"], "blockedClients": ["codex-cli"]});
        let made = app.post(&admin, "/api/v1/users", body).await.expect(201);
        let at = made.header("location").to_owned();
        assert_eq!((&made.json()["allowedClients"], &made.json()["blockedClients"]), (&json!(["claude-code"]), &json!(["codex-cli"])));
        let changed = app.patch(&admin, &at, json!({"blockedClients": null})).await.expect(200).json();
        assert_eq!((&changed["allowedClients"], &changed["blockedClients"]), (&json!(["claude-code"]), &json!([])));
        let refused = app.patch(&admin, &at, json!({"allowedClients": [" "]})).await.expect(422);
        assert_eq!(refused.mistakes(), ["allowedClients[0]"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_used_is_told_beside_each_limit() {
    everywhere(async |app| {
        let admin = As::admin();
        let limits = json!({"rpm": 9, "limitDailyUsd": "10", "limitConcurrentRequests": 2});
        let mut own = limits.clone();
        own["name"] = json!("u");
        let mut login = limits.clone();
        login["canLoginWebUi"] = json!(true);
        let (user, key, secret) = app.user_with_key(own, login).await;
        let provider = provider(app, limits).await;
        let id: i64 = provider.rsplit('/').next().unwrap().parse().unwrap();
        let resets_at = "2026-01-02T00:00:00Z".parse().ok();
        let gauge = |dimension: &str, limit, current| Gauge {
            dimension: dimension.into(),
            limit: Some(limit),
            current: Some(current),
            remaining: Some(limit - current),
            resets_at,
        };
        for subject in [Subject::User(user), Subject::Key(key), Subject::Provider(id)] {
            let mut gauges = app.gateway.gauges.lock().unwrap();
            gauges.push((subject, gauge("usd_day", 10_000_000_000, 2_500_000_001)));
            gauges.push((subject, gauge("concurrent_requests", 2, 1)));
        }
        let at = [
            format!("/api/v1/users/{user}/limits"),
            format!("/api/v1/keys/{key}/limits"),
            format!("{provider}/limits"),
        ];
        let mut told = Vec::new();
        for at in &at {
            told.push(app.get(&admin, at).await.expect(200).json());
        }
        for told in &told {
            assert_eq!(told["limitDailyUsd"], json!({"limit": "10", "current": "2.500000001", "remaining": "7.499999999", "resetsAt": "2026-01-02T00:00:00+00:00"}));
            assert_eq!(told["limitConcurrentRequests"], json!({"limit": 2, "current": 1, "remaining": 1, "resetsAt": "2026-01-02T00:00:00+00:00"}));
            assert_eq!(told["rpm"], json!({"limit": 9, "current": null, "remaining": null, "resetsAt": null}));
            assert_eq!(told["limitTotalUsd"]["limit"], json!(null));
        }
        let me = As::bearer(&secret);
        let mine = app.get(&me, "/api/v1/me/limits").await.expect(200).json();
        assert_eq!((&mine["user"], &mine["key"]), (&told[0], &told[1]));
        app.get(&me, &at[0]).await.expect(200);
        app.get(&me, &at[1]).await.expect(200);
        let nobodys = app.get(&admin, "/api/v1/me/limits").await.expect(200).json();
        assert_eq!(nobodys, json!({"key": null, "user": null}));
        let (_, _, other) = app.user_with_key(json!({"name": "other"}), json!({"canLoginWebUi": true})).await;
        for at in &at[..2] {
            app.get(&As::bearer(&other), at).await.expect(404);
        }
    })
    .await;
}

#[tokio::test]
async fn limits_that_are_nearly_used_up_are_told_the_worst_first() {
    everywhere(async |app| {
        let admin = As::admin();
        let limits = json!({"limitDailyUsd": "10", "limitTotalUsd": "100"});
        let mut named = limits.clone();
        named["name"] = json!("u");
        let (user, key, _) = app.user_with_key(named.clone(), limits.clone()).await;
        let provider = provider(app, limits).await;
        let provider: i64 = provider.rsplit('/').next().unwrap().parse().unwrap();
        named["name"] = json!("away");
        named["isEnabled"] = json!(false);
        let (away, ..) = app.user_with_key(named, json!({})).await;
        let (unlimited, ..) = app.user_with_key(json!({"name": "free", "rpm": 1}), json!({})).await;
        let count = |subject: Subject, dimension: &str, limit: i64, current: i64| {
            let gauge = Gauge {
                dimension: dimension.into(),
                limit: Some(limit),
                current: Some(current),
                remaining: None,
                resets_at: "2026-01-02T00:00:00Z".parse().ok(),
            };
            app.gateway.gauges.lock().unwrap().push((subject, gauge));
        };
        count(Subject::User(user), "usd_day", 10_000_000_000, 8_500_000_000);
        count(Subject::User(user), "usd_total", 100_000_000_000, 90_000_000_000);
        count(Subject::User(user), "rpm", 1, 1);
        count(Subject::Key(key), "usd_day", 10_000_000_000, 12_000_000_000);
        count(Subject::Provider(provider), "usd_total", 100_000_000_000, 79_000_000_000);
        for nobody in [away, unlimited] {
            count(Subject::User(nobody), "usd_day", 1, 1);
        }
        let at = "/api/v1/limits/near";
        let told = app.get(&admin, at).await.expect(200).json();
        let resets = "2026-01-02T00:00:00+00:00";
        assert_eq!(told, json!({"total": 2, "items": [
            {"owner": "key", "id": key, "name": "default", "userId": user, "userName": "u", "limitName": "limitDailyUsd", "limit": "10", "current": "12", "share": 1.2, "resetsAt": resets},
            {"owner": "user", "id": user, "name": "u", "userId": null, "userName": null, "limitName": "limitTotalUsd", "limit": "100", "current": "90", "share": 0.9, "resetsAt": resets},
        ]}));
        let more = app.get(&admin, &format!("{at}?share=0.7&limit=1")).await.expect(200).json();
        assert_eq!((&more["total"], more["items"].as_array().unwrap().len()), (&json!(3), 1));
        app.get(&admin, &format!("{at}?share=2")).await.expect(422);
        let (_, _, secret) = app.user_with_key(json!({"name": "reader"}), json!({"canLoginWebUi": true})).await;
        app.get(&As::bearer(&secret), at).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn a_reset_counts_anew_and_changes_nothing_else() {
    everywhere(async |app| {
        let admin = As::admin();
        for at in all_three(app).await {
            let before = app
                .patch(
                    &admin,
                    &at,
                    json!({"limitTotalUsd": "5", "limitConcurrentRequests": 7}),
                )
                .await
                .expect(200)
                .json();
            let (revision, reloads) = (app.revision().await, app.reloads());
            let began = chrono::Utc::now();
            let reset = app
                .send(&admin, "POST", &format!("{at}/limits/reset"), None)
                .await
                .expect(200);
            assert!(!reset.header("etag").is_empty());
            let after = reset.json();
            let when: chrono::DateTime<chrono::Utc> =
                after["limitsResetAt"].as_str().unwrap().parse().unwrap();
            assert!((when - began).num_seconds().abs() < 30, "{when}");
            assert_eq!(
                (app.revision().await, app.reloads()),
                (revision + 1, reloads + 1)
            );
            for name in [
                "limitTotalUsd",
                "limitConcurrentRequests",
                "name",
                "isEnabled",
            ] {
                assert_eq!(after[name], before[name], "{at} {name}");
            }
            let told = app
                .get(&admin, &format!("{at}/limits"))
                .await
                .expect(200)
                .json();
            assert_eq!(told["limitsResetAt"], after["limitsResetAt"]);
            let changed = app
                .patch(&admin, &at, json!({"rpm": 3}))
                .await
                .expect(200)
                .json();
            assert_eq!(
                changed["limitsResetAt"], after["limitsResetAt"],
                "a change of limits is no reset"
            );
        }
    })
    .await;
}
