//! Error rules.

use entity::{
    error_rule, provider,
    value::{ErrorMatch, ErrorPattern},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder,
};

use super::{
    audit::Action,
    change::{Change, later},
    must_match, now, row,
};
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
};

/// Creates a rule.
///
/// # Errors
/// 422 when its provider is not there.
pub async fn create(
    admin: &Admin,
    caller: &Identity,
    mut rule: error_rule::ActiveModel,
) -> Result<error_rule::Model, Problem> {
    let now = now();
    rule.created_at = Set(now);
    rule.updated_at = Set(now);
    let mut change = Change::begin(admin, caller).await?;
    provider_is_there(change.tx(), &rule).await?;
    let rule = rule.insert(change.tx()).await?;
    change.record(Action::Create, None, Some(&rule));
    change.commit().await?;
    Ok(rule)
}

/// Changes a rule.
///
/// # Errors
/// 404, 412 when it is not the version `if_match` names, 422 when its provider is not there or its pattern and its way of
/// matching do not go together.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
    mut rule: error_rule::ActiveModel,
) -> Result<error_rule::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = row::find::<error_rule::Model>(change.tx(), id).await?;
    must_match(if_match, id, current.updated_at)?;
    provider_is_there(change.tx(), &rule).await?;
    let kind = rule.match_kind.try_as_ref().copied();
    let pattern = rule.pattern.try_as_ref();
    let mistakes = check_pattern(
        kind.unwrap_or(current.match_kind),
        pattern.unwrap_or(&current.pattern),
    );
    if let Some(mistake) = mistakes {
        return Err(Problem::invalid(vec![mistake]));
    }
    rule.id = Set(id);
    rule.updated_at = Set(later(current.updated_at));
    let rule = rule.update(change.tx()).await?;
    change.record(Action::Update, Some(&current), Some(&rule));
    change.commit().await?;
    Ok(rule)
}

/// The rules that match a failure's text, in the order in which they are tried: those for all providers, and those for the
/// one named.
///
/// # Errors
/// When the database does not answer.
pub async fn matching<C: ConnectionTrait>(
    db: &C,
    sample: &str,
    provider_id: Option<i64>,
) -> Result<Vec<error_rule::Model>, Problem> {
    let rules = error_rule::Entity::find()
        .filter(error_rule::Column::IsEnabled.eq(true))
        .order_by_asc(error_rule::Column::Priority)
        .order_by_asc(error_rule::Column::Id)
        .all(db)
        .await?;
    let is_meant =
        |rule: &error_rule::Model| rule.provider_id.is_none() || rule.provider_id == provider_id;
    let matches = |rule: &error_rule::Model| {
        ErrorPattern::new(rule.match_kind, &rule.pattern)
            .is_ok_and(|pattern| pattern.matches(sample))
    };
    Ok(rules
        .into_iter()
        .filter(|rule| is_meant(rule) && matches(rule))
        .collect())
}

/// What is wrong with a pattern that is to match this way.
pub fn check_pattern(kind: ErrorMatch, pattern: &str) -> Option<Mistake> {
    let why = ErrorPattern::new(kind, pattern).err()?;
    Some(Mistake::new("pattern", "invalid", why.to_string()))
}

async fn provider_is_there<C: ConnectionTrait>(
    db: &C,
    rule: &error_rule::ActiveModel,
) -> Result<(), Problem> {
    let Some(Some(id)) = rule.provider_id.try_as_ref() else {
        return Ok(());
    };
    let found = provider::Entity::find_by_id(*id)
        .filter(provider::Column::DeletedAt.is_null())
        .one(db)
        .await?;
    match found {
        Some(_) => Ok(()),
        None => Err(Problem::invalid(vec![Mistake::new(
            "providerId",
            "not_found",
            "is no provider",
        )])),
    }
}
