//! The statements that insert.

use std::fmt::Write;
use std::sync::Arc;

use entity::usage;
use entity::usage_span::reopen;
use sea_orm::DbBackend;

use super::super::columns::Row;
use super::super::request::Request;
use super::super::rollup::Hourly;

/// Rows of the largest statement are two to the power of this. `SQLite` takes 32,766 bind variables, `PostgreSQL` 65,535.
pub(super) const LARGEST: u32 = 8;

/// The statements of all tables that are written.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) lines: Table,
    pub(super) requests: Table,
    pub(super) hours: Table,
    /// Opens the spans over these hours again, from the first to the last.
    pub(super) reopen: &'static str,
}

/// The statements of one table: the first inserts one row, each further one twice as many.
#[derive(Debug)]
pub(super) struct Table(Vec<Arc<str>>);

// === impl Texts ===

impl Texts {
    pub(super) fn new(backend: DbBackend) -> Self {
        Self {
            lines: Table::new::<usage::Model>(backend),
            requests: Table::new::<Request>(backend),
            hours: Table::new::<Hourly<'static>>(backend),
            reopen: reopen(backend),
        }
    }
}

// === impl Table ===

impl Table {
    /// Statements for all tables.
    pub(super) const EACH: usize = LARGEST as usize + 1;

    fn new<R: Row>(backend: DbBackend) -> Self {
        let texts = (0..=LARGEST).map(|power| text::<R>(backend, 1 << power).into());
        Self(texts.collect())
    }

    /// Cuts rows into what one statement inserts, up to two to the power of `largest` of them, each with its statement.
    pub(super) fn cut<'t, 'r, R>(
        &'t self,
        mut rows: &'r [R],
        largest: u32,
    ) -> impl Iterator<Item = (&'t Arc<str>, &'r [R])> {
        std::iter::from_fn(move || {
            let power = rows.len().checked_ilog2()?.min(largest);
            let taken = rows.split_off(..1 << power)?;
            Some((&self.0[power as usize], taken))
        })
    }
}

fn text<R: Row>(backend: DbBackend, rows: usize) -> String {
    let is_postgres = backend == DbBackend::Postgres;
    // A refused row ends the transaction anyway. Told that the rows before it may stay until then, `SQLite` keeps no copy of the pages that a
    // statement of several rows changes.
    let insert = if is_postgres {
        "INSERT"
    } else {
        "INSERT OR FAIL"
    };
    let mut sql = format!(
        "{insert} INTO {} ({}) VALUES ",
        R::TABLE,
        R::COLUMNS.join(", ")
    );
    let mut number = 0;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for (at, column) in R::COLUMNS.iter().enumerate() {
            number += 1;
            if at > 0 {
                sql.push_str(", ");
            }
            let written = match (is_postgres, R::JSON == Some(*column)) {
                (false, _) => write!(sql, "?"),
                (true, false) => write!(sql, "${number}"),
                (true, true) => write!(sql, "CAST(${number} AS JSONB)"),
            };
            written.expect("memory takes a text");
        }
        sql.push(')');
    }
    sql.push_str(" ON CONFLICT ");
    sql.push_str(&R::on_conflict());
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_few_statements() {
        let texts = Texts::new(DbBackend::Sqlite);
        let rows: Vec<u32> = (0..700).collect();
        let cut = |largest| {
            let mut at = 0;
            let pieces = texts.lines.cut(&rows, largest).map(|(sql, piece)| {
                assert_eq!(piece, &rows[at..at + piece.len()]);
                at += piece.len();
                assert_eq!(sql.matches('(').count(), piece.len() + 2);
                piece.len()
            });
            let pieces: Vec<usize> = pieces.collect();
            assert_eq!(at, rows.len());
            pieces
        };
        assert_eq!(cut(LARGEST), [256, 256, 128, 32, 16, 8, 4]);
        assert_eq!(cut(0), [1; 700]);
        assert_eq!(texts.lines.cut(&rows[..0], LARGEST).count(), 0);
    }
}
