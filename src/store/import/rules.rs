//! Groups of providers and error rules.

use std::collections::HashMap;

use chrono::DateTime;
use entity::value::{ErrorMatch, ErrorPattern, Multiplier, RuleFault};
use entity::{error_rule, provider_group};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait};
use serde_json::Value;

use super::links::{Kind, Links};
use super::report::Table;
use super::row::{Reading, Row, cut};
use super::shelf::Shelf;

const NAME: usize = 128;

/// Imports groups. A group is its name, so that one that is here already is the same one.
pub(super) async fn groups(
    tx: &DatabaseTransaction,
    links: &mut Links<'_>,
    rows: &[Row],
) -> Result<Table, DbErr> {
    let columns = (
        provider_group::Column::Id,
        provider_group::Column::UpdatedAt,
    );
    let mut shelf =
        Shelf::<provider_group::Entity>::new(tx, Kind::Group, "provider_groups", columns);
    let mut here = HashMap::new();
    for row in provider_group::Entity::find().all(tx).await? {
        shelf.know(row.id, row.updated_at);
        here.insert(row.name.trim().to_owned(), row.id);
    }
    for row in rows {
        shelf.table.found += 1;
        let id = row.id();
        let mut read = Reading::new(row);
        let group = match read_group(&mut read) {
            Ok(group) => group,
            Err(why) => {
                shelf.table.skipped.add(id, why);
                continue;
            }
        };
        let own = links.target(Kind::Group, id);
        let there = here.get(&group.name).copied();
        if let Some(there) = there
            && (own != Some(there) || links.is_adopted(Kind::Group, id))
        {
            if links.is_anothers(Kind::Group, id, there) {
                let why = "another group there has the same name but for spaces";
                shelf.table.skipped.add(id, why);
                continue;
            }
            let what =
                "a group of this name is here already and left as it is, with its multiplier";
            shelf.adopt(links, id, there, what).await?;
            continue;
        }
        let name = group.name.clone();
        let target = shelf
            .put::<provider_group::ActiveModel>(links, id, group, "")
            .await?;
        here.insert(name, target);
        shelf.report(read);
    }
    Ok(shelf.table)
}

fn read_group(read: &mut Reading<'_>) -> Result<provider_group::Model, String> {
    let name = read.text("name").unwrap_or_default().trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME {
        return Err(format!("its name has not 1 to {NAME} characters"));
    }
    let description = read.text("description").unwrap_or_default();
    // It is a note, or an object with a note in it and what a public page of states shows.
    let note = match serde_json::from_str::<Value>(&description) {
        Ok(Value::Object(fields)) => {
            if fields.get("publicStatus").is_some_and(|v| !v.is_null()) {
                read.say("what its public page shows has no counterpart here");
            }
            let note = fields.get("note").and_then(Value::as_str);
            note.unwrap_or_default().to_owned()
        }
        _ => description,
    };
    Ok(provider_group::Model {
        id: 0,
        name,
        cost_multiplier: read
            .multiplier("cost_multiplier")?
            .unwrap_or(Multiplier::ONE),
        note,
        created_at: read.time("created_at").unwrap_or(DateTime::UNIX_EPOCH),
        updated_at: DateTime::UNIX_EPOCH,
    })
}

/// Imports the error rules that people made. Those that came with the predecessor are left out: they call failures of providers the
/// client's fault, and what of them is true is judged here without rules.
pub(super) async fn error_rules(
    tx: &DatabaseTransaction,
    links: &mut Links<'_>,
    rows: &[Row],
) -> Result<Table, DbErr> {
    let columns = (error_rule::Column::Id, error_rule::Column::UpdatedAt);
    let mut shelf = Shelf::<error_rule::Entity>::new(tx, Kind::Rule, "error_rules", columns);
    let mut here = Vec::new();
    for row in error_rule::Entity::find().all(tx).await? {
        shelf.know(row.id, row.updated_at);
        if row.provider_id.is_none() {
            here.push((row.match_kind, row.pattern, row.id));
        }
    }
    for row in rows {
        shelf.table.found += 1;
        let id = row.id();
        let mut read = Reading::new(row);
        let rule = match read_rule(&mut read) {
            Ok(rule) => rule,
            Err(why) => {
                shelf.table.skipped.add(id, why);
                continue;
            }
        };
        let own = links.target(Kind::Rule, id);
        let twin = here
            .iter()
            .find(|(kind, pattern, _)| *kind == rule.match_kind && *pattern == rule.pattern);
        if let Some(there) = twin.map(|(.., id)| *id)
            && (own.is_none() || links.is_adopted(Kind::Rule, id))
        {
            let what = "a rule with this pattern is here already and left as it is";
            shelf.adopt(links, id, there, what).await?;
            continue;
        }
        shelf
            .put::<error_rule::ActiveModel>(links, id, rule, "")
            .await?;
        shelf.report(read);
    }
    Ok(shelf.table)
}

fn read_rule(read: &mut Reading<'_>) -> Result<error_rule::Model, String> {
    if read.flag("is_default", false) {
        return Err("came with the predecessor".to_owned());
    }
    let pattern = read.text("pattern").unwrap_or_default();
    if pattern.trim().is_empty() {
        return Err("has no pattern".to_owned());
    }
    let (match_kind, pattern) = match read.text("match_type").as_deref() {
        Some("contains") => (ErrorMatch::Contains, pattern),
        Some("exact") => (ErrorMatch::Exact, pattern),
        // Expressions pay no regard to case there.
        Some("regex") | None => (ErrorMatch::Regex, format!("(?i){pattern}")),
        Some(_) => return Err("there is no such match_type here".to_owned()),
    };
    ErrorPattern::new(match_kind, &pattern).map_err(|e| format!("its pattern {e}"))?;
    let description = read
        .text("description")
        .filter(|text| !text.trim().is_empty());
    let name = description
        .or_else(|| read.text("category"))
        .unwrap_or_default();
    let name = cut(name.trim(), NAME).trim_end();
    let status = read.integer("override_status_code");
    if status.is_some_and(|status| !(400..=599).contains(&status)) {
        read.say("override_status_code is not from 400 to 599, left out");
    }
    Ok(error_rule::Model {
        id: 0,
        name: if name.is_empty() {
            format!("rule {}", read.row().id())
        } else {
            name.to_owned()
        },
        provider_id: None,
        match_kind,
        pattern,
        // Whatever its category: what a rule matches is never tried again there.
        fault: RuleFault::Client,
        override_status: status
            .filter(|status| (400..=599).contains(status))
            .and_then(|status| i32::try_from(status).ok()),
        override_message: message(read),
        priority: read
            .integer("priority")
            .and_then(|tier| i32::try_from(tier).ok())
            .unwrap_or(0),
        is_enabled: read.flag("is_enabled", true),
        created_at: read.time("created_at").unwrap_or(DateTime::UNIX_EPOCH),
        updated_at: DateTime::UNIX_EPOCH,
    })
}

/// The message of an answer in any of the protocols' shapes: the shape itself is the client's own here.
fn message(read: &mut Reading<'_>) -> Option<String> {
    let json = read.row().json("override_response")?;
    let body: Value = serde_json::from_str(json).ok()?;
    let message = body
        .pointer("/error/message")
        .or_else(|| body.get("message"));
    match message.and_then(Value::as_str).map(str::trim) {
        Some("") => None,
        Some(message) => Some(message.to_owned()),
        None => {
            read.say("its override_response has no error message, left out");
            None
        }
    }
}
