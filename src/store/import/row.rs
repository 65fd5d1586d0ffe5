//! A row of the source, and reading it: what cannot be read is said, and never ends the reading.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::value::{Limits, Multiplier, ResetMode, TimeOfDay};
use serde_json::value::RawValue;

/// A row as JSON, each column's value as it was written: numbers keep all their digits.
#[derive(Debug)]
pub(super) struct Row(BTreeMap<String, Box<RawValue>>);

/// A row that is being read, and what was wrong with it. Never holds a value, because it might be a secret.
#[derive(Debug)]
pub(super) struct Reading<'r> {
    row: &'r Row,
    pub(super) wrong: Vec<String>,
}

/// What `users` and `keys` call money in a day; providers have it as keys do.
pub(super) const DAILY: &str = "limit_daily_usd";

// === impl Row ===

impl Row {
    pub(super) fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self)
    }

    /// The value as JSON; none where it is null, and where the source is too old to have the column.
    pub(super) fn json(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(|v| v.get()).filter(|v| *v != "null")
    }

    pub(super) fn integer(&self, column: &str) -> Option<i64> {
        self.json(column)?.parse().ok()
    }

    pub(super) fn text(&self, column: &str) -> Option<String> {
        serde_json::from_str(self.json(column)?).ok()
    }

    pub(super) fn time(&self, column: &str) -> Option<DateTime<Utc>> {
        let text = self.text(column)?;
        let time = DateTime::parse_from_rfc3339(&text).ok()?;
        // What both databases keep exactly.
        DateTime::from_timestamp_micros(time.timestamp_micros())
    }

    pub(super) fn is_true(&self, column: &str) -> bool {
        self.json(column) == Some("true")
    }

    /// Every table but `usage_ledger` in our use of it has one.
    pub(super) fn id(&self) -> i64 {
        self.integer("id").unwrap_or(0)
    }
}

// === impl Reading ===

impl<'r> Reading<'r> {
    pub(super) fn new(row: &'r Row) -> Self {
        Self {
            row,
            wrong: Vec::new(),
        }
    }

    pub(super) fn row(&self) -> &'r Row {
        self.row
    }

    pub(super) fn say(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    /// What `read` makes of a column; none where it is null, and, with a word about it, where it is not what it should be.
    fn get<T>(
        &mut self,
        column: &str,
        what: &str,
        read: impl FnOnce(&Row) -> Option<T>,
    ) -> Option<T> {
        self.row.json(column)?;
        let value = read(self.row);
        if value.is_none() {
            self.say(format!("{column} is not {what}, left out"));
        }
        value
    }

    pub(super) fn text(&mut self, column: &str) -> Option<String> {
        self.get(column, "text", |row| row.text(column))
    }

    pub(super) fn integer(&mut self, column: &str) -> Option<i64> {
        self.get(column, "a whole number", |row| row.integer(column))
    }

    pub(super) fn time(&mut self, column: &str) -> Option<DateTime<Utc>> {
        self.get(column, "a time", |row| row.time(column))
    }

    pub(super) fn flag(&mut self, column: &str, default: bool) -> bool {
        let read = |row: &Row| row.json(column)?.parse().ok();
        self.get(column, "true or false", read).unwrap_or(default)
    }

    /// A list of names without blanks, each once.
    pub(super) fn names(&mut self, column: &str) -> Vec<String> {
        let read =
            |row: &Row| serde_json::from_str::<Vec<serde_json::Value>>(row.json(column)?).ok();
        let items = self.get(column, "a list", read).unwrap_or_default();
        let mut names: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            match item.as_str().map(str::trim) {
                Some("") => {}
                Some(name) if names.iter().any(|known| known == name) => {}
                Some(name) => names.push(name.to_owned()),
                None => self.say(format!("an entry of {column} is not text, left out")),
            }
        }
        names
    }

    /// A limit that is counted: what is not above 0 is none there.
    pub(super) fn count(&mut self, column: &str) -> Option<i64> {
        self.integer(column).filter(|count| *count > 0)
    }

    /// A limit of money, in nano-USD: what is not above 0 is none there.
    pub(super) fn usd(&mut self, column: &str) -> Option<i64> {
        self.get(column, "an amount", |row| nano(row.json(column)?))
            .filter(|usd| *usd > 0)
    }

    /// A factor on prices; none where it is null.
    pub(super) fn multiplier(&mut self, column: &str) -> Result<Option<Multiplier>, String> {
        match self.row.json(column) {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(factor) => Ok(Some(factor)),
                Err(e) => Err(format!("{column} {e}")),
            },
        }
    }

    /// Provider groups, in the order they are written in.
    pub(super) fn groups(&mut self, column: &str) -> Vec<String> {
        let text = self.text(column).unwrap_or_default();
        let mut groups: Vec<String> = Vec::new();
        for name in text.split([',', '，', '\r', '\n']).map(str::trim) {
            if !name.is_empty() && !groups.iter().any(|known| known == name) {
                groups.push(name.to_owned());
            }
        }
        groups
    }

    /// The limits that users, keys and providers all have.
    pub(super) fn limits(&mut self, daily: &str, reset_at: &str) -> Limits {
        let default = Limits::default();
        let day_starts = self.text("daily_reset_time").and_then(|text| {
            let time: Option<TimeOfDay> = text.trim().parse().ok();
            if time.is_none() {
                self.say("daily_reset_time is not a time of day, 00:00 instead");
            }
            time
        });
        Limits {
            rpm: self.count("rpm_limit"),
            concurrent_sessions: self.count("limit_concurrent_sessions"),
            concurrent_requests: None,
            usd_5h: self.usd("limit_5h_usd"),
            usd_day: self.usd(daily),
            usd_week: self.usd("limit_weekly_usd"),
            usd_month: self.usd("limit_monthly_usd"),
            usd_total: self.usd("limit_total_usd"),
            reset_5h: self.mode("limit_5h_reset_mode", default.reset_5h),
            reset_day: self.mode("daily_reset_mode", default.reset_day),
            day_starts: day_starts.unwrap_or(default.day_starts),
            reset_at: self.time(reset_at),
        }
    }

    fn mode(&mut self, column: &str, default: ResetMode) -> ResetMode {
        let read = |row: &Row| match row.text(column)?.as_str() {
            "fixed" => Some(ResetMode::Fixed),
            "rolling" => Some(ResetMode::Rolling),
            _ => None,
        };
        self.get(column, "fixed or rolling", read)
            .unwrap_or(default)
    }
}

