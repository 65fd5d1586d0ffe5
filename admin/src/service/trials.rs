//! Providers that are tried out, stored or not.

use entity::{
    provider,
    value::{MatchKind, NameRule},
};
use sea_orm::{ActiveModelTrait, ActiveValue, IntoActiveModel, Iterable, Set, TryIntoModel};

use super::{
    now,
    providers::{self, Secrets},
};
use crate::{
    Admin,
    gateway::{Trial, TrialAsk, TrialReport},
    problem::{Mistake, Problem},
};

/// What a provider is asked when the caller does not say.
const TEXT: &str = "Reply with the single word OK.";

/// What it is to answer.
#[derive(Debug, Default)]
pub struct Ask {
    /// The model; none for the first that the provider may be asked for.
    pub model: Option<String>,
    /// The words; none for ours.
    pub text: Option<String>,
    /// As a stream.
    pub is_stream: bool,
}

/// Tries a provider that is stored, with changes that are not.
///
/// # Errors
/// 404; 422 when an address is not allowed, or there is no model to ask for.
pub async fn stored(
    admin: &Admin,
    id: i64,
    changes: Option<(Secrets, Box<Edit>)>,
    ask: Ask,
) -> Result<TrialReport, Problem> {
    let mut provider = providers::find(&admin.db, id).await?;
    if let Some((secrets, edit)) = changes {
        let mut changed = edit(&provider);
        providers::within_policy(&admin.db, &changed).await?;
        secrets.seal(admin, Some(&provider), &mut changed)?;
        provider = merged(provider, &changed)?;
    }
    answer(admin, provider, ask).await
}

/// What becomes of a provider.
pub type Edit = dyn FnOnce(&provider::Model) -> provider::ActiveModel + Send;

/// Tries a provider that is not stored.
///
/// # Errors
/// 422 when an address is not allowed, or there is no model to ask for.
pub async fn draft(
    admin: &Admin,
    secrets: Secrets,
    mut provider: provider::ActiveModel,
    ask: Ask,
) -> Result<TrialReport, Problem> {
    providers::within_policy(&admin.db, &provider).await?;
    secrets.seal(admin, None, &mut provider)?;
    let now = now();
    provider.id = Set(0);
    provider.created_at = Set(now);
    provider.updated_at = Set(now);
    // What has no default and was not set is empty.
    if !provider.proxy_url.is_set() {
        provider.proxy_url = Set(None);
    }
    provider.deleted_at = Set(None);
    let provider = provider.try_into_model()?;
    answer(admin, provider, ask).await
}

/// Asks a provider for its models.
///
/// # Errors
/// 404.
pub async fn models(admin: &Admin, id: i64) -> Result<TrialReport, Problem> {
    let provider = providers::find(&admin.db, id).await?;
    let ask = TrialAsk::Models;
    Ok(admin.gateway.try_provider(Trial { provider, ask }).await)
}

async fn answer(
    admin: &Admin,
    provider: provider::Model,
    ask: Ask,
) -> Result<TrialReport, Problem> {
    let model = ask.model.or_else(|| first_model(&provider));
    let Some(model) = model else {
        let message = "is required, because the provider names no model";
        return Err(Problem::invalid(vec![Mistake::new(
            "model", "required", message,
        )]));
    };
    let ask = TrialAsk::Answer {
        model,
        text: ask.text.unwrap_or_else(|| TEXT.to_owned()),
        is_stream: ask.is_stream,
    };
    Ok(admin.gateway.try_provider(Trial { provider, ask }).await)
}

/// The first model it may be asked for by name.
fn first_model(provider: &provider::Model) -> Option<String> {
    let rules = provider.allowed_models.0.iter();
    let mut names = rules.filter_map(exact_name);
    names.next()
}

fn exact_name(rule: &NameRule) -> Option<String> {
    (rule.kind == MatchKind::Exact).then(|| rule.pattern.clone())
}

fn merged(
    current: provider::Model,
    changed: &provider::ActiveModel,
) -> Result<provider::Model, Problem> {
    let mut row = current.into_active_model();
    for column in provider::Column::iter() {
        if let ActiveValue::Set(value) = changed.get(column) {
            row.set(column, value);
        }
    }
    Ok(row.try_into_model()?)
}
