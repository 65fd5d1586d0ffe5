//! The names under which a model's price may stand, when it does not stand under the one that was asked for.
//!
//! A wrong price is worse than none, so a name is only ever changed in ways that keep which model is meant, and what is left must then
//! be in the table as a whole. Nothing is matched by how it begins: `claude-opus-4` says nothing of `claude-opus-4-7`, nor `gpt-5` of
//! `gpt-5.1`. In order:
//!
//! 1. without who passes it on or who made it: `openrouter/`, `models/`, `anthropic/`, `us.anthropic.`;
//! 2. without the day of a release: `-20250929`, `-2025-09-29`, `@20250929`, and `-latest`;
//! 3. without Bedrock's revision: `-v1:0`;
//! 4. under the maker's own listing, where the table has only that: `grok-4` is at `xai/grok-4`.

/// What may stand before a model's name, by which it is passed on or under which its maker lists it.
const PREFIXES: [&str; 25] = [
    "ai21/",
    "anthropic/",
    "azure/",
    "azure_ai/",
    "bedrock/",
    "cohere/",
    "converse/",
    "dashscope/",
    "deepseek/",
    "gemini/",
    "google/",
    "litellm_proxy/",
    "minimax/",
    "mistral/",
    "mistralai/",
    "models/",
    "moonshot/",
    "moonshotai/",
    "openai/",
    "openrouter/",
    "qwen/",
    "vertex_ai/",
    "x-ai/",
    "xai/",
    "zai/",
];

/// Where Bedrock serves from; before the maker's name, which ends in a point.
const REGIONS: [&str; 8] = [
    "global.", "us.", "us-gov.", "eu.", "apac.", "au.", "jp.", "ca.",
];
const MAKERS: [&str; 8] = [
    "ai21.",
    "amazon.",
    "anthropic.",
    "cohere.",
    "deepseek.",
    "meta.",
    "mistral.",
    "openai.",
];

/// How the names of a family begin, and the makers' own listings. The beginning only chooses where to look.
const LISTINGS: [(&str, &str); 12] = [
    ("codestral", "mistral/"),
    ("deepseek-", "deepseek/"),
    ("devstral", "mistral/"),
    ("gemini-", "gemini/"),
    ("glm-", "zai/"),
    ("grok-", "xai/"),
    ("kimi-", "moonshot/"),
    ("magistral", "mistral/"),
    ("minimax-", "minimax/"),
    ("mistral-", "mistral/"),
    ("qwen", "dashscope/"),
    ("qwq", "dashscope/"),
];

/// More prefixes than this are no name of a model.
const MAX_DEPTH: usize = 4;

/// Other names of the same model, likelier ones first. The name itself is not among them.
pub(super) fn others(name: &str) -> Vec<String> {
    let mut stems = vec![name];
    for _ in 0..MAX_DEPTH {
        match without_prefix(stems[stems.len() - 1]) {
            Some(shorter) => stems.push(shorter),
            None => break,
        }
    }
    let mut names: Vec<String> = Vec::new();
    let mut add = |candidate: String| {
        if candidate != name && !candidate.is_empty() && !names.contains(&candidate) {
            names.push(candidate);
        }
    };
    for change in [
        |s: &'_ str| Some(s.len()),
        dateless,
        revisionless,
        |s: &'_ str| dateless(&s[..revisionless(s)?]),
    ] {
        for stem in &stems {
            if let Some(end) = change(stem) {
                add(stem[..end].to_owned());
            }
        }
    }
    let bare = stems[stems.len() - 1];
    for stem in [Some(bare.len()), dateless(bare)].into_iter().flatten() {
        let stem = &bare[..stem];
        let lower = stem.to_ascii_lowercase();
        for (_, listing) in LISTINGS.iter().filter(|(f, _)| lower.starts_with(f)) {
            add(format!("{listing}{stem}"));
        }
    }
    names
}

