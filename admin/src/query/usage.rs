//! Usage, from the sums of each hour, and from those of spans where there are any.

use std::{collections::HashMap, fmt, ops::Range, str::FromStr};

use chrono::{DateTime, Utc};
use entity::{
    api_key, provider,
    usage_hourly::{Column, Entity, SUMMED, hour_from, sum, tokens},
    usage_span::{
        Cut,
        source::{ALWAYS, Source},
    },
    user,
    value::ClientName,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, ExprTrait, FromQueryResult,
    IdenStatic, Order, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, SimpleExpr},
};

use super::page::{Page, Window};

mod slices;

pub use slices::{Slice, slices};

/// Which usage.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of hours that begin from here on.
    pub from: Option<DateTime<Utc>>,
    /// And before this.
    pub to: Option<DateTime<Utc>>,
    /// Of this user.
    pub user_id: Option<i64>,
    /// With this key.
    pub key_id: Option<i64>,
    /// Of this provider.
    pub provider_id: Option<i64>,
    /// Of this model.
    pub model: Option<String>,
    /// With this client.
    pub client: Option<ClientName>,
}

/// What sums are sorted out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Who pays.
    User,
    /// With which key.
    Key,
    /// Who served.
    Provider,
    /// Which model.
    Model,
    /// Which client.
    Client,
}

/// What sums are put in order by, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// What was spent.
    Cost,
    /// Requests.
    Requests,
    /// Tokens of all kinds.
    Tokens,
}

/// Sums, by the names of the columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromQueryResult)]
pub struct Sums {
    /// What it is of: a user's, key's or provider's id, or an hour.
    pub id: i64,
    /// What it is of, where that has a name for an id.
    pub name: String,
    /// See `usage_hourly`.
    pub requests: i64,
    /// See `usage_hourly`.
    pub failures: i64,
    /// See `usage_hourly`.
    pub attempts_terminal: i64,
    /// See `usage_hourly`.
    pub attempts_partial: i64,
    /// See `usage_hourly`.
    pub attempts_estimate: i64,
    /// See `usage_hourly`.
    pub attempts_none: i64,
    /// See `usage_hourly`.
    pub attempts_unpriced: i64,
    /// See `usage_hourly`.
    pub input_tokens: i64,
    /// See `usage_hourly`.
    pub cache_read_tokens: i64,
    /// See `usage_hourly`.
    pub cache_write5m_tokens: i64,
    /// See `usage_hourly`.
    pub cache_write1h_tokens: i64,
    /// See `usage_hourly`.
    pub output_tokens: i64,
    /// See `usage_hourly`.
    pub reasoning_tokens: i64,
    /// See `usage_hourly`.
    pub image_input_tokens: i64,
    /// See `usage_hourly`.
    pub image_output_tokens: i64,
    /// See `usage_hourly`.
    pub cost_nano_usd: i64,
}

/// The group a page begins after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// What it is put in order by.
    amount: i64,
    /// Its place, from 1.
    place: u64,
    id: i64,
    name: String,
}

/// Why a text is no [`After`].
#[derive(Debug)]
pub struct NotAfter;

/// All of it together.
///
/// # Errors
/// When the database does not answer.
pub async fn total(db: &DatabaseConnection, filter: &Filter) -> Result<Sums, DbErr> {
    let source = filter.source(db, &[], Cut::default()).await?;
    let all = sums(Expr::value(0_i64), Expr::value(""));
    let all = source.read(all, &filter.condition());
    let total = all.into_model().one(source.at()).await?;
    source.close().await?;
    Ok(total.unwrap_or_default())
}

/// By hours in each of which sums may be of more that come after it, up to the next of `points`, which are the hours at which something
/// begins, in order. An hour without any is left out.
///
/// # Errors
/// When the database does not answer.
pub async fn by_hour(
    db: &DatabaseConnection,
    filter: &Filter,
    points: &[i64],
) -> Result<Vec<Sums>, DbErr> {
    let source = filter.source(db, points, Cut::default()).await?;
    let hour = Expr::col(Column::Hour);
    let hours = source.read(
        sums(hour.clone(), Expr::value("")).group_by(hour.clone()),
        &filter.condition(),
    );
    let hours = hours.order_by(hour, Order::Asc);
    let hours = hours.into_model().all(source.at()).await?;
    source.close().await?;
    Ok(hours)
}

