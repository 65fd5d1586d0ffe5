//! Tests of the snapshot, on both databases.

use entity::value::{
    EgressPolicy, GroupPriorities, Headers, KeyHasher, ModelRedirects, NameRules, ProviderType,
    Sealed, Secret, Strings, Timeouts,
};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::*;
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
            created_at: now(),
            updated_at: now(),
            deleted_at: (key == "deleted").then(now),
        };
        let mut row = row.into_active_model().reset_all();
        row.id = sea_orm::ActiveValue::NotSet;
        row.insert(db).await.unwrap();
    }

    async fn add_provider(&self, db: &DatabaseConnection, name: &str, url: &str, key: Sealed) {
        let row = provider::Model {
            id: 0,
            name: name.to_owned(),
            r#type: ProviderType::ClaudeAuth,
            url: url.to_owned(),
            api_key: key,
            note: String::new(),
            is_enabled: true,
            weight: 3,
            priority: -1,
            group_priorities: GroupPriorities([("a".to_owned(), 2)].into()),
            group_tags: Strings(vec![" a ".to_owned(), String::new(), "b".to_owned()]),
            allowed_models: NameRules::default(),
            model_redirects: ModelRedirects::default(),
            max_attempts: 2,
            timeouts: Timeouts::default(),
            custom_headers: Headers([("x-a".to_owned(), "1".to_owned())].into()),
            preserve_client_ip: true,
            created_at: now(),
            updated_at: now(),
            deleted_at: (name == "deleted").then(now),
        };
        let mut row = row.into_active_model().reset_all();
        row.id = sea_orm::ActiveValue::NotSet;
        row.insert(db).await.unwrap();
    }

    fn sealed(&self) -> Sealed {
        let secret = Secret::new("sk-upstream");
        self.sealer.seal(provider::API_KEY_PLACE, &secret)
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
        assert_eq!(good.custom_headers["x-a"], "1");
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
