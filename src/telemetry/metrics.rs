//! What is counted of requests, and of messages to people, for Prometheus.
//!
//! A request costs a dozen additions to atomic numbers when it settles. Labels come from closed sets and from the providers there are;
//! of those, series are kept for so many, and what comes beyond is counted under no provider.

pub mod notices;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use notices::Notices;
use parking_lot::RwLock;

/// Providers with series of their own.
const PROVIDERS: usize = 256;

/// Upper bounds of buckets, in milliseconds.
const BOUNDS: [u64; 13] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000,
];

const ENDS: [(Ended, &str); 6] = [
    (Ended::Completed, "completed"),
    (Ended::Failed, "failed"),
    (Ended::Refused, "refused"),
    (Ended::Cut, "cut"),
    (Ended::ClientLeft, "client_left"),
    (Ended::ByHand, "ended_by_hand"),
];

const KINDS: [&str; 5] = [
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
];

/// The counters. Shared by all requests.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Messages to people.
    pub notices: Notices,
    nobody: Series,
    providers: RwLock<BTreeMap<i64, Series>>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With a good answer.
    Completed,
    /// With an error, an upstream's or for want of any.
    Failed,
    /// Refused before anybody was asked.
    Refused,
    /// Broken off in its answer.
    Cut,
    /// Left by its client.
    ClientLeft,
    /// Ended by an administrator.
    ByHand,
}

/// What is counted of one request.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Who answered, if anybody.
    pub provider: Option<i64>,
    /// How it ended.
    pub ended: Ended,
    /// Milliseconds in all.
    pub duration_ms: u64,
    /// Milliseconds to the first content, if there was any.
    pub ttft_ms: Option<u64>,
    /// Input, cache read, cache write of five minutes and of an hour, output.
    pub tokens: [u64; 5],
    /// What it cost, in nano-USD.
    pub cost_nano_usd: u64,
}

#[derive(Debug, Default)]
struct Series {
    ends: [AtomicU64; ENDS.len()],
    duration: Histogram,
    ttft: Histogram,
    tokens: [AtomicU64; KINDS.len()],
    cost_nano_usd: AtomicU64,
}

#[derive(Debug, Default)]
struct Histogram {
    /// Not added up; the last holds what is beyond every bound.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_ms: AtomicU64,
}

/// Text in Prometheus's format.
#[derive(Debug, Default)]
pub struct Page(String);

// === impl Metrics ===

impl Metrics {
    /// Counts a request.
    pub fn record(&self, sample: &Sample) {
        let Some(provider) = sample.provider else {
            return self.nobody.add(sample);
        };
        if let Some(series) = self.providers.read().get(&provider) {
            return series.add(sample);
        }
        let mut providers = self.providers.write();
        if providers.len() < PROVIDERS || providers.contains_key(&provider) {
            providers.entry(provider).or_default().add(sample);
        } else {
            self.nobody.add(sample);
        }
    }

    /// Requests that got an answer or an error, and those of them that failed or were broken off: by who answered, and under none all
    /// together. Those refused, left or ended by somebody are neither.
    pub fn outcomes(&self) -> BTreeMap<Option<i64>, (u64, u64)> {
        let providers = self.providers.read();
        let mut outcomes: BTreeMap<_, _> = providers
            .iter()
            .map(|(id, series)| (Some(*id), series.outcomes()))
            .collect();
        let all = outcomes.values().copied().chain([self.nobody.outcomes()]);
        let all = all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        outcomes.insert(None, all);
        outcomes
    }

    /// Writes them, with providers by name; one that has none any more goes by its id.
    pub fn write(&self, page: &mut Page, name_of: impl Fn(i64) -> Option<String>) {
        let providers = self.providers.read();
        let named = providers.iter().map(|(id, series)| {
            let name = name_of(*id).unwrap_or_else(|| format!("#{id}"));
            (name, series)
        });
        let all: Vec<(String, &Series)> = std::iter::once((String::new(), &self.nobody))
            .chain(named)
            .collect();
        page.family(
            "switchyard_requests_total",
            "counter",
            "Requests of clients by how they ended.",
        );
        for (name, series) in &all {
            for ((_, end), count) in ENDS.iter().zip(&series.ends) {
                let labels = [("provider", name.as_str()), ("outcome", end)];
                page.line("switchyard_requests_total", &labels, count.load(Relaxed));
            }
        }
        for (family, help, of) in [
            (
                "switchyard_request_duration_seconds",
                "From a request's arrival to the last byte of its answer.",
                (|series| &series.duration) as fn(&Series) -> &Histogram,
            ),
            (
                "switchyard_request_ttft_seconds",
                "From a request's arrival to its first content.",
                |series| &series.ttft,
            ),
        ] {
            page.family(family, "histogram", help);
            for (name, series) in &all {
                of(series).write(page, family, name);
            }
        }
        page.family("switchyard_tokens_total", "counter", "Tokens by kind.");
        for (name, series) in &all {
            for (kind, count) in KINDS.iter().zip(&series.tokens) {
                let labels = [("provider", name.as_str()), ("kind", kind)];
                page.line("switchyard_tokens_total", &labels, count.load(Relaxed));
            }
        }
        page.family("switchyard_cost_usd_total", "counter", "US dollars spent.");
        for (name, series) in &all {
            let usd = series.cost_nano_usd.load(Relaxed) as f64 / 1e9;
            page.line("switchyard_cost_usd_total", &[("provider", name)], usd);
        }
        self.notices.write(page);
    }
}

