//! Tests of the import: a predecessor's database with its documented columns, taken over into both databases.

#![expect(
    clippy::too_many_lines,
    reason = "what is expected of a whole database reads best as one table"
)]

use entity::provider::{API_KEY_PLACE, PROXY_URL_PLACE};
use entity::value::{
    ClientName, ErrorMatch, MatchKind, ProviderType, ResetMode, RuleFault, Strings,
};
use entity::{
    api_key, audit, error_rule, import, price, provider, provider_group, request_log, setting,
    usage, usage_hourly, user,
};
use sea_orm::{ConnectionTrait, QueryOrder};

use super::*;
use crate::store::database::is_migrated;
use crate::store::prices::load_prices;
use crate::store::snapshot;
use crate::store::testing::{TestDb, execute};

const SECRET: &[u8] = b"a secret of an installation";

struct Keys {
    hasher: KeyHasher,
    sealer: Sealer,
}

impl Keys {
    fn new() -> Self {
        Self {
            hasher: KeyHasher::new(SECRET),
            sealer: Sealer::new(SECRET),
        }
    }

    async fn import(&self, from: &TestDb, to: &TestDb, is_applied: bool) -> Report {
        self.try_import(from, to, is_applied, None).await.unwrap()
    }

    async fn try_import(
        &self,
        from: &TestDb,
        to: &TestDb,
        is_applied: bool,
        history_days: Option<u32>,
    ) -> Result<Report, ImportError> {
        let options = Options {
            hasher: &self.hasher,
            sealer: &self.sealer,
            is_applied,
            history_days,
        };
        run(&from.db, &to.db, options).await
    }
}

async fn predecessor() -> Option<TestDb> {
    let test = TestDb::empty_postgres().await?;
    for sql in [
        include_str!("tests/predecessor.sql"),
        include_str!("tests/people.sql"),
        include_str!("tests/history.sql"),
    ] {
        test.db.execute_unprepared(sql).await.unwrap();
    }
    Some(test)
}

/// All there is, secrets sealed anew left aside.
async fn dump(test: &TestDb) -> Vec<String> {
    let db = &test.db;
    let mut all = Vec::new();
    macro_rules! add {
        ($($entity:ident by $column:ident),+) => {
            $(for row in $entity::Entity::find().order_by_asc($entity::Column::$column).all(db).await.unwrap() {
                all.push(format!("{row:?}"));
            })+
        };
    }
    add!(user by Id, api_key by Id, provider by Id, provider_group by Id, error_rule by Id, price by Id, setting by Id);
    add!(request_log by Id, usage by Id, revision by Id, audit by Id);
    let mut sorted = Vec::new();
    for row in usage_hourly::Entity::find().all(db).await.unwrap() {
        sorted.push(format!("{row:?}"));
    }
    for row in import::Entity::find().all(db).await.unwrap() {
        sorted.push(format!("{row:?}"));
    }
    sorted.sort();
    all.extend(sorted);
    all
}

/// Found, new, changed, same, kept, skipped.
fn counts(report: &Report, name: &str) -> [u64; 6] {
    let table = report.tables.iter().find(|t| t.name == name).unwrap();
    [
        table.found,
        table.new,
        table.changed,
        table.same,
        table.kept,
        table.skipped.count,
    ]
}

fn skipped(report: &Report, name: &str) -> Vec<i64> {
    let table = report.tables.iter().find(|t| t.name == name).unwrap();
    table.skipped.said.iter().map(|(id, _)| *id).collect()
}

