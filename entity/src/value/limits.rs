//! What a key, a user or a provider may use.

use chrono::{DateTime, Utc};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use super::TimeOfDay;

/// The limits of one key, user or provider. None is no limit; 0 is a limit that allows nothing. Money is in nano-USD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Requests in any minute.
    pub rpm: Option<i64>,
    /// Distinct live sessions.
    pub concurrent_sessions: Option<i64>,
    /// Requests under way.
    pub concurrent_requests: Option<i64>,
    /// Money in five hours.
    pub usd_5h: Option<i64>,
    /// Money in a day.
    pub usd_day: Option<i64>,
    /// Money in a week, from Monday.
    pub usd_week: Option<i64>,
    /// Money in a calendar month.
    pub usd_month: Option<i64>,
    /// Money since its owner was made, or last reset.
    pub usd_total: Option<i64>,
    /// How the five hours end. Default rolling.
    pub reset_5h: ResetMode,
    /// How the day ends. Default fixed.
    pub reset_day: ResetMode,
    /// When a fixed day begins, in the system's time zone. Default 00:00.
    pub day_starts: TimeOfDay,
    /// What was spent before this does not count; none where nothing was reset.
    pub reset_at: Option<DateTime<Utc>>,
}

/// How a window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetMode {
    /// All at once, at a known moment.
    Fixed,
    /// Bit by bit: what was used leaves the window when it is as old as the window is long.
    Rolling,
}

impl Limits {
    /// Those of money, the shortest window first.
    #[must_use]
    pub fn money(&self) -> [Option<i64>; 5] {
        [
            self.usd_5h,
            self.usd_day,
            self.usd_week,
            self.usd_month,
            self.usd_total,
        ]
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rpm: None,
            concurrent_sessions: None,
            concurrent_requests: None,
            usd_5h: None,
            usd_day: None,
            usd_week: None,
            usd_month: None,
            usd_total: None,
            reset_5h: ResetMode::Rolling,
            reset_day: ResetMode::Fixed,
            day_starts: TimeOfDay::from_minutes(0),
            reset_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_from_before_a_limit_existed_have_none() {
        assert_eq!(
            serde_json::from_str::<Limits>("{}").unwrap(),
            Limits::default()
        );
        let text = r#"{"usd5h":0,"resetDay":"rolling","dayStarts":"06:30"}"#;
        let limits: Limits = serde_json::from_str(text).unwrap();
        assert_eq!((limits.usd_5h, limits.usd_day), (Some(0), None));
        assert_eq!(limits.reset_day, ResetMode::Rolling);
        assert_eq!(limits.day_starts.to_string(), "06:30");
        let written = serde_json::to_string(&limits).unwrap();
        assert_eq!(serde_json::from_str::<Limits>(&written).unwrap(), limits);
    }
}