/// Nano-USD of a plain decimal number of USD, rounded to the nearest; none when it is no such number, or too large.
pub(super) fn nano(decimal: &str) -> Option<i64> {
    const DECIMALS: usize = 9;
    let (sign, digits) = match decimal.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, decimal),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(DECIMALS)];
    let is_up = fraction
        .as_bytes()
        .get(DECIMALS)
        .is_some_and(|b| *b >= b'5');
    let whole: i64 = whole.parse().ok()?;
    let kept: i64 = format!("{kept:0<DECIMALS$}").parse().ok()?;
    let nano = whole.checked_mul(1_000_000_000)?.checked_add(kept)?;
    Some(sign * nano.checked_add(i64::from(is_up))?)
}

/// The first characters of a text.
pub(super) fn cut(text: &str, chars: usize) -> &str {
    let end = text.char_indices().nth(chars).map(|(at, _)| at);
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_exactly_and_rounded_once() {
        for (text, nano_usd) in [
            ("0", 0),
            ("10.00", 10_000_000_000),
            ("0.000000001499999", 1),
            ("0.000000001500000", 2),
            ("0.999999999500000", 1_000_000_000),
            ("-1.5", -1_500_000_000),
        ] {
            assert_eq!(nano(text), Some(nano_usd), "{text}");
        }
        for bad in ["", ".", "1.", "1e5", "\"NaN\"", "99999999999999"] {
            assert_eq!(nano(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_without_its_value() {
        let row = Row::parse(
            r#"{"id": 7, "tags": ["a", " a", 5, ""], "allowed_models": "gpt", "rpm_limit": 0,
                "limit_5h_usd": 0.00, "limit_daily_usd": 12.34, "limit_weekly_usd": "NaN", "daily_reset_time": "25:00",
                "daily_reset_mode": "rolling", "cost_reset_at": "infinity", "expires_at": "2026-01-02T03:04:05.123456+02:00"}"#,
        )
        .unwrap();
        let mut read = Reading::new(&row);
        assert_eq!(read.names("tags"), ["a"]);
        assert!(read.names("allowed_models").is_empty());
        let limits = read.limits(DAILY, "cost_reset_at");
        let expected = Limits {
            usd_day: Some(12_340_000_000),
            reset_day: ResetMode::Rolling,
            ..Limits::default()
        };
        assert_eq!(limits, expected);
        let expires_at = read.time("expires_at").unwrap();
        assert_eq!(expires_at.to_rfc3339(), "2026-01-02T01:04:05.123456+00:00");
        assert_eq!(read.wrong.len(), 5, "{:?}", read.wrong);
        assert!(!format!("{:?}", read.wrong).contains("gpt"));
    }
}
