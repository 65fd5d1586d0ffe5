//! The upstream's books beside the gateway's history.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use entity::usage_hourly::hour_of;
use entity::value::ClientName;
use entity::{request_log, usage, usage_hourly};
use sea_orm::{DatabaseConnection, EntityTrait, PaginatorTrait, QuerySelect};

use super::market::Market;
use crate::support::{Ended, Entry, FIRST_INPUT, Front, Tokens, nano};

/// What both say.
pub struct Audit<'a> {
    market: &'a Market,
    db: &'a DatabaseConnection,
    entries: Vec<Entry>,
    lines: Vec<usage::Model>,
    rows: Vec<Row>,
    /// Answers without a line, that should have one.
    missing: Vec<Entry>,
    /// Answers without a line whose client left at a moment nobody can foresee.
    unread: usize,
    billed: i64,
    by_provenance: BTreeMap<String, (usize, i64)>,
}

type Row = (uuid::Uuid, Option<String>, Option<i64>, String, i32);

/// Waits until the history does not change any more.
pub async fn at_rest(market: &Market, db: &DatabaseConnection) {
    let count = || async {
        let lines = usage::Entity::find().count(db).await.unwrap();
        let rows = request_log::Entity::find().count(db).await.unwrap();
        (lines, rows, market.books.open())
    };
    let mut before = count().await;
    loop {
        // Longer than a poster waits between two tries while its database is away, and than an upstream is waited for whose client has left.
        tokio::time::sleep(Duration::from_millis(3_000)).await;
        let now = count().await;
        if now == before {
            return;
        }
        before = now;
    }
}

// === impl Audit ===

impl<'a> Audit<'a> {
    /// Compares them answer by answer.
    pub async fn of(market: &'a Market, db: &'a DatabaseConnection) -> Self {
        let rows = request_log::Entity::find()
            .select_only()
            .columns([
                request_log::Column::Id,
                request_log::Column::UserAgent,
                request_log::Column::CostNanoUsd,
                request_log::Column::SettledFrom,
                request_log::Column::Status,
            ])
            .into_tuple::<Row>()
            .all(db)
            .await
            .unwrap();
        let mut audit = Self {
            market,
            db,
            entries: market.books.entries(),
            lines: usage::Entity::find().all(db).await.unwrap(),
            rows,
            missing: Vec::new(),
            unread: 0,
            billed: 0,
            by_provenance: BTreeMap::new(),
        };
        audit.compare();
        audit
    }

    fn compare(&mut self) {
        let requests: HashMap<_, _> = self
            .rows
            .iter()
            .filter_map(|(id, agent, ..)| {
                let number = agent.as_deref()?.strip_prefix("books/")?;
                Some((*id, number.parse::<u64>().unwrap()))
            })
            .collect();
        let mut with_usage = HashMap::new();
        let mut without = HashMap::<u64, usize>::new();
        let mut nameless = 0;
        for line in &self.lines {
            let cost = line
                .cost_nano_usd
                .unwrap_or_else(|| panic!("no price: {line:?}"));
            let sum = self
                .by_provenance
                .entry(line.settled_from.clone())
                .or_default();
            *sum = (sum.0 + 1, sum.1 + cost);
            self.billed += cost;
            if line.settled_from == "none" {
                assert_eq!((cost, tokens_of(line)), (0, Tokens::default()), "{line:?}");
                match requests.get(&line.request_id) {
                    Some(request) => *without.entry(*request).or_default() += 1,
                    // Rows are not in the journal: this one went with the process.
                    None => nameless += 1,
                }
                continue;
            }
            let before = with_usage.insert(line.input_tokens - FIRST_INPUT, line);
            assert!(before.is_none(), "billed twice: {before:?} {line:?}");
        }
        for (at, entry) in self.entries.iter().enumerate() {
            let line = with_usage.remove(&i64::try_from(at).unwrap());
            if let Some(line) = line {
                self.agree(entry, line);
                continue;
            }
            if !entry.is_good {
                continue;
            }
            let nothing = without.get_mut(&entry.request).filter(|count| **count > 0);
            if let Some(count) = nothing
                && (entry.said.is_none() || self.may_be_unread(entry))
            {
                *count -= 1;
                continue;
            }
            if self.may_be_unread(entry) {
                self.unread += 1;
            } else {
                self.missing.push(entry.clone());
            }
        }
        self.missing.retain(|entry| {
            let is_there = entry.said.is_none() && nameless > 0;
            nameless -= usize::from(is_there);
            !is_there
        });
        assert!(nameless <= self.unread, "{nameless} lines of no answer");
        assert!(with_usage.is_empty(), "never answered: {with_usage:?}");
        let invented: Vec<_> = without.iter().filter(|(_, count)| **count > 0).collect();
        assert!(invented.is_empty(), "lines of no answer: {invented:?}");
    }

