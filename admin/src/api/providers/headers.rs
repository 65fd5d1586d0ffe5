//! Which headers an admin may add to a provider's requests.

use std::collections::BTreeMap;

use entity::value::{BadHeader, check_header};

use crate::problem::Mistake;

/// Mistakes of `customHeaders`.
pub fn check(headers: &BTreeMap<String, String>, out: &mut Vec<Mistake>) {
    let mut seen = Vec::new();
    for (name, value) in headers {
        let at = format!("customHeaders.{name}");
        let lower = name.to_ascii_lowercase();
        if let Err(why) = check_header(name, value) {
            let code = match why {
                BadHeader::Own => "not_allowed",
                BadHeader::Name | BadHeader::Value => "invalid",
            };
            out.push(Mistake::new(at, code, why.to_string()));
        } else if seen.contains(&lower) {
            let message = "is given twice in different case";
            out.push(Mistake::new(at, "repeated", message));
        }
        seen.push(lower);
    }
}
