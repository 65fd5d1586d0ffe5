//! Where messages go.

use entity::{
    notification_rule, notification_target,
    value::{EgressPolicy, Ids, Secret, TargetCredentials, TargetKind, Template, check_whole_url},
};
use poem_openapi::types::MaybeUndefined;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait,
    QueryOrder,
};

use super::{
    audit::Action,
    change::{Change, later},
    must_match, now, row, settings,
};
use crate::{
    Admin,
    auth::identity::Identity,
    gateway::TargetReport,
    problem::{Mistake, Problem},
};

/// What is sealed before it is stored. What a change does not name stays; null takes it away.
#[derive(Default)]
pub struct Secrets {
    /// Where messages are sent.
    pub url: MaybeUndefined<Secret>,
    /// What they are signed with.
    pub secret: MaybeUndefined<Secret>,
    /// A bot's token.
    pub bot_token: MaybeUndefined<Secret>,
    /// Headers, all of them.
    pub headers: MaybeUndefined<Vec<(String, Secret)>>,
}

/// What a target has, for the rules of its kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Has {
    /// An address of its own.
    pub url: bool,
    /// A secret to sign with.
    pub secret: bool,
    /// A bot's token.
    pub bot_token: bool,
    /// A chat.
    pub chat_id: bool,
    /// Headers.
    pub headers: bool,
    /// A template.
    pub template: bool,
}

/// Creates a target.
///
/// # Errors
/// 422 when it lacks what its kind needs, or the egress policy forbids its address.
pub async fn create(
    admin: &Admin,
    caller: &Identity,
    secrets: Secrets,
    mut target: notification_target::ActiveModel,
) -> Result<notification_target::Model, Problem> {
    let now = now();
    target.created_at = Set(now);
    target.updated_at = Set(now);
    let credentials = secrets.onto(TargetCredentials::default());
    target.credentials = Set(credentials.seal(&admin.sealer));
    let mut change = Change::begin(admin, caller).await?;
    within_policy(change.tx(), &credentials).await?;
    let target = target.insert(change.tx()).await?;
    change.record(Action::Create, None, Some(&target));
    change.commit().await?;
    Ok(target)
}

/// Changes a target.
///
/// # Errors
/// 404, 412 when it is not the version `if_match` names, 422 when it would lack what its kind needs, or the egress policy forbids its
/// address.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
    secrets: Secrets,
    mut target: notification_target::ActiveModel,
) -> Result<notification_target::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = row::find::<notification_target::Model>(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    let credentials = secrets.onto(credentials(admin, &current));
    within_policy(change.tx(), &credentials).await?;
    let chat_id = target.chat_id.try_as_ref().unwrap_or(&current.chat_id);
    let template = target.template.try_as_ref().unwrap_or(&current.template);
    let has = Has::of(&credentials, chat_id.is_some(), template.is_some());
    let mistakes = mistakes(current.kind, has);
    if !mistakes.is_empty() {
        return Err(Problem::invalid(mistakes));
    }
    target.id = Set(id);
    target.updated_at = Set(later(current.updated_at));
    target.credentials = Set(credentials.seal(&admin.sealer));
    let target = target.update(change.tx()).await?;
    change.record(Action::Update, Some(&current), Some(&target));
    change.commit().await?;
    Ok(target)
}

/// Deletes a target, and takes it out of the rules that name it.
///
/// # Errors
/// 404, 412.
pub async fn delete(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
) -> Result<(), Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = row::find::<notification_target::Model>(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    change.record(Action::Delete, Some(&current), None);
    let rules = notification_rule::Entity::find()
        .order_by_asc(notification_rule::Column::Id)
        .all(change.tx())
        .await?;
    for rule in rules {
        if !rule.target_ids.0.contains(&id) {
            continue;
        }
        let left = rule.target_ids.0.iter().copied();
        let left = left.filter(|target| *target != id).collect();
        let mut changed = rule.clone().into_active_model();
        changed.target_ids = Set(Ids(left));
        changed.updated_at = Set(later(rule.updated_at));
        let changed = changed.update(change.tx()).await?;
        change.record(Action::Update, Some(&rule), Some(&changed));
    }
    current.delete(change.tx()).await?;
    change.commit().await
}