    /// A line says what the upstream said last, no more and no less.
    fn agree(&self, entry: &Entry, line: &usage::Model) {
        let said = entry.said.unwrap();
        let read = tokens_of(line);
        let context = format!("{entry:?} {line:?}");
        assert_eq!(
            line.provider_id, self.market.providers[entry.provider],
            "{context}"
        );
        let plan = self.market.plan(entry.request);
        let (key, user, _) = &self.market.keys[plan.key];
        assert_eq!((line.key_id, line.user_id), (*key, *user), "{context}");
        let cost = self.market.cost(entry.provider, &read);
        assert_eq!(line.cost_nano_usd, Some(cost), "{context}");
        if read != said {
            // We were still talking when the gateway had gone: it heard some of it.
            assert_eq!(entry.ended, Ended::Left, "{context}");
            assert_eq!(line.settled_from, "partial", "{context}");
            return;
        }
        let provenance = if entry.is_terminal {
            "terminal"
        } else {
            "partial"
        };
        assert_eq!(line.settled_from, provenance, "{context}");
    }

    /// The client left before the answer began, and the gateway hung up: what was said meanwhile it has not heard.
    fn may_be_unread(&self, entry: &Entry) -> bool {
        let plan = self.market.plan(entry.request);
        // Where we closed the connection ourselves, it cannot be seen whether the other side did.
        let is_hung_up = matches!(entry.ended, Ended::Left | Ended::Cut) || entry.is_closed_behind;
        plan.is_unforeseeable() && is_hung_up
    }

    /// Answers that should have a line and have none.
    pub fn missing(&self) -> &[Entry] {
        &self.missing
    }

    /// Usage lines.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// Every answer is in the history, and what is billed is what the upstream's books say.
    pub fn nothing_is_missing(&self) {
        assert!(self.missing.is_empty(), "{:#?}", self.missing);
        let books = self.entries.iter().filter(|entry| entry.is_terminal);
        let books = books.filter(|entry| !self.may_be_unread(entry));
        let due: i64 = books
            .map(|e| self.market.cost(e.provider, &e.said.unwrap()))
            .sum();
        let terminal = self.by_provenance["terminal"].1;
        // What nobody could foresee was heard or not; all else is the same to the nano-dollar.
        let unsure = self
            .entries
            .iter()
            .filter(|e| e.is_terminal && self.may_be_unread(e));
        let unsure: i64 = unsure
            .map(|e| self.market.cost(e.provider, &e.said.unwrap()))
            .sum();
        assert!(
            (due..=due + unsure).contains(&terminal),
            "{due} {unsure} {terminal}"
        );
        let few = self.entries.len() / 50;
        assert!(self.unread <= few, "{} answers were not read", self.unread);
        assert!(
            self.by_provenance.contains_key("partial") && self.by_provenance.contains_key("none")
        );
        let left = self
            .rows
            .iter()
            .filter(|(.., status)| *status == 499)
            .count();
        assert!(left > 0, "no client left");
    }

    /// Each of these requests has one row, and the rows' costs are the lines'.
    pub async fn rows_are(&self, requests: &Range<u64>) {
        let mut seen = vec![0; usize::try_from(requests.end).unwrap()];
        for (_, agent, ..) in &self.rows {
            let number = agent.as_deref().unwrap().strip_prefix("books/").unwrap();
            seen[number.parse::<usize>().unwrap()] += 1;
        }
        // A client that left at once was perhaps never heard.
        for (number, count) in (0..).zip(&seen) {
            let is_right =
                *count == 1 || (*count == 0 && self.market.plan(number).is_unforeseeable());
            assert!(is_right, "request {number} has {count} rows");
        }
        let cost: i64 = self.rows.iter().filter_map(|(_, _, cost, ..)| *cost).sum();
        assert_eq!(cost, self.billed);
    }