/// Sorted out and in order, the place of each with it. The order is that of the moment: a group that uses more meanwhile may be passed over
/// between two pages.
///
/// # Errors
/// When the database does not answer.
pub async fn by(
    db: &DatabaseConnection,
    by: By,
    sort: Sort,
    filter: &Filter,
    window: Window<After>,
) -> Result<Page<(u64, Sums)>, DbErr> {
    let source = filter.source(db, &[], by.cut()).await?;
    let group = by.group();
    let select = if by.has_ids() {
        sums(group.clone(), Expr::value(""))
    } else {
        sums(Expr::value(0_i64), group.clone())
    };
    let select = source.read(select, &filter.condition());
    let select = match &window.after {
        None => select,
        Some(after) => select.having(after.condition(by, &group, &sort.amount())),
    };
    let rows: Vec<Sums> = select
        .group_by(group.clone())
        .order_by(sort.amount(), Order::Desc)
        .order_by(group, Order::Asc)
        .limit(window.fetch())
        .into_model()
        .all(source.at())
        .await?;
    source.close().await?;
    let before = window.after.as_ref().map_or(0, |after| after.place);
    let rows = (before + 1..).zip(rows).collect();
    Ok(Page::cut(&window, rows, |(place, sums)| {
        After::new(sort, *place, sums)
    }))
}

/// The names of users, keys or providers, deleted ones included.
///
/// # Errors
/// When the database does not answer.
pub async fn names(
    db: &DatabaseConnection,
    by: By,
    ids: Vec<i64>,
) -> Result<HashMap<i64, String>, DbErr> {
    let named: Vec<(i64, String)> = match by {
        By::Model | By::Client => Vec::new(),
        By::User => {
            let rows = user::Entity::find().filter(user::Column::Id.is_in(ids));
            let columns = [user::Column::Id, user::Column::Name];
            let rows = rows.select_only().columns(columns).into_tuple();
            rows.all(db).await?
        }
        By::Key => {
            let rows = api_key::Entity::find().filter(api_key::Column::Id.is_in(ids));
            let columns = [api_key::Column::Id, api_key::Column::Name];
            let rows = rows.select_only().columns(columns).into_tuple();
            rows.all(db).await?
        }
        By::Provider => {
            let rows = provider::Entity::find().filter(provider::Column::Id.is_in(ids));
            let columns = [provider::Column::Id, provider::Column::Name];
            let rows = rows.select_only().columns(columns).into_tuple();
            rows.all(db).await?
        }
    };
    Ok(named.into_iter().collect())
}

// === impl By, Filter ===

impl By {
    fn column(self) -> Column {
        match self {
            Self::User => Column::UserId,
            Self::Key => Column::KeyId,
            Self::Provider => Column::ProviderId,
            Self::Model => Column::Model,
            Self::Client => Column::Client,
        }
    }

    fn cut(self) -> Cut {
        Cut::of(self.column())
    }

    /// What rows are put together by. Of an id that is a sum, so that no index of it is taken: `SQLite` would rather read all of that, in
    /// the order of the groups, than the hours that are asked for.
    fn group(self) -> SimpleExpr {
        match self {
            Self::User => Expr::cust("user_id + 0"),
            Self::Key => Expr::cust("key_id + 0"),
            Self::Provider => Expr::cust("provider_id + 0"),
            Self::Model | Self::Client => Expr::col(self.column()),
        }
    }

    /// Whether its groups have ids; others have names.
    #[must_use]
    pub fn has_ids(self) -> bool {
        !matches!(self, Self::Model | Self::Client)
    }
}

impl Filter {
    fn hours(&self) -> Range<i64> {
        let from = self.from.map_or(ALWAYS.start, hour_from);
        from..self.to.map_or(ALWAYS.end, hour_from)
    }

