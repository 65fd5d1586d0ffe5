//! Usage by whom and with what, the most first.

use serde_json::{Value, json};

use super::{AT, expected, history, nano, together, told};
use crate::support::{App, As, everywhere};

/// Every share of a list, one page after another.
async fn shares(app: &App, at: &str, limit: u64) -> Vec<Value> {
    let sign = if at.contains('?') { '&' } else { '?' };
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get(&As::admin(), &format!("{at}{sign}limit={limit}{cursor}"))
            .await
            .expect(200)
            .json();
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn shares_add_up_and_are_in_order() {
    everywhere(async |app| {
        history(app).await;
        for (by, count) in [
            ("user", 3),
            ("key", 6),
            ("provider", 3),
            ("model", 3),
            ("client", 3),
        ] {
            for sort in ["cost", "requests", "tokens"] {
                let whole = shares(app, &format!("{AT}/by/{by}?sort={sort}"), 200).await;
                assert_eq!(whole.len(), count, "{by}");
                let paged = shares(app, &format!("{AT}/by/{by}?sort={sort}"), 1).await;
                assert_eq!(paged, whole, "{by} {sort}");
                let ranks: Vec<_> = whole.iter().map(|s| s["rank"].as_u64().unwrap()).collect();
                assert_eq!(ranks, (1..=count as u64).collect::<Vec<_>>());
                assert_eq!(
                    together(whole.iter().map(|s| told(&s["usage"]))),
                    expected(app, |_| true).await
                );
                let amounts: Vec<_> = whole
                    .iter()
                    .map(|s| match sort {
                        "cost" => nano(&s["usage"]["costUsd"]),
                        "requests" => s["usage"]["requests"].as_i64().unwrap(),
                        _ => s["usage"]["totalTokens"].as_i64().unwrap(),
                    })
                    .collect();
                assert!(
                    amounts.is_sorted_by(|a, b| a >= b),
                    "{by} {sort}: {amounts:?}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn shares_have_names_and_leaders_a_span() {
    everywhere(async |app| {
        let admin = As::admin();
        let key = json!({"name": "laptop"});
        let (user, _, _) = app.user_with_key(json!({"name": "Ada"}), key).await;
        assert_eq!(user, 1);
        history(app).await;
        let users = shares(app, &format!("{AT}/by/user"), 50).await;
        let ada = users.iter().find(|s| s["id"] == json!(1)).unwrap();
        assert_eq!(
            (&ada["name"], told(&ada["usage"])),
            (&json!("Ada"), expected(app, |l| l.user_id == 1).await)
        );
        let models = shares(app, &format!("{AT}/by/model?userId=2"), 50).await;
        let one = models.iter().find(|s| s["name"] == json!("m-2")).unwrap();
        assert_eq!(
            told(&one["usage"]),
            expected(app, |l| l.user_id == 2 && l.model.as_deref() == Some("m-2")).await
        );
        assert_eq!(one["id"], json!(null));

        let custom = format!(
            "{AT}/leaderboard?period=custom&from=2026-03-01T00:00:00Z&to=2026-03-04T00:00:00Z"
        );
        assert_eq!(shares(app, &custom, 2).await, users);
        assert_eq!(
            shares(app, &format!("{AT}/leaderboard?period=month"), 2)
                .await
                .len(),
            0,
            "that was another month"
        );
        for (bad, path) in [
            ("period=custom", "from"),
            ("from=2026-03-01T00:00:00Z", "from"),
            ("cursor=bm9uZQ", "cursor"),
            ("period=year", "period"),
        ] {
            let refused = app
                .get(&admin, &format!("{AT}/leaderboard?{bad}"))
                .await
                .expect(422);
            assert_eq!(refused.mistakes(), [path], "{bad}");
        }
        app.get(&admin, &format!("{AT}/by/weather"))
            .await
            .expect(422);
    })
    .await;
}