    /// The sums of hours are the sums of lines, place by place.
    pub async fn sums_are_the_lines(&self) {
        type Place = (i64, i64, i64, i64, String, ClientName);
        let mut due = BTreeMap::<Place, [i64; 11]>::new();
        for line in &self.lines {
            let sums = due
                .entry((
                    hour_of(line.created_at),
                    line.user_id,
                    line.key_id,
                    line.provider_id,
                    line.model.clone().unwrap(),
                    line.client,
                ))
                .or_default();
            let is = |name: &str| i64::from(line.settled_from == name);
            let added = [
                line.cost_nano_usd.unwrap(),
                line.input_tokens,
                line.cache_read_tokens,
                line.cache_write5m_tokens,
                line.cache_write1h_tokens,
                line.output_tokens,
                line.reasoning_tokens,
                is("terminal"),
                is("partial"),
                is("none"),
                is("estimate"),
            ];
            sums.iter_mut()
                .zip(added)
                .for_each(|(sum, add)| *sum += add);
        }
        let hours = usage_hourly::Entity::find().all(self.db).await.unwrap();
        let requests: i64 = hours.iter().map(|hour| hour.requests).sum();
        assert_eq!(requests, i64::try_from(self.rows.len()).unwrap());
        let kept: BTreeMap<Place, [i64; 11]> = hours
            .into_iter()
            .map(|hour| {
                let sums = [
                    hour.cost_nano_usd,
                    hour.input_tokens,
                    hour.cache_read_tokens,
                    hour.cache_write5m_tokens,
                    hour.cache_write1h_tokens,
                    hour.output_tokens,
                    hour.reasoning_tokens,
                    hour.attempts_terminal,
                    hour.attempts_partial,
                    hour.attempts_none,
                    hour.attempts_estimate,
                ];
                let place = (
                    hour.hour,
                    hour.user_id,
                    hour.key_id,
                    hour.provider_id,
                    hour.model,
                    hour.client,
                );
                (place, sums)
            })
            .filter(|(_, sums)| *sums != [0; 11])
            .collect();
        assert_eq!(kept, due);
    }

    /// What is counted against limits is what the lines say, for everybody and in every window.
    pub async fn counters_are_the_lines(&self, front: &Front) {
        let mut due = HashMap::<String, i64>::new();
        for line in &self.lines {
            for subject in [
                format!("keys/{}", line.key_id),
                format!("users/{}", line.user_id),
                format!("providers/{}", line.provider_id),
            ] {
                *due.entry(subject).or_default() += line.cost_nano_usd.unwrap();
            }
        }
        assert_eq!(
            due.len(),
            self.market.keys.len() + self.market.users.len() + self.market.providers.len()
        );
        let first = self.lines.iter().map(|line| line.created_at).min().unwrap();
        let is_one_day = first.date_naive() == chrono::Utc::now().date_naive();
        for (subject, due) in due {
            let used = front.used(&subject).await;
            for window in [
                "limitTotalUsd",
                "limitMonthlyUsd",
                "limitWeeklyUsd",
                "limitDailyUsd",
                "limit5hUsd",
            ] {
                if is_one_day || window == "limitTotalUsd" {
                    let current = nano(&used[window]["current"]);
                    assert_eq!(current, due, "{subject} {window}: {used:#}");
                }
            }
            assert_eq!(
                used["limitConcurrentRequests"]["current"], 0,
                "{subject}: {used:#}"
            );
        }
    }
}

impl fmt::Display for Audit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self
            .entries
            .iter()
            .filter(|e| self.market.plan(e.request).leaves());
        write!(
            f,
            "{} rows, {} answers ({} to clients that left), {} lines, {} nano-USD, {:?}, {} not read, {} missing",
            self.rows.len(),
            self.entries.len(),
            left.count(),
            self.lines.len(),
            self.billed,
            self.by_provenance,
            self.unread,
            self.missing.len(),
        )
    }
}

fn tokens_of(line: &usage::Model) -> Tokens {
    Tokens {
        input: line.input_tokens,
        cache_read: line.cache_read_tokens,
        cache_write_5m: line.cache_write5m_tokens,
        cache_write_1h: line.cache_write1h_tokens,
        output: line.output_tokens,
        reasoning: line.reasoning_tokens,
    }
}
