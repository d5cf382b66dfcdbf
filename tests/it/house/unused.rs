//! What nothing uses any more: snapshots that no test compares with, and dependencies of the tests alone.
//! Of the service's dependencies the compiler says so: see `.ci/run`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::layering::rust_files;

/// The files of this ending below a folder.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension() == Some(OsStr::new(extension)) {
            found.push(path);
        }
    }
    found
}

/// The test file that insta has noted in a snapshot.
fn source(snapshot: &str) -> &str {
    snapshot.lines().find_map(|line| line.strip_prefix("source: ")).expect("a snapshot names its source")
}

/// The module path of a test file as the names of its snapshots begin: `it__compat__details__`.
fn prefix(source: &str) -> String {
    let module = source.strip_prefix("tests/").unwrap_or(source);
    let module = module.strip_suffix("/mod.rs").or_else(|| module.strip_suffix(".rs")).unwrap_or(module);
    module.replace('/', "__") + "__"
}

/// Whether this source compares with a snapshot of this name, which stands behind the module path: perhaps behind
/// the module of a test that runs on each backend.
fn compares(source: &str, name: &str) -> bool {
    let (module, name) = name.rsplit_once("__").unwrap_or(("", name));
    let has_word =
        |word: &str| source.split(|c: char| !c.is_alphanumeric() && c != '_').any(|each| each == word);
    source.contains(&format!("snapshot!(\"{name}\"")) && (module.is_empty() || has_word(module))
}

#[test]
fn every_snapshot_is_compared_with() {
    let snapshots = files(Path::new("tests"), "snap");
    assert!(snapshots.len() > 5, "{snapshots:?}");
    for path in snapshots {
        let text = fs::read_to_string(&path).unwrap();
        let source = source(&text);
        let code = fs::read_to_string(source).unwrap_or_default();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_beside = Path::new(source).parent().unwrap().join("snapshots") == path.parent().unwrap();
        let is_compared = name.strip_prefix(&prefix(source)).is_some_and(|name| compares(&code, name));
        assert!(is_beside && is_compared, "no test compares with {}: delete it", path.display());
    }
}

#[test]
fn every_dependency_of_the_tests_is_used() {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string("Cargo.toml").unwrap()).unwrap();
    let files = [rust_files(Path::new("src")), rust_files(Path::new("tests/it"))].concat();
    let sources: Vec<_> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    for name in manifest["dev-dependencies"].as_table().unwrap().keys() {
        let path = format!("{}::", name.replace('-', "_"));
        let is_code = |line: &str| !line.trim_start().starts_with("//") && line.contains(&path);
        let is_used = sources.iter().any(|source| source.lines().any(is_code));
        assert!(is_used, "Cargo.toml: nothing uses the dev-dependency `{name}`: delete it");
    }
}

#[test]
fn snapshots_are_found_by_module_and_name() {
    assert_eq!(prefix("tests/it/compat/details.rs"), "it__compat__details__");
    assert_eq!(prefix("tests/it/compat/mod.rs"), "it__compat__");
    let code = "fn told() { assert_snapshot!(\"told_page\", page) }";
    assert!(compares(code, "told__told_page") && compares(code, "told_page"));
    assert!(!compares(code, "tol__told_page") && !compares(code, "told"));
}
