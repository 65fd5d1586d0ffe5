//! What may be said of a target, and the rules for it.

use std::collections::BTreeMap;

use entity::{
    notification_target,
    value::{NoticeLanguage, Secret},
};
use http::{HeaderName, HeaderValue};
use poem_openapi::{Object, types::MaybeUndefined};
use sea_orm::ActiveValue::Set;

use super::object::{Language, TargetKind};
use crate::{
    api::{body::Input, rules},
    problem::Mistake,
    service::notification_targets::{self, Has, Secrets},
};

/// Headers of a message that are not an admin's to set.
const OWN_HEADERS: [&str; 8] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// Headers of a webhook at most, and the longest value of one.
const MOST_HEADERS: usize = 32;
const LONGEST_VALUE: usize = 4096;

/// What may be said of a target beside its name and kind; null puts a field back to its default.
#[derive(Debug, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct NotificationTargetFields {
    /// The webhook's whole address, as the platform gives it. Write-only. Required but for `telegram`, where it is the address of a Bot API
    /// server and by default Telegram's own.
    #[oai(nullable, validator(min_length = 1, max_length = 2048))]
    pub url: MaybeUndefined<String>,
    /// What messages are signed with: the robot's secret of `feishu` (signature verification) and `dingtalk` (sign). Write-only. Default
    /// null, which signs nothing.
    #[oai(nullable, validator(min_length = 1, max_length = 256))]
    pub secret: MaybeUndefined<String>,
    /// The token of a `telegram` bot. Write-only.
    #[oai(nullable, validator(min_length = 1, max_length = 256))]
    pub bot_token: MaybeUndefined<String>,
    /// The chat a `telegram` bot writes to: its number, or `@` and the name of a channel.
    #[oai(nullable, validator(min_length = 1, max_length = 128))]
    pub chat_id: MaybeUndefined<String>,
    /// Headers of a `webhook`'s messages. Write-only; what is given replaces all of them. Default none.
    #[oai(nullable)]
    pub headers: MaybeUndefined<BTreeMap<String, String>>,
    /// The body of a `webhook`'s messages: JSON whose texts may hold `{{event}}`, `{{level}}`, `{{title}}`, `{{text}}`, `{{lines}}`,
    /// `{{items}}` and `{{time}}`. A text that is nothing but one of them becomes its value, which of `lines` and `items` is a list. Default
    /// null, which is an object with all of them but `lines`.
    #[oai(nullable, validator(min_length = 1, max_length = 16384))]
    pub template: MaybeUndefined<String>,
    /// The language of its messages. Default `en`.
    #[oai(nullable)]
    pub language: MaybeUndefined<Language>,
    /// Switched on. Default true.
    #[oai(nullable)]
    pub is_enabled: MaybeUndefined<bool>,
}

/// A target to create.
#[derive(Object)]
pub struct NotificationTargetCreate {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: String,
    /// What it speaks. It stays so.
    pub kind: TargetKind,
    /// The rest.
    #[oai(flatten)]
    pub fields: NotificationTargetFields,
}

/// What changes of a target.
#[derive(Default, Object)]
pub struct NotificationTargetPatch {
    /// For people.
    #[oai(validator(min_length = 1, max_length = 128))]
    pub name: Option<String>,
    /// The rest.
    #[oai(flatten)]
    pub fields: NotificationTargetFields,
}

/// What is left of a creation without the fields that have mistakes.
#[derive(Default, Object)]
pub struct LooseTarget {
    name: Option<String>,
    kind: Option<TargetKind>,
    #[oai(flatten)]
    fields: NotificationTargetFields,
}

// === impl NotificationTargetFields ===

impl NotificationTargetFields {
    /// What is sealed before it is stored.
    pub fn secrets(&self) -> Secrets {
        let secret = |field: &MaybeUndefined<String>| match field {
            MaybeUndefined::Undefined => MaybeUndefined::Undefined,
            MaybeUndefined::Null => MaybeUndefined::Null,
            MaybeUndefined::Value(text) => MaybeUndefined::Value(Secret::new(text.as_str())),
        };
        Secrets {
            url: secret(&self.url),
            secret: secret(&self.secret),
            bot_token: secret(&self.bot_token),
            headers: match &self.headers {
                MaybeUndefined::Undefined => MaybeUndefined::Undefined,
                MaybeUndefined::Null => MaybeUndefined::Null,
                MaybeUndefined::Value(headers) => {
                    let headers = headers.iter();
                    let sealed =
                        headers.map(|(name, value)| (name.clone(), Secret::new(value.as_str())));
                    MaybeUndefined::Value(sealed.collect())
                }
            },
        }
    }

