//! A backup read into what is to be put back: here its secrets are opened.

use std::collections::BTreeMap;

use entity::{
    api_key, error_rule, price, provider, user,
    value::{Derivation, KeyHasher, Sealed, Sealer, Secret, Strings, hex},
};
use sea_orm::ActiveValue::Set;

use super::{
    document::{
        Backup, BackupErrorRule, BackupKey, BackupNotificationTarget, BackupPrice, BackupProvider,
        BackupProviderSecrets, BackupSeal,
    },
    notifications,
};
use crate::{
    api::providers::ProviderCreate,
    problem::{Mistake, Problem},
    service::backup::{
        self, Opened, Plan, PlannedKey, PlannedProvider, PlannedRule, PlannedTarget,
    },
};

/// Opens what is sealed, and tells of all that does not open.
///
/// # Errors
/// 422: the passphrase is wrong, or something in the backup was changed or damaged.
pub async fn read(backup: Backup, passphrase: Secret) -> Result<Plan, Problem> {
    let derivation = derivation(&backup.seal)?;
    let sealer = backup::sealer(derivation, passphrase).await?;
    backup::must_open(&sealer, &Sealed::read(backup.seal.check.as_str()))?;
    let mut opener = Opener {
        sealer,
        mistakes: Vec::new(),
    };
    let origins = opener.origins(&backup);
    let providers = backup.providers.into_iter().enumerate();
    let providers = providers
        .map(|(i, provider)| opener.provider(i, provider))
        .collect();
    let targets = backup.notification_targets.into_iter().enumerate();
    let targets = targets
        .map(|(i, target)| opener.target(i, target))
        .collect();
    if !opener.mistakes.is_empty() {
        return Err(Problem::invalid(opener.mistakes));
    }
    let settings = backup.settings;
    Ok(Plan {
        settings: Some(Box::new(|current| settings.apply(current))),
        groups: backup.provider_groups.into_iter().map(Into::into).collect(),
        providers,
        users: backup
            .users
            .into_iter()
            .map(user::ActiveModel::from)
            .collect(),
        keys: backup.keys.into_iter().map(key).collect(),
        prices: backup.prices.into_iter().map(price).collect(),
        error_rules: backup.error_rules.into_iter().map(error_rule).collect(),
        targets,
        notices: backup
            .notification_rules
            .into_iter()
            .map(notifications::rule)
            .collect(),
        origins,
    })
}

fn derivation(seal: &BackupSeal) -> Result<Derivation, Problem> {
    let Some(salt) = hex::decode(&seal.salt) else {
        let message = "must be 32 hexadecimal digits";
        let mistake = Mistake::new("backup.seal.salt", "wrong_format", message);
        return Err(Problem::invalid(vec![mistake]));
    };
    Ok(Derivation {
        memory_kib: seal.memory_kib,
        passes: seal.passes,
        lanes: seal.lanes,
        salt,
    })
}

fn key(key: BackupKey) -> PlannedKey {
    PlannedKey {
        user: key.user,
        row: api_key::ActiveModel {
            key_hash: Set(key.hash.to_ascii_lowercase()),
            prefix: Set(key.prefix),
            last_four: Set(key.last_four),
            ..key.fields.create()
        },
    }
}

fn price(price: BackupPrice) -> price::ActiveModel {
    price::ActiveModel {
        model: Set(price.model),
        figures: Set(price.figures),
        aliases: Set(Strings(price.aliases)),
        effective_at: Set(price.effective_at),
        ..Default::default()
    }
}

fn error_rule(rule: BackupErrorRule) -> PlannedRule {
    PlannedRule {
        provider: rule.provider,
        row: error_rule::ActiveModel {
            name: Set(rule.name),
            match_kind: Set(rule.kind.into()),
            pattern: Set(rule.pattern),
            fault: Set(rule.fault.into()),
            override_status: Set(rule.override_status),
            override_message: Set(rule.override_message),
            priority: Set(rule.priority),
            is_enabled: Set(rule.is_enabled),
            ..Default::default()
        },
    }
}

struct Opener {
    sealer: Sealer,
    mistakes: Vec<Mistake>,
}

// === impl Opener ===

impl Opener {
    fn origins(&mut self, backup: &Backup) -> Vec<KeyHasher> {
        let mut hashers = Vec::new();
        for (i, origin) in backup.key_origins.iter().enumerate() {
            let at = format!("backup.keyOrigins[{i}].hashingKey");
            let place = backup::origin_place(&origin.mark);
            let Some(secret) = self.open(&at, &place, &origin.hashing_key) else {
                continue;
            };
            match KeyHasher::from_secret(&secret) {
                Some(hasher) if hasher.mark() == origin.mark => hashers.push(hasher),
                _ => {
                    let message = "is not what this mark stands for";
                    self.mistakes.push(Mistake::new(at, "invalid", message));
                }
            }
        }
        hashers
    }

    fn provider(&mut self, i: usize, provider: BackupProvider) -> PlannedProvider {
        let at = |field: &str| format!("backup.providers[{i}].sealed.{field}");
        let BackupProviderSecrets {
            api_key,
            proxy_url,
            headers,
        } = provider.sealed;
        let none = Vec::new();
        let endpoints = provider.routing.endpoints.value().unwrap_or(&none);
        let place = |what: &str| backup::provider_place(what, &provider.url, endpoints);
        let mut opened = Opened {
            headers: provider
                .fields
                .custom_headers
                .value()
                .cloned()
                .unwrap_or_default(),
            ..Opened::default()
        };
        if let Some(sealed) = api_key {
            opened.api_key = self.open(&at("apiKey"), &place("api_key"), &sealed);
        }
        if let Some(sealed) = proxy_url {
            opened.proxy_url = self.open(&at("proxyUrl"), &place("proxy_url"), &sealed);
        }
        let headers = headers.iter().filter_map(|(name, sealed)| {
            let at = at(&format!("headers.{name}"));
            let secret = self.open(&at, &place(&format!("header/{name}")), sealed)?;
            Some((name.clone(), secret.expose().to_owned()))
        });
        let headers: BTreeMap<_, _> = headers.collect();
        opened.headers.extend(headers);
        let create = ProviderCreate {
            name: provider.name,
            r#type: provider.r#type,
            url: provider.url,
            api_key: String::new(),
            fields: provider.fields,
            routing: provider.routing,
            limits: provider.limits,
        };
        PlannedProvider {
            row: provider::ActiveModel::from(create),
            secrets: opened,
        }
    }

    fn target(&mut self, i: usize, target: BackupNotificationTarget) -> PlannedTarget {
        let at = format!("backup.notificationTargets[{i}].sealed");
        let opened = target.sealed.as_ref().and_then(|sealed| {
            notifications::open(&self.sealer, &at, sealed, &target)
                .map_err(|mistakes| self.mistakes.extend(mistakes))
                .ok()
        });
        notifications::target(target, opened)
    }

    fn open(&mut self, at: &str, place: &str, sealed: &str) -> Option<Secret> {
        let opened = self.sealer.open(place, &Sealed::read(sealed)).ok();
        if opened.is_none() {
            let message = "does not open: it, or an address it belongs to, is not as it was";
            self.mistakes.push(Mistake::new(at, "invalid", message));
        }
        opened
    }
}
