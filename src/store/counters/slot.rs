//! One counter: a sum over a window.

use std::collections::VecDeque;

use crate::domain::window::Span;

/// What was counted in the window of one definition.
#[derive(Debug, Default, Clone)]
pub(super) struct Slot {
    /// The definition; 0 while nothing is counted.
    tag: u16,
    sum: i64,
    /// Of a fixed window, and of one that begins when something is spent.
    start: i64,
    /// Of a rolling window: number and amount, the oldest first. No more than the window has, and one.
    buckets: VecDeque<(i64, i64)>,
}

// === impl Slot ===

impl Slot {
    /// The sum now. What is over is taken out first.
    pub(super) fn sum(&mut self, span: &Span, now: i64) -> i64 {
        if self.tag == 0 {
            return 0;
        }
        let is_over = self.tag != span.tag()
            || match span {
                Span::Fixed { start, .. } => self.start < *start,
                Span::OnSpend { length, .. } => now >= self.start + length,
                Span::Rolling { bucket, count, .. } => {
                    let cut = now.div_euclid(*bucket) - count;
                    while let Some((number, amount)) = self.buckets.front().copied() {
                        if number >= cut {
                            break;
                        }
                        self.sum -= amount;
                        self.buckets.pop_front();
                    }
                    self.buckets.is_empty()
                }
            };
        if is_over {
            self.wipe();
        }
        self.sum
    }

    /// Counts an amount; nothing and less is not counted, and begins no window.
    pub(super) fn add(&mut self, span: &Span, now: i64, amount: i64) {
        if amount <= 0 {
            return;
        }
        self.sum(span, now);
        let is_new = self.tag == 0;
        self.tag = span.tag();
        match span {
            Span::Fixed { start, .. } if is_new => self.start = *start,
            Span::OnSpend { .. } if is_new => self.start = now,
            Span::Fixed { .. } | Span::OnSpend { .. } => {}
            Span::Rolling { bucket, .. } => {
                let number = now.div_euclid(*bucket);
                match self.buckets.back_mut() {
                    // A clock that was set back counts in the newest.
                    Some((newest, sum)) if *newest >= number => *sum += amount,
                    _ => self.buckets.push_back((number, amount)),
                }
            }
        }
        self.sum = self.sum.saturating_add(amount);
    }

    /// When the sum falls below `limit` by itself. [`Slot::sum`] comes first.
    pub(super) fn frees(&self, span: &Span, limit: i64) -> Option<i64> {
        if limit <= 0 {
            return None;
        }
        match span {
            Span::Fixed { end, .. } => *end,
            _ if self.tag == 0 => None,
            Span::OnSpend { length, .. } => Some(self.start + length),
            Span::Rolling { bucket, count, .. } => {
                let mut sum = self.sum;
                self.buckets.iter().find_map(|(number, amount)| {
                    sum -= amount;
                    (sum < limit).then(|| (number + 1 + count) * bucket)
                })
            }
        }
    }

    /// Raises the counter to what is known from elsewhere: the beginning and the sum, or buckets and amounts.
    pub(super) fn seed(&mut self, span: &Span, now: i64, entries: &[(i64, i64)]) {
        let before = self.sum(span, now);
        for &(at, amount) in entries {
            let is_new = self.tag == 0;
            self.tag = span.tag();
            if let Span::Rolling { .. } = span {
                let place = self.buckets.partition_point(|(number, _)| *number < at);
                match self.buckets.get_mut(place) {
                    Some((number, sum)) if *number == at => {
                        self.sum += (amount - *sum).max(0);
                        *sum = amount.max(*sum);
                    }
                    _ => {
                        self.buckets.insert(place, (at, amount));
                        self.sum += amount;
                    }
                }
                continue;
            }
            if is_new {
                self.start = at;
            }
            self.sum = before.max(amount);
        }
    }

    /// Makes the sum what somebody says who knows. Money of which the time is not known counts as spent now.
    pub(super) fn set(&mut self, span: &Span, now: i64, sum: i64) {
        let known = self.sum(span, now);
        if known > sum {
            let start = self.start;
            self.wipe();
            self.add(span, now, sum);
            if self.tag != 0 && !matches!(span, Span::Rolling { .. }) {
                self.start = start;
            }
        } else {
            self.add(span, now, sum - known);
        }
    }

    pub(super) fn wipe(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tag == 0
    }
}