// === impl Series, Histogram ===

impl Series {
    fn add(&self, sample: &Sample) {
        let end = ENDS.iter().position(|(ended, _)| *ended == sample.ended);
        self.ends[end.unwrap_or(0)].fetch_add(1, Relaxed);
        self.duration.add(sample.duration_ms);
        if let Some(ttft) = sample.ttft_ms {
            self.ttft.add(ttft);
        }
        for (count, more) in self.tokens.iter().zip(sample.tokens) {
            if more > 0 {
                count.fetch_add(more, Relaxed);
            }
        }
        self.cost_nano_usd.fetch_add(sample.cost_nano_usd, Relaxed);
    }

    /// All that ended of itself, and the bad of it.
    fn outcomes(&self) -> (u64, u64) {
        let (mut all, mut bad) = (0, 0);
        for ((ended, _), count) in ENDS.iter().zip(&self.ends) {
            let count = count.load(Relaxed);
            match ended {
                Ended::Completed => all += count,
                Ended::Failed | Ended::Cut => {
                    all += count;
                    bad += count;
                }
                Ended::Refused | Ended::ClientLeft | Ended::ByHand => {}
            }
        }
        (all, bad)
    }
}

impl Histogram {
    fn add(&self, ms: u64) {
        let bucket = BOUNDS.partition_point(|bound| *bound < ms);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_ms.fetch_add(ms, Relaxed);
    }

    fn write(&self, page: &mut Page, family: &str, provider: &str) {
        let buckets = format!("{family}_bucket");
        let mut count = 0;
        for (at, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Relaxed);
            let bound = match BOUNDS.get(at) {
                Some(ms) => (*ms as f64 / 1000.0).to_string(),
                None => "+Inf".to_owned(),
            };
            page.line(&buckets, &[("provider", provider), ("le", &bound)], count);
        }
        let labels = [("provider", provider)];
        let sum = self.sum_ms.load(Relaxed) as f64 / 1000.0;
        page.line(&format!("{family}_sum"), &labels, sum);
        page.line(&format!("{family}_count"), &labels, count);
    }
}

// === impl Page ===

impl Page {
    /// Begins a family of series.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A series' value.
    pub fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push(if at == 0 { '{' } else { ',' });
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let _ = write!(self.0, "{label}=\"{text}\"");
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(provider: Option<i64>) -> Sample {
        Sample {
            provider,
            ended: Ended::Completed,
            duration_ms: 1_500,
            ttft_ms: Some(50),
            tokens: [10, 0, 0, 0, 7],
            cost_nano_usd: 1_500_000_000,
        }
    }

    #[test]
    fn requests_are_told_by_provider_in_buckets_that_add_up() {
        let metrics = Metrics::default();
        metrics.record(&sample(Some(7)));
        metrics.record(&sample(Some(7)));
        metrics.record(&Sample {
            ended: Ended::Refused,
            ttft_ms: None,
            ..sample(None)
        });
        let mut page = Page::default();
        metrics.write(&mut page, |id| (id == 7).then(|| "a \"b\"\\".to_owned()));
        let text = page.into_text();
        for line in [
            r#"switchyard_requests_total{provider="a \"b\"\\",outcome="completed"} 2"#,
            r#"switchyard_requests_total{provider="",outcome="refused"} 1"#,
            r#"switchyard_request_duration_seconds_bucket{provider="a \"b\"\\",le="1"} 0"#,
            r#"switchyard_request_duration_seconds_bucket{provider="a \"b\"\\",le="2.5"} 2"#,
            r#"switchyard_request_duration_seconds_bucket{provider="a \"b\"\\",le="+Inf"} 2"#,
            r#"switchyard_request_duration_seconds_sum{provider="a \"b\"\\"} 3"#,
            r#"switchyard_request_ttft_seconds_bucket{provider="a \"b\"\\",le="0.05"} 2"#,
            r#"switchyard_request_ttft_seconds_count{provider=""} 0"#,
            r#"switchyard_tokens_total{provider="a \"b\"\\",kind="output"} 14"#,
            r#"switchyard_cost_usd_total{provider="a \"b\"\\"} 3"#,
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn series_are_bounded() {
        let metrics = Metrics::default();
        for provider in 0..1_000 {
            metrics.record(&sample(Some(provider)));
        }
        assert_eq!(metrics.providers.read().len(), PROVIDERS);
        let beyond = 1_000 - PROVIDERS as u64;
        assert_eq!(metrics.nobody.ends[0].load(Relaxed), beyond);
    }
}
