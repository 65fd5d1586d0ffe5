//! Where notifications go and what is told, put back beside what is there.

use entity::{
    notification_target,
    value::{Sealer, TargetCredentials},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{MARK, back_up, credentials, fill, make, restore, restore_same};
use crate::support::{As, everywhere};

#[tokio::test]
async fn a_target_is_as_it_was_and_a_rule_names_again_what_was_deleted() {
    everywhere(async |app| {
        fill(app).await;
        let backup = back_up(app).await.json();
        let admin = As::admin();
        let change = json!({"url": "https://moved.example/x", "language": "zh"});
        app.patch(&admin, "/api/v1/notifications/targets/3", change)
            .await
            .expect(200);
        app.delete(&admin, "/api/v1/notifications/targets/4")
            .await
            .expect(204);
        let change = json!({"windowMinutes": null});
        app.patch(&admin, "/api/v1/notifications/rules/1", change)
            .await
            .expect(200);
        let done = restore(app, &backup, Some(false)).await.expect(200).json();
        let told = |list: &str| {
            let things = done[list].as_array().unwrap().iter();
            let told = things.map(|thing| json!([thing["kind"], thing["name"], thing["fields"]]));
            told.collect::<Vec<_>>()
        };
        assert_eq!(told("created"), [json!(["notification-target", "ops", []])]);
        assert_eq!(
            told("changed"),
            [
                json!(["notification-target", "ops", ["address", "language", "url"]]),
                json!(["notification-rule", "n", ["windowMinutes"]]),
                json!(["notification-rule", "n", ["targetIds"]]),
            ]
        );
        let moved = credentials(app).await[2].url.clone().unwrap();
        assert_eq!(moved.expose(), format!("https://other.example/{MARK}"));
        restore_same(app, &backup).await;
    })
    .await;
}

#[tokio::test]
async fn a_backup_without_notifications_is_read_and_leaves_them() {
    everywhere(async |app| {
        fill(app).await;
        let mut old = back_up(app).await.json();
        for list in ["notificationTargets", "notificationRules"] {
            old.as_object_mut().unwrap().remove(list).unwrap();
        }
        let done = restore_same(app, &old).await;
        let others = |kind: &str| {
            let mut left = done["left"].as_array().unwrap().iter();
            left.find(|left| left["kind"] == kind).unwrap()["others"].clone()
        };
        assert_eq!(others("notification-target"), 4);
        assert_eq!(others("notification-rule"), 3);
    })
    .await;
}

#[tokio::test]
async fn a_target_that_cannot_be_opened_or_reached_comes_back_and_is_told_of() {
    everywhere(async |app| {
        let bot = json!({"name": "bot", "kind": "telegram", "botToken": "1:x", "chatId": "-100"});
        let near = json!({"name": "near", "kind": "webhook", "url": "http://10.0.0.1/x"});
        for target in [bot, near] {
            make(app, "/api/v1/notifications/targets", target).await;
        }
        let foreign = TargetCredentials::default().seal(&Sealer::new(b"another installation"));
        notification_target::Entity::update_many()
            .col_expr(
                notification_target::Column::Credentials,
                Expr::value(foreign),
            )
            .filter(notification_target::Column::Name.eq("bot"))
            .exec(&app.db)
            .await
            .unwrap();
        let backup = back_up(app).await.json();
        assert_eq!(backup["notificationTargets"][0]["sealed"], json!(null));
        app.patch(
            &As::admin(),
            "/api/v1/settings",
            json!({"egressPolicy": "public-only"}),
        )
        .await
        .expect(200);
        let same = restore(app, &backup, Some(false)).await.expect(200).json();
        assert_eq!(same["created"], json!([]), "{same}");
        app.delete(&As::admin(), "/api/v1/notifications/targets/1")
            .await
            .expect(204);
        let mut forbidden = backup;
        forbidden["settings"]["egressPolicy"] = json!("public-only");
        let done = restore(app, &forbidden, Some(false))
            .await
            .expect(200)
            .json();
        let notes = done["notes"].to_string();
        assert!(
            notes.contains("Target bot has no address in the backup"),
            "{notes}"
        );
        assert!(
            notes.contains("Target near will not be written to"),
            "{notes}"
        );
        assert_eq!(done["created"][0]["name"], "bot");
    })
    .await;
}
