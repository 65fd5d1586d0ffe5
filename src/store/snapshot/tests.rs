//! Tests of the snapshot, on both databases.

use entity::value::{
    ActiveTime, BreakerSettings, EgressPolicy, ErrorMatch, GroupPriorities, Headers, HealthCheck,
    KeyHasher, Limits, MatchKind, ModelRedirect, ModelRedirects, NameRule, NameRules, ProviderType,
    ResetMode, RuleFault, Sealed, Secret, Strings, Timeouts,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::*;
use crate::domain::client::Client;
use crate::domain::limits::{Party, Subject};
use crate::store::testing::{TestDb, now};

struct World {
    hasher: KeyHasher,
    sealer: Sealer,
}

impl World {
    fn new() -> Self {
        Self {
            hasher: KeyHasher::new(b"master"),
            sealer: Sealer::new(b"master"),
        }
    }

    async fn add_user(&self, db: &DatabaseConnection, name: &str, groups: &str) -> i64 {
        let row = user::Model {
            id: 0,
            name: name.to_owned(),
            note: String::new(),
            tags: Strings::default(),
            role: "user".to_owned(),
            is_enabled: true,
            expires_at: None,
            provider_group: groups.to_owned(),
            allowed_models: Strings(vec!["m".to_owned()]),
            allowed_clients: Strings(vec!["codex ".to_owned()]),
            blocked_clients: Strings(vec!["gemini-cli".to_owned()]),
            limits: limits(3),
            created_at: now(),
            updated_at: now(),
            deleted_at: (name == "deleted").then(now),
        };
        let mut row = row.into_active_model().reset_all();
        row.id = sea_orm::ActiveValue::NotSet;
        row.insert(db).await.unwrap().id
    }

    async fn add_key(&self, db: &DatabaseConnection, user_id: i64, key: &str, groups: &str) {
        let row = api_key::Model {
            id: 0,
            user_id,
            name: key.to_owned(),
            key_hash: if key == "broken" {
                "x".to_owned()
            } else {
                self.hasher.hash(key).to_hex()
            },
            prefix: String::new(),
            last_four: String::new(),
            is_enabled: key != "off",
            can_login_web_ui: false,
            expires_at: Some(now()),
            provider_group: groups.to_owned(),
            limits: limits(2),
            created_at: now(),
            updated_at: now(),
            deleted_at: (key == "deleted").then(now),
        };
        let mut row = row.into_active_model().reset_all();
        row.id = sea_orm::ActiveValue::NotSet;
        row.insert(db).await.unwrap();
    }

    async fn add_provider(&self, db: &DatabaseConnection, name: &str, url: &str, key: Sealed) {
        self.add_provider_like(db, name, |row| {
            row.url = url.to_owned();
            row.api_key = key;
        })
        .await;
    }

    async fn add_provider_like(
        &self,
        db: &DatabaseConnection,
        name: &str,
        edit: impl FnOnce(&mut provider::Model),
    ) {
        let mut row = provider::Model {
            id: 0,
            name: name.to_owned(),
            r#type: ProviderType::ClaudeAuth,
            url: "https://relay.example".to_owned(),
            endpoints: Strings::default(),
            api_key: self.sealed(),
            note: String::new(),
            is_enabled: true,
            weight: 3,
            priority: -1,
            group_priorities: GroupPriorities([("a".to_owned(), 2)].into()),
            group_tags: Strings(vec![" a ".to_owned(), String::new(), "b".to_owned()]),
            allowed_models: NameRules::default(),
            model_redirects: ModelRedirects::default(),
            allowed_clients: Strings::default(),
            blocked_clients: Strings::default(),
            active_time: None,
            cost_multiplier: Multiplier::ONE,
            max_attempts: 2,
            timeouts: Timeouts::default(),
            breaker: BreakerSettings::default(),
            health_check: HealthCheck::default(),
            hedge_after_ms: 0,
            max_concurrent: 0,
            limits: limits(1),
            proxy_url: None,
            proxy_fallback_to_direct: false,
            custom_headers: Headers::keep(
                [("x-a", "1"), ("x-relay-token", "t0p")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                &self.sealer,
            ),
            preserve_client_ip: true,
            created_at: now(),
            updated_at: now(),
            deleted_at: (name == "deleted").then(now),
        };
        edit(&mut row);
        let mut row = row.into_active_model().reset_all();
        row.id = sea_orm::ActiveValue::NotSet;
        row.insert(db).await.unwrap();
    }

    async fn add_rule(&self, db: &DatabaseConnection, name: &str, priority: i32, pattern: &str) {
        let row = error_rule::ActiveModel {
            name: Set(name.to_owned()),
            match_kind: Set(ErrorMatch::Regex),
            pattern: Set(pattern.to_owned()),
            fault: Set(RuleFault::Poison),
            override_status: Set(Some(413)),
            priority: Set(priority),
            is_enabled: Set(name != "off"),
            created_at: Set(now()),
            updated_at: Set(now()),
            ..Default::default()
        };
        row.insert(db).await.unwrap();
    }

    fn sealed(&self) -> Sealed {
        let secret = Secret::new("sk-upstream");
        self.sealer.seal(provider::API_KEY_PLACE, &secret)
    }
}

/// Limits of which each is another number than 0.
fn limits(first: i64) -> Limits {
    Limits {
        rpm: Some(first),
        concurrent_sessions: Some(first + 1),
        usd_5h: Some(first + 2),
        usd_day: Some(first + 3),
        usd_week: Some(first + 4),
        usd_month: Some(first + 5),
        usd_total: Some(i64::MAX - first),
        reset_5h: ResetMode::Fixed,
        reset_day: ResetMode::Rolling,
        day_starts: "06:30".parse().unwrap(),
        reset_at: "2026-01-02T03:04:05.678901Z".parse().ok(),
        concurrent_requests: None,
    }
}

#[tokio::test]
async fn all_tables_make_one_snapshot() {
    let world = World::new();
    for test in TestDb::all().await {
        let db = &test.db;
        let empty = load(db, &world.sealer).await.unwrap();
        assert_eq!(
            (empty.revision, empty.keys.len(), empty.providers.len()),
            (1, 0, 0)
        );
        assert_eq!(empty.settings, GatewaySettings::default());

        let user = world.add_user(db, "someone", "a, b,,a , c").await;
        let deleted = world.add_user(db, "deleted", "").await;
        world.add_key(db, user, "good", " b ,").await;
        world.add_key(db, user, "off", "").await;
        world.add_key(db, user, "deleted", "").await;
        world.add_key(db, user, "broken", "").await;
        world.add_key(db, deleted, "orphan", "").await;
        let settings = GatewaySettings {
            egress_policy: EgressPolicy::PublicOnly,
            ..GatewaySettings::default()
        };
        let row = setting::ActiveModel {
            id: Set(setting::ONLY_ID),
            value: Set(settings.clone()),
            updated_at: Set(now()),
        };
        setting::Entity::insert(row).exec(db).await.unwrap();

        let snapshot = load(db, &world.sealer).await.unwrap();
        assert_eq!(snapshot.settings, settings);
        assert_eq!(snapshot.keys.len(), 2);
        let good = &snapshot.keys[&world.hasher.hash("good")];
        assert_eq!(good.groups, ["b"]);
        assert_eq!(good.user.groups, ["a", "b", "c"]);
        assert_eq!(good.user.allowed_models, ["m"]);
        let codex = Client::new("codex_cli_rs/1").unwrap();
        assert!(good.user.allowed_clients[0].matches(&codex));
        let gemini = Client::new("GeminiCLI/1").unwrap();
        assert!(good.user.blocked_clients[0].matches(&gemini));
        let parties = [(Subject::Key(good.id), 2), (Subject::User(good.user.id), 3)].map(
            |(subject, first)| Party {
                subject,
                limits: limits(first),
            },
        );
        assert_eq!(good.parties[..], parties);
        assert!(good.is_enabled && good.expires_at.is_some());
        let off = &snapshot.keys[&world.hasher.hash("off")];
        assert!(!off.is_enabled && Arc::ptr_eq(&off.user, &good.user));
        assert_eq!(snapshot.left_out.len(), 1);
        assert_eq!(snapshot.left_out[0].name, "broken");
        test.drop().await;
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_used_leaves_the_others_be() {
    let world = World::new();
    let other = Sealer::new(b"another").seal(provider::API_KEY_PLACE, &Secret::new("sk"));
    for test in TestDb::all().await {
        let db = &test.db;
        world
            .add_provider(db, "foreign seal", "https://a", other.clone())
            .await;
        world
            .add_provider(db, "bad address", "ftp://a", world.sealed())
            .await;
        world
            .add_provider(db, "deleted", "https://a", world.sealed())
            .await;
        world
            .add_provider(db, "good", "https://relay.example/api", world.sealed())
            .await;

        let snapshot = load(db, &world.sealer).await.unwrap();
        assert_eq!(snapshot.providers.len(), 1);
        let good = &snapshot.providers[0];
        assert_eq!(good.name, "good");
        assert_eq!(good.kind, ProviderType::ClaudeAuth);
        assert_eq!(good.api_key.expose(), "sk-upstream");
        assert_eq!(good.endpoints[0].host, "relay.example");
        assert_eq!(good.groups, ["a", "b"]);
        assert_eq!((good.weight, good.priority, good.max_attempts), (3, -1, 2));
        assert_eq!(good.group_priorities["a"], 2);
        assert_eq!(good.parties[0].limits, limits(1));
        assert_eq!(good.custom_headers["x-a"], "1");
        assert_eq!(good.custom_headers["x-relay-token"], "t0p");
        let left_out: Vec<_> = snapshot
            .left_out
            .iter()
            .map(|l| (l.kind, l.name.as_str(), l.why.contains("SECRET_KEY")))
            .collect();
        assert_eq!(
            left_out,
            [
                ("provider", "foreign seal", true),
                ("provider", "bad address", false)
            ]
        );
        test.drop().await;
    }
}

/// Gives a provider a value of its own in every field of routing.
fn fill(row: &mut provider::Model) {
    row.endpoints = Strings(vec!["https://b.example".into(), row.url.clone()]);
    row.allowed_clients = Strings(vec!["codex ".into()]);
    row.blocked_clients = Strings(vec!["claude-code".into()]);
    row.cost_multiplier = "0.85".parse().unwrap();
    row.allowed_models = NameRules(vec![
        NameRule::exact("m"),
        NameRule {
            kind: MatchKind::Prefix,
            pattern: "gpt-".into(),
        },
    ]);
    row.model_redirects = ModelRedirects(vec![ModelRedirect {
        kind: MatchKind::Regex,
        source: "^gpt-5".into(),
        target: "gpt-5-mini".into(),
    }]);
    row.breaker.open_seconds = 7;
    row.health_check.interval_seconds = 9;
    row.hedge_after_ms = 1500;
    row.max_concurrent = 3;
    row.proxy_fallback_to_direct = true;
}

#[tokio::test]
async fn a_provider_is_read_with_all_it_is_chosen_and_reached_by() {
    let world = World::new();
    let active = ActiveTime {
        start: "22:00".parse().unwrap(),
        end: "06:00".parse().unwrap(),
    };
    let proxy = world
        .sealer
        .seal(provider::PROXY_URL_PLACE, &Secret::new("socks5://u:p@gate"));
    for test in TestDb::all().await {
        let db = &test.db;
        let edit = |row: &mut provider::Model| {
            fill(row);
            row.active_time = Some(active);
            row.proxy_url = Some(proxy.clone());
        };
        world.add_provider_like(db, "p", edit).await;
        let snapshot = load(db, &world.sealer).await.unwrap();
        assert_eq!(snapshot.left_out, []);
        let p = &snapshot.providers[0];
        let hosts: Vec<_> = p.endpoints.iter().map(|e| e.host.as_str()).collect();
        assert_eq!(hosts, ["relay.example", "b.example"]);
        let client = Client::new("claude-cli/2.1.197 (external, cli)").unwrap();
        assert!(p.blocked_clients[0].matches(&client) && !p.allowed_clients[0].matches(&client));
        assert_eq!(p.active_time, Some(active));
        assert_eq!(p.cost_multiplier.millionths(), 850_000);
        let allows = |model| p.allowed_models.iter().any(|rule| rule.matches(model));
        assert!(allows("m") && allows("gpt-5") && !allows("mm"));
        assert_eq!(p.redirect("gpt-5.1"), Some("gpt-5-mini"));
        assert_eq!(
            (p.breaker.open_seconds, p.breaker.failure_threshold),
            (7, 5)
        );
        assert_eq!(p.health_check.interval_seconds, 9);
        assert_eq!((p.hedge_after_ms, p.max_concurrent), (1500, 3));
        assert!(p.proxy_fallback_to_direct);
        assert_eq!(p.proxy.as_ref().unwrap().to_string(), "socks5://gate:1080");
        test.drop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_used_of_routing_is_left_out_with_its_reason() {
    let world = World::new();
    let seal = |place: &str, url: &str| Some(world.sealer.seal(place, &Secret::new(url)));
    for test in TestDb::all().await {
        let db = &test.db;
        let bad_rule = NameRules(vec![NameRule {
            kind: MatchKind::Regex,
            pattern: "(".into(),
        }]);
        let bad_redirect = ModelRedirects(vec![ModelRedirect {
            kind: MatchKind::Regex,
            source: "[".into(),
            target: "m".into(),
        }]);
        let add = |name, edit: Box<dyn FnOnce(&mut provider::Model)>| {
            world.add_provider_like(db, name, edit)
        };
        add("a", Box::new(|row| row.allowed_models = bad_rule)).await;
        add("b", Box::new(|row| row.model_redirects = bad_redirect)).await;
        let ftp = Strings(vec!["ftp://b".into()]);
        add("c", Box::new(|row| row.endpoints = ftp)).await;
        let unknown = seal(provider::PROXY_URL_PLACE, "ftp://gate");
        add("d", Box::new(|row| row.proxy_url = unknown)).await;
        let misplaced = seal(provider::API_KEY_PLACE, "http://gate");
        add("e", Box::new(|row| row.proxy_url = misplaced)).await;
        world.add_rule(db, "broken", 0, "(").await;

        let snapshot = load(db, &world.sealer).await.unwrap();
        assert!(snapshot.providers.is_empty() && snapshot.error_rules.is_empty());
        let told: Vec<_> = snapshot
            .left_out
            .iter()
            .map(|l| (&l.name[..], &l.why[..]))
            .collect();
        for ((name, why), (told_name, told_why)) in [
            ("a", "allowed model"),
            ("b", "model redirect"),
            ("c", "ftp://b"),
            ("d", "proxy"),
            ("e", "SECRET_KEY"),
            ("broken", "pattern"),
        ]
        .into_iter()
        .zip(told)
        {
            assert!(
                name == told_name && told_why.contains(why),
                "{name} {told_why}"
            );
        }
        assert_eq!(snapshot.left_out.len(), 6);
        test.drop().await;
    }
}

#[tokio::test]
async fn groups_rules_and_the_time_zone_are_read() {
    let world = World::new();
    for test in TestDb::all().await {
        let db = &test.db;
        let group = provider_group::ActiveModel {
            name: Set("vip".to_owned()),
            cost_multiplier: Set("1.5".parse().unwrap()),
            note: Set(String::new()),
            created_at: Set(now()),
            updated_at: Set(now()),
            ..Default::default()
        };
        group.insert(db).await.unwrap();
        world.add_rule(db, "late", 5, "b").await;
        world.add_rule(db, "first", -1, "c").await;
        world.add_rule(db, "off", -9, "d").await;
        world.add_rule(db, "later", 5, "too (long|big)").await;

        let mut snapshot = load(db, &world.sealer).await.unwrap();
        assert_eq!(snapshot.groups["vip"].millionths(), 1_500_000);
        let rules = &snapshot.error_rules;
        let names: Vec<_> = rules.iter().map(|rule| &rule.name[..]).collect();
        assert_eq!(names, ["first", "late", "later"]);
        assert_eq!(rules[2].override_status, Some(413));
        assert!(rules[2].matches(1, "it is too big"));

        assert_eq!(snapshot.time_zone, Tz::UTC);
        snapshot.resolve_time_zone(Tz::Asia__Tokyo);
        assert_eq!(snapshot.time_zone, Tz::Asia__Tokyo);
        for (name, zone) in [("Europe/Berlin", Tz::Europe__Berlin), ("Mars", Tz::UTC)] {
            snapshot.settings.time_zone = Some(name.to_owned());
            snapshot.resolve_time_zone(Tz::Asia__Tokyo);
            assert_eq!(snapshot.time_zone, zone);
        }
        test.drop().await;
    }
}

/// A provider from before there was routing.
const OLD_PROVIDER: &str = r#"INSERT INTO providers (name, type, url, api_key, is_enabled, weight, priority, group_priorities, group_tags,
    allowed_models, model_redirects, max_attempts, timeouts, custom_headers, preserve_client_ip, created_at, updated_at)
    VALUES ('old', 'claude', 'https://a.example', 'SEALED', true, 1, 0, '{}', '[]', '["m"]', '[{"source": "m", "target": "n"}]', 1,
    '{"connectMs": 1, "firstByteMs": 2, "idleMs": 3, "totalMs": 4}', '{}', false, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')"#;

#[tokio::test]
async fn a_provider_from_before_gets_the_defaults() {
    let world = World::new();
    for test in TestDb::all().await {
        let db = &test.db;
        Migrator::down(db, Some(1)).await.unwrap();
        db.execute_unprepared(OLD_PROVIDER).await.unwrap();
        Migrator::up(db, None).await.unwrap();
        // What runs after a migration opens the database anew: a connection that knew other tables is of yesterday.
        let db = &test.again().await;
        let mut row = provider::Entity::find().one(db).await.unwrap().unwrap();
        row.api_key = world.sealed();
        let key = row.api_key.clone();
        let mut row = row.into_active_model();
        row.api_key = Set(key);
        row.update(db).await.unwrap();

        let snapshot = load(db, &world.sealer).await.unwrap();
        assert_eq!(snapshot.left_out, []);
        let old = &snapshot.providers[0];
        assert_eq!(old.endpoints.len(), 1);
        assert!(old.allowed_clients.is_empty() && old.blocked_clients.is_empty());
        assert_eq!(
            (old.active_time, old.cost_multiplier),
            (None, Multiplier::ONE)
        );
        assert_eq!(old.breaker, BreakerSettings::default());
        assert_eq!(old.health_check, HealthCheck::default());
        assert_eq!((old.hedge_after_ms, old.max_concurrent), (0, 0));
        assert!(old.proxy.is_none() && !old.proxy_fallback_to_direct);
        assert_eq!(
            (old.timeouts.idle_ms, old.timeouts.first_content_ms),
            (3, 300_000)
        );
        assert!(old.allowed_models[0].matches("m"));
        assert_eq!(old.redirect("m"), Some("n"));
        test.drop().await;
    }
}

#[test]
fn hashes_spread_over_the_map() {
    let hasher = KeyHasher::new(b"master");
    let spread: std::collections::HashSet<u64> = (0..1000)
        .map(|i| {
            let mut state = Uniform::default();
            std::hash::Hash::hash(&hasher.hash(&i.to_string()), &mut state);
            state.finish()
        })
        .collect();
    assert_eq!(spread.len(), 1000);
}
