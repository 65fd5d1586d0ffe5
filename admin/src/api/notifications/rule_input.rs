//! What may be said of a notification rule, and the rules for it.

use entity::{
    notification_rule,
    value::{Ids, TimeOfDay},
};
use poem_openapi::{Object, types::MaybeUndefined};
use sea_orm::ActiveValue::Set;

use super::object::Event;
use crate::{
    api::{body::Input, rules},
    problem::Mistake,
    service::notification_rules::{self, Has},
};

/// What may be said of a rule beside its name and event; null puts a field back to its default.
#[derive(Debug, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationRuleFields {
    /// From how many percent on it tells: of a limit for `limit-near`, of requests that fail for `error-rate-jump`. Default 80 and 20.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "100")))]
    pub threshold_percent: MaybeUndefined<i32>,
    /// Over how many minutes an error rate is taken, for `error-rate-jump`. Default 10.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "120")))]
    pub window_minutes: MaybeUndefined<i32>,
    /// How many requests it takes to speak of an error rate, for `error-rate-jump`. Default 20.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "1000000")))]
    pub minimum_requests: MaybeUndefined<i32>,
    /// When a `daily-report` is due, `HH:MM` in the system's time zone. Default `09:00`.
    #[oai(nullable, validator(min_length = 1, max_length = 5))]
    pub report_time: MaybeUndefined<String>,
    /// For how many minutes the same is not told again. A limit is told of once a window, a model without a price once a day, however short
    /// this is. Default 30.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "10080")))]
    pub quiet_minutes: MaybeUndefined<i32>,
    /// Switched on. Default true.
    #[oai(nullable)]
    pub is_enabled: MaybeUndefined<bool>,
}

/// A rule to create.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationRuleCreate {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// What it tells of. It stays so.
    pub event: Event,
    /// Who is told.
    #[oai(validator(max_items = 50))]
    pub target_ids: Vec<i64>,
    /// The rest.
    #[oai(flatten)]
    pub fields: NotificationRuleFields,
}

/// What changes of a rule.
#[derive(Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationRulePatch {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
    /// Who is told.
    #[oai(validator(max_items = 50))]
    pub target_ids: Option<Vec<i64>>,
    /// The rest.
    #[oai(flatten)]
    pub fields: NotificationRuleFields,
}

/// What is left of a creation without the fields that have mistakes.
#[derive(Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct LooseRule {
    name: Option<String>,
    event: Option<Event>,
    target_ids: Option<Vec<i64>>,
    #[oai(flatten)]
    fields: NotificationRuleFields,
}

// === impl NotificationRuleFields ===

impl NotificationRuleFields {
    fn apply(self, rule: &mut notification_rule::ActiveModel) {
        let minute = rules::map(self.report_time, |text| {
            let time = text.parse::<TimeOfDay>();
            time.ok().map(|time| i32::from(time.minutes()))
        });
        let some = |field| rules::map(field, Some);
        rules::put(
            &mut rule.threshold_percent,
            some(self.threshold_percent),
            None,
        );
        rules::put(&mut rule.window_minutes, some(self.window_minutes), None);
        rules::put(
            &mut rule.minimum_requests,
            some(self.minimum_requests),
            None,
        );
        rules::put(&mut rule.report_minute, minute, None);
        rules::put(
            &mut rule.quiet_minutes,
            self.quiet_minutes,
            notification_rule::QUIET_MINUTES,
        );
        rules::put(&mut rule.is_enabled, self.is_enabled, true);
    }

    fn rules(&self, out: &mut Vec<Mistake>) {
        let time = self.report_time.value();
        if let Some(Err(why)) = time.map(|text| text.parse::<TimeOfDay>()) {
            out.push(Mistake::new("reportTime", "wrong_format", why.to_string()));
        }
    }

    fn has(&self) -> Has {
        Has {
            threshold: self.threshold_percent.value().is_some(),
            window: self.window_minutes.value().is_some(),
            minimum: self.minimum_requests.value().is_some(),
            report_time: self.report_time.value().is_some(),
        }
    }
}

fn each_once(ids: Option<&[i64]>, out: &mut Vec<Mistake>) {
    let ids = ids.unwrap_or_default();
    for (i, id) in ids.iter().enumerate() {
        if ids[..i].contains(id) {
            let at = format!("targetIds[{i}]");
            out.push(Mistake::new(at, "repeated", "is given twice"));
        }
    }
}

// === impl NotificationRuleCreate, NotificationRulePatch ===

impl From<NotificationRuleCreate> for notification_rule::ActiveModel {
    fn from(create: NotificationRuleCreate) -> Self {
        let mut rule = Self {
            name: Set(create.name),
            event: Set(create.event.into()),
            threshold_percent: Set(None),
            window_minutes: Set(None),
            minimum_requests: Set(None),
            report_minute: Set(None),
            quiet_minutes: Set(notification_rule::QUIET_MINUTES),
            target_ids: Set(Ids(create.target_ids)),
            is_enabled: Set(true),
            ..Default::default()
        };
        create.fields.apply(&mut rule);
        rule
    }
}

impl From<NotificationRulePatch> for notification_rule::ActiveModel {
    fn from(patch: NotificationRulePatch) -> Self {
        let mut rule = Self::default();
        if let Some(name) = patch.name {
            rule.name = Set(name);
        }
        if let Some(ids) = patch.target_ids {
            rule.target_ids = Set(Ids(ids));
        }
        patch.fields.apply(&mut rule);
        rule
    }
}

impl Input for NotificationRulePatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        each_once(loose.target_ids.as_deref(), out);
        loose.fields.rules(out);
    }
}

impl Input for NotificationRuleCreate {
    type Loose = LooseRule;

    fn rules(loose: &LooseRule, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        each_once(loose.target_ids.as_deref(), out);
        loose.fields.rules(out);
        if let Some(event) = loose.event {
            let mistakes = notification_rules::mistakes(event.into(), loose.fields.has());
            out.extend(mistakes);
        }
    }
}