#[tokio::test]
async fn a_predecessor_comes_over_once_and_a_dry_run_changes_nothing() {
    let Some(from) = predecessor().await else {
        return;
    };
    let keys = Keys::new();
    for to in TestDb::all().await {
        assert!(is_migrated(&to.db).await.unwrap());
        let empty = dump(&to).await;
        let dry = keys.import(&from, &to, false).await;
        assert_eq!(dump(&to).await, empty);
        let text = dry.to_string();
        assert!(text.contains("dry run"), "{text}");

        let report = keys.import(&from, &to, true).await;
        for (table, expected) in [
            ("users", [4, 4, 0, 0, 0, 0]),
            ("keys", [8, 5, 0, 0, 0, 3]),
            ("provider_groups", [3, 2, 0, 0, 0, 1]),
            ("providers", [5, 3, 0, 0, 0, 2]),
            ("error_rules", [4, 2, 0, 0, 0, 2]),
            ("model_prices", [6, 2, 0, 0, 0, 2]),
            ("system_settings", [1, 1, 0, 0, 0, 0]),
            ("requests", [12, 10, 0, 0, 0, 2]),
        ] {
            assert_eq!(counts(&report, table), expected, "{table}: {report}");
            assert_eq!(counts(&dry, table), expected, "{table}");
        }
        assert_eq!(skipped(&report, "keys"), [3, 5, 6]);
        assert_eq!(skipped(&report, "providers"), [3, 4]);
        assert_eq!(skipped(&report, "requests"), [8, 9]);
        let text = report.to_string();
        for secret in [
            "sk-0000",
            "up-secret",
            "proxy-secret",
            "stolen",
            "sk-nobody",
        ] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("sensitive words: 2"), "{text}");
        people_are_the_same(&keys, &to).await;
        providers_are_the_same(&keys, &to).await;
        prices_and_rules_are_the_same(&to).await;
        history_is_the_same(&report, &to).await;
        let told = audit::Entity::find().all(&to.db).await.unwrap();
        assert_eq!((told.len(), told[0].action.as_str()), (1, "import"));
        assert_eq!(told[0].after.as_ref().unwrap()["users"]["new"], 4);
        // What a gateway makes of it.
        let snapshot = snapshot::load(&to.db, &keys.sealer).await.unwrap();
        assert!(snapshot.left_out.is_empty(), "{:?}", snapshot.left_out);
        let key = |plain: &str| snapshot.keys.get(&keys.hasher.hash(plain));
        let laptop = key("sk-00000000000000000000000000000001").unwrap();
        assert_eq!(
            (laptop.name.as_str(), laptop.user.name.as_str()),
            ("laptop", "ann")
        );
        assert_eq!(laptop.groups, ["vip"]);
        assert!(key("sk-00000000000000000000000000000004").is_none());
        assert!(key("sk-00000000000000000000000000000007").is_none());
        assert_eq!((snapshot.providers.len(), snapshot.groups.len()), (2, 2));

        let before = dump(&to).await;
        let again = keys.import(&from, &to, true).await;
        assert!(!again.has_changes(), "{again}");
        assert_eq!(dump(&to).await, before);
        assert_eq!(again.months, report.months);
        to.drop().await;
    }
    from.drop().await;
}

