//! The floors: an arrow between modules of the root crate only ever points down, and each library stays behind its fence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The root crate's modules, lowest floor first. Changing this list is a decision about the architecture.
const FLOORS: [&[&str]; 5] = [
    &["domain", "settings", "telemetry", "mock"],
    &["wire", "store"],
    &["policy"],
    &["proxy"],
    &["app"],
];

/// Libraries and the modules that may name them.
const FENCES: [(&str, &[&str]); 7] = [
    ("pingora", &["proxy", "app"]),
    ("fred", &["store"]),
    ("sea_orm", &["store", "app"]),
    ("rusqlite", &["store"]),
    ("migration", &["store"]),
    ("admin", &["app"]),
    ("clap", &["app", "mock"]),
];

/// Files that may start tasks.
const SPAWNERS: [&str; 5] = [
    "app/listener.rs",
    "app/runtime.rs",
    "app.rs",
    "mock",
    "proxy/losers.rs",
];

struct Source {
    /// Path below `src`.
    path: String,
    /// First module of the path.
    module: String,
    /// The text without its test module.
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(&root).unwrap();
            let first = path.components().next().unwrap().as_os_str();
            let module = first.to_str().unwrap().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&file).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            Source {
                path: path.to_str().unwrap().to_owned(),
                module,
                text: text.to_owned(),
            }
        })
        .filter(|source| {
            !source.path.ends_with("tests.rs")
                && !source.path.contains("testing")
                && !["lib", "main"].contains(&source.module.as_str())
        })
        .collect()
}

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|floor| floor.contains(&module))
        .unwrap_or_else(|| panic!("the module {module} stands on no floor"))
}

/// Every `crate::x` in code, comments and documentation left out.
fn names_after<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split(prefix).skip(1))
        .map(|rest| {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for source in sources() {
        assert!(
            !source.text.contains("use crate::*") && !source.text.contains("use crate::{"),
            "{}: name the module after crate::, one use a module",
            source.path
        );
        let own = floor(&source.module);
        for target in names_after(&source.text, "crate::") {
            if target != source.module && floor(target) >= own {
                wrong.push(format!("{} uses crate::{target}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "not downwards:\n{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_behind_their_fences() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (library, allowed) in FENCES {
            let is_named = source.text.lines().any(|line| {
                let line = line.trim_start();
                !line.starts_with("//")
                    && (line.starts_with(&format!("use {library}::"))
                        || line.contains(&format!(" {library}::"))
                        || line.contains(&format!("({library}::")))
            });
            // A module of the same name is not the library.
            let is_own = source.text.contains(&format!("mod {library};"));
            if is_named && !is_own && !allowed.contains(&source.module.as_str()) {
                wrong.push(format!("{} names {library}", source.path));
            }
        }
        let may_spawn = SPAWNERS.iter().any(|s| source.path.starts_with(s));
        if source.text.contains("tokio::spawn") && !may_spawn {
            wrong.push(format!("{} starts a task", source.path));
        }
    }
    assert!(wrong.is_empty(), "outside its fence:\n{}", wrong.join("\n"));
}

/// Files must not import each other in a circle either, within a folder or across.
#[test]
fn no_import_cycle_between_files() {
    let sources = sources();
    let names: BTreeSet<String> = sources.iter().map(|s| module_path(&s.path)).collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let own = module_path(&source.path);
        for used in imports(&source.text, &own) {
            // The longest known module that the path begins with is the file it is in.
            let target = names
                .iter()
                .filter(|name| used == **name || used.starts_with(&format!("{name}::")))
                .max_by_key(|name| name.len());
            if let Some(target) = target.filter(|target| **target != own) {
                edges.entry(own.clone()).or_default().insert(target.clone());
            }
        }
    }
    assert!(
        edges.len() > 50,
        "only {} files import anything",
        edges.len()
    );
    for start in &names {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&String> = edges.get(start).into_iter().flatten().collect();
        while let Some(next) = open.pop() {
            assert!(next != start, "{start} is in an import cycle: {reached:?}");
            if reached.insert(next) {
                open.extend(edges.get(next).into_iter().flatten());
            }
        }
    }
}

fn module_path(file: &str) -> String {
    file.trim_end_matches(".rs").replace('/', "::")
}

/// Every path that a file's `use` items name, from the crate's root. A facade's re-exports (`pub use`) of its own children are no imports.
fn imports(text: &str, own: &str) -> Vec<String> {
    let parent = own.rsplit_once("::").map_or("", |(parent, _)| parent);
    let grandparent = parent.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut found = Vec::new();
    for item in text.split(';') {
        let Some(start) = item.find("use ") else {
            continue;
        };
        let line_start = item[..start].rfind('\n').map_or(0, |at| at + 1);
        if !item[line_start..start].trim().is_empty() {
            continue;
        }
        let path: String = item[start + 4..].split_whitespace().collect();
        let path = if let Some(rest) = path.strip_prefix("crate::") {
            rest.to_owned()
        } else if let Some(rest) = path.strip_prefix("super::super::") {
            format!("{grandparent}::{rest}")
        } else if let Some(rest) = path.strip_prefix("super::") {
            format!("{parent}::{rest}")
        } else {
            continue;
        };
        let path = path.trim_start_matches("::");
        match path.split_once('{') {
            None => found.push(path.to_owned()),
            Some((prefix, names)) => found.extend(
                names
                    .trim_end_matches('}')
                    .split(',')
                    .filter(|name| !name.is_empty())
                    .map(|name| format!("{prefix}{name}").replace("::self", "")),
            ),
        }
    }
    found
}
