//! `/usage`, and the usage of one user, key or provider: all from the sums of each hour.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Tag,
    answers::{ListRefused, ReadRefused},
};
use crate::{
    Admin,
    auth::{
        guard::{ForAdmin, ForUser},
        identity::Identity,
    },
    problem::{Mistake, Problem},
    query::{
        page::{Page, Window},
        usage::{self as query, Filter},
    },
    service::{
        calendar::{day_of, month_of, start_of, week_of},
        keys, providers, usage, users,
    },
};

mod object;

pub use object::{ClientName, UsageSummary};
use object::{
    Leaderboard, LeaderboardPeriod, Usage, UsageBy, UsageInterval, UsageMember, UsagePoint,
    UsageSeries, UsageShare, UsageShareList, UsageSlice, UsageSort,
};

/// Members of a series, if not given.
const TOP: u64 = 8;

/// The operations.
pub struct Api(pub Arc<Admin>);

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Usage")]
impl Api {
    /// Read what was used in all
    ///
    /// Usage is kept by the hour: an hour is in the span it begins in. A user sees the user's own.
    #[oai(
        path = "/usage/totals",
        method = "get",
        operation_id = "getUsageTotals"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn totals(
        &self,
        caller: ForUser,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// Of this user.
        #[oai(name = "userId")]
        user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "keyId")]
        key_id: Query<Option<i64>>,
        /// Of this provider.
        #[oai(name = "providerId")]
        provider_id: Query<Option<i64>>,
        /// Of this model.
        model: Query<Option<String>>,
        /// With this client.
        client: Query<Option<ClientName>>,
    ) -> Result<Json<Usage>, ListRefused> {
        let filter = Filter {
            from: from.0.map(sane),
            to: to.0.map(sane),
            user_id: user_id.0,
            key_id: key_id.0,
            provider_id: provider_id.0,
            model: model.0,
            client: client.0.map(ClientName::into),
        };
        let filter = own(&caller.0, filter)?;
        Ok(Json(query::total(&self.0.db, &filter).await?.into()))
    }

    /// Read what was used over time
    ///
    /// Hour by hour, the last 24 if no span is given, or day by day, the last 30. At most 1000 of them. Days are those of the system's
    /// time zone; where that is half an hour off, an hour belongs to the day it begins in. With `by` the largest users, keys, providers,
    /// models or clients of the span come with their part of every point. A user sees the user's own, and not by provider.
    #[oai(
        path = "/usage/series",
        method = "get",
        operation_id = "getUsageSeries"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn series(
        &self,
        caller: ForUser,
        /// Hours or days; days if not given.
        interval: Query<Option<UsageInterval>>,
        /// What it is sorted out by besides; by nothing if not given.
        by: Query<Option<UsageBy>>,
        /// What the largest are the largest of; cost if not given.
        sort: Query<Option<UsageSort>>,
        /// How many of the largest, 8 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "20")))]
        top: Query<Option<u64>>,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time; now if not given.
        to: Query<Option<DateTime<Utc>>>,
        /// Of this user.
        #[oai(name = "userId")]
        user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "keyId")]
        key_id: Query<Option<i64>>,
        /// Of this provider.
        #[oai(name = "providerId")]
        provider_id: Query<Option<i64>>,
        /// Of this model.
        model: Query<Option<String>>,
        /// With this client.
        client: Query<Option<ClientName>>,
    ) -> Result<Json<UsageSeries>, ListRefused> {
        let filter = Filter {
            from: from.0.map(sane),
            to: to.0.map(sane),
            user_id: user_id.0,
            key_id: key_id.0,
            provider_id: provider_id.0,
            model: model.0,
            client: client.0.map(ClientName::into),
        };
        let filter = own(&caller.0, filter)?;
        if caller.0.only_user().is_some() && by.0 == Some(UsageBy::Provider) {
            return Err(by_provider().into());
        }
        let split = by.0.map(|by| usage::Split {
            by: by.into(),
            sort: sort.0.unwrap_or(UsageSort::Cost).into(),
            most: top.0.unwrap_or(TOP),
        });
        let series = match interval.0.unwrap_or(UsageInterval::Day) {
            UsageInterval::Hour => usage::hours(&self.0, filter, split).await?,
            UsageInterval::Day => usage::days(&self.0, filter, split).await?,
        };
        let point = |(start, sums): (_, query::Sums)| UsagePoint {
            start,
            usage: sums.into(),
        };
        Ok(Json(UsageSeries {
            time_zone: self.0.gateway.time_zone().name().to_owned(),
            items: series.points.into_iter().map(point).collect(),
            members: match (by.0, series.members) {
                (Some(by), Some(members)) => Some(self.members(by, members).await?),
                _ => None,
            },
        }))
    }

    /// Read what was used by whom, of whom or with what
    ///
    /// The most first. A user sees the user's own, and not by provider.
    #[oai(
        path = "/usage/by/:dimension",
        method = "get",
        operation_id = "getUsageBy"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn by(
        &self,
        caller: ForUser,
        /// What it is sorted out by.
        dimension: Path<UsageBy>,
        /// What it is put in order by; cost if not given.
        sort: Query<Option<UsageSort>>,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// Of this user.
        #[oai(name = "userId")]
        user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "keyId")]
        key_id: Query<Option<i64>>,
        /// Of this provider.
        #[oai(name = "providerId")]
        provider_id: Query<Option<i64>>,
        /// Of this model.
        model: Query<Option<String>>,
        /// With this client.
        client: Query<Option<ClientName>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<UsageShareList>, ListRefused> {
        let filter = Filter {
            from: from.0.map(sane),
            to: to.0.map(sane),
            user_id: user_id.0,
            key_id: key_id.0,
            provider_id: provider_id.0,
            model: model.0,
            client: client.0.map(ClientName::into),
        };
        let filter = own(&caller.0, filter)?;
        if caller.0.only_user().is_some() && dimension.0 == UsageBy::Provider {
            return Err(by_provider().into());
        }
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = self.shares(dimension.0, sort.0, &filter, window).await?;
        Ok(Json(UsageShareList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Read who used the most
    ///
    /// Today, this week from Monday or this month, in the system's time zone, or any span.
    #[oai(
        path = "/usage/leaderboard",
        method = "get",
        operation_id = "getLeaderboard"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn leaderboard(
        &self,
        _caller: ForAdmin,
        /// The span; today if not given.
        period: Query<Option<LeaderboardPeriod>>,
        /// From this time on; for a custom span.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time; for a custom span.
        to: Query<Option<DateTime<Utc>>>,
        /// Who; users if not given.
        by: Query<Option<UsageBy>>,
        /// What it is put in order by; cost if not given.
        sort: Query<Option<UsageSort>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<Leaderboard>, ListRefused> {
        let period = period.0.unwrap_or(LeaderboardPeriod::Day);
        let (from, to) = self.span(period, from.0.map(sane), to.0.map(sane))?;
        let filter = Filter {
            from: Some(from),
            to: Some(to),
            ..Filter::default()
        };
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let by = by.0.unwrap_or(UsageBy::User);
        let page = self.shares(by, sort.0, &filter, window).await?;
        Ok(Json(Leaderboard {
            from,
            to,
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Read what a user has used
    ///
    /// Of other spans `GET /api/v1/usage/totals` tells.
    #[oai(
        path = "/users/:id/usage",
        method = "get",
        operation_id = "getUserUsage",
        tag = "Tag::Users"
    )]
    async fn of_user(
        &self,
        caller: ForUser,
        /// The user.
        id: Path<i64>,
    ) -> Result<Json<UsageSummary>, ReadRefused> {
        caller.0.must_own(id.0, "user")?;
        let user = users::find(&self.0.db, id.0).await?;
        Ok(Json(of_user(&self.0, user.id).await?))
    }

    /// Read what was used with a key
    ///
    /// Of other spans `GET /api/v1/usage/totals` tells.
    #[oai(
        path = "/keys/:id/usage",
        method = "get",
        operation_id = "getKeyUsage",
        tag = "Tag::Keys"
    )]
    async fn of_key(
        &self,
        caller: ForUser,
        /// The key.
        id: Path<i64>,
    ) -> Result<Json<UsageSummary>, ReadRefused> {
        let key = keys::find(&self.0.db, &caller.0, id.0).await?;
        Ok(Json(of_key(&self.0, key.id).await?))
    }

    /// Read what was used of a provider
    ///
    /// Of other spans `GET /api/v1/usage/totals` tells.
    #[oai(
        path = "/providers/:id/usage",
        method = "get",
        operation_id = "getProviderUsage",
        tag = "Tag::Providers"
    )]
    async fn of_provider(
        &self,
        _caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<Json<UsageSummary>, ReadRefused> {
        let provider = providers::find(&self.0.db, id.0).await?;
        let filter = Filter {
            provider_id: Some(provider.id),
            ..Filter::default()
        };
        Ok(Json(usage::summary(&self.0, &filter).await?.into()))
    }
}

impl Api {
    async fn shares(
        &self,
        by: UsageBy,
        sort: Option<UsageSort>,
        filter: &Filter,
        window: Window<query::After>,
    ) -> Result<Page<UsageShare>, Problem> {
        let sort = sort.unwrap_or(UsageSort::Cost);
        let page = query::by(&self.0.db, by.into(), sort.into(), filter, window).await?;
        let ids = page.items.iter().map(|(_, sums)| sums.id).collect();
        let names = query::names(&self.0.db, by.into(), ids).await?;
        Ok(page.map(|(rank, sums)| {
            let (id, name) = called(by, &sums, &names);
            UsageShare {
                rank,
                id,
                name,
                usage: sums.into(),
            }
        }))
    }

    async fn members(
        &self,
        by: UsageBy,
        members: Vec<usage::Member>,
    ) -> Result<Vec<UsageMember>, Problem> {
        let ids = members.iter().map(|member| member.sums.id).collect();
        let names = query::names(&self.0.db, by.into(), ids).await?;
        let told = members.into_iter().map(|member| {
            let (id, name) = called(by, &member.sums, &names);
            UsageMember {
                id,
                name,
                usage: member.sums.into(),
                slices: member.slices.iter().map(UsageSlice::from).collect(),
            }
        });
        Ok(told.collect())
    }

    fn span(
        &self,
        period: LeaderboardPeriod,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<(DateTime<Utc>, DateTime<Utc>), Problem> {
        let (zone, now) = (self.0.gateway.time_zone(), Utc::now());
        let today = day_of(now, zone);
        let first = match period {
            LeaderboardPeriod::Custom => {
                let from = from.ok_or_else(|| mistake("from", "required", "is required"))?;
                return Ok((from, to.unwrap_or(now)));
            }
            LeaderboardPeriod::Day => today,
            LeaderboardPeriod::Week => week_of(today),
            LeaderboardPeriod::Month => month_of(today),
        };
        if from.is_some() || to.is_some() {
            let message = "is for a custom span: say `period=custom`";
            let path = if from.is_some() { "from" } else { "to" };
            return Err(mistake(path, "not_allowed", message));
        }
        Ok((start_of(first, zone), now))
    }
}

/// What a user has used.
///
/// # Errors
/// When the database does not answer.
pub async fn of_user(admin: &Admin, id: i64) -> Result<UsageSummary, Problem> {
    let filter = Filter {
        user_id: Some(id),
        ..Filter::default()
    };
    Ok(usage::summary(admin, &filter).await?.into())
}

/// What was used with a key.
///
/// # Errors
/// When the database does not answer.
pub async fn of_key(admin: &Admin, id: i64) -> Result<UsageSummary, Problem> {
    let filter = Filter {
        key_id: Some(id),
        ..Filter::default()
    };
    Ok(usage::summary(admin, &filter).await?.into())
}

/// A user's own. One who names another, or asks by provider, is refused rather than answered emptily.
fn own(caller: &Identity, mut filter: Filter) -> Result<Filter, Problem> {
    let Some(user) = caller.only_user() else {
        return Ok(filter);
    };
    if filter.user_id.is_some_and(|id| id != user) {
        return Err(Problem::forbidden("This usage is another user's."));
    }
    if filter.provider_id.is_some() {
        return Err(by_provider());
    }
    filter.user_id = Some(user);
    Ok(filter)
}

/// The id and the name of a group, as far as it has them.
fn called(
    by: UsageBy,
    sums: &query::Sums,
    names: &HashMap<i64, String>,
) -> (Option<i64>, Option<String>) {
    if query::By::from(by).has_ids() {
        let id = Some(sums.id).filter(|id| *id != 0);
        return (id, names.get(&sums.id).cloned());
    }
    let name = Some(sums.name.clone()).filter(|name| !name.is_empty());
    (None, name)
}

fn by_provider() -> Problem {
    Problem::forbidden("Only an admin may ask by provider.")
}

fn mistake(path: &str, code: &str, message: &str) -> Problem {
    Problem::invalid(vec![Mistake::new(path, code, message)])
}

/// A time in which there may be usage, so that times around it are times, too.
fn sane(time: DateTime<Utc>) -> DateTime<Utc> {
    const LAST: i64 = 253_370_764_800; // The year 9999.
    let last = DateTime::from_timestamp(LAST, 0).unwrap_or_default();
    time.clamp(DateTime::UNIX_EPOCH, last)
}

impl From<usage::Summary> for UsageSummary {
    fn from(summary: usage::Summary) -> Self {
        Self {
            time_zone: summary.time_zone.name().to_owned(),
            today: summary.today.into(),
            week: summary.week.into(),
            month: summary.month.into(),
            total: summary.total.into(),
        }
    }
}