async fn people_are_the_same(keys: &Keys, to: &TestDb) {
    let users = user::Entity::find().order_by_asc(user::Column::Id);
    let users = users.all(&to.db).await.unwrap();
    let names: Vec<_> = users
        .iter()
        .map(|user| (user.name.as_str(), user.role.as_str()))
        .collect();
    let expected = [
        ("ann", "admin"),
        ("ann (2)", "user"),
        ("gone", "user"),
        ("user 4", "user"),
    ];
    assert_eq!(names, expected);
    let [ann, other, gone, _] = &users[..] else {
        panic!("four users");
    };
    let limits = ann.limits;
    assert_eq!(
        (limits.rpm, limits.concurrent_sessions),
        (Some(60), Some(3))
    );
    let usd = |usd: i64| Some(usd * 10_000_000);
    assert_eq!(
        [
            limits.usd_5h,
            limits.usd_day,
            limits.usd_week,
            limits.usd_month,
            limits.usd_total
        ],
        [usd(500), usd(1234), usd(5000), usd(20_000), usd(100_000)]
    );
    assert_eq!(
        (limits.reset_5h, limits.reset_day),
        (ResetMode::Fixed, ResetMode::Rolling)
    );
    assert_eq!(limits.day_starts.to_string(), "06:30");
    assert_eq!(limits.reset_at, "2026-01-01T00:00:00Z".parse().ok());
    assert_eq!(ann.provider_group, "vip,default");
    assert_eq!(ann.tags, Strings(vec!["team-a".to_owned()]));
    assert_eq!(ann.allowed_models.0, ["claude-sonnet-4-5"]);
    assert_eq!(
        (ann.allowed_clients.0.len(), ann.blocked_clients.0.len()),
        (1, 1)
    );
    // Zero is no limit there, and would allow nothing here.
    assert_eq!(other.limits, entity::value::Limits::default());
    assert!(gone.deleted_at.is_some());

    let key_rows = api_key::Entity::find().order_by_asc(api_key::Column::Name);
    let key_rows = key_rows.all(&to.db).await.unwrap();
    let told: Vec<_> = key_rows
        .iter()
        .map(|key| (key.name.as_str(), key.is_enabled, key.deleted_at.is_some()))
        .collect();
    let expected = [
        ("deleted", true, true),
        ("laptop", true, false),
        ("of nobody", true, true),
        ("off", false, false),
        ("weak", true, false),
    ];
    assert_eq!(told, expected);
    let laptop = &key_rows[1];
    let hash = keys.hasher.hash("sk-00000000000000000000000000000001");
    assert_eq!(laptop.key_hash, hash.to_hex());
    assert_eq!(
        (laptop.user_id, laptop.last_four.as_str()),
        (ann.id, "0001")
    );
    assert_eq!(laptop.limits.usd_5h, usd(150));
    assert_eq!(
        (laptop.limits.usd_day, laptop.limits.concurrent_sessions),
        (usd(225), Some(2))
    );
    assert_eq!(laptop.limits.reset_at, limits.reset_at, "the user's reset");
    assert_eq!(
        (
            laptop.provider_group.as_str(),
            key_rows[3].provider_group.as_str()
        ),
        ("vip", "default")
    );
    assert_eq!(key_rows[4].prefix.len() + key_rows[4].last_four.len(), 0);
    for key in &key_rows {
        let plain = format!("sk-0000000000000000000000000000000{}", 7);
        assert_ne!(key.key_hash, keys.hasher.hash(&plain).to_hex());
    }
}

