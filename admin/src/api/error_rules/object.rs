//! An error rule, as it is answered and as it is given.

use chrono::{DateTime, Utc};
use entity::{error_rule, value};
use poem_openapi::{Enum, Object, types::MaybeUndefined};
use sea_orm::ActiveValue::Set;

use crate::{
    api::{body::Input, rules},
    problem::Mistake,
    service::error_rules,
};

/// How a rule's pattern is held against a failure's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ErrorMatch {
    /// It is somewhere in the text, in any case.
    Contains,
    /// It is the whole text, in any case, without the spaces around it.
    Exact,
    /// A regular expression, as it is written, found anywhere in the text unless anchored.
    Regex,
}

/// Whose fault a rule says a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum RuleFault {
    /// The client's: it gets the failure at once.
    Client,
    /// The request's own: it makes upstreams fail, so no other is tried.
    Poison,
    /// The provider's credential.
    Key,
    /// The model at this provider.
    Model,
    /// The provider's.
    Provider,
}

/// A rule that says whose fault an upstream's failure is, and what the client is told.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorRule {
    /// Id.
    pub id: i64,
    /// For people.
    pub name: String,
    /// The provider it is for; null means every one.
    #[oai(nullable)]
    pub provider_id: Option<i64>,
    /// How `pattern` is held against the failure's text.
    #[oai(rename = "match")]
    pub kind: ErrorMatch,
    /// What it looks for.
    pub pattern: String,
    /// Whose fault it then is.
    pub fault: RuleFault,
    /// The status the client gets instead of the upstream's.
    #[oai(nullable)]
    pub override_status: Option<i32>,
    /// The message the client gets instead of the upstream's.
    #[oai(nullable)]
    pub override_message: Option<String>,
    /// Lower goes first; the first that matches counts.
    pub priority: i32,
    /// Switched on.
    pub is_enabled: bool,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of error rules.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorRuleList {
    /// The rules, oldest first.
    pub items: Vec<ErrorRule>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// What may be said of a rule beside its name, pattern and fault; null puts a field back to its default.
#[derive(Debug, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorRuleFields {
    /// The provider it is for. Default null, which means every one.
    #[oai(nullable)]
    pub provider_id: MaybeUndefined<i64>,
    /// The status the client gets instead of the upstream's. Default null, which keeps it.
    #[oai(nullable, validator(minimum(value = "400"), maximum(value = "599")))]
    pub override_status: MaybeUndefined<i32>,
    /// The message the client gets instead of the upstream's. Default null, which keeps it.
    #[oai(nullable, validator(min_length = 1, max_length = 2000))]
    pub override_message: MaybeUndefined<String>,
    /// Lower goes first; the first that matches counts. Default 0.
    #[oai(
        nullable,
        validator(minimum(value = "-1000000"), maximum(value = "1000000"))
    )]
    pub priority: MaybeUndefined<i32>,
    /// Switched on. Default true.
    #[oai(nullable)]
    pub is_enabled: MaybeUndefined<bool>,
}

/// A rule to create.
#[derive(Object)]
pub struct ErrorRuleCreate {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// How `pattern` is held against the failure's text.
    #[oai(rename = "match")]
    pub kind: ErrorMatch,
    /// What it looks for.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub pattern: String,
    /// Whose fault it then is.
    pub fault: RuleFault,
    /// The rest.
    #[oai(flatten)]
    pub fields: ErrorRuleFields,
}

/// What changes of a rule.
#[derive(Default, Object)]
pub struct ErrorRulePatch {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
    /// How `pattern` is held against the failure's text.
    #[oai(rename = "match")]
    pub kind: Option<ErrorMatch>,
    /// What it looks for.
    #[oai(validator(min_length = 1, max_length = 2000))]
    pub pattern: Option<String>,
    /// Whose fault it then is.
    pub fault: Option<RuleFault>,
    /// The rest.
    #[oai(flatten)]
    pub fields: ErrorRuleFields,
}

// === impl ErrorRuleFields ===