/// Sends a test message to a target.
///
/// # Errors
/// 404.
pub async fn test(admin: &Admin, id: i64) -> Result<TargetReport, Problem> {
    let target = row::find::<notification_target::Model>(&admin.db, id).await?;
    Ok(admin.gateway.try_target(target).await)
}

/// What is secret of a target; nothing where it cannot be opened.
pub fn credentials(admin: &Admin, target: &notification_target::Model) -> TargetCredentials {
    TargetCredentials::open(&admin.sealer, &target.credentials).unwrap_or_default()
}

/// The part of an address that lets nobody in: without path and query.
pub fn origin(url: &Secret) -> Option<String> {
    let uri: http::Uri = url.expose().parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

/// What a target of this kind lacks, and what it has that is of no use to it.
pub fn mistakes(kind: TargetKind, has: Has) -> Vec<Mistake> {
    use TargetKind::{Dingtalk, Feishu, Slack, Telegram, Webhook, Wecom};
    let is_bot = kind == Telegram;
    let signs = matches!(kind, Feishu | Dingtalk);
    let has_address = matches!(kind, Feishu | Dingtalk | Wecom | Slack | Webhook);
    let mut found = Vec::new();
    for (path, has, is_required, is_allowed) in [
        ("url", has.url, has_address, true),
        ("secret", has.secret, false, signs),
        ("botToken", has.bot_token, is_bot, is_bot),
        ("chatId", has.chat_id, is_bot, is_bot),
        ("headers", has.headers, false, kind == Webhook),
        ("template", has.template, false, kind == Webhook),
    ] {
        if is_required && !has {
            let message = "is required for a target of this kind";
            found.push(Mistake::new(path, "required", message));
        } else if has && !is_allowed {
            let message = "is nothing a target of this kind has";
            found.push(Mistake::new(path, "not_allowed", message));
        }
    }
    found
}

/// What is wrong with a template.
pub fn check_template(template: &str) -> Option<Mistake> {
    let why = Template::parse(template).err()?;
    Some(Mistake::new("template", "invalid", why.to_string()))
}

/// What is wrong with an address under every policy.
pub fn check_url(url: &str) -> Option<Mistake> {
    let why = check_whole_url(url, EgressPolicy::AllowPrivate).err()?;
    Some(Mistake::new("url", "invalid", why))
}

/// The address must be one the policy in force allows.
///
/// # Errors
/// 422 when it is not.
pub async fn within_policy<C: ConnectionTrait>(
    db: &C,
    credentials: &TargetCredentials,
) -> Result<(), Problem> {
    let Some(url) = &credentials.url else {
        return Ok(());
    };
    let policy = settings::read(db).await?.value.egress_policy;
    check_whole_url(url.expose(), policy)
        .map_err(|why| Problem::invalid(vec![Mistake::new("url", "not_allowed", why)]))
}

// === impl Secrets ===

impl Secrets {
    /// What becomes of `current`.
    fn onto(self, current: TargetCredentials) -> TargetCredentials {
        let one = |field, current| match field {
            MaybeUndefined::Undefined => current,
            MaybeUndefined::Null => None,
            MaybeUndefined::Value(value) => Some(value),
        };
        TargetCredentials {
            url: one(self.url, current.url),
            secret: one(self.secret, current.secret),
            bot_token: one(self.bot_token, current.bot_token),
            headers: match self.headers {
                MaybeUndefined::Undefined => current.headers,
                MaybeUndefined::Null => Default::default(),
                MaybeUndefined::Value(headers) => headers.into_iter().collect(),
            },
        }
    }
}

// === impl Has ===

impl Has {
    /// What these credentials are, beside what is no secret.
    pub fn of(credentials: &TargetCredentials, chat_id: bool, template: bool) -> Self {
        Self {
            url: credentials.url.is_some(),
            secret: credentials.secret.is_some(),
            bot_token: credentials.bot_token.is_some(),
            chat_id,
            headers: !credentials.headers.is_empty(),
            template,
        }
    }
}
