//! What is counted of messages to people.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use entity::value::TargetKind;

use super::Page;

/// Kinds of targets, and at the end those that are gone, of which nobody knows what they spoke.
const KINDS: [(Option<TargetKind>, &str); 7] = [
    (Some(TargetKind::Feishu), "feishu"),
    (Some(TargetKind::Dingtalk), "dingtalk"),
    (Some(TargetKind::Wecom), "wecom"),
    (Some(TargetKind::Telegram), "telegram"),
    (Some(TargetKind::Slack), "slack"),
    (Some(TargetKind::Webhook), "webhook"),
    (None, ""),
];

const ENDS: [(Told, &str); 3] = [
    (Told::Delivered, "delivered"),
    (Told::Failed, "failed"),
    (Told::Dropped, "dropped"),
];

/// The counters of messages. Tests of targets are none.
#[derive(Debug, Default)]
pub struct Notices {
    ends: [[AtomicU64; ENDS.len()]; KINDS.len()],
    retries: [AtomicU64; KINDS.len()],
    waiting: AtomicU64,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It arrived.
    Delivered,
    /// It was given up.
    Failed,
    /// It was never sent, because too many waited for its target.
    Dropped,
}

// === impl Notices ===

impl Notices {
    /// Counts a message that came to its end.
    pub fn ended(&self, kind: Option<TargetKind>, told: Told) {
        let end = ENDS.iter().position(|(end, _)| *end == told);
        self.ends[place(kind)][end.unwrap_or(0)].fetch_add(1, Relaxed);
    }

    /// Counts an attempt that failed and is followed by another.
    pub fn retried(&self, kind: Option<TargetKind>) {
        self.retries[place(kind)].fetch_add(1, Relaxed);
    }

    /// So many wait in the table, of all nodes.
    pub fn set_waiting(&self, count: u64) {
        self.waiting.store(count, Relaxed);
    }

    /// Writes them.
    pub fn write(&self, page: &mut Page) {
        const ENDED: &str = "switchyard_notifications_total";
        const RETRIES: &str = "switchyard_notification_retries_total";
        const WAITING: &str = "switchyard_notifications_waiting";
        page.family(
            ENDED,
            "counter",
            "Messages to people by what became of them.",
        );
        for ((_, kind), counts) in KINDS.iter().zip(&self.ends) {
            for ((_, end), count) in ENDS.iter().zip(counts) {
                let labels = [("kind", *kind), ("outcome", *end)];
                page.line(ENDED, &labels, count.load(Relaxed));
            }
        }
        page.family(
            RETRIES,
            "counter",
            "Attempts to send a message that failed and are followed by another.",
        );
        for ((_, kind), count) in KINDS.iter().zip(&self.retries) {
            page.line(RETRIES, &[("kind", kind)], count.load(Relaxed));
        }
        page.family(
            WAITING,
            "gauge",
            "Messages to people that wait in the database, of all nodes.",
        );
        page.line(WAITING, &[], self.waiting.load(Relaxed));
    }
}

fn place(kind: Option<TargetKind>) -> usize {
    let place = KINDS.iter().position(|(of, _)| *of == kind);
    place.unwrap_or(KINDS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_by_kind_of_target_and_by_what_became_of_them() {
        let notices = Notices::default();
        notices.ended(Some(TargetKind::Slack), Told::Delivered);
        notices.ended(Some(TargetKind::Slack), Told::Delivered);
        notices.ended(Some(TargetKind::Webhook), Told::Dropped);
        notices.ended(None, Told::Failed);
        notices.retried(Some(TargetKind::Feishu));
        notices.set_waiting(9);
        notices.set_waiting(4);
        let mut page = Page::default();
        notices.write(&mut page);
        let text = page.into_text();
        for line in [
            r#"switchyard_notifications_total{kind="slack",outcome="delivered"} 2"#,
            r#"switchyard_notifications_total{kind="webhook",outcome="dropped"} 1"#,
            r#"switchyard_notifications_total{kind="",outcome="failed"} 1"#,
            r#"switchyard_notifications_total{kind="telegram",outcome="failed"} 0"#,
            r#"switchyard_notification_retries_total{kind="feishu"} 1"#,
            "switchyard_notifications_waiting 4",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        let series = text.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(series.count(), KINDS.len() * 4 + 1);
    }
}
