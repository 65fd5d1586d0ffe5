//! What is worth telling people, and when it is told again.
//!
//! A rule that found something says by what name it is known again and until when it will do to have told of it; the table of what was told
//! (`store::notices`) decides, for all nodes at once, whether it is told now. Two kinds of names keep two promises:
//!
//! - What goes on (a breaker, an error rate, a model without a price) is told again when the rule's quiet minutes are over and it still
//!   does.
//! - What belongs to a window (money near a limit, the daily report) is told once a window: its name has everything that makes it another
//!   one, the limit's height and the rule's threshold too, and it is quiet until the window ends.

pub mod again;
pub mod breakers;
pub mod jump;
pub mod near;
pub mod report;

use chrono::{DateTime, TimeDelta, Utc};
use entity::notification_rule::Model as Rule;

/// Until when a rule is quiet of what it tells now.
#[must_use]
pub fn quiet_until(rule: &Rule, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::minutes(rule.quiet_minutes.max(1).into())
}

#[cfg(test)]
pub mod testing {
    //! A rule to test with.

    use chrono::DateTime;
    use entity::notification_rule::Model as Rule;
    use entity::value::{Ids, NoticeKind};

    /// One with its event's defaults.
    #[must_use]
    pub fn rule(event: NoticeKind) -> Rule {
        Rule {
            id: 1,
            name: "r".into(),
            event,
            threshold_percent: None,
            window_minutes: None,
            minimum_requests: None,
            report_minute: None,
            quiet_minutes: 30,
            target_ids: Ids(vec![1]),
            is_enabled: true,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }
}
