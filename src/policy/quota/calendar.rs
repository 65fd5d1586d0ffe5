//! The calendar's windows, remembered until they end: finding them takes longer than all the rest of an admission.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::value::Limits;
use foldhash::fast::RandomState;
use parking_lot::RwLock;

use crate::domain::window::{Window, Windows, windows};

/// The windows of now. There are no more of them than minutes in a day, a week and a month.
#[derive(Debug)]
pub(super) struct Calendar(RwLock<Known>);

#[derive(Debug)]
struct Known {
    zone: Tz,
    windows: HashMap<u16, Window, RandomState>,
}

// === impl Calendar ===

impl Calendar {
    pub(super) fn new(zone: Tz) -> Self {
        Self(RwLock::new(Known {
            zone,
            windows: HashMap::default(),
        }))
    }

    pub(super) fn set_zone(&self, zone: Tz) {
        let mut known = self.0.write();
        if known.zone != zone {
            known.zone = zone;
            known.windows.clear();
        }
    }

    pub(super) fn windows(&self, limits: &Limits, now: DateTime<Utc>) -> Windows {
        let mut is_known = true;
        let known = self.0.read();
        let zone = known.zone;
        let found = windows(limits, |period| {
            let window = known.windows.get(&period.tag());
            let window = window.filter(|window| window.start <= now && now < window.end);
            is_known &= window.is_some();
            window.map_or_else(|| period.window(zone, now), |window| *window)
        });
        drop(known);
        if !is_known {
            self.remember(limits, zone, now);
        }
        found
    }

    fn remember(&self, limits: &Limits, zone: Tz, now: DateTime<Utc>) {
        let mut known = self.0.write();
        if known.zone == zone {
            windows(limits, |period| {
                let window = period.window(zone, now);
                known.windows.insert(period.tag(), window);
                window
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_found() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let calendar = Calendar::new(Tz::UTC);
        let mut limits = Limits::default();
        for zone in [Tz::UTC, Tz::Asia__Shanghai] {
            calendar.set_zone(zone);
            for now in [
                "2026-11-21T10:00:00Z",
                "2026-11-21T16:00:00Z",
                "2026-11-30T23:59:59Z",
                "2026-12-01T00:00:00Z",
                "2026-11-21T10:00:00Z",
            ] {
                for minute in [0, 600] {
                    limits.day_starts = entity::value::TimeOfDay::from_minutes(minute);
                    let now = at(now);
                    let found = windows(&limits, |period| period.window(zone, now));
                    assert_eq!(calendar.windows(&limits, now), found);
                }
            }
        }
    }
}
