//! A backup as it is written: what is configured, in the words in which the API takes it, and with the secrets sealed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};

use crate::api::{
    error_rules::{ErrorMatch, RuleFault},
    groups::ProviderGroupCreate,
    keys::KeyPatch,
    limits::LimitFields,
    notifications::{
        object::{Event, Language, TargetKind},
        rule_input::NotificationRuleFields,
    },
    providers::{ProviderFields, ProviderKind, RoutingFields},
    settings::SettingsPatch,
    users::UserCreate,
};

/// What a file says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum BackupFormat {
    /// A backup of a gateway's configuration.
    SwitchyardBackup,
}

/// How the key that seals the secrets is made of the passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum BackupDerivation {
    /// Argon2id, version 19, 32 bytes.
    Argon2id,
}

/// A gateway's configuration: everything but history. Things name each other by their names, not by ids, which are others elsewhere; targets
/// of notifications, whose names need not tell them apart, by their places.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct Backup {
    /// What it is.
    pub format: BackupFormat,
    /// The version of the format.
    #[oai(validator(minimum(value = "1"), maximum(value = "1")))]
    pub version: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The version of the gateway that made it.
    #[oai(validator(max_length = 64))]
    pub gateway_version: String,
    /// How its secrets are sealed.
    pub seal: BackupSeal,
    /// What client keys were hashed with: where it was made, and where what was restored there came from.
    #[oai(validator(max_items = 17))]
    pub key_origins: Vec<BackupKeyOrigin>,
    /// The settings.
    pub settings: SettingsPatch,
    /// Provider groups.
    pub provider_groups: Vec<ProviderGroupCreate>,
    /// Providers.
    pub providers: Vec<BackupProvider>,
    /// Users.
    pub users: Vec<UserCreate>,
    /// Client keys, by their hashes.
    pub keys: Vec<BackupKey>,
    /// Prices set by hand, through time.
    pub prices: Vec<BackupPrice>,
    /// Error rules, in the order in which they were made.
    pub error_rules: Vec<BackupErrorRule>,
    /// Where notifications go, in the order in which they were made. Backups of versions that left them out have none.
    #[oai(default)]
    pub notification_targets: Vec<BackupNotificationTarget>,
    /// What is told to whom, in the order in which they were made. Backups of versions that left them out have none.
    #[oai(default)]
    pub notification_rules: Vec<BackupNotificationRule>,
}

/// How secrets are sealed: with ChaCha20-Poly1305, under a key made of the passphrase.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupSeal {
    /// How the key is made.
    pub derivation: BackupDerivation,
    /// KiB of memory that takes.
    #[oai(validator(minimum(value = "8"), maximum(value = "262144")))]
    pub memory_kib: u32,
    /// Passes over it.
    #[oai(validator(minimum(value = "1"), maximum(value = "16")))]
    pub passes: u32,
    /// Lanes in it.
    #[oai(validator(minimum(value = "1"), maximum(value = "16")))]
    pub lanes: u32,
    /// 16 random bytes in hexadecimal.
    #[oai(validator(min_length = 32, max_length = 32))]
    pub salt: String,
    /// Something sealed that shows whether a passphrase is the right one.
    #[oai(validator(max_length = 200))]
    pub check: String,
}

/// What an installation hashes its client keys with.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupKeyOrigin {
    /// Tells installations apart.
    #[oai(validator(min_length = 16, max_length = 16))]
    pub mark: String,
    /// What it hashes with, sealed.
    #[oai(validator(max_length = 400))]
    pub hashing_key: String,
}

/// A provider.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupProvider {
    /// Unique.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// What it speaks.
    pub r#type: ProviderKind,
    /// Its address. Its secrets open only beside this address and these further ones.
    #[oai(validator(min_length = 1, max_length = 2048))]
    pub url: String,
    /// What it is.
    #[oai(flatten)]
    pub fields: ProviderFields,
    /// How it is chosen and reached.
    #[oai(flatten)]
    pub routing: RoutingFields,
    /// What it may be used for.
    #[oai(flatten)]
    pub limits: LimitFields,
    /// Its secrets.
    pub sealed: BackupProviderSecrets,
}

/// A provider's secrets, sealed.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupProviderSecrets {
    /// Its credential; null where none could be opened.
    #[oai(nullable)]
    pub api_key: Option<String>,
    /// The address of its proxy; null where it has none.
    #[oai(nullable)]
    pub proxy_url: Option<String>,
    /// Added headers whose values are likely secrets; the others are in `customHeaders`.
    pub headers: BTreeMap<String, String>,
}

/// A client key.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupKey {
    /// The name of its user, who is in the same backup.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub user: String,
    /// The keyed hash it is known by. It is of no use without what it was hashed with.
    #[oai(validator(min_length = 64, max_length = 64))]
    pub hash: String,
    /// Its first characters.
    #[oai(validator(max_length = 16))]
    pub prefix: String,
    /// Its last ones.
    #[oai(validator(max_length = 4))]
    pub last_four: String,
    /// The rest.
    #[oai(flatten)]
    pub fields: KeyPatch,
}

/// A price set by hand.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupPrice {
    /// The model.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub model: String,
    /// The figures, such as `input=3 output=15`, in USD for a million tokens, one image or one request; null where this ends a price.
    #[oai(nullable, validator(max_length = 10000))]
    pub figures: Option<String>,
    /// Other names of the model.
    #[oai(validator(max_items = 50))]
    pub aliases: Vec<String>,
    /// From when on it holds.
    pub effective_at: DateTime<Utc>,
}

/// An error rule.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupErrorRule {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// The name of the provider it is for, which is in the same backup; null means every one.
    #[oai(nullable)]
    pub provider: Option<String>,
    /// How `pattern` is held against the failure's text.
    #[oai(rename = "match")]
    pub kind: ErrorMatch,
    /// What it looks for.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub pattern: String,
    /// Whose fault it then is.
    pub fault: RuleFault,
    /// The status the client gets instead of the upstream's.
    #[oai(nullable, validator(minimum(value = "400"), maximum(value = "599")))]
    pub override_status: Option<i32>,
    /// The message the client gets instead of the upstream's.
    #[oai(nullable, validator(min_length = 1, max_length = 2000))]
    pub override_message: Option<String>,
    /// Lower goes first.
    #[oai(validator(minimum(value = "-1000000"), maximum(value = "1000000")))]
    pub priority: i32,
    /// Switched on.
    pub is_enabled: bool,
}

/// Where notifications go.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupNotificationTarget {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// What it speaks.
    pub kind: TargetKind,
    /// The chat a Telegram bot writes to.
    #[oai(nullable, validator(min_length = 1, max_length = 128))]
    pub chat_id: Option<String>,
    /// The body of a webhook's messages; null for the default one.
    #[oai(nullable, validator(min_length = 1, max_length = 16384))]
    pub template: Option<String>,
    /// The language of its messages.
    pub language: Language,
    /// Switched on.
    pub is_enabled: bool,
    /// Its address, secret, token and headers, sealed as one; null where they could not be opened.
    #[oai(nullable)]
    pub sealed: Option<String>,
}

/// What is told to whom.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BackupNotificationRule {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// What it tells of.
    pub event: Event,
    /// Who is told: places in `notificationTargets` of the same backup, counted from 0.
    #[oai(validator(max_items = 50))]
    pub targets: Vec<u32>,
    /// The rest.
    #[oai(flatten)]
    pub fields: NotificationRuleFields,
}
