//! Notices: what is told to people by message, before it is put into the words of a language ([`words`]) and of a platform (`wire::notify`).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use entity::value::NoticeKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::money::usd;

pub mod words;

/// Things in one message at most; of more, their number is told.
pub const MOST_ITEMS: usize = 20;
/// Characters of a name or a reason that are kept: models are named by clients.
const LONGEST: usize = 160;

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The kind.
    pub kind: NoticeKind,
    /// When it was found.
    pub at: DateTime<Utc>,
    /// What it is about.
    pub items: Vec<Item>,
    /// How many more there are.
    pub more: usize,
}

/// Something a rule may tell of, unless it did so lately.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is, so that it is known again: of a limit, for instance, whose, which and how high.
    pub subject: String,
    /// Until when it will do to have told of it.
    pub quiet_until: DateTime<Utc>,
    /// What is told.
    pub item: Item,
}

/// One thing that is told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Item {
    /// A breaker that opened or closed.
    Breaker {
        /// The provider's name.
        provider: String,
        /// `provider`, `endpoint` or `model`.
        scope: String,
        /// The address or the model; none for the whole provider.
        subject: Option<String>,
        /// Why it opened last.
        reason: Option<String>,
        /// Until when it stays open.
        open_until: Option<DateTime<Utc>>,
    },
    /// Money that is spent, or nearly.
    Limit {
        /// `key`, `user` or `provider`.
        of: String,
        /// Its name.
        name: String,
        /// The user a key belongs to.
        owner: Option<String>,
        /// Which limit, such as `usd_day`.
        limit: String,
        /// What is spent.
        spent_usd: Usd,
        /// What may be.
        limit_usd: Usd,
        /// The one in percent of the other, rounded down.
        percent: i64,
        /// When it begins anew, where that is known.
        resets_at: Option<DateTime<Utc>>,
    },
    /// A model without a price.
    Model {
        /// Its name.
        model: String,
        /// Attempts in this hour and the one before that have usage and no price.
        attempts: i64,
    },
    /// Requests that fail.
    ErrorRate {
        /// The provider that answered them; none for all together.
        provider: Option<String>,
        /// Over how many minutes.
        minutes: i64,
        /// Requests.
        requests: u64,
        /// Those that failed.
        failures: u64,
        /// The share in percent.
        percent: u64,
        /// The share in the hour before; none when there were too few to say.
        percent_before: Option<u64>,
    },
    /// What was used in a day.
    Report(Report),
}

/// What was used in a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The day, in the system's time zone.
    pub day: NaiveDate,
    /// What it cost.
    pub cost_usd: Usd,
    /// Requests.
    pub requests: i64,
    /// Those that failed.
    pub failures: i64,
    /// Tokens of all kinds.
    pub tokens: i64,
    /// Who spent most.
    pub users: Vec<Share>,
    /// On which models.
    pub models: Vec<Share>,
    /// At which providers.
    pub providers: Vec<Share>,
}

/// A part of what was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// Whose.
    pub name: String,
    /// What it cost.
    pub cost_usd: Usd,
    /// Requests.
    pub requests: i64,
}

/// Nano-USD; in JSON a decimal text of dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usd(pub i64);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something does not work.
    Problem,
    /// Something soon may not.
    Warning,
    /// Something works again.
    Good,
    /// Nothing to worry about.
    Info,
}

// === impl Notice ===

impl Notice {
    /// Of what was found; of too much, the first and how much more there is.
    #[must_use]
    pub fn new(kind: NoticeKind, at: DateTime<Utc>, mut items: Vec<Item>) -> Self {
        let more = items.len().saturating_sub(MOST_ITEMS);
        items.truncate(MOST_ITEMS);
        Self {
            kind,
            at,
            items,
            more,
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.kind {
            NoticeKind::BreakerOpened
            | NoticeKind::ProviderOutOfBudget
            | NoticeKind::ErrorRateJump => Level::Problem,
            NoticeKind::LimitNear | NoticeKind::UnpricedModel => Level::Warning,
            NoticeKind::BreakerClosed => Level::Good,
            NoticeKind::DailyReport | NoticeKind::Test => Level::Info,
        }
    }
}

// === impl Level ===

impl Level {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Warning => "warning",
            Self::Good => "good",
            Self::Info => "info",
        }
    }
}

// === impl Usd ===

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = usd(self.0);
        // Two places at least, as money has.
        let kept = whole.trim_end_matches('0').len().max(whole.len() - 7);
        f.write_str(&whole[..kept])
    }
}

impl FromStr for Usd {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is no amount of dollars";
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (dollars, part) = digits.split_once('.').unwrap_or((digits, ""));
        if part.len() > 9 {
            return Err(WRONG);
        }
        let dollars: i64 = dollars.parse().map_err(|_| WRONG)?;
        let nano: i64 = format!("{part:0<9}").parse().map_err(|_| WRONG)?;
        let whole = dollars.checked_mul(1_000_000_000).ok_or(WRONG)?;
        Ok(Self(sign * whole.checked_add(nano).ok_or(WRONG)?))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The beginning of a text that others chose.
#[must_use]
pub fn cut(text: &str) -> String {
    let mut kept: String = text.chars().take(LONGEST).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_and_read() {
        for (nano, text) in [
            (0, "0.00"),
            (1_500_000_000, "1.50"),
            (123_456_789, "0.123456789"),
            (-2_000_000_010, "-2.00000001"),
        ] {
            assert_eq!(Usd(nano).to_string(), text);
            assert_eq!(text.parse(), Ok(Usd(nano)));
        }
        for wrong in ["", "x", "1.2345678901", "99999999999999"] {
            assert!(wrong.parse::<Usd>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_notice_says_what_it_leaves_out() {
        let item = |n: usize| Item::Model {
            model: cut(&"m".repeat(n)),
            attempts: 1,
        };
        let items = (0..23).map(|n| item(n * 10)).collect();
        let notice = Notice::new(NoticeKind::UnpricedModel, DateTime::UNIX_EPOCH, items);
        assert_eq!((notice.items.len(), notice.more), (MOST_ITEMS, 3));
        let kept = serde_json::to_value(&notice).unwrap();
        assert_eq!(kept["items"][0]["type"], "model");
        assert_eq!(kept["kind"], "unpriced-model");
        assert_eq!(serde_json::from_value::<Notice>(kept).unwrap(), notice);
    }
}
