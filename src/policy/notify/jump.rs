//! Error rates that jump.
//!
//! Counters of requests are sampled; the newest samples give the rate of a rule's window, those of the hour before it the rate it is held
//! against. A rate is told of when enough requests were made, the share that failed has reached the rule's threshold, and it is at least
//! twice what it was before: a provider that always fails a fifth of its requests is not news. Where the hour before had too few requests to
//! say, the threshold alone decides. Each node goes by the requests it served itself.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use entity::notification_rule::{MINIMUM_REQUESTS, Model as Rule, WINDOW_MINUTES};

use crate::domain::notice::{Finding, Item, cut};

/// How long before its window a rate is looked at to compare.
const BEFORE: TimeDelta = TimeDelta::hours(1);
/// The longest window of a rule, and the hour before it.
const KEPT: TimeDelta = TimeDelta::minutes(120 + 60);

/// Requests that got an answer or an error, and those of them that failed. A client's leaving and our own refusals are neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All.
    pub requests: u64,
    /// Those that failed, or were broken off.
    pub failures: u64,
}

/// What the counters said, by provider and, under none, all together.
pub type Counts = BTreeMap<Option<i64>, Count>;

/// The samples, oldest first.
#[derive(Debug, Default)]
pub struct Samples(VecDeque<(DateTime<Utc>, Counts)>);

// === impl Count ===

impl Count {
    fn since(self, before: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(before.requests),
            failures: self.failures.saturating_sub(before.failures),
        }
    }

    /// The share that failed, in percent.
    fn percent(self) -> u64 {
        (self.failures * 100)
            .checked_div(self.requests)
            .unwrap_or(0)
    }
}

// === impl Samples ===

impl Samples {
    /// Keeps what the counters say now.
    pub fn add(&mut self, now: DateTime<Utc>, counts: Counts) {
        self.0.push_back((now, counts));
        while self.0.front().is_some_and(|(at, _)| now - *at > KEPT) {
            self.0.pop_front();
        }
    }

    /// What a rule finds in them.
    #[must_use]
    pub fn find(
        &self,
        rule: &Rule,
        now: DateTime<Utc>,
        name_of: impl Fn(i64) -> Option<String>,
    ) -> Vec<Finding> {
        let Some((_, latest)) = self.0.back() else {
            return Vec::new();
        };
        let minutes = i64::from(rule.window_minutes.unwrap_or(WINDOW_MINUTES));
        let began = now - TimeDelta::minutes(minutes);
        let (start, before) = (self.at(began), self.at(began - BEFORE));
        let least = rule.minimum_requests.unwrap_or(MINIMUM_REQUESTS);
        let least = u64::try_from(least).unwrap_or(1).max(1);
        let threshold = u64::try_from(rule.threshold()).unwrap_or(100);
        let found = latest.iter().filter_map(|(provider, count)| {
            let of = |counts: &Counts| counts.get(provider).copied().unwrap_or_default();
            let (at_start, at_before) = (of(&start), of(&before));
            let now_was = count.since(at_start);
            let hour_was = at_start.since(at_before);
            let before = (hour_was.requests >= least).then(|| hour_was.percent());
            if !is_jump(now_was, before, least, threshold) {
                return None;
            }
            let name = match provider {
                Some(id) => Some(cut(&name_of(*id)?)),
                None => None,
            };
            let subject = provider.map_or_else(|| "errors".into(), |id| format!("errors:{id}"));
            Some(Finding {
                subject,
                quiet_until: super::quiet_until(rule, now),
                item: Item::ErrorRate {
                    provider: name,
                    minutes,
                    requests: now_was.requests,
                    failures: now_was.failures,
                    percent: now_was.percent(),
                    percent_before: before,
                },
            })
        });
        found.collect()
    }

    /// What the counters said at a time: nothing before the first sample, for counters begin at 0 with the process.
    fn at(&self, time: DateTime<Utc>) -> Counts {
        let older = self.0.iter().take_while(|(at, _)| *at <= time);
        older
            .last()
            .map(|(_, counts)| counts.clone())
            .unwrap_or_default()
    }
}

fn is_jump(now: Count, before: Option<u64>, least: u64, threshold: u64) -> bool {
    let is_news = before.is_none_or(|before| now.percent() >= before * 2);
    now.requests >= least && now.percent() >= threshold && is_news
}

#[cfg(test)]
mod tests {
    use entity::value::NoticeKind;

    use super::*;
    use crate::policy::notify::testing::rule;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn counts(requests: u64, failures: u64) -> Counts {
        let count = Count { requests, failures };
        [(None, count), (Some(7), count), (Some(8), count)].into()
    }

    fn found(samples: &Samples, rule: &Rule, minute: i64) -> Vec<(String, u64, Option<u64>)> {
        let named = |id| (id == 7).then(|| "p".to_owned());
        let found = samples.find(rule, at(minute), named).into_iter();
        let found = found.map(|finding| match finding.item {
            Item::ErrorRate {
                percent,
                percent_before,
                ..
            } => (finding.subject, percent, percent_before),
            other => panic!("{other:?}"),
        });
        found.collect()
    }

    #[test]
    fn a_rate_that_doubles_is_told_and_one_that_stays_is_not() {
        let rule = rule(NoticeKind::ErrorRateJump);
        let mut samples = Samples::default();
        assert_eq!(found(&samples, &rule, 0), []);
        samples.add(at(0), counts(0, 0));
        samples.add(at(60), counts(1_000, 150));
        assert_eq!(found(&samples, &rule, 60), []);
        // 29 % after 15 %: more than the threshold, less than twice.
        samples.add(at(70), counts(1_100, 179));
        assert_eq!(found(&samples, &rule, 70), []);
        // 40 % after 16 %. The provider nobody knows any more is left out.
        samples.add(at(80), counts(1_200, 219));
        let jump = |who: &str| (who.to_owned(), 40, Some(16));
        assert_eq!(
            found(&samples, &rule, 80),
            [jump("errors"), jump("errors:7")]
        );
    }

    #[test]
    fn few_requests_say_nothing_and_without_a_past_the_threshold_decides() {
        let mut rule = rule(NoticeKind::ErrorRateJump);
        let mut samples = Samples::default();
        samples.add(at(0), counts(0, 0));
        samples.add(at(5), counts(19, 19));
        assert_eq!(found(&samples, &rule, 5), []);
        samples.add(at(6), counts(20, 19));
        assert_eq!(found(&samples, &rule, 6)[0], ("errors".into(), 95, None));
        rule.threshold_percent = Some(96);
        assert_eq!(found(&samples, &rule, 6), []);
        rule.threshold_percent = Some(1);
        rule.minimum_requests = Some(21);
        assert_eq!(found(&samples, &rule, 6), []);
    }

    #[test]
    fn samples_do_not_pile_up() {
        let mut samples = Samples::default();
        for minute in 0..1_000 {
            samples.add(at(minute), Counts::new());
        }
        assert!(samples.0.len() <= 181, "{}", samples.0.len());
    }
}
