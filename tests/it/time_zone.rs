//! The time zone that hours are kept in: `TZ`, unless the setting `timeZone` says another.

use chrono_tz::Tz;
use reqwest::Method;
use serde_json::json;

use crate::support::{TestApp, Upstream, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hours_follow_tz_and_the_setting_wins() {
    let upstream = Upstream::start().await;
    let app = TestApp::builder()
        .settings(|settings| settings.time_zone = Tz::Asia__Tokyo)
        .start()
        .await;
    // An hour to either side of now, in Tokyo: nine hours ahead of UTC all year.
    let minute = |plus: i64| {
        let tokyo = chrono::Utc::now().with_timezone(&Tz::Asia__Tokyo);
        let then = tokyo + chrono::TimeDelta::minutes(plus);
        then.format("%H:%M").to_string()
    };
    let hours = json!({"activeTime": {"start": minute(-60), "end": minute(60)}});
    app.provider("a", "claude", &upstream.url(""), hours).await;
    let ask = async || {
        let body = json!({"model": "m", "messages": []});
        app.post("/v1/messages", &body).await.status().as_u16()
    };
    assert_eq!(ask().await, 200);
    for (zone, expected) in [(json!("UTC"), 503), (json!(null), 200)] {
        let settings = json!({"timeZone": zone});
        let request = app.admin(Method::PATCH, "/settings").json(&settings);
        assert_eq!(request.send().await.unwrap().status(), 200);
        eventually("the zone is in force", || async {
            (ask().await == expected).then_some(())
        })
        .await;
    }
}
