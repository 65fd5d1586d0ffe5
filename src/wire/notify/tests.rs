//! Each platform's bodies, and its answers.
//!
//! The bodies are in `golden/`, a file for each platform with every kind of notice in both languages. `UPDATE_GOLDEN=1` writes them anew.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::value::{NoticeKind, NoticeLanguage};
use serde_json::{Map, json};

use super::*;
use crate::domain::notice::words::words;
use crate::domain::notice::{Item, Report, Share, Usd};

/// Every platform, with its golden file's name.
const ALL: [(TargetKind, &str); 6] = [
    (TargetKind::Feishu, "feishu"),
    (TargetKind::Dingtalk, "dingtalk"),
    (TargetKind::Wecom, "wecom"),
    (TargetKind::Telegram, "telegram"),
    (TargetKind::Slack, "slack"),
    (TargetKind::Webhook, "webhook"),
];

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn address(kind: TargetKind) -> Address {
    let is_bot = kind == TargetKind::Telegram;
    let signs = matches!(kind, TargetKind::Feishu | TargetKind::Dingtalk);
    let url = match kind {
        TargetKind::Dingtalk => "https://oapi.dingtalk.com/robot/send?access_token=t0",
        TargetKind::Telegram => "http://bots.example/",
        _ => "https://hook.example/t0",
    };
    Address {
        kind,
        language: NoticeLanguage::En,
        chat_id: is_bot.then(|| "-100".to_owned()),
        template: None,
        credentials: TargetCredentials {
            url: Some(Secret::new(url)),
            secret: signs.then(|| Secret::new("this is secret")),
            bot_token: is_bot.then(|| Secret::new("1:abc")),
            headers: [("x-key".to_owned(), Secret::new("k"))].into(),
        },
    }
}

fn breaker(subject: Option<&str>, until: bool) -> Item {
    Item::Breaker {
        provider: "relay".into(),
        scope: if subject.is_some() {
            "model"
        } else {
            "provider"
        }
        .into(),
        subject: subject.map(str::to_owned),
        reason: until.then(|| "5 failures in a row".to_owned()),
        open_until: until.then(|| at("2026-11-21T10:05:00Z")),
    }
}

fn limit(of: &str, limit: &str, percent: i64) -> Item {
    Item::Limit {
        of: of.into(),
        name: "laptop".into(),
        owner: (of == "key").then(|| "ann".to_owned()),
        limit: limit.into(),
        spent_usd: Usd(percent * 100_000_000),
        limit_usd: Usd(10_000_000_000),
        percent,
        resets_at: (limit == "usd_day").then(|| at("2026-11-22T00:00:00Z")),
    }
}

fn report() -> Item {
    let share = |name: &str, cost| Share {
        name: name.into(),
        cost_usd: Usd(cost),
        requests: 7,
    };
    Item::Report(Report {
        day: at("2026-11-20T00:00:00Z").date_naive(),
        cost_usd: Usd(12_345_600_000),
        requests: 1_234,
        failures: 5,
        tokens: 6_700_000,
        users: vec![share("ann", 10_000_000_000), share("bob", 2_345_600_000)],
        models: vec![share("claude-opus-4-5", 12_345_600_000)],
        providers: Vec::new(),
    })
}

fn notice(kind: NoticeKind, items: Vec<Item>) -> Notice {
    Notice::new(kind, at("2026-11-21T10:00:00Z"), items)
}

fn model(name: &str) -> Item {
    Item::Model {
        model: name.into(),
        attempts: 3,
    }
}

fn rate(provider: Option<&str>, before: Option<u64>) -> Item {
    Item::ErrorRate {
        provider: provider.map(str::to_owned),
        minutes: 10,
        requests: 200,
        failures: 80,
        percent: 40,
        percent_before: before,
    }
}