async fn providers_are_the_same(keys: &Keys, to: &TestDb) {
    let rows = provider::Entity::find().order_by_asc(provider::Column::Id);
    let rows = rows.all(&to.db).await.unwrap();
    let [main, second, gone] = &rows[..] else {
        panic!("three providers: {rows:?}");
    };
    let open = |place, sealed| keys.sealer.open(place, sealed).unwrap();
    assert_eq!(open(API_KEY_PLACE, &main.api_key).expose(), "up-secret-1");
    let proxy = open(PROXY_URL_PLACE, main.proxy_url.as_ref().unwrap());
    assert_eq!(proxy.expose(), "socks5://me:proxy-secret@10.0.0.1:1080");
    assert_eq!(
        (main.r#type, main.url.as_str()),
        (ProviderType::Claude, "https://relay.example/api")
    );
    assert_eq!((main.weight, main.priority, main.max_attempts), (7, 2, 4));
    assert_eq!(main.group_priorities.0.get("vip"), Some(&0));
    assert_eq!(main.group_priorities.0.len(), 1);
    assert_eq!(main.group_tags.0, ["vip", "default"]);
    assert_eq!(main.cost_multiplier.to_string(), "0.85");
    let redirect = &main.model_redirects.0[0];
    assert_eq!(
        (redirect.kind, redirect.target.as_str()),
        (MatchKind::Prefix, "claude-sonnet-4-5")
    );
    let kinds: Vec<_> = main.allowed_models.0.iter().map(|rule| rule.kind).collect();
    assert_eq!(kinds, [MatchKind::Exact, MatchKind::Contains]);
    assert_eq!(main.limits.usd_day, Some(100_000_000_000));
    assert_eq!(
        (main.breaker.failure_threshold, main.breaker.open_seconds),
        (3, 91)
    );
    let timeouts = main.timeouts;
    let timeouts = (timeouts.first_byte_ms, timeouts.idle_ms, timeouts.total_ms);
    assert_eq!(timeouts, (30_000, 60_000, 120_000));
    assert_eq!(main.active_time.unwrap().end.to_string(), "18:30");
    let header = ("x-team".to_owned(), "a".to_owned());
    assert_eq!(
        main.custom_headers.open(&keys.sealer).unwrap(),
        [header].into()
    );
    // The other shape, the same name, a weight beyond the range, and a proxy that cannot be used.
    assert_eq!(
        (second.name.as_str(), second.weight, second.is_enabled),
        ("main (2)", 100, false)
    );
    assert_eq!((second.proxy_url.is_none(), second.max_attempts), (true, 2));
    let redirect = &second.model_redirects.0[0];
    assert_eq!(
        (redirect.kind, redirect.source.as_str()),
        (MatchKind::Exact, "gpt-4")
    );
    assert!(second.group_tags.0.is_empty() && second.allowed_models.0.is_empty());
    assert_eq!(second.breaker.open_seconds, 1800);
    assert!(gone.deleted_at.is_some());
    assert_eq!(open(API_KEY_PLACE, &gone.api_key).expose(), "");
}

async fn prices_and_rules_are_the_same(to: &TestDb) {
    let (book, unreadable) = load_prices(&to.db).await.unwrap();
    assert!(unreadable.is_empty());
    let figures = |name: &str, at: &str| {
        let priced = book.lookup(name, at.parse().unwrap());
        priced.map(|p| (p.source.name(), p.price.to_string()))
    };
    let now = "2026-06-01T00:00:00Z";
    let manual = Some(("manual", "input=2 output=10".to_owned()));
    assert_eq!(figures("claude-sonnet-4-5", now), manual);
    let synced = Some(("synced", "input=4 output=8".to_owned()));
    assert_eq!(figures("house-model", now), synced);
    assert_eq!(figures("house", now), synced);
    assert_ne!(figures("claude-sonnet-4-5", "2025-11-30T00:00:00Z"), manual);

    let groups = provider_group::Entity::find().order_by_asc(provider_group::Column::Name);
    let groups = groups.all(&to.db).await.unwrap();
    let told: Vec<_> = groups
        .iter()
        .map(|g| {
            (
                g.name.as_str(),
                g.cost_multiplier.to_string(),
                g.note.as_str(),
            )
        })
        .collect();
    let expected = [
        ("default", "1".to_owned(), ""),
        ("vip", "0.85".to_owned(), "the good ones"),
    ];
    assert_eq!(told, expected);

    let rules = error_rule::Entity::find().order_by_asc(error_rule::Column::Priority);
    let rules = rules.all(&to.db).await.unwrap();
    let [quota, cats] = &rules[..] else {
        panic!("two rules");
    };
    assert_eq!(
        (quota.match_kind, quota.pattern.as_str()),
        (ErrorMatch::Regex, r"(?i)^quota\d+$")
    );
    assert_eq!(
        (quota.name.as_str(), quota.override_status),
        ("house", None)
    );
    assert_eq!(
        (cats.fault, cats.override_status),
        (RuleFault::Client, Some(422))
    );
    assert_eq!(cats.override_message.as_deref(), Some("fewer cats"));
    let settings = setting::Entity::find().one(&to.db).await.unwrap().unwrap();
    assert_eq!(settings.value.time_zone.as_deref(), Some("Asia/Shanghai"));
}

async fn history_is_the_same(report: &Report, to: &TestDb) {
    let months: Vec<_> = report
        .months
        .iter()
        .map(|m| (m.month.as_str(), m.there, m.here, m.lines))
        .collect();
    let february = 500_000_000 + 125_000_000 + 250_000_000 + 2_000_000_001;
    assert_eq!(
        months,
        [
            ("2026-01", 12_345_679, 12_345_679, 1),
            ("2026-02", february, february, 5)
        ]
    );
    assert!(report.months.iter().all(Month::is_same));
    let sums = usage_hourly::Entity::find().all(&to.db).await.unwrap();
    let spent: i64 = sums.iter().map(|hour| hour.cost_nano_usd).sum();
    assert_eq!(i128::from(spent), february + 12_345_679);
    assert_eq!(sums.iter().map(|hour| hour.requests).sum::<i64>(), 10);
    assert_eq!(sums.iter().map(|hour| hour.failures).sum::<i64>(), 1);

    let log = request_log::Entity::find().order_by_asc(request_log::Column::Id);
    let log = log.all(&to.db).await.unwrap();
    let first = &log[0];
    assert_eq!((first.status, first.protocol.as_str()), (200, "anthropic"));
    assert_eq!(first.endpoint, "POST /v1/messages");
    assert_eq!(first.requested_model.as_deref(), Some("claude-3-opus"));
    assert_eq!(
        (first.ttfb_ms, first.ttft_ms, first.is_stream),
        (Some(120), Some(300), true)
    );
    assert_eq!(
        (first.cache_write5m_tokens, first.cache_write1h_tokens),
        (0, 40)
    );
    assert_eq!(first.chain[1]["outcome"], "completed");
    assert_eq!(first.chain.as_array().unwrap().len(), 2);
    let lines = usage::Entity::find().order_by_asc(usage::Column::Id);
    let lines = lines.all(&to.db).await.unwrap();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0].client, ClientName::ClaudeCode);
    assert_eq!(lines[0].provider_multiplier.unwrap().to_string(), "0.85");
    assert_eq!(lines[0].provider_id, first.provider_id.unwrap());
    assert!(lines.iter().all(|line| line.settled_from == "terminal"));
    let race: Vec<_> = lines
        .iter()
        .filter(|line| line.request_id == log[1].id)
        .map(|line| (line.attempt, line.cost_nano_usd, line.output_tokens))
        .collect();
    assert_eq!(race.len(), 2);
    assert!(
        race.contains(&(1, Some(300_000_000), 20)) && race.contains(&(2, Some(200_000_000), 3))
    );
    // Nobody's, and of a user and a key that are deleted.
    let nobody = log.iter().find(|row| row.user_id == Some(0)).unwrap();
    assert_eq!((nobody.key_id, nobody.provider_id), (Some(0), None));
    let last = log.last().unwrap();
    assert!(last.key_id > Some(0) && last.provider_id.is_some());
    assert_eq!(
        (last.cache_write5m_tokens, last.cache_write1h_tokens),
        (13, 14)
    );
    let lost = log.iter().find(|row| row.status == 499);
    assert_eq!(lost.map(|row| row.settled_from.as_str()), Some("none"));
}