    /// Which rows of its hours.
    fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.user_id.map(|id| Column::UserId.eq(id)))
            .add_option(self.key_id.map(|id| Column::KeyId.eq(id)))
            .add_option(self.provider_id.map(|id| Column::ProviderId.eq(id)))
            .add_option(self.model.as_ref().map(|model| Column::Model.eq(model)))
            .add_option(self.client.map(|client| Column::Client.eq(client)))
    }

    /// What it is read from, where it is sorted out `by` and cut at `points`.
    async fn source(
        &self,
        db: &DatabaseConnection,
        points: &[i64],
        by: Cut,
    ) -> Result<Source, DbErr> {
        let asked = [
            (self.user_id.is_some(), Cut::USER),
            (self.key_id.is_some(), Cut::KEY),
            (self.provider_id.is_some(), Cut::PROVIDER),
            (self.model.is_some(), Cut::MODEL),
            (self.client.is_some(), Cut::CLIENT),
        ];
        let asked = asked.into_iter().filter_map(|(is, cut)| is.then_some(cut));
        let needed = asked.fold(by, |all, cut| all | cut);
        Source::open(db, self.hours(), points, needed).await
    }
}

// === impl Sort ===

impl Sort {
    fn amount(self) -> SimpleExpr {
        match self {
            Self::Cost => sum(Column::CostNanoUsd),
            Self::Requests => sum(Column::Requests),
            Self::Tokens => tokens(),
        }
    }
}

// === impl Sums ===

impl Sums {
    /// Adds what another group used.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.requests, other.requests),
            (&mut self.failures, other.failures),
            (&mut self.attempts_terminal, other.attempts_terminal),
            (&mut self.attempts_partial, other.attempts_partial),
            (&mut self.attempts_estimate, other.attempts_estimate),
            (&mut self.attempts_none, other.attempts_none),
            (&mut self.attempts_unpriced, other.attempts_unpriced),
            (&mut self.input_tokens, other.input_tokens),
            (&mut self.cache_read_tokens, other.cache_read_tokens),
            (&mut self.cache_write5m_tokens, other.cache_write5m_tokens),
            (&mut self.cache_write1h_tokens, other.cache_write1h_tokens),
            (&mut self.output_tokens, other.output_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
            (&mut self.image_input_tokens, other.image_input_tokens),
            (&mut self.image_output_tokens, other.image_output_tokens),
            (&mut self.cost_nano_usd, other.cost_nano_usd),
        ] {
            *sum += more;
        }
    }

    /// Tokens of all kinds.
    #[must_use]
    pub fn tokens(&self) -> i64 {
        self.input_tokens
            + self.cache_read_tokens
            + self.cache_write5m_tokens
            + self.cache_write1h_tokens
            + self.output_tokens
            + self.image_input_tokens
            + self.image_output_tokens
    }
}

// === impl After ===

impl After {
    fn new(sort: Sort, place: u64, sums: &Sums) -> Self {
        Self {
            amount: match sort {
                Sort::Cost => sums.cost_nano_usd,
                Sort::Requests => sums.requests,
                Sort::Tokens => sums.tokens(),
            },
            place,
            id: sums.id,
            name: sums.name.clone(),
        }
    }

    fn condition(&self, by: By, group: &SimpleExpr, amount: &SimpleExpr) -> Condition {
        let further = if by.has_ids() {
            group.clone().gt(self.id)
        } else {
            group.clone().gt(self.name.as_str())
        };
        let as_much = amount.clone().eq(self.amount).and(further);
        Condition::any()
            .add(amount.clone().lt(self.amount))
            .add(as_much)
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            amount,
            place,
            id,
            name,
        } = self;
        write!(f, "{amount} {place} {id} {name}")
    }
}

impl FromStr for After {
    type Err = NotAfter;

    fn from_str(text: &str) -> Result<Self, NotAfter> {
        let mut parts = text.splitn(4, ' ');
        let mut part = || parts.next().ok_or(NotAfter);
        Ok(Self {
            amount: part()?.parse().map_err(|_| NotAfter)?,
            place: part()?.parse().map_err(|_| NotAfter)?,
            id: part()?.parse().map_err(|_| NotAfter)?,
            name: part()?.to_owned(),
        })
    }
}

fn sums(id: SimpleExpr, name: SimpleExpr) -> Select<Entity> {
    let select = Entity::find()
        .select_only()
        .expr_as(id.cast_as("bigint"), "id")
        .expr_as(name.cast_as("text"), "name");
    SUMMED.into_iter().fold(select, |select, column| {
        select.expr_as(sum(column), column.as_str())
    })
}
