//! What a filter of the request log may be set to: what occurs, from the sums of spans and hours.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use chrono::{DateTime, Utc};
use entity::{
    api_key, provider, request_log,
    usage_hourly::hour_of,
    usage_span::{
        Cut,
        source::{ALWAYS, Source},
    },
    user,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};

/// Choices of one kind are at most so many.
const MOST: usize = 1_000;
/// Hourly sums that are looked at beside the spans, of each piece of hours the newest: a bound, however many there are of an hour.
const SUMS: usize = 10_000;
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

/// How many requests have one value in one column.
#[derive(Debug, FromQueryResult)]
struct Counted {
    /// The column.
    kind: String,
    /// The value.
    value: String,
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
    let mut found = BTreeMap::<String, Vec<(String, i64)>>::new();
    for group in counted(db, from, user_id).await? {
        let of_kind = found.entry(group.kind).or_default();
        of_kind.push((group.value, group.counted));
    }
    let mut take = |column: &str| most_first(found.remove(column).unwrap_or_default());
    let mut choices = Choices {
        models: take("model"),
        clients: take("client"),
        users: named(take("user_id"), &names.users),
        keys: named(take("key_id"), &names.keys),
        providers: named(take("provider_id"), &names.providers),
        endpoints: endpoints(db, user_id).await?,
    };
    choices.models.retain(|(model, _)| !model.is_empty());
    choices.providers.retain(|(id, _, _)| *id != 0);
    if user_id.is_some() {
        choices.providers.clear();
    }
    Ok(choices)
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

fn most_first(mut counted: Vec<(String, i64)>) -> Vec<(String, i64)> {
    counted.sort_by(|(a, first), (b, second)| second.cmp(first).then_with(|| a.cmp(b)));
    counted.truncate(MOST);
    counted
}

fn named(counted: Vec<(String, i64)>, names: &NameMap) -> Vec<(i64, String, i64)> {
    let named = counted.into_iter().filter_map(|(id, requests)| {
        let id = id.parse().ok()?;
        Some((id, names.get(&id).cloned().unwrap_or_default(), requests))
    });
    named.collect()
}

/// Counted by each column by itself. Counted by all together they would be nearly as many as there are sums, and the database would have to
/// hand them all over.
async fn counted(
    db: &DatabaseConnection,
    from: DateTime<Utc>,
    user_id: Option<i64>,
) -> Result<Vec<Counted>, DbErr> {
    const COLUMNS: [(&str, Cut); 5] = [
        ("user_id", Cut::USER),
        ("key_id", Cut::KEY),
        ("provider_id", Cut::PROVIDER),
        ("model", Cut::MODEL),
        ("client", Cut::CLIENT),
    ];
    let hours = hour_of(from)..ALWAYS.end;
    // Of one user's, spans that know users with each of the others.
    let (of, needed) = match user_id {
        Some(_) => (Cut::USER, Cut::USER | Cut::MODEL),
        None => (Cut::default(), Cut::default()),
    };
    let source = Source::open(db, hours, &[], needed).await?;
    let of_user = user_id.map_or(String::new(), |id| format!(" AND user_id = {id}"));
    let spans: Vec<_> = source.plan().spans.iter().map(i64::to_string).collect();
    let spans = if spans.is_empty() {
        "-1".to_owned()
    } else {
        spans.join(", ")
    };
    let pieces = &source.plan().rest;
    let most = SUMS / pieces.len().max(1);
    let columns = COLUMNS.map(|(column, _)| column).join(", ");
    let newest: Vec<_> = pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| {
            let (start, end) = (piece.start, piece.end);
            format!(
                "SELECT * FROM (SELECT {columns}, requests FROM usage_hourly WHERE hour >= {start} AND hour < {end}{of_user} ORDER BY hour DESC LIMIT {most}) AS piece_{index}"
            )
        })
        .collect();
    let each = COLUMNS.map(|(column, cut)| {
        let cut = Cut::smallest(cut | of).unwrap_or_default().id();
        format!(
            "SELECT * FROM (SELECT '{column}' AS kind, CAST({column} AS text) AS value, CAST(SUM(requests) AS bigint) AS counted FROM \
             (SELECT {column}, requests FROM usage_span_sums WHERE span_id IN ({spans}) AND cut = {cut}{of_user} UNION ALL SELECT {column}, requests FROM newest) AS all_{column} \
             GROUP BY {column} ORDER BY 3 DESC LIMIT {MOST}) AS by_{column}"
        )
    });
    let sql = format!(
        "WITH newest AS MATERIALIZED ({}) {}",
        newest.join(" UNION ALL "),
        each.join(" UNION ALL ")
    );
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let counted = Counted::find_by_statement(statement)
        .all(source.at())
        .await?;
    source.close().await?;
    Ok(counted)
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
