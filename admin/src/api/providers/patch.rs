//! What may be said of a provider, and the rules for it.

use std::collections::BTreeMap;

use entity::{
    provider,
    value::{
        self, EgressPolicy, GroupPriorities, ModelRedirects, NameRules, Secret, Strings, check_url,
    },
};
use http::HeaderValue;
use poem_openapi::{Object, types::MaybeUndefined};
use sea_orm::ActiveValue::Set;

use super::{
    headers,
    merge::TimeoutsPatch,
    object::ProviderKind,
    parts::ModelRedirect,
    routing::{Current, RoutingFields},
};
use crate::{
    api::{body::Input, limits::LimitFields, name_rule::NameRule, rules},
    problem::Mistake,
    service::providers::Secrets,
};

/// What may be said of a provider beside name, type, address and credential; null puts a field back to its default.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderFields {
    /// Free text. Default empty.
    #[oai(nullable, validator(max_length = 2000))]
    pub note: MaybeUndefined<String>,
    /// Switched on. Default true.
    #[oai(nullable)]
    pub is_enabled: MaybeUndefined<bool>,
    /// Share among providers of the same tier; 0 means never chosen. Default 1.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "100")))]
    pub weight: MaybeUndefined<i32>,
    /// Tier: lower goes first. Default 0.
    #[oai(
        nullable,
        validator(minimum(value = "-1000000"), maximum(value = "1000000"))
    )]
    pub priority: MaybeUndefined<i32>,
    /// Tier per group, which wins over `priority`. Default none.
    #[oai(nullable)]
    pub group_priorities: MaybeUndefined<BTreeMap<String, i32>>,
    /// Groups it belongs to. Default none named, which means `default`.
    #[oai(nullable, validator(max_items = 100))]
    pub group_tags: MaybeUndefined<Vec<String>>,
    /// Models it may be asked for. Default none named, which means all.
    #[oai(nullable, validator(max_items = 500))]
    pub allowed_models: MaybeUndefined<Vec<NameRule>>,
    /// Model names replaced on the way; the first match counts. Default none.
    #[oai(nullable, validator(max_items = 500))]
    pub model_redirects: MaybeUndefined<Vec<ModelRedirect>>,
    /// Tries at this provider in one request. Default 1.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "10")))]
    pub max_attempts: MaybeUndefined<i32>,
    /// Timeouts of one attempt. Null puts all back to their defaults.
    #[oai(nullable)]
    pub timeouts: MaybeUndefined<TimeoutsPatch>,
    /// Headers added to every request; not the provider's credential and not those of the connection. A value that is likely a secret is
    /// kept sealed and answered as a mark; where the mark comes back, the value stays. Default none.
    #[oai(nullable)]
    pub custom_headers: MaybeUndefined<BTreeMap<String, String>>,
    /// Whether the client's address is passed on. Default false.
    #[oai(nullable)]
    pub preserve_client_ip: MaybeUndefined<bool>,
}

/// A provider to create.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderCreate {
    /// Unique.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// What it speaks.
    pub r#type: ProviderKind,
    /// Its address: `http` or `https`, without credentials and without a query.
    #[oai(validator(min_length = 1, max_length = 2048))]
    pub url: String,
    /// Its credential. Write-only.
    #[oai(write_only, validator(min_length = 1, max_length = 65536))]
    pub api_key: String,
    /// What it is.
    #[oai(flatten)]
    pub fields: ProviderFields,
    /// How it is chosen and reached.
    #[oai(flatten)]
    pub routing: RoutingFields,
    /// What it may be used for.
    #[oai(flatten)]
    pub limits: LimitFields,
}

/// What changes of a provider.
#[derive(Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct ProviderPatch {
    /// Unique.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
    /// What it speaks.
    pub r#type: Option<ProviderKind>,
    /// Its address: `http` or `https`, without credentials and without a query.
    #[oai(validator(min_length = 1, max_length = 2048))]
    pub url: Option<String>,
    /// Its credential. Write-only; the stored one stays when this is absent.
    #[oai(write_only, validator(min_length = 1, max_length = 65536))]
    pub api_key: Option<String>,
    /// What it is.
    #[oai(flatten)]
    pub fields: ProviderFields,
    /// How it is chosen and reached.
    #[oai(flatten)]
    pub routing: RoutingFields,
    /// What it may be used for.
    #[oai(flatten)]
    pub limits: LimitFields,
}

// === impl ProviderFields ===

impl ProviderFields {
    fn apply(self, timeouts: value::Timeouts, provider: &mut provider::ActiveModel) {
        let redirects = rules::map(self.model_redirects, |list| {
            ModelRedirects(list.into_iter().map(Into::into).collect())
        });
        let timeouts = rules::map(self.timeouts, |patch| patch.onto(timeouts));
        rules::put(&mut provider.note, self.note, String::new());
        rules::put(&mut provider.is_enabled, self.is_enabled, true);
        rules::put(&mut provider.weight, self.weight, 1);
        rules::put(&mut provider.priority, self.priority, 0);
        rules::put(
            &mut provider.group_priorities,
            rules::map(self.group_priorities, GroupPriorities),
            GroupPriorities::default(),
        );
        rules::put(
            &mut provider.group_tags,
            rules::map(self.group_tags, Strings),
            Strings::default(),
        );
        rules::put(
            &mut provider.allowed_models,
            rules::map(self.allowed_models, |list| {
                NameRules(list.into_iter().map(Into::into).collect())
            }),
            NameRules::default(),
        );
        rules::put(
            &mut provider.model_redirects,
            redirects,
            ModelRedirects::default(),
        );
        rules::put(&mut provider.max_attempts, self.max_attempts, 1);
        rules::put(&mut provider.timeouts, timeouts, value::Timeouts::default());
        rules::put(
            &mut provider.preserve_client_ip,
            self.preserve_client_ip,
            false,
        );
    }

