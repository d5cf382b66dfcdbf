//! Snapshots: each one is compared by a test. One that no test names would never fail again.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::layering::rust_files;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The module of a test's file as insta writes it, such as `it__compat__details`.
fn module(file: &Path) -> String {
    let path = file.strip_prefix("tests").unwrap().with_extension("");
    let parts: Vec<_> =
        path.iter().map(|part| part.to_str().unwrap()).filter(|part| *part != "mod").collect();
    parts.join("__")
}

/// The names that a source gives to snapshots.
fn names(source: &str) -> Vec<&str> {
    let calls = source.split("snapshot!(").skip(1);
    calls.map(|call| call.trim_start().strip_prefix('"').unwrap().split('"').next().unwrap()).collect()
}

/// The snapshots that no test compares.
fn unreferenced(snapshots: &[String], named: &BTreeSet<(String, String)>) -> Vec<String> {
    let is_named = |snapshot: &&String| {
        named.iter().any(|(module, name)| {
            let rest = snapshot.strip_prefix(&format!("{module}__"));
            rest.is_some_and(|rest| rest == name || rest.ends_with(&format!("__{name}")))
        })
    };
    snapshots.iter().filter(|snapshot| !is_named(snapshot)).cloned().collect()
}

#[test]
fn every_snapshot_is_compared_by_a_test() {
    let mut named = BTreeSet::new();
    for file in rust_files(Path::new("tests/it")).iter().filter(|file| !file.ends_with("house/snapshots.rs"))
    {
        let source = fs::read_to_string(file).unwrap();
        named.extend(names(&source).into_iter().map(|name| (module(file), name.to_owned())));
    }
    let files = files_below(Path::new("tests/it"));
    let of_kind = |kind: &str| {
        let files = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == kind));
        files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let snapshots = of_kind("snap");
    assert!(snapshots.len() >= 8, "the snapshots are not where they were: {snapshots:?}");
    assert_eq!(unreferenced(&snapshots, &named), Vec::<String>::new(), "delete what no test compares");
    assert_eq!(of_kind("new"), Vec::<String>::new(), "accept or reject what a test run has left");
}

#[test]
fn a_snapshot_of_another_test_or_of_no_name_is_found() {
    let named = [("it__a".to_owned(), "x".to_owned()), ("it__b".to_owned(), "y".to_owned())].into();
    let snapshots = ["it__a__x", "it__a__test__x", "it__a__y", "it__c__x", "it__a__xx"].map(str::to_owned);
    assert_eq!(unreferenced(&snapshots, &named), ["it__a__y", "it__c__x", "it__a__xx"]);
    let source = "assert_json_snapshot!(\"n\", 1); assert_snapshot!(\n  \"m\", 2)";
    assert_eq!(names(source), ["n", "m"]);
}
