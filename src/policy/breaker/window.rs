//! How many requests there were in the last minute, and how many of them failed.

use super::time::Ticks;

const SLOTS: usize = 12;
const SLOT_MS: Ticks = 5_000;

/// The last minute in slots of five seconds. Each remembers which five seconds it counts, so that nothing has to be cleared in time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window([Slot; SLOTS]);

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    number: Ticks,
    requests: u32,
    failures: u32,
}

// === impl Window ===

impl Window {
    pub(super) fn add(&mut self, is_failure: bool, now: Ticks) {
        let number = now.div_euclid(SLOT_MS);
        let index = usize::try_from(number.rem_euclid(SLOTS as Ticks)).unwrap_or(0);
        let slot = &mut self.0[index];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        slot.requests = slot.requests.saturating_add(1);
        slot.failures = slot.failures.saturating_add(u32::from(is_failure));
    }

    /// Requests and failures.
    pub(super) fn sum(&self, now: Ticks) -> (u64, u64) {
        let number = now.div_euclid(SLOT_MS);
        self.0
            .iter()
            .filter(|slot| number - slot.number < SLOTS as Ticks)
            .fold((0, 0), |(requests, failures), slot| {
                (
                    requests + u64::from(slot.requests),
                    failures + u64::from(slot.failures),
                )
            })
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_the_last_minute() {
        let mut window = Window::default();
        assert_eq!(window.sum(0), (0, 0));
        window.add(true, 0);
        window.add(false, 4_999);
        window.add(false, 30_000);
        assert_eq!(window.sum(59_999), (3, 1));
        assert_eq!(window.sum(60_000), (1, 0));
        window.add(true, 60_000);
        assert_eq!(window.sum(60_000), (2, 1));
        assert_eq!(window.sum(500_000), (0, 0));
        window.clear();
        assert_eq!(window.sum(60_000), (0, 0));
    }
}
