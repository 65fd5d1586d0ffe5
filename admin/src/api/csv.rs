//! Tables for spreadsheets, sent as they are read.
//!
//! A spreadsheet runs what begins like a formula, and much of what is told is what a client says of itself. Such a text is led by an
//! apostrophe, which makes a text of it everywhere.

use std::{borrow::Cow, future::Future, io};

use futures_util::stream;
use poem::{Body, IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse,
    registry::{MetaResponses, Registry},
    types::Type,
};
use sea_orm::DbErr;

use super::answers::success;

/// A table on its way.
pub struct Csv {
    body: Body,
    disposition: String,
}

/// A table that is read piece by piece.
pub trait Pieces: Send + Sized + 'static {
    /// The next rows, and what is left to do after them.
    fn piece(self) -> impl Future<Output = Result<(String, Option<Self>), DbErr>> + Send;
}

/// A number, or nothing.
pub fn number(value: Option<i64>) -> Cow<'static, str> {
    value
        .map(|value| value.to_string())
        .unwrap_or_default()
        .into()
}

/// A text that nothing runs.
pub fn text(value: Option<&str>) -> Cow<'_, str> {
    let value = value.unwrap_or_default();
    // Some spreadsheets skip what stands before.
    let first = value.trim_start_matches([' ', '\u{a0}']).chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => {
            format!("'{value}").into()
        }
        _ => value.into(),
    }
}

/// Adds a row.
pub fn line<'c>(out: &mut String, cells: impl IntoIterator<Item = Cow<'c, str>>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

// === impl Csv ===

impl Csv {
    /// The table as a file of this name.
    pub fn new(name: &str, table: impl Pieces) -> Self {
        let pieces = stream::try_unfold(Some(table), |table| async move {
            let Some(table) = table else {
                return Ok(None);
            };
            match table.piece().await {
                Ok((text, table)) => Ok(Some((text, table))),
                Err(error) => {
                    tracing::error!(%error, "an export broke off");
                    Err(io::Error::other("the export broke off"))
                }
            }
        });
        Self {
            body: Body::from_bytes_stream(pieces),
            disposition: format!("attachment; filename=\"{name}\""),
        }
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        Response::builder()
            .header(
                header::CONTENT_TYPE,
                "text/csv; charset=utf-8; header=present",
            )
            .header(header::CONTENT_DISPOSITION, self.disposition)
            .body(self.body)
    }
}

impl ApiResponse for Csv {
    fn meta() -> MetaResponses {
        success(
            "The table, as an attachment.",
            "text/csv",
            String::schema_ref(),
        )
    }

    fn register(_: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_table_runs_or_breaks_it() {
        for (cell, written) in [
            ("opus", "opus"),
            ("=1+1", "'=1+1"),
            ("-2", "'-2"),
            ("+49", "'+49"),
            ("@sum", "'@sum"),
            ("\t=1", "'\t=1"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("", ""),
        ] {
            assert_eq!(text(Some(cell)), written);
        }
        let mut out = String::new();
        line(
            &mut out,
            ["a,b", "say \"hi\"", "two\nlines", "c"].map(Cow::Borrowed),
        );
        assert_eq!(out, "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",c\r\n");
    }
}
