//! The audit as a table for spreadsheets.

use std::{borrow::Cow, sync::Arc};

use chrono::SecondsFormat;
use entity::audit;
use sea_orm::DbErr;

use crate::{
    Admin,
    api::csv::{Pieces, line, number, text},
    query::{
        audit::{self as query, Filter},
        page::Window,
    },
};

/// Rows read at once.
const PAGE: u64 = 200;

const HEADER: [&str; 14] = [
    "id",
    "at",
    "actorUserId",
    "actorKeyId",
    "actorName",
    "bySession",
    "peer",
    "action",
    "resource",
    "resourceId",
    "resourceName",
    "revision",
    "before",
    "after",
];

/// The entries that pass a filter, as far as they are not sent.
pub struct Export {
    /// The database is here.
    pub admin: Arc<Admin>,
    /// Which entries.
    pub filter: Filter,
    /// The last one that was sent; none before the first.
    pub after: Option<i64>,
    /// How many may still be sent.
    pub left: u64,
    /// The header was sent.
    pub is_begun: bool,
}

impl Pieces for Export {
    async fn piece(mut self) -> Result<(String, Option<Self>), DbErr> {
        let mut out = String::new();
        if !self.is_begun {
            self.is_begun = true;
            line(&mut out, HEADER.map(Cow::Borrowed));
            return Ok((out, Some(self)));
        }
        let window = Window {
            after: self.after,
            limit: self.left.min(PAGE),
        };
        let page = query::list(&self.admin.db, self.filter.clone(), window).await?;
        for row in &page.items {
            write(&mut out, row);
        }
        self.left -= self.left.min(page.items.len() as u64);
        self.after = page.items.last().map(|row| row.id);
        let is_over = page.next.is_none() || self.left == 0;
        Ok((out, (!is_over).then_some(self)))
    }
}

fn write(out: &mut String, row: &audit::Model) {
    let at = row.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let json = |picture: &Option<serde_json::Value>| {
        let picture = picture.as_ref().map(serde_json::Value::to_string);
        Cow::from(picture.unwrap_or_default())
    };
    let cells: [Cow<'_, str>; HEADER.len()] = [
        row.id.to_string().into(),
        at.into(),
        number(row.actor_user_id),
        number(row.actor_key_id),
        text(Some(&row.actor_name)),
        row.by_session.to_string().into(),
        text(row.peer.as_deref()),
        text(Some(&row.action)),
        text(Some(&row.resource)),
        text(Some(&row.resource_id)),
        text(Some(&row.resource_name)),
        number(row.revision),
        // JSON objects: they begin with a brace.
        json(&row.before),
        json(&row.after),
    ];
    line(out, cells);
}
