//! The source: one read-only transaction of one moment, and what tables and columns it has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lc_rs::digest;
use entity::value::hex;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    IsolationLevel, QueryResult, Statement, TransactionTrait,
};

use super::row::Row;
use crate::store::database::within;

/// The longest one question to it may take. A sum over a long history takes minutes on a small machine.
const LIMIT: Duration = Duration::from_secs(600);

/// Tables without which it is none.
const NEEDED: [&str; 4] = ["users", "keys", "providers", "model_prices"];

/// A predecessor's database.
pub(super) struct Source {
    tx: DatabaseTransaction,
    columns: BTreeMap<String, BTreeSet<String>>,
}

// === impl Source ===

impl Source {
    /// Begins reading.
    ///
    /// # Errors
    /// When it does not answer, or is not a predecessor's database.
    pub(super) async fn open(db: &DatabaseConnection) -> Result<Self, DbErr> {
        if db.get_database_backend() != DbBackend::Postgres {
            return Err(DbErr::Custom("it must be PostgreSQL".to_owned()));
        }
        let begin = db.begin_with_config(
            Some(IsolationLevel::RepeatableRead),
            Some(AccessMode::ReadOnly),
        );
        let mut source = Self {
            tx: within(LIMIT, begin).await?,
            columns: BTreeMap::new(),
        };
        let sql = "SELECT CAST(table_name AS text) AS t, CAST(column_name AS text) AS c \
                   FROM information_schema.columns WHERE table_schema = current_schema()";
        for found in source.ask(sql).await? {
            let table: String = found.try_get("", "t")?;
            let column = found.try_get("", "c")?;
            source.columns.entry(table).or_default().insert(column);
        }
        let missing: Vec<_> = NEEDED.into_iter().filter(|t| !source.has(t)).collect();
        if missing.is_empty() {
            Ok(source)
        } else {
            Err(DbErr::Custom(format!(
                "it is no claude-code-hub database: it has no table {}",
                missing.join(", ")
            )))
        }
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.columns.contains_key(table)
    }

    /// Those of `wanted` that the table has, for a `SELECT`.
    pub(super) fn columns(&self, table: &str, wanted: &[&'static str]) -> Vec<&'static str> {
        let there = self.columns.get(table);
        let is_there = |column: &&str| there.is_some_and(|there| there.contains(*column));
        wanted.iter().copied().filter(is_there).collect()
    }

    pub(super) async fn ask(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        within(LIMIT, self.tx.query_all_raw(statement)).await
    }

    /// What a query answers in its column `row`.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<Row>, DbErr> {
        let found = self.ask(sql).await?;
        let mut rows = Vec::with_capacity(found.len());
        for row in found {
            let json: String = row.try_get("", "row")?;
            let row = Row::parse(&json).map_err(|e| DbErr::Custom(e.to_string()))?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// A whole table, in the order of its ids; nothing where there is none.
    pub(super) async fn table(&self, table: &str) -> Result<Vec<Row>, DbErr> {
        if !self.has(table) {
            return Ok(Vec::new());
        }
        let sql =
            format!("SELECT CAST(to_jsonb(t) AS text) AS row FROM \"{table}\" AS t ORDER BY t.id");
        self.rows(&sql).await
    }

    /// A number that a query answers in its column `number`.
    pub(super) async fn number(&self, sql: &str) -> Result<Option<i64>, DbErr> {
        match self.ask(sql).await?.first() {
            Some(row) => row.try_get("", "number"),
            None => Ok(None),
        }
    }

    /// What tells this database from others and is the same in a copy of it: its first user, who is never removed from the table, or its
    /// first provider where nobody is.
    pub(super) async fn fingerprint(&self) -> Result<String, DbErr> {
        let mut first = "nobody".to_owned();
        for table in ["users", "providers"] {
            let sql = format!(
                "SELECT concat_ws('/', '{table}', id, extract(epoch FROM created_at)) AS first FROM {table} ORDER BY id LIMIT 1"
            );
            if let Some(row) = self.ask(&sql).await?.first() {
                first = row.try_get("", "first")?;
                break;
            }
        }
        Ok(hex::encode(&hash(&[&first]))[..16].to_owned())
    }
}

/// A hash of parts that are told apart.
pub(super) fn hash(parts: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}
