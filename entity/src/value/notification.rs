//! What is told to people by message: the kinds of notices, where they go, and how far a delivery is.

use sea_orm::{DeriveActiveEnum, EnumIter, FromJsonQueryResult, sea_query::StringLen};
use serde::{Deserialize, Serialize};

pub mod credentials;
pub mod template;

/// What is told.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))")]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// A breaker opened: a provider, one of its addresses or one of its models gets no requests.
    #[sea_orm(string_value = "breaker-opened")]
    BreakerOpened,
    /// It closed again.
    #[sea_orm(string_value = "breaker-closed")]
    BreakerClosed,
    /// A provider has spent what it may.
    #[sea_orm(string_value = "provider-out-of-budget")]
    ProviderOutOfBudget,
    /// A key or a user has spent most of what they may.
    #[sea_orm(string_value = "limit-near")]
    LimitNear,
    /// A model is used that has no price.
    #[sea_orm(string_value = "unpriced-model")]
    UnpricedModel,
    /// Many more requests fail than before.
    #[sea_orm(string_value = "error-rate-jump")]
    ErrorRateJump,
    /// What was used yesterday.
    #[sea_orm(string_value = "daily-report")]
    DailyReport,
    /// Somebody tries a target. No rule has it.
    #[sea_orm(string_value = "test")]
    Test,
}

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum TargetKind {
    /// A custom bot of a Feishu or Lark group.
    #[sea_orm(string_value = "feishu")]
    Feishu,
    /// A custom robot of a `DingTalk` group.
    #[sea_orm(string_value = "dingtalk")]
    Dingtalk,
    /// A robot of a `WeCom` group.
    #[sea_orm(string_value = "wecom")]
    Wecom,
    /// A Telegram bot and a chat.
    #[sea_orm(string_value = "telegram")]
    Telegram,
    /// An incoming webhook of Slack.
    #[sea_orm(string_value = "slack")]
    Slack,
    /// Anything that takes JSON.
    #[sea_orm(string_value = "webhook")]
    Webhook,
}

/// The language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
pub enum NoticeLanguage {
    /// English.
    #[sea_orm(string_value = "en")]
    En,
    /// Simplified Chinese.
    #[sea_orm(string_value = "zh")]
    Zh,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum DeliveryState {
    /// It waits for its first or its next attempt.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// It arrived.
    #[sea_orm(string_value = "delivered")]
    Delivered,
    /// It was given up.
    #[sea_orm(string_value = "failed")]
    Failed,
}

/// A list of ids, kept as one JSON column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Ids(pub Vec<i64>);
