//! Middles and tails.

use serde::Serialize;

/// What several rounds say together.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// The middle and the tail of many samples.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Tail {
    pub p50: f64,
    pub p99: f64,
}

// === impl Spread ===

impl Spread {
    /// Of no values: zeros.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |i: usize| values.get(i).copied().unwrap_or(0.0);
        let (middle, last) = (values.len() / 2, values.len().saturating_sub(1));
        let median = if values.len() % 2 == 1 {
            at(middle)
        } else {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        };
        Self {
            median,
            min: at(0),
            max: at(last),
        }
    }
}

// === impl Tail ===

impl Tail {
    /// Of samples in nanoseconds, in microseconds.
    pub fn of(samples: &mut [u64]) -> Self {
        samples.sort_unstable();
        let at = |percent: usize| {
            let rank = (samples.len() * percent).div_ceil(100).saturating_sub(1);
            micros(samples.get(rank).copied().unwrap_or(0))
        };
        Self {
            p50: at(50),
            p99: at(99),
        }
    }
}

/// Microseconds, from nanoseconds.
pub fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}
