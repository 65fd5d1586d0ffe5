//! Notifications in a backup: targets, whose credentials are sealed as one, and rules, which name targets by their places.

use std::collections::HashMap;

use entity::{
    notification_rule, notification_target,
    value::{Sealed, Sealer, TargetCredentials},
};
use poem_openapi::types::MaybeUndefined;
use serde_json::Value;

use super::document::{BackupNotificationRule, BackupNotificationTarget};
use crate::{
    Admin,
    api::notifications::{
        object::NotificationRule,
        rule_input::{NotificationRuleCreate, NotificationRuleFields},
        target_input::{NotificationTargetCreate, NotificationTargetFields},
    },
    problem::Mistake,
    service::{
        backup::{PlannedNotice, PlannedTarget},
        notification_targets::{self, Has},
    },
};

/// Targets as they are written.
pub fn write_targets(
    admin: &Admin,
    rows: &[notification_target::Model],
    sealer: &Sealer,
) -> Vec<BackupNotificationTarget> {
    let written = rows.iter().cloned().map(|row| {
        let opened = TargetCredentials::open(&admin.sealer, &row.credentials).ok();
        BackupNotificationTarget {
            name: row.name,
            kind: row.kind.into(),
            chat_id: row.chat_id,
            template: row.template,
            language: row.language.into(),
            is_enabled: row.is_enabled,
            sealed: opened.map(|opened| opened.seal(sealer).as_str().to_owned()),
        }
    });
    written.collect()
}

/// Rules as they are written, beside the targets that they are written with.
pub fn write_rules(
    rows: Vec<notification_rule::Model>,
    targets: &[notification_target::Model],
) -> Vec<BackupNotificationRule> {
    let places = targets.iter().map(|target| target.id).zip(0..);
    let places: HashMap<i64, u32> = places.collect();
    let written = rows.into_iter().map(|row| {
        let rule = NotificationRule::from(row);
        let targets = rule.target_ids.iter();
        BackupNotificationRule {
            name: rule.name,
            event: rule.event,
            targets: targets.filter_map(|id| places.get(id).copied()).collect(),
            fields: NotificationRuleFields {
                threshold_percent: given(rule.threshold_percent),
                window_minutes: given(rule.window_minutes),
                minimum_requests: given(rule.minimum_requests),
                report_time: given(rule.report_time),
                quiet_minutes: MaybeUndefined::Value(rule.quiet_minutes),
                is_enabled: MaybeUndefined::Value(rule.is_enabled),
            },
        }
    });
    written.collect()
}

/// A target read, with what its seal held.
pub fn target(
    target: BackupNotificationTarget,
    credentials: Option<TargetCredentials>,
) -> PlannedTarget {
    let create = NotificationTargetCreate {
        name: target.name,
        kind: target.kind,
        fields: NotificationTargetFields {
            chat_id: given(target.chat_id),
            template: given(target.template),
            language: MaybeUndefined::Value(target.language),
            is_enabled: MaybeUndefined::Value(target.is_enabled),
            ..NotificationTargetFields::default()
        },
    };
    PlannedTarget {
        row: create.into(),
        credentials,
    }
}

/// A rule read. Its targets are there: that was looked at before.
pub fn rule(rule: BackupNotificationRule) -> PlannedNotice {
    let targets = rule.targets.into_iter();
    let create = NotificationRuleCreate {
        name: rule.name,
        event: rule.event,
        target_ids: Vec::new(),
        fields: rule.fields,
    };
    PlannedNotice {
        row: create.into(),
        targets: targets.filter_map(|at| at.try_into().ok()).collect(),
    }
}

/// What a target's seal holds.
///
/// # Errors
/// What is wrong with it, at `at`: it does not open, or holds what no target of this kind has.
pub fn open(
    sealer: &Sealer,
    at: &str,
    sealed: &str,
    target: &BackupNotificationTarget,
) -> Result<TargetCredentials, Vec<Mistake>> {
    let Ok(opened) = TargetCredentials::open(sealer, &Sealed::read(sealed)) else {
        let message = "does not open: it is not as it was";
        return Err(vec![Mistake::new(at, "invalid", message)]);
    };
    let has = Has::of(&opened, target.chat_id.is_some(), target.template.is_some());
    let mut mistakes = notification_targets::mistakes(target.kind.into(), has);
    let url = opened.url.as_ref();
    mistakes.extend(url.and_then(|url| notification_targets::check_url(url.expose())));
    if mistakes.is_empty() {
        return Ok(opened);
    }
    let told = mistakes.into_iter().map(|mistake| {
        let message = format!(
            "holds what does not fit: {} {}",
            mistake.path, mistake.message
        );
        Mistake::new(at, &mistake.code, message)
    });
    Err(told.collect())
}

/// Places that are none, or named twice.
pub fn check_places(backup: &Value, out: &mut Vec<Mistake>) {
    let count = backup["notificationTargets"].as_array().map_or(0, Vec::len);
    let rules = backup["notificationRules"].as_array().into_iter().flatten();
    for (i, rule) in rules.enumerate() {
        let places = rule["targets"].as_array().into_iter().flatten();
        let places: Vec<Option<u64>> = places.map(Value::as_u64).collect();
        for (j, place) in places.iter().enumerate() {
            let at = format!("backup.notificationRules[{i}].targets[{j}]");
            if place.is_some_and(|place| place >= count as u64) {
                let message = "is no place in notificationTargets of this backup";
                out.push(Mistake::new(at, "not_found", message));
            } else if place.is_some() && places[..j].contains(place) {
                out.push(Mistake::new(at, "repeated", "is given twice"));
            }
        }
    }
}

fn given<T>(value: Option<T>) -> MaybeUndefined<T> {
    value.map_or(MaybeUndefined::Null, MaybeUndefined::Value)
}