impl ErrorRuleFields {
    fn apply(self, rule: &mut error_rule::ActiveModel) {
        rules::put(
            &mut rule.provider_id,
            rules::map(self.provider_id, Some),
            None,
        );
        rules::put(
            &mut rule.override_status,
            rules::map(self.override_status, Some),
            None,
        );
        rules::put(
            &mut rule.override_message,
            rules::map(self.override_message, Some),
            None,
        );
        rules::put(&mut rule.priority, self.priority, 0);
        rules::put(&mut rule.is_enabled, self.is_enabled, true);
    }
}

// === impl ErrorRuleCreate, ErrorRulePatch ===

impl From<ErrorRuleCreate> for error_rule::ActiveModel {
    fn from(create: ErrorRuleCreate) -> Self {
        let mut rule = Self {
            name: Set(create.name),
            match_kind: Set(create.kind.into()),
            pattern: Set(create.pattern),
            fault: Set(create.fault.into()),
            priority: Set(0),
            is_enabled: Set(true),
            ..Default::default()
        };
        create.fields.apply(&mut rule);
        rule
    }
}

impl From<ErrorRulePatch> for error_rule::ActiveModel {
    fn from(patch: ErrorRulePatch) -> Self {
        let mut rule = Self::default();
        if let Some(name) = patch.name {
            rule.name = Set(name);
        }
        if let Some(kind) = patch.kind {
            rule.match_kind = Set(kind.into());
        }
        if let Some(pattern) = patch.pattern {
            rule.pattern = Set(pattern);
        }
        if let Some(fault) = patch.fault {
            rule.fault = Set(fault.into());
        }
        patch.fields.apply(&mut rule);
        rule
    }
}

impl Input for ErrorRulePatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        rules::name("pattern", loose.pattern.as_ref(), out);
        let message = loose.fields.override_message.value();
        rules::name("overrideMessage", message, out);
        // With only one of the two given, the other is what is stored: the service's matter.
        if let (Some(kind), Some(pattern)) = (loose.kind, &loose.pattern) {
            out.extend(error_rules::check_pattern(kind.into(), pattern));
        }
    }
}

impl Input for ErrorRuleCreate {
    type Loose = ErrorRulePatch;

    fn rules(loose: &ErrorRulePatch, out: &mut Vec<Mistake>) {
        ErrorRulePatch::rules(loose, out);
    }
}

// === conversions ===

impl From<error_rule::Model> for ErrorRule {
    fn from(rule: error_rule::Model) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            provider_id: rule.provider_id,
            kind: rule.match_kind.into(),
            pattern: rule.pattern,
            fault: rule.fault.into(),
            override_status: rule.override_status,
            override_message: rule.override_message,
            priority: rule.priority,
            is_enabled: rule.is_enabled,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

impl From<value::ErrorMatch> for ErrorMatch {
    fn from(kind: value::ErrorMatch) -> Self {
        match kind {
            value::ErrorMatch::Contains => Self::Contains,
            value::ErrorMatch::Exact => Self::Exact,
            value::ErrorMatch::Regex => Self::Regex,
        }
    }
}

impl From<ErrorMatch> for value::ErrorMatch {
    fn from(kind: ErrorMatch) -> Self {
        match kind {
            ErrorMatch::Contains => Self::Contains,
            ErrorMatch::Exact => Self::Exact,
            ErrorMatch::Regex => Self::Regex,
        }
    }
}

impl From<value::RuleFault> for RuleFault {
    fn from(fault: value::RuleFault) -> Self {
        match fault {
            value::RuleFault::Client => Self::Client,
            value::RuleFault::Poison => Self::Poison,
            value::RuleFault::Key => Self::Key,
            value::RuleFault::Model => Self::Model,
            value::RuleFault::Provider => Self::Provider,
        }
    }
}

impl From<RuleFault> for value::RuleFault {
    fn from(fault: RuleFault) -> Self {
        match fault {
            RuleFault::Client => Self::Client,
            RuleFault::Poison => Self::Poison,
            RuleFault::Key => Self::Key,
            RuleFault::Model => Self::Model,
            RuleFault::Provider => Self::Provider,
        }
    }
}