/// One of each, with names that would be marks.
fn notices() -> Vec<(&'static str, Notice)> {
    use NoticeKind::{
        BreakerClosed, BreakerOpened, DailyReport, ErrorRateJump, LimitNear, ProviderOutOfBudget,
        Test, UnpricedModel,
    };
    let marks = breaker(Some("<!channel> [x](http://e)"), true);
    let near = vec![limit("key", "usd_day", 85), limit("user", "usd_5h", 99)];
    let spent = vec![limit("provider", "usd_month", 100)];
    let rates = vec![rate(None, Some(4)), rate(Some("relay"), None)];
    let many = (0..22).map(|_| model("m")).collect();
    let opened = breaker(None, true);
    vec![
        ("opened", notice(BreakerOpened, vec![opened.clone()])),
        ("opened, two", notice(BreakerOpened, vec![marks, opened])),
        (
            "closed",
            notice(BreakerClosed, vec![breaker(Some("m"), false)]),
        ),
        ("budget", notice(ProviderOutOfBudget, spent)),
        ("near", notice(LimitNear, near)),
        (
            "unpriced",
            notice(UnpricedModel, vec![model("a&b<at id=all></at>")]),
        ),
        ("unpriced, many", notice(UnpricedModel, many)),
        ("errors", notice(ErrorRateJump, rates)),
        ("report", notice(DailyReport, vec![report()])),
        ("test", notice(Test, Vec::new())),
    ]
}

fn written(address: &Address, notice: &Notice, language: NoticeLanguage) -> Letter {
    let words = words(notice, language, Tz::Asia__Shanghai);
    write(address, notice, &words, at("2026-11-21T10:00:01.234Z")).unwrap()
}

#[test]
fn each_platform_is_sent_what_it_takes() {
    for (kind, name) in ALL {
        let mut bodies = Map::new();
        for (what, notice) in notices() {
            let of = |language| written(&address(kind), &notice, language).body;
            bodies.insert(what.into(), of(NoticeLanguage::En));
            bodies.insert(format!("{what}, zh"), of(NoticeLanguage::Zh));
        }
        let found = serde_json::to_string_pretty(&bodies).unwrap() + "\n";
        let path = format!(
            "{}/src/wire/notify/golden/{name}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == golden,
            "{name}: UPDATE_GOLDEN=1 writes it anew\n{found}"
        );
    }
}

#[test]
fn each_goes_to_its_address_with_its_signature() {
    let (_, notice) = notices().remove(0);
    let to = |kind| written(&address(kind), &notice, NoticeLanguage::En);
    // Computed with Python's `hmac`, as in the platforms' documents.
    assert_eq!(
        to(TargetKind::Dingtalk).url.expose(),
        "https://oapi.dingtalk.com/robot/send?access_token=t0&timestamp=1795255201234&sign=CnbMaDgtMCy04SIbaXSCY2XY1LgjID6hqriTT5oz%2FzM%3D"
    );
    let feishu = to(TargetKind::Feishu).body;
    assert_eq!(feishu["timestamp"], "1795255201");
    assert_eq!(
        feishu["sign"],
        "cwF+S1Nxseug5uOsfYZMkRJN/sOfjxRgPO5dV8s9jdM="
    );
    assert_eq!(
        to(TargetKind::Telegram).url.expose(),
        "http://bots.example/bot1:abc/sendMessage"
    );
    let mut official = address(TargetKind::Telegram);
    official.credentials.url = None;
    let letter = written(&official, &notice, NoticeLanguage::En);
    assert_eq!(
        letter.url.expose(),
        "https://api.telegram.org/bot1:abc/sendMessage"
    );
    let webhook = to(TargetKind::Webhook);
    assert_eq!(webhook.headers, [("x-key".to_owned(), Secret::new("k"))]);
    assert!(to(TargetKind::Slack).headers.is_empty());
    let mut unsigned = address(TargetKind::Dingtalk);
    unsigned.credentials.secret = None;
    let letter = written(&unsigned, &notice, NoticeLanguage::En);
    assert!(!letter.url.expose().contains("sign="));
}

