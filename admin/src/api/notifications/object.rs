//! Targets, rules and deliveries as they are answered. Of what is secret it is told that it is there.

use chrono::{DateTime, Utc};
use entity::{
    notification_delivery, notification_rule, notification_target,
    value::{self, TimeOfDay},
};
use poem_openapi::{Enum, Object, types::ToJSON};
use serde_json::{Map, Value};

use crate::{
    Admin,
    gateway::TargetReport,
    service::{
        audit::{self, Pictured, Subject},
        notification_targets::{credentials, origin},
    },
};

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "NotificationTargetKind", rename_all = "lowercase")]
pub enum TargetKind {
    /// A custom bot of a Feishu or Lark group.
    Feishu,
    /// A custom robot of a DingTalk group.
    Dingtalk,
    /// A robot of a WeCom group.
    Wecom,
    /// A Telegram bot and a chat.
    Telegram,
    /// An incoming webhook of Slack.
    Slack,
    /// Anything that takes JSON.
    Webhook,
}

/// The language of a target's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "NotificationLanguage", rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

/// What a rule tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "NotificationEvent", rename_all = "kebab-case")]
pub enum Event {
    /// A breaker opened: a provider, one of its addresses or one of its models gets no requests.
    BreakerOpened,
    /// It closed again.
    BreakerClosed,
    /// A provider has spent what it may.
    ProviderOutOfBudget,
    /// A key or a user has spent most of what they may.
    LimitNear,
    /// A model is used that has no price.
    UnpricedModel,
    /// Many more requests fail than before.
    ErrorRateJump,
    /// What was used yesterday.
    DailyReport,
}

/// What a delivery tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "NotificationDeliveryEvent", rename_all = "kebab-case")]
pub enum DeliveryEvent {
    /// A breaker opened.
    BreakerOpened,
    /// It closed again.
    BreakerClosed,
    /// A provider has spent what it may.
    ProviderOutOfBudget,
    /// A key or a user has spent most of what they may.
    LimitNear,
    /// A model is used that has no price.
    UnpricedModel,
    /// Many more requests fail than before.
    ErrorRateJump,
    /// What was used yesterday.
    DailyReport,
    /// Somebody tried the target.
    Test,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "NotificationDeliveryState", rename_all = "lowercase")]
pub enum DeliveryState {
    /// It waits for its first or its next attempt.
    Pending,
    /// It arrived.
    Delivered,
    /// It was given up.
    Failed,
}

/// Where messages go.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationTarget {
    /// Id.
    pub id: i64,
    /// For people.
    pub name: String,
    /// What it speaks.
    pub kind: TargetKind,
    /// Its address without path and query, which are secret of most platforms; null for the platform's own, and when what is stored cannot
    /// be opened by this installation. The whole address is write-only.
    #[oai(nullable)]
    pub address: Option<String>,
    /// Whether its messages are signed. The secret is write-only.
    pub secret_set: bool,
    /// Whether a bot's token is stored. The token is write-only.
    pub bot_token_set: bool,
    /// The chat a Telegram bot writes to.
    #[oai(nullable)]
    pub chat_id: Option<String>,
    /// The names of a webhook's headers. Their values are write-only.
    pub header_names: Vec<String>,
    /// The body of a webhook's messages; null for the default one.
    #[oai(nullable)]
    pub template: Option<String>,
    /// The language of its messages.
    pub language: Language,
    /// Switched on.
    pub is_enabled: bool,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// What is told to whom, and how often at most.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationRule {
    /// Id.
    pub id: i64,
    /// For people.
    pub name: String,
    /// What it tells of.
    pub event: Event,
    /// From how many percent on: of a limit, or of requests that fail. Null is the event's own default: 80 for `limit-near`, 20 for
    /// `error-rate-jump`.
    #[oai(nullable)]
    pub threshold_percent: Option<i32>,
    /// Over how many minutes an error rate is taken. Null is 10.
    #[oai(nullable)]
    pub window_minutes: Option<i32>,
    /// How many requests it takes to speak of an error rate. Null is 20.
    #[oai(nullable)]
    pub minimum_requests: Option<i32>,
    /// When the daily report is due, `HH:MM` in the system's time zone. Null is 09:00.
    #[oai(nullable)]
    pub report_time: Option<String>,
    /// For how many minutes the same is not told again. A limit is told of once a window, a model without a price once a day, however
    /// short this is.
    pub quiet_minutes: i32,
    /// Who is told.
    pub target_ids: Vec<i64>,
    /// Switched on.
    pub is_enabled: bool,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// One message to one target.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationDelivery {
    /// Id, rising with time.
    pub id: i64,
    /// When it was to be told.
    pub created_at: DateTime<Utc>,
    /// The rule that wanted it; null for a test.
    #[oai(nullable)]
    pub rule_id: Option<i64>,
    /// What the rule was called then; empty for a test.
    pub rule_name: String,
    /// Where it goes.
    pub target_id: i64,
    /// What the target was called then.
    pub target_name: String,
    /// What it tells of.
    pub event: DeliveryEvent,
    /// Its first line.
    pub title: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts begun.
    pub attempts: i32,
    /// When the next is due; null when none is.
    #[oai(nullable)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the last attempt ended.
    #[oai(nullable)]
    pub attempted_at: Option<DateTime<Utc>>,
    /// The status the last attempt was answered with.
    #[oai(nullable)]
    pub status: Option<i32>,
    /// What went wrong with it, in words.
    #[oai(nullable)]
    pub error: Option<String>,
}

