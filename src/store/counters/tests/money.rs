//! Tests of money: spent once, within its windows, and made anew from lines.

use super::*;

#[tokio::test]
async fn money_is_spent_once_however_often_it_is_said() {
    for counters in both().await {
        let limits = limits(|l| l.usd_day = Some(100));
        let id = admit(&counters, &limits, None, 40, START).await.unwrap();
        let parts = [part(KEY, &limits, START)];
        // The same request again takes no second place.
        let checks = [check(KEY, &limits, START)];
        let ask = Ask {
            id,
            session: None,
            amount: 40,
            checks: &checks,
            now: START,
        };
        counters.admit(&ask).await.unwrap();
        assert_eq!(counters.read(&parts[0], START).await.reserved, 40);
        for spent in [30, 30, 99] {
            settle(&counters, &limits, id, spent, START).await;
            counters.settle(id, &parts, spent, START);
            counters.release(id, &parts, START);
        }
        counters.told().await;
        // One that comes after its end takes none either.
        counters.admit(&ask).await.unwrap();
        let reading = counters.read(&parts[0], START).await;
        assert_eq!(
            (reading.reserved, reading.used[4], reading.used[2]),
            (0, 30, 0)
        );
        // What was released and cost something after all is charged: money is what counts.
        let id = admit(&counters, &limits, None, 40, START).await.unwrap();
        counters.release(id, &parts, START);
        settle(&counters, &limits, id, 5, START).await;
        counters.told().await;
        let reading = counters.read(&parts[0], START).await;
        assert_eq!((reading.reserved, reading.used[4]), (0, 35));
    }
}

#[tokio::test]
async fn a_budget_is_open_while_anything_is_left_of_it() {
    for counters in both().await {
        let limits = limits(|l| l.usd_total = Some(100));
        let first = admit(&counters, &limits, None, 1_000, START).await.unwrap();
        let no = admit(&counters, &limits, None, 1, START).await.unwrap_err();
        assert!(no.is_only_reserved());
        assert_eq!((no.used, no.reserved, no.frees_at), (0, 1_000, None));
        settle(&counters, &limits, first, 99, START).await;
        let second = admit(&counters, &limits, None, 1_000, START).await.unwrap();
        settle(&counters, &limits, second, 1, START).await;
        let no = admit(&counters, &limits, None, 0, START).await.unwrap_err();
        assert!(!no.is_only_reserved());
        assert_eq!(
            (no.dimension, no.used, no.frees_at),
            (Dimension::UsdTotal, 100, None)
        );
    }
}

#[tokio::test]
async fn each_window_ends_in_its_own_way() {
    for counters in both().await {
        // 5 h and the day roll; START is a Saturday, ten o'clock.
        let rolls = limits(|l| {
            l.reset_day = ResetMode::Rolling;
            l.usd_5h = Some(10);
        });
        spend(&counters, &rolls, 8, START).await;
        spend(&counters, &rolls, 4, START + 2 * HOUR).await;
        let five = START + 5 * HOUR;
        let no = admit(&counters, &rolls, None, 0, five).await.unwrap_err();
        assert_eq!(no.frees_at, Some(five + 5 * MINUTE));
        assert_eq!(used(&counters, &rolls, five + 5 * MINUTE - 1).await[3], 12);
        assert_eq!(
            used(&counters, &rolls, five + 5 * MINUTE).await[3..],
            [4, 12, 12, 12, 12]
        );
        assert_eq!(
            used(&counters, &rolls, START + 14 * HOUR).await[3..],
            [0, 12, 12, 12, 12]
        );
        let day = START + 24 * HOUR + 15 * MINUTE;
        assert_eq!(used(&counters, &rolls, day).await[3..], [0, 4, 12, 12, 12]);
        let monday = START + 38 * HOUR;
        assert_eq!(used(&counters, &rolls, monday - 1).await[5], 12);
        assert_eq!(
            used(&counters, &rolls, monday).await[3..],
            [0, 0, 0, 12, 12]
        );
        let december = START + (9 * 24 + 14) * HOUR;
        assert_eq!(used(&counters, &rolls, december - 1).await[6], 12);
        assert_eq!(
            used(&counters, &rolls, december).await[3..],
            [0, 0, 0, 0, 12]
        );
    }
}

