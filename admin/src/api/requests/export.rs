//! The request log as a table for spreadsheets, sent as it is read: what is held of it is one page.

use std::{borrow::Cow, sync::Arc};

use chrono::SecondsFormat;
use entity::request_log;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    Admin,
    api::{
        csv::{Csv, Pieces, line, number, text},
        decimal::usd,
    },
    auth::identity::Identity,
    problem::Problem,
    query::requests::{self, Filter},
};

/// Rows read at once.
const PAGE: u64 = 500;

const HEADER: [&str; 28] = [
    "id",
    "createdAt",
    "userId",
    "userName",
    "keyId",
    "keyName",
    "providerId",
    "providerName",
    "sessionId",
    "protocol",
    "endpoint",
    "requestedModel",
    "model",
    "status",
    "isStream",
    "inputTokens",
    "cacheReadTokens",
    "cacheWrite5mTokens",
    "cacheWrite1hTokens",
    "outputTokens",
    "reasoningTokens",
    "costUsd",
    "settledFrom",
    "durationMs",
    "ttftMs",
    "client",
    "errorCode",
    "errorMessage",
];

struct Export {
    admin: Arc<Admin>,
    filter: Filter,
    is_admin: bool,
    names: requests::Names,
    after: Option<Uuid>,
    left: u64,
    is_begun: bool,
}

/// The requests that pass the filter, `rows` at most.
///
/// # Errors
/// When the database does not answer at the start.
pub async fn export(
    admin: &Arc<Admin>,
    caller: &Identity,
    filter: Filter,
    rows: u64,
) -> Result<Csv, Problem> {
    let export = Export {
        admin: admin.clone(),
        names: requests::names(&admin.db, caller.only_user()).await?,
        is_admin: caller.only_user().is_none(),
        filter,
        after: None,
        left: rows,
        is_begun: false,
    };
    Ok(Csv::new("requests.csv", export))
}

// === impl Export ===

impl Pieces for Export {
    /// The next rows, and what is left to do after them. A search that found none has no rows, and goes on.
    async fn piece(mut self) -> Result<(String, Option<Self>), DbErr> {
        let mut text = String::new();
        if !self.is_begun {
            self.is_begun = true;
            line(&mut text, HEADER.map(Cow::Borrowed));
            return Ok((text, Some(self)));
        }
        let db = &self.admin.db;
        loop {
            let most = self.left.min(PAGE);
            let found = requests::search(db, &self.filter, self.after, most).await?;
            let rows = requests::rows(db, found.ids).await?;
            for row in &rows {
                line(&mut text, self.cells(row));
            }
            self.left -= self.left.min(rows.len() as u64);
            self.after = found.next;
            let is_over = self.after.is_none() || self.left == 0;
            if is_over || !text.is_empty() {
                return Ok((text, (!is_over).then_some(self)));
            }
        }
    }
}

impl Export {
    fn cells<'r>(&'r self, row: &'r request_log::Model) -> [Cow<'r, str>; HEADER.len()] {
        let provider_id = row.provider_id.filter(|_| self.is_admin);
        let message = row.error_message.as_deref().filter(|_| self.is_admin);
        [
            row.id.to_string().into(),
            row.created_at
                .to_rfc3339_opts(SecondsFormat::Millis, true)
                .into(),
            number(row.user_id),
            name(&self.names.users, row.user_id),
            number(row.key_id),
            name(&self.names.keys, row.key_id),
            number(provider_id),
            name(&self.names.providers, provider_id),
            text(row.session_id.as_deref()),
            text(Some(&row.protocol)),
            text(Some(&row.endpoint)),
            text(row.requested_model.as_deref()),
            text(row.model.as_deref()),
            row.status.to_string().into(),
            row.is_stream.to_string().into(),
            row.input_tokens.to_string().into(),
            row.cache_read_tokens.to_string().into(),
            row.cache_write5m_tokens.to_string().into(),
            row.cache_write1h_tokens.to_string().into(),
            row.output_tokens.to_string().into(),
            row.reasoning_tokens.to_string().into(),
            row.cost_nano_usd.map(usd).unwrap_or_default().into(),
            text(Some(&row.settled_from)),
            row.duration_ms.to_string().into(),
            number(row.ttft_ms),
            row.client.as_str().into(),
            text(row.error_code.as_deref()),
            text(message),
        ]
    }
}

fn name(names: &requests::NameMap, id: Option<i64>) -> Cow<'_, str> {
    text(id.and_then(|id| names.get(&id)).map(String::as_str))
}
