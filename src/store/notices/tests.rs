//! Told once, sent once, on both databases.

use std::collections::HashMap;

use entity::value::{Ids, NoticeLanguage, Sealer, TargetCredentials, TargetKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::json;

use super::*;
use crate::domain::notice::Item;
use crate::store::testing::TestDb;

fn at(minute: i64) -> DateTime<Utc> {
    "2026-11-21T10:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
}

fn finding(subject: &str, until: i64) -> Finding {
    Finding {
        subject: subject.into(),
        quiet_until: at(until),
        item: Item::Model {
            model: subject.into(),
            attempts: 1,
        },
    }
}

async fn rule(db: &DatabaseConnection) -> rule::Model {
    let mut row = rule::Model {
        id: 0,
        name: "r".into(),
        event: NoticeKind::UnpricedModel,
        threshold_percent: None,
        window_minutes: None,
        minimum_requests: None,
        report_minute: None,
        quiet_minutes: 30,
        target_ids: Ids(vec![1]),
        is_enabled: true,
        created_at: at(0),
        updated_at: at(0),
    }
    .into_active_model()
    .reset_all();
    row.id = NotSet;
    row.insert(db).await.unwrap()
}

/// To target 1, with the subjects as the title.
fn messages(news: Vec<Finding>) -> Vec<Message> {
    let subjects: Vec<String> = news.into_iter().map(|finding| finding.subject).collect();
    vec![Message {
        target_id: 1,
        target_name: "t".into(),
        title: subjects.join(" "),
        notice: json!({}),
    }]
}

async fn titles(db: &DatabaseConnection) -> Vec<String> {
    let rows = delivery::Entity::find().order_by_asc(delivery::Column::Id);
    let rows = rows.all(db).await.unwrap();
    rows.into_iter().map(|row| row.title).collect()
}

#[tokio::test]
async fn what_was_told_is_quiet_until_its_time_is_over() {
    for test in TestDb::all().await {
        let db = &test.db;
        let (one, other) = (rule(db).await, rule(db).await);
        let tell = async |rule, minute, found: Vec<Finding>| {
            let told = tell(db, rule, found, at(minute), messages).await;
            told.unwrap().messages
        };
        let all = || vec![finding("b", 30), finding("a", 30), finding("a", 30)];
        assert_eq!(tell(&one, 0, all()).await, 1);
        assert_eq!(tell(&one, 0, all()).await, 0);
        assert_eq!(tell(&other, 0, vec![finding("a", 30)]).await, 1);
        assert_eq!(tell(&one, 29, all()).await, 0);
        assert_eq!(
            tell(&one, 29, vec![finding("a", 59), finding("c", 59)]).await,
            1
        );
        assert_eq!(tell(&one, 30, all()).await, 1);
        assert_eq!(titles(db).await, ["a b", "a", "c", "a b"]);
        test.drop().await;
    }
}

/// Random findings at random times with random quiet times, against the sentence they are to keep: told exactly when the time of the last
/// telling is over.
#[test]
fn nothing_is_repeated_before_its_time_and_nothing_is_kept_back_after_it() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let test = runtime.block_on(TestDb::sqlite());
    let steps = prop::collection::vec((0..3_usize, 0..25_i64, 1..40_i64), 1..25);
    let config = Config {
        cases: 24,
        ..Config::default()
    };
    let told = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async {
            let rule = rule(&test.db).await;
            let mut quiet: HashMap<usize, i64> = HashMap::new();
            let mut now = 0;
            for (which, pause, minutes) in steps {
                now += pause;
                let found = vec![finding(&format!("s{which}"), now + minutes)];
                let told = tell(&test.db, &rule, found, at(now), messages).await;
                let expected = quiet.get(&which).is_none_or(|until| *until <= now);
                prop_assert_eq!(told.unwrap().messages == 1, expected);
                if expected {
                    quiet.insert(which, now + minutes);
                }
            }
            Ok(())
        })
    });
    told.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_see_the_same_one_tells_it() {
    for test in TestDb::all().await {
        let rule = rule(&test.db).await;
        let tries = (0..8).map(|_| {
            let (db, rule) = (test.db.clone(), rule.clone());
            tokio::spawn(async move {
                let found = ["a", "b", "c"].map(|subject| finding(subject, 30));
                tell(&db, &rule, found.to_vec(), at(0), messages)
                    .await
                    .unwrap()
            })
        });
        let mut told = 0;
        for tried in tries.collect::<Vec<_>>() {
            told += tried.await.unwrap().messages;
        }
        assert_eq!(
            (told, titles(&test.db).await),
            (1, vec!["a b c".to_owned()])
        );
        test.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_delivery_is_taken_once_and_again_when_it_is_lost_or_due() {
    for test in TestDb::all().await {
        let db = &test.db;
        let rule = rule(db).await;
        tell(db, &rule, vec![finding("a", 30)], at(0), messages)
            .await
            .unwrap();
        let due = async |minute, busy: &[i64]| due(db, at(minute), busy, 9).await.unwrap();
        assert_eq!(due(0, &[1]).await, []);
        assert_eq!(due(-1, &[]).await, []);
        let first = due(0, &[]).await.remove(0);
        let takes = (0..6).map(|_| {
            let (db, first) = (db.clone(), first.clone());
            tokio::spawn(async move { take(&db, &first, at(0), TimeDelta::minutes(1)).await })
        });
        let mut taken = 0;
        for take in takes.collect::<Vec<_>>() {
            taken += usize::from(take.await.unwrap().unwrap());
        }
        assert_eq!(taken, 1);
        assert_eq!(due(0, &[]).await, []);
        // Its node died.
        let lost = due(1, &[]).await.remove(0);
        assert_eq!(lost.attempts, 1);
        assert!(take(db, &lost, at(1), TimeDelta::minutes(1)).await.unwrap());
        let failed = Ended {
            status: Some(503),
            error: Some("no".into()),
            again_at: Some(at(5)),
        };
        // The first attempt's end comes too late to count.
        let arrived = Ended {
            status: Some(200),
            error: None,
            again_at: None,
        };
        end(db, lost.id, 1, &arrived, at(1)).await.unwrap();
        end(db, lost.id, 2, &failed, at(1)).await.unwrap();
        assert_eq!(due(4, &[]).await, []);
        let again = due(5, &[]).await.remove(0);
        assert_eq!(
            (again.attempts, again.status, again.error.as_deref()),
            (2, Some(503), Some("no"))
        );
        assert!(
            take(db, &again, at(5), TimeDelta::minutes(1))
                .await
                .unwrap()
        );
        end(db, again.id, 3, &arrived, at(5)).await.unwrap();
        assert_eq!(due(1_000, &[]).await, []);
        let row = delivery::Entity::find().one(db).await.unwrap().unwrap();
        assert_eq!(
            (row.state, row.attempts, row.status, row.error),
            (DeliveryState::Delivered, 3, Some(200), None)
        );
        test.drop().await;
    }
}

#[tokio::test]
async fn the_log_is_cut_and_what_waits_stays() {
    for test in TestDb::all().await {
        let db = &test.db;
        let rule = rule(db).await;
        for (minute, subject) in [(0, "a"), (10, "b")] {
            let found = vec![finding(subject, minute + 30)];
            tell(db, &rule, found, at(minute), messages).await.unwrap();
        }
        assert_eq!(forget(db, at(60), at(35)).await.unwrap(), 0);
        // Of what was quiet only what is over is forgotten.
        let kept = quiet::Entity::find().all(db).await.unwrap();
        assert_eq!(kept.len(), 1);
        let ended = Ended {
            status: None,
            error: Some("x".repeat(5_000)),
            again_at: None,
        };
        for row in due(db, at(60), &[], 9).await.unwrap() {
            end(db, row.id, 0, &ended, at(60)).await.unwrap();
        }
        assert_eq!(forget(db, at(5), at(60)).await.unwrap(), 1);
        assert_eq!(titles(db).await, ["b"]);
        test.drop().await;
    }
}

#[tokio::test]
async fn no_more_wait_for_a_target_than_it_can_ever_get() {
    let test = TestDb::sqlite().await;
    let rule = rule(&test.db).await;
    let flood = |news: Vec<Finding>| {
        let one = messages(news).remove(0);
        vec![one; usize::try_from(MOST_WAITING).unwrap() + 3]
    };
    let told = tell(&test.db, &rule, vec![finding("a", 1)], at(0), flood)
        .await
        .unwrap();
    assert_eq!(told.dropped, [1, 1, 1]);
    assert_eq!(waiting(&test.db).await.unwrap(), MOST_WAITING);
    let lost = delivery::Entity::find()
        .filter(delivery::Column::State.eq(DeliveryState::Failed))
        .count(&test.db)
        .await
        .unwrap();
    assert_eq!(lost, 3);
}

#[tokio::test]
async fn only_what_is_switched_on_is_read() {
    for test in TestDb::all().await {
        let db = &test.db;
        let on = rule(db).await;
        let mut off = rule(db).await.into_active_model();
        off.is_enabled = Set(false);
        off.update(db).await.unwrap();
        let ids = rules(db).await.unwrap().into_iter().map(|rule| rule.id);
        assert_eq!(ids.collect::<Vec<_>>(), [on.id]);
        let credentials = TargetCredentials::default().seal(&Sealer::new(b"master"));
        for is_enabled in [true, false] {
            let row = target::ActiveModel {
                id: NotSet,
                name: Set("t".into()),
                kind: Set(TargetKind::Slack),
                chat_id: Set(None),
                template: Set(None),
                language: Set(NoticeLanguage::Zh),
                credentials: Set(credentials.clone()),
                is_enabled: Set(is_enabled),
                created_at: Set(at(0)),
                updated_at: Set(at(0)),
            };
            let row = row.insert(db).await.unwrap();
            let found = target(db, row.id).await.unwrap().unwrap();
            assert_eq!(found.is_enabled, is_enabled);
        }
        assert_eq!(targets(db).await.unwrap().len(), 1);
        assert_eq!(target(db, 99).await.unwrap(), None);
        test.drop().await;
    }
}
