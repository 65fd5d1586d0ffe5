//! Who is near the end of a limit in money.
//!
//! Everybody who has such a limit is asked for, and what is used of it is read where it is counted, some at a time: in memory that is
//! nothing, and with Redis a few milliseconds for a hundred.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{api_key, provider, user, value::Limits};
use futures_util::{StreamExt, stream};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Admin,
    gateway::{Gauge, Subject},
};

/// Owners of each kind that are looked at, the oldest.
const MOST: u64 = 5_000;
/// Gauges that are read at once.
const AT_ONCE: usize = 32;

/// A limit that is nearly used up, or is.
#[derive(Debug, Clone)]
pub struct Near {
    /// Whose.
    pub subject: Subject,
    /// The name of a key, user or provider.
    pub name: String,
    /// The user a key belongs to.
    pub user: Option<(i64, String)>,
    /// The limit that has the least left of all of its owner's.
    pub gauge: Gauge,
    /// How much of it is used: 1 is all of it. Of a limit of nothing all is used.
    pub share: f64,
}

struct Owner {
    subject: Subject,
    name: String,
    user: Option<(i64, String)>,
    limits: Limits,
}

/// Those who have used at least the share `least` of a limit in money, the worst first.
///
/// # Errors
/// When the database does not answer.
pub async fn near(admin: &Admin, least: f64) -> Result<Vec<Near>, DbErr> {
    let owners = owners(admin, Utc::now()).await?;
    let mut near: Vec<Near> = stream::iter(owners)
        .map(|owner| worst(admin, owner))
        .buffer_unordered(AT_ONCE)
        .filter_map(async |near| near.filter(|near| near.share >= least))
        .collect()
        .await;
    near.sort_by(|a, b| {
        let by_share = b.share.total_cmp(&a.share);
        by_share.then_with(|| a.name.cmp(&b.name))
    });
    Ok(near)
}

/// Whoever is in use and has a limit in money.
async fn owners(admin: &Admin, now: DateTime<Utc>) -> Result<Vec<Owner>, DbErr> {
    let lasts = |end: Option<DateTime<Utc>>| end.is_none_or(|end| end > now);
    let users = user::Entity::find()
        .filter(user::Column::IsEnabled.eq(true))
        .filter(user::Column::DeletedAt.is_null())
        .order_by_asc(user::Column::Id)
        .limit(MOST)
        .all(&admin.db)
        .await?;
    let keys = api_key::Entity::find()
        .filter(api_key::Column::IsEnabled.eq(true))
        .filter(api_key::Column::DeletedAt.is_null())
        .order_by_asc(api_key::Column::Id)
        .limit(MOST)
        .all(&admin.db)
        .await?;
    let providers = provider::Entity::find()
        .filter(provider::Column::IsEnabled.eq(true))
        .filter(provider::Column::DeletedAt.is_null())
        .order_by_asc(provider::Column::Id)
        .limit(MOST)
        .all(&admin.db)
        .await?;
    let users: HashMap<i64, user::Model> = users
        .into_iter()
        .filter(|user| lasts(user.expires_at))
        .map(|user| (user.id, user))
        .collect();
    let of_keys = keys.into_iter().filter(|key| lasts(key.expires_at));
    let of_keys = of_keys.filter_map(|key| {
        let user = users.get(&key.user_id)?;
        Some(Owner {
            subject: Subject::Key(key.id),
            name: key.name,
            user: Some((user.id, user.name.clone())),
            limits: key.limits,
        })
    });
    let of_users = users.values().map(|user| Owner {
        subject: Subject::User(user.id),
        name: user.name.clone(),
        user: None,
        limits: user.limits,
    });
    let of_providers = providers.into_iter().map(|provider| Owner {
        subject: Subject::Provider(provider.id),
        name: provider.name,
        user: None,
        limits: provider.limits,
    });
    let all = of_keys.chain(of_users).chain(of_providers);
    Ok(all
        .filter(|owner| owner.limits.money().iter().any(Option::is_some))
        .collect())
}

/// The limit in money that an owner has used the most of.
async fn worst(admin: &Admin, owner: Owner) -> Option<Near> {
    let gauges = admin.gateway.gauges(owner.subject, owner.limits).await;
    let money = gauges
        .into_iter()
        .filter(|gauge| gauge.dimension.starts_with("usd_"));
    let shares = money.filter_map(|gauge| Some((share(&gauge)?, gauge)));
    let (share, gauge) = shares.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(Near {
        subject: owner.subject,
        name: owner.name,
        user: owner.user,
        gauge,
        share,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown in percent; what is lost is far below one"
)]
fn share(gauge: &Gauge) -> Option<f64> {
    let limit = gauge.limit?;
    let used = gauge.current.unwrap_or(0);
    Some(if limit > 0 {
        used as f64 / limit as f64
    } else {
        1.0
    })
}
