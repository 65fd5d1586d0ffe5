//! The settings an admin may change while the gateway runs.

use serde_json::json;

use crate::support::{As, everywhere};

const SETTINGS: &str = "/api/v1/settings";

#[tokio::test]
async fn every_setting_is_told_changed_and_put_back() {
    everywhere(async |app| {
        let admin = As::admin();
        let defaults = json!({
            "egressPolicy": "allow-private", "timeZone": null, "failoverSeconds": 600, "gateHoldSeconds": 45,
            "gateMaxBytes": 1_048_576, "pingSeconds": 15, "hedgeMaxPercent": 10, "stickySeconds": 3600,
            "stickyCacheSeconds": 300, "stickyHorizonTurns": 10, "probeSeconds": 0,
            "requestRetentionDays": 0, "detailRetentionDays": 0, "usageRetentionDays": 0, "auditRetentionDays": 365,
        });
        let read = app.get(&admin, SETTINGS).await.expect(200).json();
        assert_eq!(read, defaults);
        let others = json!({
            "egressPolicy": "public-only", "timeZone": "Asia/Shanghai", "failoverSeconds": 60, "gateHoldSeconds": 0,
            "gateMaxBytes": 2048, "pingSeconds": 0, "hedgeMaxPercent": 100, "stickySeconds": 0,
            "stickyCacheSeconds": 3600, "stickyHorizonTurns": 0, "probeSeconds": 30,
            "requestRetentionDays": 90, "detailRetentionDays": 7, "usageRetentionDays": 400, "auditRetentionDays": 30,
        });
        let changed = app.patch(&admin, SETTINGS, others.clone()).await.expect(200).json();
        assert_eq!(changed, others);
        let one = app.patch(&admin, SETTINGS, json!({"pingSeconds": 5})).await.expect(200).json();
        assert_eq!((&one["pingSeconds"], &one["timeZone"]), (&json!(5), &json!("Asia/Shanghai")));
        let mut nothing = defaults.clone();
        nothing.as_object_mut().unwrap().values_mut().for_each(|value| *value = json!(null));
        let back = app.patch(&admin, SETTINGS, nothing).await.expect(200).json();
        assert_eq!(back, defaults);
    })
    .await;
}

#[tokio::test]
async fn settings_out_of_bounds_are_refused_together() {
    everywhere(async |app| {
        let admin = As::admin();
        let body = json!({
            "timeZone": "Mars/Olympus", "failoverSeconds": 0, "gateHoldSeconds": 3601, "gateMaxBytes": 1, "pingSeconds": -1,
            "hedgeMaxPercent": 101, "stickySeconds": "1h", "stickyCacheSeconds": 86_401, "stickyHorizonTurns": 1.5,
            "probeSeconds": 86_401, "egressPolicy": "none", "unknown": 1,
        });
        let refused = app.patch(&admin, SETTINGS, body).await.expect(422);
        assert_eq!(
            refused.mistakes(),
            [
                "egressPolicy", "failoverSeconds", "gateHoldSeconds", "gateMaxBytes", "hedgeMaxPercent", "pingSeconds",
                "probeSeconds", "stickyCacheSeconds", "stickyHorizonTurns", "stickySeconds", "timeZone", "unknown",
            ]
        );
    })
    .await;
}