/// What came of a test message.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationTestReport {
    /// It was taken.
    pub ok: bool,
    /// What went wrong, in words; null when nothing did.
    #[oai(nullable)]
    pub error: Option<String>,
    /// The answer's status; null without an answer.
    #[oai(nullable)]
    pub status: Option<u16>,
    /// The beginning of the answer's body.
    pub excerpt: String,
    /// Milliseconds of all of it.
    pub total_ms: u64,
}

// === impl NotificationTarget ===

impl NotificationTarget {
    /// What is told of a stored target.
    pub fn new(admin: &Admin, target: notification_target::Model) -> Self {
        let credentials = credentials(admin, &target);
        Self {
            id: target.id,
            name: target.name,
            kind: target.kind.into(),
            address: credentials.url.as_ref().and_then(origin),
            secret_set: credentials.secret.is_some(),
            bot_token_set: credentials.bot_token.is_some(),
            chat_id: target.chat_id,
            header_names: credentials.headers.into_keys().collect(),
            template: target.template,
            language: target.language.into(),
            is_enabled: target.is_enabled,
            created_at: target.created_at,
            updated_at: target.updated_at,
        }
    }
}

/// What the audit shows: what is answered, with marks in the place of what is not.
impl Pictured for notification_target::Model {
    fn subject(&self) -> Subject {
        Subject::new("notification-target", self.id, self.name.as_str())
    }

    fn picture(&self, admin: &Admin) -> Value {
        let target = NotificationTarget::new(admin, self.clone());
        let mut picture = target.to_json().unwrap_or_default();
        let credentials = credentials(admin, self);
        for (name, secret) in [
            ("url", &credentials.url),
            ("secret", &credentials.secret),
            ("botToken", &credentials.bot_token),
        ] {
            let mark = secret
                .as_ref()
                .map(|secret| audit::mark(admin, Some(secret)));
            picture[name] = mark.map_or(Value::Null, Value::from);
        }
        let headers = credentials.headers.iter();
        let headers =
            headers.map(|(name, value)| (name.clone(), audit::mark(admin, Some(value)).into()));
        picture["headers"] = Value::Object(headers.collect::<Map<_, _>>());
        picture
    }
}

// === conversions ===

