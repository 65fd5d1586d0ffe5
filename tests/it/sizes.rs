//! Files a person can hold in mind: none above 500 lines, tests not counted, and each says at its top what it is.

use std::fs;
use std::path::Path;

const MOST_LINES: usize = 500;

#[test]
fn no_file_is_too_long_and_each_has_a_head() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    let mut open: Vec<_> = ["src", "admin/src", "entity/src", "migration/src"]
        .map(|folder| root.join(folder))
        .to_vec();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            if path.extension().is_none_or(|e| e != "rs") {
                continue;
            }
            seen += 1;
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().display();
            if !text.starts_with("//!") {
                wrong.push(format!("{name} does not say what it is"));
            }
            if path.ends_with("tests.rs") {
                continue;
            }
            let net = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = net.lines().count();
            if lines > MOST_LINES {
                wrong.push(format!("{name} has {lines} lines"));
            }
        }
    }
    assert!(seen > 50, "only {seen} files were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