#[tokio::test]
async fn what_changed_there_is_taken_over_unless_it_changed_here() {
    let Some(from) = predecessor().await else {
        return;
    };
    let keys = Keys::new();
    for to in TestDb::all().await {
        // What was here before is neither written nor made twice.
        let hash = keys
            .hasher
            .hash("sk-00000000000000000000000000000002")
            .to_hex();
        execute(&to.db, "INSERT INTO users (name, tags, role, is_enabled, allowed_models, created_at, updated_at) VALUES ('ann', '[]', 'user', true, '[]', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')").await;
        execute(&to.db, &format!("INSERT INTO api_keys (user_id, name, key_hash, prefix, last_four, is_enabled, can_login_web_ui, created_at, updated_at) VALUES (1, 'mine', '{hash}', '', '', true, false, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')")).await;
        let report = keys.try_import(&from, &to, true, Some(0)).await.unwrap();
        assert_eq!(counts(&report, "keys"), [8, 4, 0, 1, 0, 3]);
        let mut names: Vec<String> = Vec::new();
        for row in user::Entity::find()
            .order_by_asc(user::Column::Id)
            .all(&to.db)
            .await
            .unwrap()
        {
            names.push(row.name);
        }
        assert_eq!(names, ["ann", "ann (1)", "ann (2)", "gone", "user 4"]);

        execute(
            &from.db,
            "UPDATE users SET description = 'changed', updated_at = now() WHERE id IN (1, 4)",
        )
        .await;
        execute(&from.db, "UPDATE users SET updated_at = now() WHERE id = 2").await;
        execute(
            &from.db,
            "UPDATE keys SET deleted_at = '2026-03-01 00:00:00+00' WHERE id = 1",
        )
        .await;
        execute(&to.db, "UPDATE users SET note = 'mine', updated_at = '2026-01-02 00:00:00+00:00' WHERE name = 'user 4'").await;
        let report = keys.try_import(&from, &to, true, Some(0)).await.unwrap();
        assert_eq!(counts(&report, "users"), [4, 0, 1, 2, 1, 0], "{report}");
        assert_eq!(counts(&report, "keys"), [8, 0, 1, 4, 0, 3], "{report}");
        let user = |name: &'static str| {
            let found = user::Entity::find().filter(user::Column::Name.eq(name));
            let db = &to.db;
            async move { found.one(db).await.unwrap().unwrap().note }
        };
        assert_eq!(
            (
                user("ann (1)").await.as_str(),
                user("user 4").await.as_str()
            ),
            ("changed", "mine")
        );
        let hash = keys
            .hasher
            .hash("sk-00000000000000000000000000000001")
            .to_hex();
        let usable = api_key::Entity::find().filter(api_key::Column::KeyHash.eq(hash));
        let usable = usable.one(&to.db).await.unwrap().unwrap();
        assert_eq!(usable.name, "double", "the key there is now its twin's");
        execute(
            &from.db,
            "UPDATE users SET description = 'first' WHERE id = 1",
        )
        .await;
        execute(&from.db, "UPDATE users SET description = NULL WHERE id = 4").await;
        execute(&from.db, "UPDATE keys SET deleted_at = NULL WHERE id = 1").await;
        to.drop().await;
    }
    from.drop().await;
}

