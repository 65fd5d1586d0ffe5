//! Limits hold, for whom they are set and no further, and say so in words that each client understands.

mod refusals;
mod windows;

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Front, TestApp, Upstream, eventually};

/// A dollar a request, whatever it uses.
async fn a_dollar_each(front: &Front) {
    front.price("m", &json!({"perRequestUsd": 1})).await;
}

fn body() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
}

/// A gateway in which a request costs a dollar, with one provider in front of a script.
async fn shop(script: &str) -> (TestApp, Upstream, Front) {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    a_dollar_each(&front).await;
    let url = upstream.url(script);
    front.provider("a", "claude", &url, json!({})).await;
    (app, upstream, front)
}

/// A key of a new user, both with these limits.
async fn buyer(front: &Front, user: Value, key: Value) -> (i64, i64, String) {
    let user = front.user(user).await;
    let (id, key) = front.key(user, key).await;
    (user, id, key)
}

/// One request, and its status when all of its answer is there.
async fn buy(front: &Front, key: &str) -> u16 {
    let response = front.post("/v1/messages", key).json(&body());
    let response = response.send().await.unwrap();
    let status = response.status().as_u16();
    response.bytes().await.unwrap();
    status
}

/// The session's name where Claude Code has it.
async fn buy_in(front: &Front, key: &str, session: &str) -> u16 {
    let request = front
        .post("/v1/messages", key)
        .header("x-claude-code-session-id", session);
    let response = request.json(&body()).send().await.unwrap();
    let status = response.status().as_u16();
    response.bytes().await.unwrap();
    status
}

/// What is spent is known when the answer has been sent, a moment later.
async fn spends(front: &Front, subject: &str, dollars: i64) {
    let due = dollars * 1_000_000_000;
    eventually(&format!("{subject} to have spent ${dollars}"), || async {
        let spent = front.spent(subject, "limitTotalUsd").await;
        (spent == due).then_some(())
    })
    .await;
}

async fn buy_at_once(front: &Front, key: &str, count: usize) -> Vec<u16> {
    let all = futures_util::stream::iter(0..count).map(|_| buy(front, key));
    all.buffer_unordered(count).collect().await
}