fn without_prefix(name: &str) -> Option<&str> {
    if let Some(rest) = PREFIXES.iter().find_map(|p| name.strip_prefix(p)) {
        return Some(rest);
    }
    let is_made = |name: &str| MAKERS.iter().any(|m| name.starts_with(m));
    let region_less = REGIONS.iter().find_map(|r| name.strip_prefix(r));
    if let Some(rest) = region_less.filter(|rest| is_made(rest)) {
        return Some(rest);
    }
    MAKERS.iter().find_map(|m| name.strip_prefix(m))
}

/// Where the name ends without the day of its release.
fn dateless(name: &str) -> Option<usize> {
    if let Some(stem) = name.strip_suffix("-latest") {
        return Some(stem.len());
    }
    let is_day = |text: &str, with_dashes: bool| {
        let digits: String = if with_dashes {
            let parts: Vec<&str> = text.split('-').collect();
            if parts.len() != 3 || [4, 2, 2] != [parts[0].len(), parts[1].len(), parts[2].len()] {
                return false;
            }
            parts.concat()
        } else {
            text.to_owned()
        };
        digits.len() == 8
            && digits.bytes().all(|b| b.is_ascii_digit())
            && digits.starts_with("20")
            && ("01"..="12").contains(&&digits[4..6])
            && ("01"..="31").contains(&&digits[6..])
    };
    for (length, with_dashes) in [(8, false), (10, true)] {
        let Some(at) = name.len().checked_sub(length + 1).filter(|at| *at > 0) else {
            continue;
        };
        if name.is_char_boundary(at)
            && name.is_char_boundary(at + 1)
            && matches!(&name[at..=at], "-" | "@")
            && is_day(&name[at + 1..], with_dashes)
        {
            return Some(at);
        }
    }
    None
}

/// Where the name ends without Bedrock's revision.
fn revisionless(name: &str) -> Option<usize> {
    let stem = match name.rsplit_once(':') {
        Some((stem, number)) if is_number(number) => stem,
        Some(_) => return None,
        None => name,
    };
    let (stem, revision) = stem.rsplit_once("-v")?;
    is_number(revision).then_some(stem.len())
}

fn is_number(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_does_not_change_the_model() {
        for (name, other) in [
            ("anthropic/claude-opus-4-7", "claude-opus-4-7"),
            ("openrouter/anthropic/claude-opus-4-7", "claude-opus-4-7"),
            (
                "openrouter/anthropic/claude-opus-4-7",
                "anthropic/claude-opus-4-7",
            ),
            ("models/gemini-2.5-pro", "gemini-2.5-pro"),
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
            ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
            ("gpt-5-2025-08-07", "gpt-5"),
            ("claude-opus-4-latest", "claude-opus-4"),
            (
                "us.anthropic.claude-opus-4-7-20260416-v1:0",
                "claude-opus-4-7",
            ),
            (
                "us.anthropic.claude-opus-4-7-v1",
                "anthropic.claude-opus-4-7-v1",
            ),
            ("anthropic.claude-x-v1:0", "claude-x"),
            ("grok-4", "xai/grok-4"),
            ("MiniMax-M3", "minimax/MiniMax-M3"),
            ("kimi-k2.5-2026-01-01", "moonshot/kimi-k2.5"),
        ] {
            let others = others(name);
            assert!(others.iter().any(|o| o == other), "{name}: {others:?}");
        }
        let order = others("anthropic/claude-sonnet-4-5-20250929");
        assert_eq!(
            order[..2],
            ["claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"]
        );
    }

    #[test]
    fn a_version_is_never_lost() {
        for name in [
            "claude-opus-4-7",
            "gpt-5.1",
            "gpt-5-mini",
            "gpt-4-0613",
            "claude-opus-20259999",
            "-20250929",
            "20250929",
            "é-20250929",
            "model-v1.5",
            "gpt-5:free",
            "",
        ] {
            let stem = name.strip_suffix("-20250929").unwrap_or(name);
            assert!(
                others(name).iter().all(|o| o == stem || o.is_empty()),
                "{name}: {:?}",
                others(name)
            );
        }
    }
}