    fn apply(self, target: &mut notification_target::ActiveModel) {
        rules::put(&mut target.chat_id, rules::map(self.chat_id, Some), None);
        rules::put(&mut target.template, rules::map(self.template, Some), None);
        let language = rules::map(self.language, NoticeLanguage::from);
        rules::put(&mut target.language, language, NoticeLanguage::En);
        rules::put(&mut target.is_enabled, self.is_enabled, true);
    }

    fn rules(&self, out: &mut Vec<Mistake>) {
        if let Some(url) = self.url.value() {
            // The policy in force is the service's matter; this much holds under every policy.
            out.extend(notification_targets::check_url(url));
        }
        rules::name("secret", self.secret.value(), out);
        rules::name("chatId", self.chat_id.value(), out);
        let is_token = |token: &String| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b":_-".contains(&b);
            token.bytes().all(fits)
        };
        if self.bot_token.value().is_some_and(|token| !is_token(token)) {
            out.push(Mistake::new("botToken", "invalid", "is no bot's token"));
        }
        if let Some(template) = self.template.value() {
            out.extend(notification_targets::check_template(template));
        }
        if let Some(headers) = self.headers.value() {
            check_headers(headers, out);
        }
    }

    fn has(&self) -> Has {
        Has {
            url: self.url.value().is_some(),
            secret: self.secret.value().is_some(),
            bot_token: self.bot_token.value().is_some(),
            chat_id: self.chat_id.value().is_some(),
            headers: self.headers.value().is_some_and(|all| !all.is_empty()),
            template: self.template.value().is_some(),
        }
    }
}

fn check_headers(headers: &BTreeMap<String, String>, out: &mut Vec<Mistake>) {
    if headers.len() > MOST_HEADERS {
        let message = format!("must have at most {MOST_HEADERS} entries");
        out.push(Mistake::new("headers", "too_many", message));
    }
    let mut seen = Vec::new();
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let wrong = if name.parse::<HeaderName>().is_err() {
            Some(("invalid", "is not a header name"))
        } else if OWN_HEADERS.contains(&lower.as_str()) {
            Some(("not_allowed", "is set by the gateway itself"))
        } else if HeaderValue::from_str(value).is_err() || value.len() > LONGEST_VALUE {
            Some(("invalid", "has a value no header can have"))
        } else if seen.contains(&lower) {
            Some(("repeated", "is given twice in different case"))
        } else {
            None
        };
        if let Some((code, message)) = wrong {
            out.push(Mistake::new(format!("headers.{name}"), code, message));
        }
        seen.push(lower);
    }
}

// === impl NotificationTargetCreate, NotificationTargetPatch ===

impl From<NotificationTargetCreate> for notification_target::ActiveModel {
    fn from(create: NotificationTargetCreate) -> Self {
        let mut target = Self {
            name: Set(create.name),
            kind: Set(create.kind.into()),
            chat_id: Set(None),
            template: Set(None),
            language: Set(NoticeLanguage::En),
            is_enabled: Set(true),
            ..Default::default()
        };
        create.fields.apply(&mut target);
        target
    }
}

impl From<NotificationTargetPatch> for notification_target::ActiveModel {
    fn from(patch: NotificationTargetPatch) -> Self {
        let mut target = Self::default();
        if let Some(name) = patch.name {
            target.name = Set(name);
        }
        patch.fields.apply(&mut target);
        target
    }
}

impl Input for NotificationTargetPatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        loose.fields.rules(out);
    }
}

impl Input for NotificationTargetCreate {
    type Loose = LooseTarget;

    fn rules(loose: &LooseTarget, out: &mut Vec<Mistake>) {
        rules::name("name", loose.name.as_ref(), out);
        loose.fields.rules(out);
        let Some(kind) = loose.kind else {
            return;
        };
        // A field with a mistake of its own was given.
        let lacks = notification_targets::mistakes(kind.into(), loose.fields.has());
        let told = |path: &str| {
            let mut told = out.iter();
            told.any(|mistake| mistake.path.split('.').next() == Some(path))
        };
        let fresh: Vec<Mistake> = lacks.into_iter().filter(|m| !told(&m.path)).collect();
        out.extend(fresh);
    }
}
