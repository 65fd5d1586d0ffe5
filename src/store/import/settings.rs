//! The settings that have a counterpart here.

use chrono_tz::Tz;
use entity::setting::{self, ONLY_ID};
use entity::value::GatewaySettings;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait};

use super::links::{Kind, Links};
use super::report::Table;
use super::row::{Reading, Row};

/// Imports the settings: each where nobody set anything here. What means something else here is said in `warnings`.
pub(super) async fn settings(
    tx: &DatabaseTransaction,
    links: &mut Links<'_>,
    rows: &[Row],
    warnings: &mut Vec<String>,
) -> Result<Table, DbErr> {
    let mut table = Table::new("system_settings");
    table.found = rows.len() as u64;
    let Some(row) = rows.first() else {
        return Ok(table);
    };
    for row in &rows[1..] {
        table.skipped.add(row.id(), "only the first row counts");
    }
    let id = row.id();
    let mut read = Reading::new(row);
    let time_zone = time_zone(&mut read);
    let has_gate = read.text("stream_gate_mode").as_deref() != Some("off");
    warn(&mut read, time_zone.as_deref(), warnings);
    let place = (Kind::Settings, 1);
    let digest = links.digest(&(&time_zone, has_gate), "");
    for wrong in read.wrong {
        table.notes.add(id, wrong);
    }
    let is_same = links.is_same(place, &digest);
    if is_same == Some(true) {
        table.same += 1;
        return Ok(table);
    }
    let here = setting::Entity::find_by_id(ONLY_ID).one(tx).await?;
    let is_first = here.is_none();
    let before = here.map(|row| row.value).unwrap_or_default();
    let after = filled(&before, time_zone, has_gate, id, &mut table);
    if after == before {
        table.same += 1;
    } else {
        let row = setting::ActiveModel {
            id: Set(ONLY_ID),
            value: Set(after),
            updated_at: Set(links.now),
        };
        if is_first {
            row.insert(tx).await?;
        } else {
            row.update(tx).await?;
        }
        match is_same {
            None => table.new += 1,
            Some(_) => table.changed += 1,
        }
    }
    let now = links.now;
    links.link(tx, place, ONLY_ID.into(), digest, now).await?;
    Ok(table)
}

/// The settings with what nobody set here filled in.
fn filled(
    before: &GatewaySettings,
    time_zone: Option<String>,
    has_gate: bool,
    id: i64,
    table: &mut Table,
) -> GatewaySettings {
    let mut after = before.clone();
    match (&before.time_zone, time_zone) {
        (None, zone) => after.time_zone = zone,
        (Some(here), Some(there)) if *here != there => {
            let what = format!("its timezone is {there}, here it is {here} and stays so");
            table.notes.add(id, what);
        }
        _ => {}
    }
    let default = GatewaySettings::default();
    if !has_gate && before.gate_hold_seconds == default.gate_hold_seconds {
        after.gate_hold_seconds = 0;
    }
    after
}

fn time_zone(read: &mut Reading<'_>) -> Option<String> {
    let name = read.text("timezone")?.trim().to_owned();
    if name.parse::<Tz>().is_ok() {
        return Some(name);
    }
    read.say("its timezone is none that is known here, left out");
    None
}

/// Says what the same settings mean here.
fn warn(read: &mut Reading<'_>, time_zone: Option<&str>, warnings: &mut Vec<String>) {
    let mut say = |text: &str| warnings.push(text.to_owned());
    if time_zone.is_none() {
        say(
            "No time zone is set there, so its TZ was in force: set TZ or the setting timeZone to the same, or days, weeks and months begin at other moments.",
        );
    }
    if read.text("billing_model_source").as_deref() != Some("redirected") {
        say(
            "There a request costs what the model costs that the client asked for; here, what the model costs that the provider is asked for. It differs where a redirect leads to a model with another price.",
        );
    }
    if !read.flag("bill_hedge_losers", true) {
        say("There losing attempts of a race were free; here what a provider bills is counted.");
    }
    if read.flag("enable_auto_cleanup", false) {
        say("Its cleaning of old logs has no counterpart here.");
    }
    if read.row().json("ip_extraction_config").is_some() {
        say("What it says of finding the client's address has no counterpart here.");
    }
}
