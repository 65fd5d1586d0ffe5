//! One message sent to one target, and what came of it.

use std::time::{Duration, Instant};

use admin::gateway::TargetReport;
use admin::outgoing;
use chrono::{DateTime, Utc};
use entity::notification_target as target;
use entity::value::{EgressPolicy, NoticeKind, Sealer, TargetCredentials};
use sea_orm::DatabaseConnection;

use crate::domain::notice::Notice;
use crate::domain::notice::words::{Words, words};
use crate::store::notices::{self, Ended, Message};
use crate::store::snapshot::Snapshot;
use crate::wire::notify::{Address, judge, write};

/// How much of an answer is shown, in characters.
const SHOWN: usize = 1_000;
/// Shorter secrets are not looked for in answers: they would be found in innocent words.
const SHORTEST_SECRET: usize = 6;
/// Parts of an address this long are taken for secrets.
const SHORTEST_PART: usize = 16;

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The answer's status.
    pub status: Option<u16>,
    /// The beginning of the answer, without secrets.
    pub excerpt: String,
    /// What went wrong, without secrets.
    pub error: Option<String>,
    /// Trying again is of no use.
    pub is_final: bool,
    /// How long it asks to be left alone.
    pub wait: Option<Duration>,
}

// === impl Sent ===

impl Sent {
    /// It was not sent, and never will be.
    pub fn hopeless(why: impl ToString) -> Self {
        Self {
            error: Some(why.to_string()),
            is_final: true,
            ..Self::default()
        }
    }
}

/// Sends a notice in the target's words. Takes little more than ten seconds at most.
pub async fn send(
    sealer: &Sealer,
    policy: EgressPolicy,
    target: &target::Model,
    (notice, words): (&Notice, &Words),
    now: DateTime<Utc>,
) -> Sent {
    let credentials = match TargetCredentials::open(sealer, &target.credentials) {
        Ok(credentials) => credentials,
        Err(error) => return Sent::hopeless(error),
    };
    let address = Address {
        kind: target.kind,
        language: target.language,
        chat_id: target.chat_id.clone(),
        template: target.template.clone(),
        credentials,
    };
    let letter = match write(&address, notice, words, now) {
        Ok(letter) => letter,
        Err(why) => return Sent::hopeless(why),
    };
    let posted = outgoing::post(policy, &letter.url, &letter.headers, &letter.body).await;
    let clean = |text: &str| without_secrets(text, &address.credentials);
    let answer = match posted {
        Ok(answer) => answer,
        Err(why) => {
            return Sent {
                error: Some(clean(&why)),
                ..Sent::default()
            };
        }
    };
    let retry_after = answer.retry_after.as_deref();
    let verdict = judge(target.kind, answer.status, retry_after, &answer.body);
    let refused = verdict.err();
    let excerpt = clean(&String::from_utf8_lossy(&answer.body));
    Sent {
        status: Some(answer.status),
        excerpt: excerpt.chars().take(SHOWN).collect(),
        is_final: refused.as_ref().is_some_and(|refused| refused.is_final),
        wait: refused.as_ref().and_then(|refused| refused.wait),
        error: refused.map(|refused| clean(&refused.why)),
    }
}

/// Sends a test message, and leaves a line in the log.
pub async fn try_target(
    db: &DatabaseConnection,
    sealer: &Sealer,
    config: &Snapshot,
    target: &target::Model,
) -> TargetReport {
    let began = Instant::now();
    let now = Utc::now();
    let notice = Notice::new(NoticeKind::Test, now, Vec::new());
    let words = words(&notice, target.language, config.time_zone);
    let policy = config.settings.egress_policy;
    let sent = send(sealer, policy, target, (&notice, &words), now).await;
    let message = message(target, &notice, words.title);
    let ended = Ended {
        status: sent.status,
        error: sent.error.clone(),
        again_at: None,
    };
    if let Err(error) = notices::log_test(db, &message, &ended, now).await {
        tracing::warn!(%error, "a test message is not in the log");
    }
    TargetReport {
        is_ok: sent.error.is_none(),
        error: sent.error,
        status: sent.status,
        excerpt: sent.excerpt,
        total_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// A notice as it is written down for a target.
pub fn message(target: &target::Model, notice: &Notice, title: String) -> Message {
    Message {
        target_id: target.id,
        target_name: target.name.clone(),
        title,
        // It has nothing JSON does not.
        notice: serde_json::to_value(notice).unwrap_or_default(),
    }
}

/// Some platforms repeat the token they refuse, which is a part of the address.
fn without_secrets(text: &str, credentials: &TargetCredentials) -> String {
    let mut text = text.to_owned();
    for secret in credentials.all().map(|secret| secret.expose()) {
        let parts = secret.split(['/', '?', '&', '=']);
        let parts = parts.filter(|part| part.len() >= SHORTEST_PART && !part.contains('.'));
        let whole = Some(secret).filter(|secret| secret.len() >= SHORTEST_SECRET);
        for part in whole.into_iter().chain(parts) {
            text = text.replace(part, "(secret)");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use entity::value::Secret;

    use super::*;

    #[test]
    fn an_answer_that_repeats_the_token_does_not_show_it() {
        let credentials = TargetCredentials {
            url: Some(Secret::new(
                "https://oapi.dingtalk.com/robot/send?access_token=f00df00df00df00df00d",
            )),
            secret: Some(Secret::new("SECf00d")),
            ..TargetCredentials::default()
        };
        let text = "no token f00df00df00df00df00d of SECf00d at oapi.dingtalk.com";
        assert_eq!(
            without_secrets(text, &credentials),
            "no token (secret) of (secret) at oapi.dingtalk.com"
        );
    }
}
