//! Mistakes of a backup that a schema cannot name: those of each thing in it by the thing's own rules, and those between things.

use std::collections::{BTreeMap, BTreeSet};

use entity::value::{KeyHash, price::Price};
use poem_openapi::types::ParseFromJSON;
use serde_json::Value;

use super::{
    document::{BackupErrorRule, BackupPrice},
    notifications,
};
use crate::{
    api::{
        body::Input,
        groups::ProviderGroupCreate,
        keys::KeyPatch,
        notifications::{
            rule_input::NotificationRuleCreate, target_input::NotificationTargetPatch,
        },
        prices,
        providers::ProviderPatch,
        rules,
        settings::SettingsPatch,
        users::UserCreate,
    },
    problem::Mistake,
    service::{audit, error_rules},
};

/// Adds every mistake of `backup`; a thing that has one already is not looked into.
pub fn check(backup: &Value, out: &mut Vec<Mistake>) {
    let bad = wholes(out);
    let mut found = Found { bad, out };
    found.input::<SettingsPatch>("backup.settings", &backup["settings"]);
    found.list::<ProviderGroupCreate>("providerGroups", backup);
    found.list::<ProviderPatch>("providers", backup);
    found.list::<UserCreate>("users", backup);
    found.list::<KeyPatch>("keys", backup);
    found.list::<NotificationTargetPatch>("notificationTargets", backup);
    found.list::<NotificationRuleCreate>("notificationRules", backup);
    found.each("providers", backup, provider);
    found.each("keys", backup, key);
    found.each("prices", backup, price);
    found.each("errorRules", backup, error_rule);
    for list in ["providerGroups", "providers", "users"] {
        found.once(list, "name", backup);
    }
    found.once("keys", "hash", backup);
    found.once("keyOrigins", "mark", backup);
    found.known("keys", "user", "users", backup);
    found.known("errorRules", "provider", "providers", backup);
    notifications::check_places(backup, found.out);
}

struct Found<'a> {
    /// Things with mistakes of form.
    bad: BTreeSet<String>,
    out: &'a mut Vec<Mistake>,
}

/// `backup.users[3]` of `backup.users[3].limits.rpm`, for each.
fn wholes(mistakes: &[Mistake]) -> BTreeSet<String> {
    let whole = |path: &str| {
        let mut dots = path.match_indices('.').map(|(at, _)| at);
        let end = dots.nth(1).unwrap_or(path.len());
        path[..end].to_owned()
    };
    mistakes.iter().map(|m| whole(&m.path)).collect()
}

fn provider(provider: &Value, out: &mut Vec<Mistake>) {
    if provider.get("proxyUrl").is_some_and(|url| !url.is_null()) {
        let message = "is sealed in a backup, as sealed.proxyUrl";
        out.push(Mistake::new("proxyUrl", "not_allowed", message));
    }
    let headers = provider["customHeaders"].as_object().into_iter().flatten();
    for (name, value) in headers {
        if value.as_str().is_some_and(audit::is_mark) {
            let at = format!("customHeaders.{name}");
            let message = "is what is shown in a secret's place; give the value itself";
            out.push(Mistake::new(at, "masked", message));
        }
    }
}

fn key(key: &Value, out: &mut Vec<Mistake>) {
    if key["hash"].as_str().and_then(KeyHash::from_hex).is_none() {
        let message = "must be 64 hexadecimal digits";
        out.push(Mistake::new("hash", "wrong_format", message));
    }
}

fn price(value: &Value, out: &mut Vec<Mistake>) {
    let Ok(price) = BackupPrice::parse_from_json(Some(value.clone())) else {
        return;
    };
    if let Err(problem) = prices::must_be_name(&price.model) {
        out.extend(problem.mistakes);
    }
    if let Some(Err(why)) = price.figures.as_deref().map(str::parse::<Price>) {
        out.push(Mistake::new("figures", "invalid", why.to_string()));
    }
    rules::names("aliases", Some(&price.aliases), out);
}

fn error_rule(value: &Value, out: &mut Vec<Mistake>) {
    let Ok(rule) = BackupErrorRule::parse_from_json(Some(value.clone())) else {
        return;
    };
    rules::name("name", Some(&rule.name), out);
    rules::name("pattern", Some(&rule.pattern), out);
    rules::name("overrideMessage", rule.override_message.as_ref(), out);
    out.extend(error_rules::check_pattern(rule.kind.into(), &rule.pattern));
}

// === impl Found ===

impl Found<'_> {
    /// One thing, by the rules of what the API takes.
    fn input<T: Input>(&mut self, at: &str, value: &Value) {
        if self.bad.contains(at) || value.is_null() {
            return;
        }
        let mut mistakes = Vec::new();
        match T::Loose::parse_from_json(Some(value.clone())) {
            Ok(loose) => T::rules(&loose, &mut mistakes),
            Err(e) => self.out.push(Mistake::new(at, "invalid", e.into_message())),
        }
        self.add(at, mistakes);
    }

    fn list<T: Input>(&mut self, list: &str, backup: &Value) {
        for (at, value) in things(list, backup) {
            self.input::<T>(&at, value);
        }
    }

    /// Each of a list, by a rule of its own.
    fn each(&mut self, list: &str, backup: &Value, rule: fn(&Value, &mut Vec<Mistake>)) {
        for (at, value) in things(list, backup) {
            if !self.bad.contains(&at) {
                let mut mistakes = Vec::new();
                rule(value, &mut mistakes);
                self.add(&at, mistakes);
            }
        }
    }

    /// What tells things apart must.
    fn once(&mut self, list: &str, field: &str, backup: &Value) {
        let mut seen = BTreeMap::new();
        for (at, value) in things(list, backup) {
            let Some(text) = value[field].as_str() else {
                continue;
            };
            if let Some(first) = seen.insert(text, at.clone()) {
                let message = format!("is that of {first}, too");
                let at = format!("{at}.{field}");
                self.out.push(Mistake::new(at, "repeated", message));
            }
        }
    }

    /// What is named must be there.
    fn known(&mut self, list: &str, field: &str, named: &str, backup: &Value) {
        let names: BTreeSet<_> = things(named, backup)
            .filter_map(|(_, value)| value["name"].as_str())
            .collect();
        for (at, value) in things(list, backup) {
            if value[field]
                .as_str()
                .is_some_and(|name| !names.contains(name))
            {
                let message = format!("is none of {named} in this backup");
                let at = format!("{at}.{field}");
                self.out.push(Mistake::new(at, "not_found", message));
            }
        }
    }

    fn add(&mut self, at: &str, mistakes: Vec<Mistake>) {
        self.out.extend(mistakes.into_iter().map(|mistake| Mistake {
            path: format!("{at}.{}", mistake.path),
            ..mistake
        }));
    }
}

fn things<'a>(list: &str, backup: &'a Value) -> impl Iterator<Item = (String, &'a Value)> {
    let things = backup[list].as_array().into_iter().flatten().enumerate();
    things.map(move |(i, value)| (format!("backup.{list}[{i}]"), value))
}
