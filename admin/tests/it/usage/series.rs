//! Usage over time: points in order, and whose they are.

use serde_json::json;

use super::{AT, at, expected, history, line, nano, sum_up, together, told};
use crate::support::{App, As, everywhere};

const SORTED: &str = "from=2026-03-01T00:00:00Z&to=2026-03-03T12:00:00Z";

#[tokio::test]
async fn a_series_has_every_point_once() {
    everywhere(async |app| {
        let admin = As::admin();
        history(app).await;
        let get = async |query: &str| app.get(&admin, &format!("{AT}/series?{query}")).await;
        let span = "from=2026-03-01T00:00:00Z&to=2026-03-03T12:00:00Z";
        for (interval, points) in [("hour", 60), ("day", 3)] {
            let series = get(&format!("interval={interval}&{span}"))
                .await
                .expect(200)
                .json();
            let items = series["items"].as_array().unwrap();
            assert_eq!(items.len(), points);
            assert_eq!(
                together(items.iter().map(|i| told(&i["usage"]))),
                expected(app, |_| true).await
            );
        }
        let mine = get(&format!("interval=hour&userId=3&{span}")).await.json();
        let items = mine["items"].as_array().unwrap();
        assert_eq!(
            together(items.iter().map(|i| told(&i["usage"]))),
            expected(app, |l| l.user_id == 3).await
        );
        assert_eq!(
            get("interval=hour").await.expect(200).json()["items"]
                .as_array()
                .unwrap()
                .len(),
            24
        );
        assert_eq!(
            get("").await.expect(200).json()["items"]
                .as_array()
                .unwrap()
                .len(),
            30
        );
        for long in [
            "interval=hour&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
            "interval=day&from=0001-01-01T00:00:00Z",
        ] {
            assert_eq!(get(long).await.expect(422).mistakes(), ["from"], "{long}");
        }
        let none = get("interval=hour&from=2026-03-03T00:00:00Z&to=2026-03-01T00:00:00Z")
            .await
            .expect(200)
            .json();
        assert_eq!(none["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn days_are_those_of_the_time_zone() {
    everywhere(async |app| {
        let admin = As::admin();
        // Clocks in Berlin go forward on the 29th: its days begin at 23:00, then at 22:00.
        for time in [
            "2026-03-28T22:59:00Z",
            "2026-03-28T23:01:00Z",
            "2026-03-29T21:59:00Z",
            "2026-03-29T22:01:00Z",
        ] {
            line(app, at(time), |_| {}).await;
        }
        sum_up(app).await;
        let days = async || {
            let query = format!(
                "{AT}/series?interval=day&from=2026-03-28T00:00:00Z&to=2026-03-31T00:00:00Z"
            );
            let series = app.get(&admin, &query).await.expect(200).json();
            let items = series["items"].as_array().unwrap().clone();
            let days: Vec<_> = items
                .iter()
                .map(|i| {
                    (
                        i["start"].as_str().unwrap().to_owned(),
                        i["usage"]["attempts"].as_i64().unwrap(),
                    )
                })
                .collect();
            (series["timeZone"].clone(), days)
        };
        let is = |start: &str, attempts| (start.to_owned(), attempts);
        assert_eq!(
            days().await,
            (
                json!("UTC"),
                vec![
                    is("2026-03-28T00:00:00+00:00", 2),
                    is("2026-03-29T00:00:00+00:00", 2),
                    is("2026-03-30T00:00:00+00:00", 0)
                ]
            )
        );
        *app.gateway.time_zone.lock().unwrap() = Some(chrono_tz::Europe::Berlin);
        let berlin = vec![
            is("2026-03-27T23:00:00+00:00", 1),
            is("2026-03-28T23:00:00+00:00", 2),
            is("2026-03-29T22:00:00+00:00", 1),
            is("2026-03-30T22:00:00+00:00", 0),
        ];
        assert_eq!(days().await, (json!("Europe/Berlin"), berlin));
    })
    .await;
}

/// The members are the shares, and their slices together are the points.
async fn is_sorted_out(app: &App, by: &str, interval: &str) {
    let admin = As::admin();
    let get = async |at: String| app.get(&admin, &at).await.expect(200).json();
    let at = format!("{AT}/series?interval={interval}&{SORTED}&by={by}&top=20&sort=tokens");
    let series = get(at).await;
    let items = series["items"].as_array().unwrap();
    let members = series["members"].as_array().unwrap();
    let shares = get(format!("{AT}/by/{by}?{SORTED}&sort=tokens")).await;
    let shares = shares["items"].as_array().unwrap();
    assert!(members.len() > 1 && members.len() == shares.len(), "{by}");
    for (member, share) in members.iter().zip(shares) {
        for field in ["id", "name", "usage"] {
            assert_eq!(member[field], share[field], "{by}");
        }
        assert_eq!(member["slices"].as_array().unwrap().len(), items.len());
    }
    for (i, item) in items.iter().enumerate() {
        let slices = members.iter().map(|member| &member["slices"][i]);
        for field in ["requests", "totalTokens"] {
            let sum: i64 = slices.clone().map(|s| s[field].as_i64().unwrap()).sum();
            assert_eq!(sum, item["usage"][field].as_i64().unwrap(), "{by}");
        }
        let cost: i64 = slices.map(|slice| nano(&slice["costUsd"])).sum();
        assert_eq!(cost, nano(&item["usage"]["costUsd"]), "{by}");
    }
}

#[tokio::test]
async fn a_series_is_sorted_out_by_whom() {
    everywhere(async |app| {
        let admin = As::admin();
        history(app).await;
        for by in ["user", "key", "provider", "model", "client"] {
            is_sorted_out(app, by, "hour").await;
            is_sorted_out(app, by, "day").await;
        }
        let get = async |at: &str| app.get(&admin, at).await.expect(200).json();
        let first = get(&format!("{AT}/series?{SORTED}&by=user&top=1")).await;
        assert_eq!(first["members"].as_array().unwrap().len(), 1);
        let whole = get(&format!("{AT}/series?{SORTED}")).await;
        assert_eq!(whole["members"], json!(null));
        app.get(&admin, &format!("{AT}/series?by=user&top=21"))
            .await
            .expect(422);
        assert_eq!(get("/api/v1/me").await["timeZone"], json!("UTC"));
    })
    .await;
}
