//! Makes the built-in table of prices out of LiteLLM's public one: `build-prices <json> <table>`. See `scripts/build-prices`.

use std::fmt::Write;
use std::{env, fs, process::ExitCode};

use entity::value::price::litellm::{self, Ignored};

const HEAD: &str = "\
# Prices of models in USD for a million tokens; per-request, per-image and per-input-image in USD for one. Tab-separated, one line a model.
# Figures only, which are facts; compiled from LiteLLM's public table, model_prices_and_context_window.json. Made by scripts/build-prices.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let [_, source, target] = &arguments[..] else {
        return fail("usage: build-prices <json> <table>");
    };
    match build(source).and_then(|table| fs::write(target, table).map_err(|e| e.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

fn build(source: &str) -> Result<String, String> {
    let json = fs::read_to_string(source).map_err(|e| e.to_string())?;
    let listing = litellm::read(&json).map_err(|e| e.to_string())?;
    // A figure that does not fit the unit is a reason to think again, not to leave a model out.
    for (model, why) in &listing.ignored {
        if !matches!(why, Ignored::NoPrice) {
            return Err(format!("{model} {why}"));
        }
    }
    let mut table = HEAD.to_owned();
    for (model, listed) in &listing.models {
        writeln!(table, "{model}\t{}", listed.price).map_err(|e| e.to_string())?;
    }
    Ok(table)
}

#[expect(clippy::print_stderr, reason = "a tool for the command line")]
fn fail(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