impl From<notification_rule::Model> for NotificationRule {
    fn from(rule: notification_rule::Model) -> Self {
        let time = rule.report_minute.and_then(|minute| minute.try_into().ok());
        Self {
            id: rule.id,
            name: rule.name,
            event: event_of(rule.event),
            threshold_percent: rule.threshold_percent,
            window_minutes: rule.window_minutes,
            minimum_requests: rule.minimum_requests,
            report_time: time.map(|minute| TimeOfDay::from_minutes(minute).to_string()),
            quiet_minutes: rule.quiet_minutes,
            target_ids: rule.target_ids.0,
            is_enabled: rule.is_enabled,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

impl Pictured for notification_rule::Model {
    fn subject(&self) -> Subject {
        Subject::new("notification-rule", self.id, self.name.as_str())
    }

    fn picture(&self, _: &Admin) -> Value {
        let rule = NotificationRule::from(self.clone());
        rule.to_json().unwrap_or_default()
    }
}

impl From<notification_delivery::Model> for NotificationDelivery {
    fn from(row: notification_delivery::Model) -> Self {
        let is_pending = row.state == value::DeliveryState::Pending;
        Self {
            id: row.id,
            created_at: row.created_at,
            rule_id: row.rule_id,
            rule_name: row.rule_name,
            target_id: row.target_id,
            target_name: row.target_name,
            event: row.event.into(),
            title: row.title,
            state: row.state.into(),
            attempts: row.attempts,
            next_attempt_at: is_pending.then_some(row.next_attempt_at),
            attempted_at: row.attempted_at,
            status: row.status,
            error: row.error,
        }
    }
}

impl From<TargetReport> for NotificationTestReport {
    fn from(report: TargetReport) -> Self {
        Self {
            ok: report.is_ok,
            error: report.error,
            status: report.status,
            excerpt: report.excerpt,
            total_ms: report.total_ms,
        }
    }
}

/// No rule is stored that tells of tests.
fn event_of(kind: value::NoticeKind) -> Event {
    match kind {
        value::NoticeKind::BreakerOpened => Event::BreakerOpened,
        value::NoticeKind::BreakerClosed => Event::BreakerClosed,
        value::NoticeKind::ProviderOutOfBudget => Event::ProviderOutOfBudget,
        value::NoticeKind::LimitNear => Event::LimitNear,
        value::NoticeKind::UnpricedModel => Event::UnpricedModel,
        value::NoticeKind::ErrorRateJump => Event::ErrorRateJump,
        value::NoticeKind::DailyReport | value::NoticeKind::Test => Event::DailyReport,
    }
}

/// The conversions between an enum of the API and the one of the tables with the same variants.
macro_rules! same {
    ($($api:ident: $($variant:ident)+;)+) => {$(
        impl From<value::$api> for $api {
            fn from(value: value::$api) -> Self {
                match value {
                    $(value::$api::$variant => Self::$variant),+
                }
            }
        }

        impl From<$api> for value::$api {
            fn from(value: $api) -> Self {
                match value {
                    $($api::$variant => Self::$variant),+
                }
            }
        }
    )+};
}

same! {
    TargetKind: Feishu Dingtalk Wecom Telegram Slack Webhook;
    DeliveryState: Pending Delivered Failed;
}

impl From<value::NoticeLanguage> for Language {
    fn from(language: value::NoticeLanguage) -> Self {
        match language {
            value::NoticeLanguage::En => Self::En,
            value::NoticeLanguage::Zh => Self::Zh,
        }
    }
}

impl From<Language> for value::NoticeLanguage {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Zh => Self::Zh,
        }
    }
}

impl From<Event> for value::NoticeKind {
    fn from(event: Event) -> Self {
        match event {
            Event::BreakerOpened => Self::BreakerOpened,
            Event::BreakerClosed => Self::BreakerClosed,
            Event::ProviderOutOfBudget => Self::ProviderOutOfBudget,
            Event::LimitNear => Self::LimitNear,
            Event::UnpricedModel => Self::UnpricedModel,
            Event::ErrorRateJump => Self::ErrorRateJump,
            Event::DailyReport => Self::DailyReport,
        }
    }
}

impl From<value::NoticeKind> for DeliveryEvent {
    fn from(kind: value::NoticeKind) -> Self {
        match kind {
            value::NoticeKind::BreakerOpened => Self::BreakerOpened,
            value::NoticeKind::BreakerClosed => Self::BreakerClosed,
            value::NoticeKind::ProviderOutOfBudget => Self::ProviderOutOfBudget,
            value::NoticeKind::LimitNear => Self::LimitNear,
            value::NoticeKind::UnpricedModel => Self::UnpricedModel,
            value::NoticeKind::ErrorRateJump => Self::ErrorRateJump,
            value::NoticeKind::DailyReport => Self::DailyReport,
            value::NoticeKind::Test => Self::Test,
        }
    }
}

impl From<DeliveryEvent> for value::NoticeKind {
    fn from(event: DeliveryEvent) -> Self {
        match event {
            DeliveryEvent::BreakerOpened => Self::BreakerOpened,
            DeliveryEvent::BreakerClosed => Self::BreakerClosed,
            DeliveryEvent::ProviderOutOfBudget => Self::ProviderOutOfBudget,
            DeliveryEvent::LimitNear => Self::LimitNear,
            DeliveryEvent::UnpricedModel => Self::UnpricedModel,
            DeliveryEvent::ErrorRateJump => Self::ErrorRateJump,
            DeliveryEvent::DailyReport => Self::DailyReport,
            DeliveryEvent::Test => Self::Test,
        }
    }
}
