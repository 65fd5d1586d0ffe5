//! The hours of a day in which something is in use.

use std::fmt;
use std::str::FromStr;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// From `start` to before `end`, every day, in the system's time zone; past midnight when `start` is the later one. Equal ends
/// are the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(deny_unknown_fields)]
pub struct ActiveTime {
    /// The first minute in it.
    pub start: TimeOfDay,
    /// The first minute past it.
    pub end: TimeOfDay,
}

/// A minute of the day, `HH:MM` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

/// Why a text is no [`TimeOfDay`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time of day from 00:00 to 23:59")]
pub struct BadTimeOfDay;

// === impl ActiveTime ===

impl ActiveTime {
    /// Whether a minute of the day is in it.
    #[must_use]
    pub fn contains(&self, minute: TimeOfDay) -> bool {
        if self.start < self.end {
            self.start <= minute && minute < self.end
        } else {
            self.start <= minute || minute < self.end
        }
    }
}

// === impl TimeOfDay ===

impl TimeOfDay {
    /// Minutes since midnight; the day's last minute where there are more.
    #[must_use]
    pub fn from_minutes(minutes: u32) -> Self {
        Self(u16::try_from(minutes.min(24 * 60 - 1)).unwrap_or(0))
    }

    /// Minutes since midnight, 0 to 1439.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = BadTimeOfDay;

    fn from_str(text: &str) -> Result<Self, BadTimeOfDay> {
        let (hours, minutes) = text.split_once(':').ok_or(BadTimeOfDay)?;
        let number = |part: &str, end: u16| {
            let is_plain = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            let number: u16 = part.parse().map_err(|_| BadTimeOfDay)?;
            if is_plain && number < end {
                Ok(number)
            } else {
                Err(BadTimeOfDay)
            }
        };
        Ok(Self(number(hours, 24)? * 60 + number(minutes, 60)?))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = BadTimeOfDay;

    fn try_from(text: String) -> Result<Self, BadTimeOfDay> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_edges() {
        let at = |text: &str| text.parse::<TimeOfDay>().unwrap();
        let day = ActiveTime {
            start: at("09:00"),
            end: at("18:00"),
        };
        let night = ActiveTime {
            start: at("22:00"),
            end: at("06:30"),
        };
        assert!(day.contains(at("09:00")) && !day.contains(at("18:00")));
        assert!(night.contains(at("23:59")) && night.contains(at("00:00")));
        assert!(night.contains(at("06:29")) && !night.contains(at("06:30")));
        for bad in ["", "9:00", "24:00", "12:60", "12", "12:0a", "+1:00"] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
    }
}