    /// Every field at its default.
    fn defaults() -> Self {
        Self {
            note: MaybeUndefined::Null,
            is_enabled: MaybeUndefined::Null,
            weight: MaybeUndefined::Null,
            priority: MaybeUndefined::Null,
            group_priorities: MaybeUndefined::Null,
            group_tags: MaybeUndefined::Null,
            allowed_models: MaybeUndefined::Null,
            model_redirects: MaybeUndefined::Null,
            max_attempts: MaybeUndefined::Null,
            timeouts: MaybeUndefined::Null,
            custom_headers: MaybeUndefined::Null,
            preserve_client_ip: MaybeUndefined::Null,
        }
    }

    fn rules(&self, out: &mut Vec<Mistake>) {
        rules::names("groupTags", self.group_tags.value(), out);
        let allowed = self.allowed_models.value().into_iter().flatten();
        for (i, rule) in allowed.enumerate() {
            rule.check(&format!("allowedModels[{i}]"), out);
        }
        let redirects = self.model_redirects.value().into_iter().flatten();
        for (i, redirect) in redirects.enumerate() {
            let at = |field| format!("modelRedirects[{i}].{field}");
            rules::pattern(&at("source"), redirect.kind, &redirect.source, out);
            rules::name(&at("target"), Some(&redirect.target), out);
        }
        for group in self
            .group_priorities
            .value()
            .into_iter()
            .flat_map(BTreeMap::keys)
        {
            if group.trim().is_empty() {
                let message = "has a blank group name";
                out.push(Mistake::new("groupPriorities", "empty", message));
            }
        }
        if let Some(headers) = self.custom_headers.value() {
            headers::check(headers, out);
        }
    }
}

// === impl ProviderCreate, ProviderPatch ===

impl From<ProviderCreate> for provider::ActiveModel {
    fn from(create: ProviderCreate) -> Self {
        let mut provider = Self {
            name: Set(create.name),
            r#type: Set(create.r#type.into()),
            url: Set(create.url),
            ..Default::default()
        };
        let timeouts = value::Timeouts::default();
        ProviderFields::defaults().apply(timeouts, &mut provider);
        create.fields.apply(timeouts, &mut provider);
        RoutingFields::defaults().apply(Current::default(), &mut provider);
        create.routing.apply(Current::default(), &mut provider);
        provider.limits = Set(create.limits.onto(value::Limits::default()));
        provider
    }
}

impl ProviderCreate {
    /// What is sealed before it is stored.
    pub fn secrets(&self) -> Secrets {
        let headers = match &self.fields.custom_headers {
            MaybeUndefined::Undefined => MaybeUndefined::Null,
            given => given.clone(),
        };
        Secrets {
            api_key: Some(Secret::new(self.api_key.as_str())),
            proxy_url: self.routing.proxy_url(),
            headers,
        }
    }
}

impl ProviderPatch {
    /// What is sealed before it is stored.
    pub fn secrets(&self) -> Secrets {
        Secrets {
            api_key: self.api_key.as_deref().map(Secret::new),
            proxy_url: self.routing.proxy_url(),
            headers: self.fields.custom_headers.clone(),
        }
    }

    /// What becomes of `current`; the secrets are the service's matter.
    pub fn apply(self, current: &provider::Model) -> provider::ActiveModel {
        let mut provider = provider::ActiveModel::default();
        if let Some(name) = self.name {
            provider.name = Set(name);
        }
        if let Some(kind) = self.r#type {
            provider.r#type = Set(kind.into());
        }
        if let Some(url) = self.url {
            provider.url = Set(url);
        }
        self.fields.apply(current.timeouts, &mut provider);
        self.routing.apply(current.into(), &mut provider);
        provider.limits = Set(self.limits.onto(current.limits));
        provider
    }
}

impl Input for ProviderPatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        rules::name("apiKey", loose.api_key.as_ref(), out);
        let as_header = |key: &String| HeaderValue::from_str(key).is_ok();
        if loose.api_key.as_ref().is_some_and(|key| !as_header(key)) {
            let message = "has characters no header can carry";
            out.push(Mistake::new("apiKey", "invalid", message));
        }
        if let Some(url) = &loose.url {
            // The policy in force is the service's matter; this much holds under every policy.
            if let Err(why) = check_url(url, EgressPolicy::AllowPrivate) {
                out.push(Mistake::new("url", "invalid", why));
            }
        }
        loose.fields.rules(out);
        loose.routing.rules(out);
        loose.limits.rules(out);
    }
}

impl Input for ProviderCreate {
    type Loose = ProviderPatch;

    fn rules(loose: &ProviderPatch, out: &mut Vec<Mistake>) {
        ProviderPatch::rules(loose, out);
    }
}