#[tokio::test]
async fn fixed_five_hours_begin_with_money() {
    for counters in both().await {
        let fixed = limits(|l| {
            l.reset_5h = ResetMode::Fixed;
            l.usd_5h = Some(10);
            l.day_starts = "12:00".parse().unwrap();
        });
        spend(&counters, &fixed, 0, START).await;
        spend(&counters, &fixed, 6, START + HOUR).await;
        spend(&counters, &fixed, 6, START + 5 * HOUR).await;
        let no = admit(&counters, &fixed, None, 0, START + 6 * HOUR - 1)
            .await
            .unwrap_err();
        assert_eq!((no.used, no.frees_at), (12, Some(START + 6 * HOUR)));
        assert_eq!(
            used(&counters, &fixed, START + 6 * HOUR).await[3..5],
            [0, 6]
        );
        spend(&counters, &fixed, 3, START + 9 * HOUR).await;
        let reading = counters
            .read(&part(KEY, &fixed, START + 9 * HOUR), START + 9 * HOUR)
            .await;
        assert_eq!(reading.used[3], 3);
        assert_eq!(reading.frees_at[0], Some(START + 14 * HOUR));
        assert_eq!(reading.frees_at[1], Some(START + 26 * HOUR), "noon");
    }
}

#[tokio::test]
async fn the_counters_are_made_anew_from_lines() {
    for counters in both().await {
        let rolls = limits(|l| l.reset_day = ResetMode::Rolling);
        let lines = vec![
            (START - 40 * 24 * HOUR, 1),
            (START - 23 * HOUR, 2),
            (START - 4 * HOUR, 4),
            (START - 4 * HOUR + 1, 8),
            (START, 16),
        ];
        let mut seed = Seed {
            history: std::array::from_fn(|_| lines.clone()),
            is_replaced: false,
        };
        assert!(counters.seed(&part(KEY, &rolls, START), &seed, START).await);
        assert_eq!(
            used(&counters, &rolls, START).await[3..],
            [28, 30, 30, 30, 31]
        );
        // Again, beside what was spent meanwhile: nothing is lost and nothing doubled.
        spend(&counters, &rolls, 32, START).await;
        counters.seed(&part(KEY, &rolls, START), &seed, START).await;
        assert_eq!(
            used(&counters, &rolls, START).await[3..],
            [60, 62, 62, 62, 63]
        );
        assert_eq!(
            used(&counters, &rolls, START + HOUR + 5 * MINUTE).await[3],
            48
        );
        seed.is_replaced = true;
        counters.seed(&part(KEY, &rolls, START), &seed, START).await;
        assert_eq!(
            used(&counters, &rolls, START).await[3..],
            [28, 30, 30, 30, 31]
        );
        // Another definition of a window knows nothing until it is seeded.
        let fixed = limits(|l| {
            l.reset_5h = ResetMode::Fixed;
            l.usd_total = Some(1_000);
        });
        counters.seed(&part(KEY, &fixed, START), &seed, START).await;
        assert_eq!(
            used(&counters, &fixed, START).await[3..],
            [28, 28, 30, 30, 31]
        );
        assert_eq!(
            used(&counters, &fixed, START + HOUR).await[3],
            0,
            "it began four hours ago"
        );
        let id = admit(&counters, &fixed, None, 9, START).await.unwrap();
        counters.reset(KEY, START).await;
        let reading = counters.read(&part(KEY, &fixed, START), START).await;
        assert_eq!(
            (reading.used[3..].to_vec(), reading.reserved),
            (vec![0; 5], 9)
        );
        settle(&counters, &fixed, id, 2, START).await;
        assert_eq!(used(&counters, &fixed, START).await[3..], [2; 5]);
    }
}