#[test]
fn a_template_is_filled_in_and_a_target_that_lacks_something_says_so() {
    let (_, notice) = notices().remove(5);
    let mut target = address(TargetKind::Webhook);
    target.template = Some(r#"{"msg": "{{level}}: {{title}}", "all": "{{lines}}", "n": 1}"#.into());
    let body = written(&target, &notice, NoticeLanguage::En).body;
    assert_eq!(
        body["msg"],
        "warning: [Switchyard] Model without a price: a&b<at id=all></at>"
    );
    assert_eq!(
        (body["all"].as_array().unwrap().len(), &body["n"]),
        (2, &json!(1))
    );
    for (kind, _) in ALL {
        let mut target = address(kind);
        target.credentials = TargetCredentials::default();
        let said = words(&notice, NoticeLanguage::En, Tz::UTC);
        assert!(
            write(&target, &notice, &said, notice.at).is_err(),
            "{kind:?}"
        );
    }
}

#[test]
fn a_message_fits_its_platform_however_long_it_is() {
    let item = |n: usize| breaker(Some(&format!("{n}{}", "é<&".repeat(60))), true);
    let items = (0..20).map(item).collect();
    let notice = Notice::new(NoticeKind::BreakerOpened, at("2026-11-21T10:00:00Z"), items);
    let body = |kind| written(&address(kind), &notice, NoticeLanguage::Zh).body;
    let length = |value: &Value| value.as_str().unwrap().len();
    let wecom = body(TargetKind::Wecom);
    assert!(length(&wecom["markdown"]["content"]) <= 4_096);
    let telegram = body(TargetKind::Telegram);
    assert!(length(&telegram["text"]) <= 4_096);
    let slack = body(TargetKind::Slack);
    assert!(length(&slack["blocks"][1]["text"]["text"]) <= 3_000);
    assert!(
        slack["blocks"][0]["text"]["text"]
            .as_str()
            .unwrap()
            .chars()
            .count()
            <= 150
    );
    for text in [
        &wecom["markdown"]["content"],
        &telegram["text"],
        &slack["blocks"][1]["text"]["text"],
    ] {
        assert!(text.as_str().unwrap().ends_with('…'), "{text}");
    }
}

#[test]
fn answers_mean_what_the_platforms_say() {
    let why = |kind, status, body: &str| judge(kind, status, None, body.as_bytes()).unwrap_err();
    for (kind, body) in [
        (
            TargetKind::Feishu,
            r#"{"code":0,"msg":"success","data":{}}"#,
        ),
        (
            TargetKind::Feishu,
            r#"{"StatusCode":0,"StatusMessage":"success"}"#,
        ),
        (TargetKind::Dingtalk, r#"{"errcode":0,"errmsg":"ok"}"#),
        (TargetKind::Wecom, r#"{"errcode":0,"errmsg":"ok"}"#),
        (TargetKind::Telegram, r#"{"ok":true,"result":{}}"#),
        (TargetKind::Slack, "ok"),
        (TargetKind::Webhook, ""),
    ] {
        assert_eq!(judge(kind, 200, None, body.as_bytes()), Ok(()), "{kind:?}");
    }
    for (kind, body) in [
        (
            TargetKind::Feishu,
            r#"{"code":19021,"msg":"sign match fail"}"#,
        ),
        (
            TargetKind::Dingtalk,
            r#"{"errcode":310000,"errmsg":"sign not match"}"#,
        ),
        (
            TargetKind::Wecom,
            r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
        ),
        (TargetKind::Telegram, "<html>"),
        (TargetKind::Feishu, ""),
    ] {
        let refused = why(kind, 200, body);
        assert!(!refused.is_final, "{kind:?}");
        assert!(
            refused
                .why
                .contains(if body.is_empty() { "nothing" } else { body })
        );
    }
    assert!(why(TargetKind::Slack, 404, "no_service").is_final);
    assert!(!why(TargetKind::Slack, 500, "").is_final);
    let busy = r#"{"ok":false,"error_code":429,"parameters":{"retry_after":35}}"#;
    let busy = why(TargetKind::Telegram, 429, busy);
    assert_eq!(
        (busy.is_final, busy.wait),
        (false, Some(Duration::from_secs(35)))
    );
    let slack = judge(TargetKind::Slack, 429, Some("30"), b"").unwrap_err();
    assert_eq!(slack.wait, Some(Duration::from_secs(30)));
}
