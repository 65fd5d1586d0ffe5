//! What a filter of the request log may be set to: what occurs, from the sums of each hour.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use chrono::{DateTime, Utc};
use entity::{
    api_key, provider, request_log,
    usage_hourly::{Column, Entity, hour_of},
    user,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, ExprTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Query},
};

/// Choices of one kind are at most so many.
const MOST: usize = 1_000;
/// Hourly sums that are looked at, the newest: a bound, however many there are of an hour.
const SUMS: u64 = 50_000;
/// The newest requests whose endpoints are told.
const NEWEST: u64 = 2_000;

/// Names by id.
pub type NameMap = HashMap<i64, String>;

/// Who is who.
#[derive(Debug, Default)]
pub struct Names {
    /// Users.
    pub users: NameMap,
    /// Keys.
    pub keys: NameMap,
    /// Providers; none where they are not the caller's to know.
    pub providers: NameMap,
}

/// What occurs.
#[derive(Debug, Default)]
pub struct Choices {
    /// Models, those with most requests first.
    pub models: Vec<(String, i64)>,
    /// Programs that called.
    pub clients: Vec<(String, i64)>,
    /// Users by id, with name.
    pub users: Vec<(i64, String, i64)>,
    /// Keys by id, with name.
    pub keys: Vec<(i64, String, i64)>,
    /// Providers by id, with name.
    pub providers: Vec<(i64, String, i64)>,
    /// Methods and paths of the newest requests. The sums do not know them.
    pub endpoints: Vec<String>,
}

/// One group of sums.
#[derive(Debug, FromQueryResult)]
struct Group {
    user_id: i64,
    key_id: i64,
    provider_id: i64,
    model: String,
    client: String,
    counted: i64,
}

/// What occurs from `from` on, of one user or of all.
///
/// # Errors
/// When the database does not answer.
pub async fn choices(
    db: &DatabaseConnection,
    from: DateTime<Utc>,
    user_id: Option<i64>,
) -> Result<Choices, DbErr> {
    let names = names(db, user_id).await?;
    let mut users = BTreeMap::new();
    let mut keys = BTreeMap::new();
    let mut providers = BTreeMap::new();
    let mut models = BTreeMap::new();
    let mut clients = BTreeMap::new();
    for group in groups(db, from, user_id).await? {
        *users.entry(group.user_id).or_default() += group.counted;
        *keys.entry(group.key_id).or_default() += group.counted;
        *providers.entry(group.provider_id).or_default() += group.counted;
        *models.entry(group.model).or_default() += group.counted;
        *clients.entry(group.client).or_default() += group.counted;
    }
    models.remove("");
    providers.remove(&0);
    if user_id.is_some() {
        providers.clear();
    }
    Ok(Choices {
        models: most_first(models),
        clients: most_first(clients),
        users: named(users, &names.users),
        keys: named(keys, &names.keys),
        providers: named(providers, &names.providers),
        endpoints: endpoints(db, user_id).await?,
    })
}

/// The names of users, keys and providers, deleted ones included: history points at them.
///
/// # Errors
/// When the database does not answer.
pub async fn names(db: &DatabaseConnection, user_id: Option<i64>) -> Result<Names, DbErr> {
    let users = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::Name])
        .filter(Condition::all().add_option(user_id.map(|id| user::Column::Id.eq(id))));
    let keys = api_key::Entity::find()
        .select_only()
        .columns([api_key::Column::Id, api_key::Column::Name])
        .filter(Condition::all().add_option(user_id.map(|id| api_key::Column::UserId.eq(id))));
    let providers = provider::Entity::find()
        .select_only()
        .columns([provider::Column::Id, provider::Column::Name])
        .filter(Condition::all().add_option(user_id.map(|_| provider::Column::Id.is_null())));
    let users: Vec<(i64, String)> = users.into_tuple().all(db).await?;
    let keys: Vec<(i64, String)> = keys.into_tuple().all(db).await?;
    let providers: Vec<(i64, String)> = providers.into_tuple().all(db).await?;
    Ok(Names {
        users: users.into_iter().collect(),
        keys: keys.into_iter().collect(),
        providers: providers.into_iter().collect(),
    })
}

fn most_first<T>(counted: BTreeMap<T, i64>) -> Vec<(T, i64)> {
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(_, requests)| Reverse(*requests));
    counted.truncate(MOST);
    counted
}

fn named(counted: BTreeMap<i64, i64>, names: &NameMap) -> Vec<(i64, String, i64)> {
    let name = |id| names.get(&id).cloned().unwrap_or_default();
    let counted = most_first(counted).into_iter();
    counted
        .map(|(id, requests)| (id, name(id), requests))
        .collect()
}

/// The newest sums, put together over their hours.
async fn groups(
    db: &DatabaseConnection,
    from: DateTime<Utc>,
    user_id: Option<i64>,
) -> Result<Vec<Group>, DbErr> {
    const PLACE: [Column; 5] = [
        Column::UserId,
        Column::KeyId,
        Column::ProviderId,
        Column::Model,
        Column::Client,
    ];
    let newest = Entity::find()
        .select_only()
        .columns(PLACE)
        .column(Column::Requests)
        .filter(Column::Hour.gte(hour_of(from)))
        .filter(Condition::all().add_option(user_id.map(|id| Column::UserId.eq(id))))
        .order_by_desc(Column::Hour)
        .limit(SUMS)
        .into_query();
    let mut all = Query::select();
    for column in PLACE {
        all.column(column).group_by_col(column);
    }
    all.expr_as(
        Expr::col(Column::Requests).sum().cast_as("bigint"),
        "counted",
    );
    all.from_subquery(newest, "newest");
    let statement = db.get_database_backend().build(&all);
    Group::find_by_statement(statement).all(db).await
}

async fn endpoints(db: &DatabaseConnection, user_id: Option<i64>) -> Result<Vec<String>, DbErr> {
    use request_log::Column;
    let newest: Vec<String> = request_log::Entity::find()
        .select_only()
        .column(Column::Endpoint)
        .filter(Condition::all().add_option(user_id.map(|id| Column::UserId.eq(id))))
        .order_by_desc(Column::Id)
        .limit(NEWEST)
        .into_tuple()
        .all(db)
        .await?;
    let mut counted = BTreeMap::<String, u32>::new();
    for endpoint in newest {
        *counted.entry(endpoint).or_default() += 1;
    }
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(_, count)| Reverse(*count));
    counted.truncate(100);
    Ok(counted.into_iter().map(|(endpoint, _)| endpoint).collect())
}
