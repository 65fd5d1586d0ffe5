//! Old history goes, a little at a time.
//!
//! A `DELETE` of all that is too old would hold locks, fill the write-ahead log and leave readers waiting for as long as it takes. Ids
//! begin with their time, so what is too old is one end of the primary key: it is taken from there in *bites* of so many rows, each of them
//! one range of ids and one short transaction, and whoever takes them rests between two.

use chrono::{DateTime, Utc};
use entity::audit;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement, Value,
};
use uuid::Uuid;

/// Rows of a bite.
pub const BITE: u64 = 500;

/// History that goes by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rows of the request log.
    Requests,
    /// Decision chains and errors' words in it.
    Details,
    /// Usage lines. The sums of each hour stay.
    UsageLines,
}

/// One bite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bite {
    /// Rows that went.
    pub rows: u64,
    /// The last id it had to do with: the next bite begins after it. None when there is no more.
    pub upto: Option<Uuid>,
}

/// Takes the next rows after `after` that are older than `before`, or only looks at them.
///
/// # Errors
/// When the database does not answer.
pub async fn bite(
    db: &DatabaseConnection,
    kind: Kind,
    after: Uuid,
    before: DateTime<Utc>,
    is_dry: bool,
) -> Result<Bite, DbErr> {
    let backend = db.get_database_backend();
    let table = kind.table();
    let end = first_id(before);
    let ids = format!(
        "SELECT id FROM {table} WHERE id > {} AND id < {} ORDER BY id LIMIT {BITE}",
        place(backend, 1),
        place(backend, 2)
    );
    let found = db
        .query_all_raw(statement(backend, &ids, [after, end]))
        .await?;
    let Some(last) = found.last() else {
        return Ok(Bite {
            rows: 0,
            upto: None,
        });
    };
    let upto: Uuid = last.try_get("", "id")?;
    let is_last = (found.len() as u64) < BITE;
    let rows = if is_dry && kind != Kind::Details {
        found.len() as u64
    } else {
        let sql = kind.sql(backend, is_dry);
        let statement = statement(backend, &sql, [after, upto]);
        if is_dry {
            db.query_all_raw(statement).await?.len() as u64
        } else {
            db.execute_raw(statement).await?.rows_affected()
        }
    };
    Ok(Bite {
        rows,
        upto: (!is_last).then_some(upto),
    })
}

/// Takes the next entries of the audit that are older than `before`: how many went. Fewer than [`BITE`] were the last.
///
/// # Errors
/// When the database does not answer.
pub async fn bite_audit(db: &DatabaseConnection, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let old: Vec<i64> = audit::Entity::find()
        .select_only()
        .column(audit::Column::Id)
        .filter(audit::Column::At.lt(before))
        .order_by_asc(audit::Column::At)
        .limit(BITE)
        .into_tuple()
        .all(db)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let gone = audit::Entity::delete_many()
        .filter(audit::Column::Id.is_in(old))
        .exec(db)
        .await?;
    Ok(gone.rows_affected)
}

// === impl Kind ===

impl Kind {
    fn table(self) -> &'static str {
        match self {
            Self::Requests | Self::Details => "request_log",
            Self::UsageLines => "usage_lines",
        }
    }

    fn sql(self, backend: DbBackend, is_dry: bool) -> String {
        let (low, high) = (place(backend, 1), place(backend, 2));
        let range = format!("id > {low} AND id <= {high}");
        if self != Self::Details {
            return format!("DELETE FROM {} WHERE {range}", self.table());
        }
        let nothing = match backend {
            DbBackend::Postgres => "'[]'::jsonb",
            _ => "'[]'",
        };
        let wanted = format!("{range} AND (chain <> {nothing} OR error_message IS NOT NULL)");
        if is_dry {
            format!("SELECT id FROM request_log WHERE {wanted}")
        } else {
            format!("UPDATE request_log SET chain = {nothing}, error_message = NULL WHERE {wanted}")
        }
    }
}

fn place(backend: DbBackend, number: u32) -> String {
    match backend {
        DbBackend::Postgres => format!("${number}"),
        _ => "?".to_owned(),
    }
}

fn statement(backend: DbBackend, sql: &str, ids: [Uuid; 2]) -> Statement {
    Statement::from_sql_and_values(backend, sql, ids.map(Value::from))
}

/// The lowest id from `time` on: a `UUIDv7` begins with the milliseconds since 1970.
fn first_id(time: DateTime<Utc>) -> Uuid {
    let millis = time.timestamp_millis().clamp(0, (1 << 48) - 1);
    Uuid::from_u128(u128::from(millis.unsigned_abs()) << 80)
}

#[cfg(test)]
mod tests {
    use entity::{request_log, usage};
    use sea_orm::{IntoActiveModel, Set};

    use super::*;
    use crate::store::testing::{TestDb, usage_line};