fn passed(statuses: &[u16]) -> usize {
    let known = statuses.iter().all(|status| [200, 429].contains(status));
    assert!(known, "{statuses:?}");
    statuses.iter().filter(|status| **status == 200).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_once_against_a_budget_for_ten() {
    let (_app, upstream, front) = shop("delayMs=60").await;
    for window in [
        "limitTotalUsd",
        "limit5hUsd",
        "limitDailyUsd",
        "limitMonthlyUsd",
    ] {
        upstream.recorder().clear();
        let (_, id, key) = buyer(&front, json!({}), json!({window: 10})).await;
        let passed = passed(&buy_at_once(&front, &key, 64).await);
        assert!((10..=11).contains(&passed), "{window}: {passed} passed");
        assert_eq!(upstream.recorder().seen().len(), passed, "{window}");
        let dollars = i64::try_from(passed).unwrap();
        spends(&front, &format!("keys/{id}"), dollars).await;
        let used = front.used(&format!("keys/{id}")).await;
        assert_eq!(used[window]["remaining"], "0", "{used:#}");
    }
}

/// What an answer that broke off has cost is not known, and nothing is learnt from it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cost_nothing_does_not_open_the_gates() {
    let (_app, upstream, front) = shop("delayMs=60").await;
    let broken = upstream.url("closeAfterEvents=0");
    front
        .provider("o", "openai-compatible", &broken, json!({}))
        .await;
    let (_, id, key) = buyer(&front, json!({}), json!({"limitTotalUsd": 10})).await;
    let request = front.post("/v1/chat/completions", &key);
    let response = request.json(&body()).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(front.spent(&format!("keys/{id}"), "limitTotalUsd").await, 0);
    let passed = passed(&buy_at_once(&front, &key, 64).await);
    assert!((10..=11).contains(&passed), "{passed} passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_a_minute_passes_ten() {
    let (_app, _upstream, front) = shop("").await;
    let (_, id, key) = buyer(&front, json!({}), json!({"rpm": 10})).await;
    let statuses = buy_at_once(&front, &key, 30).await;
    assert_eq!(passed(&statuses), 10);
    let used = front.used(&format!("keys/{id}")).await;
    assert_eq!(used["rpm"]["current"], 10, "{used:#}");
    assert_eq!(used["rpm"]["remaining"], 0, "{used:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_sessions_pass_three_and_a_fourth_when_one_is_over() {
    let upstream = Upstream::start().await;
    let app = TestApp::builder()
        .settings(|settings| settings.limits.session_ttl = Duration::from_secs(1))
        .start()
        .await;
    let front = app.front();
    let url = upstream.url("");
    front.provider("a", "claude", &url, json!({})).await;
    let limits = json!({"limitConcurrentSessions": 3});
    let (_, id, key) = buyer(&front, limits.clone(), limits).await;
    // On a slow machine a session may be over before the fourth comes: then they are all asked again.
    let refused = eventually("a fourth session to be refused", || async {
        for session in ["one", "two", "three"] {
            buy_in(&front, &key, session).await;
        }
        let fourth = buy_in(&front, &key, "four").await;
        (fourth == 429).then_some(fourth)
    })
    .await;
    assert_eq!(refused, 429);
    let used = front.used(&format!("keys/{id}")).await;
    let current = &used["limitConcurrentSessions"]["current"];
    assert!(current.as_i64().unwrap() <= 3, "{used:#}");
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(buy_in(&front, &key, "four").await, 200);
    let used = front.used(&format!("keys/{id}")).await;
    assert_eq!(
        used["limitConcurrentSessions"]["current"], 1,
        "the others are over: {used:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_goes_on_is_one_session() {
    let (_app, _upstream, front) = shop("").await;
    let limits = json!({"limitConcurrentSessions": 3});
    let (user, _, key) = buyer(&front, limits, json!({})).await;
    let (_, other) = front.key(user, json!({})).await;
    for _ in 0..3 {
        for (key, session) in [(&key, "one"), (&other, "two"), (&key, "three")] {
            assert_eq!(buy_in(&front, key, session).await, 200);
        }
    }
    assert_eq!(buy_in(&front, &other, "four").await, 429);
    assert_eq!(buy_in(&front, &other, "one").await, 200);
}

async fn explained(app: &TestApp, key: &str) -> Value {
    let front = app.front();
    let response = front.post("/v1/messages", key).json(&body());
    let response = response.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap();
    let path = format!("/requests/{id}");
    eventually("the row", || async {
        let row = app.admin(Method::GET, &path).send().await.unwrap();
        let row: Value = row.json().await.unwrap();
        (row["id"].is_string()).then_some(row)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_over_its_budget_is_passed_over() {
    let (cheap, dear) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let front = app.front();
    a_dollar_each(&front).await;
    let first = front
        .provider(
            "first",
            "claude",
            &cheap.url(""),
            json!({"limitDailyUsd": 2}),
        )
        .await;
    let second = json!({"priority": 1, "isEnabled": false});
    let second = front
        .provider("second", "claude", &dear.url(""), second)
        .await;
    let (_, _, key) = buyer(&front, json!({}), json!({})).await;
    for spent in 1..=2 {
        assert_eq!(buy(&front, &key).await, 200);
        spends(&front, &format!("providers/{first}"), spent).await;
    }
    let row = explained(&app, &key).await;
    assert_eq!(row["status"], 503, "{row:#}");
    assert_eq!(row["errorCode"], "no_provider_available", "{row:#}");
    assert!(row["chain"].to_string().contains("over_budget"), "{row:#}");
    assert_eq!(cheap.recorder().seen().len(), 2);

    let path = format!("/providers/{second}");
    front.change(&path, json!({"isEnabled": true})).await;
    let row = explained(&app, &key).await;
    assert_eq!(row["status"], 200, "{row:#}");
    let attempt = &row["chain"][0];
    assert_eq!(attempt["providerId"], second, "{row:#}");
    let dropped = attempt["selection"]["dropped"].to_string();
    assert!(dropped.contains("over_budget"), "{row:#}");

    // Reset, it is there again at once.
    let reset = format!("/providers/{first}/limits/reset");
    front.create(&reset, json!({})).await;
    let row = explained(&app, &key).await;
    let selection = &row["chain"][0]["selection"];
    assert_eq!(selection["kept"], json!([first, second]), "{row:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_takes_so_many_at_once() {
    let (narrow, wide) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let front = app.front();
    a_dollar_each(&front).await;
    let limits = json!({"limitConcurrentRequests": 2});
    let url = narrow.url("delayMs=1500");
    let first = front.provider("narrow", "claude", &url, limits).await;
    let second = json!({"priority": 1});
    front
        .provider("wide", "claude", &wide.url(""), second)
        .await;
    let (_, _, key) = buyer(&front, json!({}), json!({})).await;
    let statuses = buy_at_once(&front, &key, 10).await;
    assert_eq!(passed(&statuses), 10);
    assert_eq!(narrow.recorder().seen().len(), 2);
    assert_eq!(wide.recorder().seen().len(), 8);
    eventually("places to be free again", || async {
        let used = front.used(&format!("providers/{first}")).await;
        (used["limitConcurrentRequests"]["current"] == 0).then_some(())
    })
    .await;
    assert_eq!(buy(&front, &key).await, 200);
    assert_eq!(narrow.recorder().seen().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_have_so_many_under_way() {
    let (_app, upstream, front) = shop("delayMs=1200").await;
    let limits = json!({"limitConcurrentRequests": 2});
    let (_, id, key) = buyer(&front, json!({}), limits).await;
    assert_eq!(passed(&buy_at_once(&front, &key, 10).await), 2);
    assert_eq!(upstream.recorder().seen().len(), 2);
    eventually("places to be free again", || async {
        let used = front.used(&format!("keys/{id}")).await;
        (used["limitConcurrentRequests"]["current"] == 0).then_some(())
    })
    .await;
    assert_eq!(passed(&buy_at_once(&front, &key, 3).await), 2);
}

/// What is more than a provider's budget goes elsewhere, also when all come at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_once_against_a_providers_budget_for_ten() {
    let (small, large) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let front = app.front();
    a_dollar_each(&front).await;
    let limits = json!({"limitDailyUsd": 10});
    let url = small.url("delayMs=60");
    let first = front.provider("small", "claude", &url, limits).await;
    let second = json!({"priority": 1});
    let url = large.url("delayMs=60");
    front.provider("large", "claude", &url, second).await;
    let (_, _, key) = buyer(&front, json!({}), json!({})).await;
    assert_eq!(buy_at_once(&front, &key, 64).await, [200; 64]);
    assert_eq!(buy_at_once(&front, &key, 64).await, [200; 64]);
    let served = small.recorder().seen().len();
    assert!((4..=11).contains(&served), "{served} were served by it");
    let dollars = i64::try_from(served).unwrap();
    spends(&front, &format!("providers/{first}"), dollars).await;
}

/// An attempt that failed gives its place back when it has failed, not when the request is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_attempt_holds_no_place() {
    let (bad, slow) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::start().await;
    let front = app.front();
    a_dollar_each(&front).await;
    let limits = json!({"limitConcurrentRequests": 1, "breaker": {"failureThreshold": 0}});
    let first = front
        .provider("bad", "claude", &bad.url("status=500"), limits)
        .await;
    let url = slow.url("delayMs=3000");
    let second = json!({"priority": 1});
    front.provider("slow", "claude", &url, second).await;
    let (_, _, key) = buyer(&front, json!({}), json!({})).await;
    let asking = buy(&front, &key);
    let looking = async {
        eventually("the second attempt", || async {
            (slow.recorder().in_flight() == 1).then_some(())
        })
        .await;
        let used = front.used(&format!("providers/{first}")).await;
        assert_eq!(slow.recorder().in_flight(), 1);
        assert_eq!(used["limitConcurrentRequests"]["current"], 0, "{used:#}");
    };
    let (status, ()) = tokio::join!(asking, looking);
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_lets_the_next_one_through_at_once_and_leaves_history_alone() {
    let (_app, _upstream, front) = shop("").await;
    let one = json!({"limitTotalUsd": 1, "limitDailyUsd": 1});
    let (user, id, key) = buyer(&front, one.clone(), one).await;
    let (subject, owner) = (format!("keys/{id}"), format!("users/{user}"));
    assert_eq!(buy(&front, &key).await, 200);
    spends(&front, &subject, 1).await;
    assert_eq!(buy(&front, &key).await, 429);

    front
        .create(&format!("/{subject}/limits/reset"), json!({}))
        .await;
    assert_eq!(front.spent(&subject, "limitTotalUsd").await, 0);
    assert_eq!(buy(&front, &key).await, 429, "the user has spent it too");
    front
        .create(&format!("/{owner}/limits/reset"), json!({}))
        .await;
    assert_eq!(buy(&front, &key).await, 200);
    assert_eq!(buy(&front, &key).await, 429);
    for subject in [&subject, &owner] {
        spends(&front, subject, 1).await;
        let used = front.used(subject).await;
        assert_eq!(used["limitDailyUsd"]["current"], "1", "{used:#}");
        assert!(used["limitsResetAt"].is_string(), "{used:#}");
    }
    // Made anew from the history it is the same: what was before the reset does not come back. The second dollar is there a moment later.
    eventually("the history", || async {
        front.create("/limits/rebuild", json!({})).await;
        let spent = front.spent(&subject, "limitTotalUsd").await;
        (spent == 1_000_000_000).then_some(())
    })
    .await;
    let usage = eventually("the usage", || async {
        let usage = front.get("/usage/totals").await;
        usage
            .to_string()
            .contains("\"costUsd\":\"2\"")
            .then_some(usage)
    })
    .await;
    assert!(usage.to_string().contains("costUsd"), "{usage:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_forgets_nothing_that_was_spent() {
    let (app, _upstream, front) = shop("").await;
    let limits = json!({
        "limit5hUsd": 2, "limitDailyUsd": 2, "limitWeeklyUsd": 2, "limitMonthlyUsd": 2, "limitTotalUsd": 2,
    });
    let (_, id, key) = buyer(&front, json!({}), limits).await;
    let subject = format!("keys/{id}");
    for _ in 0..2 {
        assert_eq!(buy(&front, &key).await, 200);
    }
    spends(&front, &subject, 2).await;
    let before = front.used(&subject).await;
    let app = app.restart().await;
    let front = app.front();
    assert_eq!(buy(&front, &key).await, 429);
    let after = front.used(&subject).await;
    for window in [
        "limit5hUsd",
        "limitDailyUsd",
        "limitWeeklyUsd",
        "limitMonthlyUsd",
        "limitTotalUsd",
    ] {
        assert_eq!(after[window], before[window], "{window}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_limits_all_pass_and_are_counted() {
    let upstream = Upstream::start().await;
    let app = TestApp::builder()
        .settings(|settings| settings.limits.enabled = false)
        .start()
        .await;
    let front = app.front();
    a_dollar_each(&front).await;
    let url = upstream.url("");
    let provider = front
        .provider("a", "claude", &url, json!({"limitDailyUsd": 1}))
        .await;
    let limits = json!({"limitTotalUsd": 1, "rpm": 1, "limitConcurrentSessions": 1});
    let (user, id, key) = buyer(&front, limits.clone(), limits).await;
    assert_eq!(buy_at_once(&front, &key, 5).await, [200; 5]);
    for subject in [
        format!("keys/{id}"),
        format!("users/{user}"),
        format!("providers/{provider}"),
    ] {
        spends(&front, &subject, 5).await;
        let used = front.used(&subject).await;
        assert_eq!(used["rpm"]["current"], 5, "{used:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_nobody_serves_costs_nothing_and_holds_nothing() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    a_dollar_each(&front).await;
    let (_, id, key) = buyer(&front, json!({}), json!({"limitTotalUsd": 1})).await;
    let subject = format!("keys/{id}");
    assert_eq!(
        buy_at_once(&front, &key, 8).await,
        [503; 8],
        "no provider at all"
    );
    let url = upstream.url("status=500");
    let bad = front.provider("bad", "claude", &url, json!({})).await;
    for _ in 0..3 {
        assert!([500, 503].contains(&buy(&front, &key).await));
    }
    let used = front.used(&subject).await;
    assert_eq!(used["limitTotalUsd"]["current"], "0", "{used:#}");
    assert_eq!(used["limitConcurrentRequests"]["current"], 0, "{used:#}");
    assert_eq!(used["limitConcurrentSessions"]["current"], 0, "{used:#}");
    let path = format!("/providers/{bad}");
    front
        .change(
            &path,
            json!({"url": upstream.url(""), "breaker": {"failureThreshold": 0}}),
        )
        .await;
    front
        .create(&format!("{path}/breaker/reset"), json!({}))
        .await;
    assert_eq!(buy(&front, &key).await, 200);
    assert_eq!(buy(&front, &key).await, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_what_there_is_and_how_long_it_is_is_free() {
    let (app, _upstream, front) = shop("").await;
    let nothing = json!({"rpm": 0, "limitTotalUsd": 0, "limitConcurrentSessions": 0});
    let (_, id, key) = buyer(&front, nothing.clone(), nothing).await;
    assert_eq!(buy(&front, &key).await, 429);
    let counting = front.post("/v1/messages/count_tokens", &key).json(&body());
    assert_eq!(counting.send().await.unwrap().status(), 200);
    let list = format!("{}/v1/models", app.base());
    let list = crate::support::http().build().unwrap().get(list);
    let list = list
        .header("x-api-key", &key)
        .header("anthropic-version", "2023-06-01");
    let list = list.send().await.unwrap();
    assert_eq!(list.status(), 200);
    let used = front.used(&format!("keys/{id}")).await;
    assert_eq!(used["rpm"]["current"], 0, "{used:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_while_waiting_for_money_waits_no_more() {
    let (app, upstream, front) = shop("delayMs=2500").await;
    let (_, id, key) = buyer(&front, json!({}), json!({"limitTotalUsd": 10})).await;
    let four = tokio::spawn({
        let (front, key) = (front.clone(), key.clone());
        async move { buy_at_once(&front, &key, 4).await }
    });
    eventually("four to run", || async {
        (upstream.recorder().in_flight() == 4).then_some(())
    })
    .await;
    // The rest of the money is reserved for the four: the fifth waits, and its client does not.
    let fifth = tokio::time::timeout(Duration::from_millis(400), buy(&front, &key)).await;
    assert!(fifth.is_err(), "it had to wait: {fifth:?}");
    let row = eventually("its row", || async {
        let list = front.get("/requests?limit=10").await;
        let items = list["items"].as_array()?.clone();
        items.into_iter().find(|row| row["status"] == 499)
    })
    .await;
    assert_eq!(row["errorCode"], "client_left", "{row:#}");
    assert_eq!(four.await.unwrap(), [200; 4]);
    spends(&front, &format!("keys/{id}"), 4).await;
    eventually("nobody to be there", || async {
        (app.live() == 0).then_some(())
    })
    .await;
    assert_eq!(
        upstream.recorder().seen().len(),
        4,
        "the fifth never ran: it had left"
    );
    assert_eq!(passed(&buy_at_once(&front, &key, 12).await), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_users_limit_holds_over_all_keys() {
    let (_app, _upstream, front) = shop("").await;
    let (user, first, one) = buyer(&front, json!({"limitTotalUsd": 2}), json!({})).await;
    let (second, two) = front.key(user, json!({"limitTotalUsd": 100})).await;
    assert_eq!(buy(&front, &one).await, 200);
    assert_eq!(buy(&front, &two).await, 200);
    for key in [&one, &two] {
        let request = front.post("/v1/messages", key).json(&body());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 429);
        let text = response.text().await.unwrap();
        assert!(
            text.contains("This user has spent $2.00 of $2.00"),
            "{text}"
        );
    }
    spends(&front, &format!("keys/{first}"), 1).await;
    spends(&front, &format!("keys/{second}"), 1).await;
    spends(&front, &format!("users/{user}"), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_a_user_may_not_use_is_told_so() {
    let (app, _upstream, front) = shop("").await;
    for (rules, agent, status) in [
        (json!({"blockedClients": ["curl"]}), "curl/8.5.0", 403),
        (
            json!({"blockedClients": ["curl"]}),
            "claude-cli/2.1.0 (external, cli)",
            200,
        ),
        (
            json!({"allowedClients": ["claude-code"]}),
            "claude-cli/2.1.0 (external, cli)",
            200,
        ),
        (
            json!({"allowedClients": ["claude-code"]}),
            "curl/8.5.0",
            403,
        ),
        (
            json!({"allowedClients": ["claude-code"], "blockedClients": ["claude-code"]}),
            "claude-cli/2.1.0 (external, cli)",
            403,
        ),
    ] {
        let (_, _, key) = buyer(&front, rules.clone(), json!({})).await;
        let request = front.post("/v1/messages", &key).header("user-agent", agent);
        let response = request.json(&body()).send().await.unwrap();
        assert_eq!(response.status(), status, "{rules} {agent}");
        if status == 200 {
            continue;
        }
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["type"], "error", "{answer:#}");
        assert!(answer["error"]["message"].is_string(), "{answer:#}");
    }
    let rows = app.rows(5).await;
    let refused = rows.iter().filter(|row| row["status"] == 403);
    assert!(
        refused
            .clone()
            .all(|row| row["errorCode"] == "client_not_allowed"),
        "{rows:#?}"
    );
    assert_eq!(refused.count(), 3);
}
