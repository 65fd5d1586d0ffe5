//! Finds the built dashboard in `web/dist` and writes down what the binary shall carry of it. Where nothing was built, that is nothing; what
//! was built by half is refused, because browsers would be sent the half. Node is never run from here.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The copies `npm run build` leaves beside a file that gets smaller by them.
const COPIES: [&str; 2] = ["br", "gz"];

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let dist = manifest.join("web/dist");
    // The directory is in the repository, empty: cargo builds anew each time while a watched path is missing.
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &mut files)?;
        files.sort();
    }
    if let Some(empty) = files
        .iter()
        .flat_map(|file| copies(file))
        .find(|copy| is_empty(copy))
    {
        // Cargo shows it and fails.
        println!(
            "cargo::error={} is empty: the dashboard's build was interrupted. Build it again with scripts/build-dashboard, or delete what is in {}",
            empty.display(),
            dist.display()
        );
        return Ok(());
    }
    let entries: String = files.iter().map(|file| entry(&dist, file)).collect();
    let source = format!("pub const FILES: &[super::File] = &[\n{entries}];\n");
    fs::write(out.join("dashboard.rs"), source)
}

/// Every file below `directory` but compressed copies and hidden ones.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_copy = path
            .extension()
            .is_some_and(|ext| COPIES.iter().any(|copy| ext == *copy));
        if path.is_dir() {
            collect(&path, files)?;
        } else if !is_hidden && !is_copy {
            files.push(path);
        }
    }
    Ok(())
}

/// Where the copies of a file are, if it has any.
fn copies(file: &Path) -> [PathBuf; 2] {
    COPIES.map(|copy| {
        let mut name = file.as_os_str().to_owned();
        name.push(".");
        name.push(copy);
        PathBuf::from(name)
    })
}

/// A compressed file never is: nothing, compressed, is something.
fn is_empty(copy: &Path) -> bool {
    fs::metadata(copy).is_ok_and(|found| found.len() == 0)
}

fn entry(dist: &Path, file: &Path) -> String {
    let path = file.strip_prefix(dist).unwrap_or(file).to_string_lossy();
    let [brotli, gzip] = copies(file).map(|copy| {
        if copy.is_file() {
            format!("Some(include_bytes!({copy:?}))")
        } else {
            "None".to_owned()
        }
    });
    format!(
        "    super::File {{ path: {path:?}, plain: include_bytes!({file:?}), brotli: {brotli}, gzip: {gzip} }},\n"
    )
}