    fn at(minute: u32) -> DateTime<Utc> {
        format!("2026-01-01T10:{minute:02}:00Z").parse().unwrap()
    }

    fn id(minute: u32, number: u128) -> Uuid {
        Uuid::from_u128(first_id(at(minute)).as_u128() + number)
    }

    async fn lines(test: &TestDb) -> Vec<Uuid> {
        let rows = usage::Entity::find().all(&test.db).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    #[tokio::test]
    async fn what_is_too_old_goes_bite_by_bite_and_nothing_else() {
        for test in TestDb::all().await {
            let old = (1..=u128::from(BITE) + 7).map(|number| id(0, number));
            let all: Vec<Uuid> = old.chain([id(10, 0), id(11, 0)]).collect();
            for id in &all {
                let mut line = usage_line(1);
                line.id = *id;
                usage::Entity::insert(line.into_active_model())
                    .exec_without_returning(&test.db)
                    .await
                    .unwrap();
            }
            let take = |after, is_dry| bite(&test.db, Kind::UsageLines, after, at(10), is_dry);
            let looked = take(Uuid::nil(), true).await.unwrap();
            assert_eq!((looked.rows, lines(&test).await.len()), (BITE, all.len()));
            let first = take(Uuid::nil(), false).await.unwrap();
            assert_eq!(first, looked);
            let second = take(first.upto.unwrap(), false).await.unwrap();
            let end = Bite {
                rows: 7,
                upto: None,
            };
            assert_eq!(second, end);
            assert_eq!(take(Uuid::nil(), false).await.unwrap().rows, 0);
            let mut left = lines(&test).await;
            left.sort();
            assert_eq!(left, [id(10, 0), id(11, 0)]);
            test.drop().await;
        }
    }

    #[tokio::test]
    async fn old_entries_leave_the_audit_and_no_others() {
        for test in TestDb::all().await {
            let entry = |minute, name: String| audit::ActiveModel {
                at: Set(at(minute)),
                actor_name: Set(String::new()),
                by_session: Set(false),
                action: Set("create".to_owned()),
                resource: Set("user".to_owned()),
                resource_id: Set("1".to_owned()),
                resource_name: Set(name),
                ..Default::default()
            };
            let old = (0..BITE + 7).map(|number| entry(0, format!("old {number}")));
            let kept = [entry(10, "kept".to_owned()), entry(11, "kept".to_owned())];
            for entry in old.chain(kept) {
                audit::Entity::insert(entry).exec(&test.db).await.unwrap();
            }
            let mut went = Vec::new();
            for _ in 0..3 {
                went.push(bite_audit(&test.db, at(10)).await.unwrap());
            }
            assert_eq!(went, [BITE, 7, 0]);
            let left = audit::Entity::find().all(&test.db).await.unwrap();
            let names: Vec<_> = left.iter().map(|row| row.resource_name.as_str()).collect();
            assert_eq!(names, ["kept", "kept"]);
            test.drop().await;
        }
    }

    #[tokio::test]
    async fn details_leave_their_row() {
        for test in TestDb::all().await {
            for (id, message) in [(id(0, 1), Some("no")), (id(0, 2), None), (id(10, 1), None)] {
                let chain = if message.is_some() {
                    "[]"
                } else {
                    "[{\"attempt\":1}]"
                };
                let sql = format!(
                    "INSERT INTO request_log (id, created_at, protocol, endpoint, status, is_stream, settled_from, duration_ms, overhead_us, request_bytes, response_bytes, input_tokens, cache_read_tokens, cache_write5m_tokens, cache_write1h_tokens, output_tokens, reasoning_tokens, error_message, chain) \
                     VALUES ({}, {}, '', '', 200, {}, 'none', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {}, '{chain}')",
                    match test.db.get_database_backend() {
                        DbBackend::Postgres => format!("'{id}'"),
                        _ => format!("X'{}'", id.simple()),
                    },
                    "'2026-01-01T10:00:00+00:00'",
                    "false",
                    message.map_or("NULL".to_owned(), |message| format!("'{message}'")),
                );
                test.db.execute_unprepared(&sql).await.unwrap();
            }
            let take = |is_dry| bite(&test.db, Kind::Details, Uuid::nil(), at(10), is_dry);
            assert_eq!(take(true).await.unwrap().rows, 2);
            assert_eq!(take(false).await.unwrap().rows, 2);
            assert_eq!(take(false).await.unwrap().rows, 0);
            let mut rows = request_log::Entity::find().all(&test.db).await.unwrap();
            rows.sort_by_key(|row| row.id);
            let chains: Vec<_> = rows.iter().map(|row| row.chain.to_string()).collect();
            assert_eq!(chains, ["[]", "[]", "[{\"attempt\":1}]"]);
            assert!(rows.iter().all(|row| row.error_message.is_none()));
            test.drop().await;
        }
    }
}