#[tokio::test]
async fn history_comes_in_parts_and_only_once() {
    let Some(from) = predecessor().await else {
        return;
    };
    let keys = Keys::new();
    let to = TestDb::sqlite().await;
    execute(&from.db, "DELETE FROM message_request WHERE id > 2").await;
    execute(&from.db, "DELETE FROM usage_ledger WHERE request_id > 2").await;
    // More than two batches, of which one request is under way.
    execute(
        &from.db,
        "INSERT INTO message_request (id, provider_id, user_id, key, model, cost_usd, input_tokens, status_code, endpoint, created_at)
         SELECT n, 1, 1, 'sk-00000000000000000000000000000001', 'm', CASE n WHEN 2500 THEN 0 ELSE 0.001 END, CASE n WHEN 2500 THEN NULL ELSE 1 END,
            CASE n WHEN 2500 THEN NULL ELSE 200 END, '/v1/messages', now() - interval '1 second' FROM generate_series(101, 2600) AS n",
    )
    .await;
    let lines = async || usage::Entity::find().all(&to.db).await.unwrap().len();
    let report = keys.try_import(&from, &to, true, Some(1)).await.unwrap();
    assert_eq!(counts(&report, "requests"), [2500, 2499, 0, 0, 0, 0]);
    assert_eq!(lines().await, 2499);
    let text = report.to_string();
    assert!(text.contains("1 requests are under way"), "{text}");

    execute(&from.db, "UPDATE message_request SET status_code = 200, cost_usd = 0.001, input_tokens = 1 WHERE id = 2500").await;
    let report = keys.try_import(&from, &to, true, Some(1)).await.unwrap();
    assert_eq!(counts(&report, "requests"), [101, 1, 0, 100, 0, 0]);
    assert_eq!(lines().await, 2500);

    let report = keys.import(&from, &to, true).await;
    assert_eq!(counts(&report, "requests"), [2, 2, 0, 0, 0, 0]);
    assert_eq!(lines().await, 2503);
    assert!(report.months.iter().all(Month::is_same), "{report}");
    assert_eq!(report.months.iter().map(|m| m.lines).sum::<i64>(), 2503);
    let report = keys.import(&from, &to, true).await;
    assert_eq!(counts(&report, "requests"), [0; 6]);
    let sums = usage_hourly::Entity::find().all(&to.db).await.unwrap();
    assert_eq!(sums.iter().map(|hour| hour.requests).sum::<i64>(), 2502);
    to.drop().await;
    from.drop().await;
}

#[tokio::test]
async fn another_database_is_refused() {
    let Some(other) = TestDb::empty_postgres().await else {
        return;
    };
    let to = TestDb::sqlite().await;
    let keys = Keys::new();
    let error = keys.try_import(&other, &to, true, None).await.unwrap_err();
    assert!(error.to_string().contains("no claude-code-hub"), "{error}");
    let error = keys.try_import(&to, &to, true, None).await.unwrap_err();
    assert!(error.to_string().contains("PostgreSQL"), "{error}");
    to.drop().await;
    other.drop().await;
}
