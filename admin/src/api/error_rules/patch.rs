//! What may be said of an error rule, and the rules for it.

use entity::error_rule;
use poem_openapi::{Object, types::MaybeUndefined};
use sea_orm::ActiveValue::Set;

use super::object::{ErrorMatch, RuleFault};
use crate::{
    api::{body::Input, rules},
    problem::Mistake,
    service::error_rules,
};

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
