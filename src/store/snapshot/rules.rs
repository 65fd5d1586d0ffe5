//! Error rules with their patterns compiled.

use entity::error_rule;
use entity::value::ErrorPattern;

use super::left_out::LeftOut;
use crate::domain::error_rule::ErrorRule;

/// Compiles each, in the order of the rows; what cannot be used is left out with its reason.
pub(super) fn compile_all(
    rows: Vec<error_rule::Model>,
    left_out: &mut Vec<LeftOut>,
) -> Vec<ErrorRule> {
    let mut compiled = Vec::with_capacity(rows.len());
    for row in rows {
        match ErrorPattern::new(row.match_kind, &row.pattern) {
            Ok(pattern) => compiled.push(ErrorRule {
                id: row.id,
                name: row.name,
                provider_id: row.provider_id,
                pattern,
                fault: row.fault.into(),
                override_status: row.override_status.and_then(|code| code.try_into().ok()),
                override_message: row.override_message,
            }),
            Err(why) => left_out.push(LeftOut {
                kind: "error rule",
                id: row.id,
                name: row.name,
                why: format!("its pattern {why}"),
            }),
        }
    }
    compiled
}
