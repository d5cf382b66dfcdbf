//! The direction of imports: each layer may use those below it, and nothing else. The lowest stand first.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Each module of the crate, and the modules it may import.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    BTreeMap::from([
        ("background", vec![]),
        ("client", vec![]),
        ("pace", vec![]),
        ("secret_url", vec![]),
        ("shutdown", vec![]),
        ("telemetry", vec!["client", "secret_url"]),
        ("domain", vec![]),
        ("exotel", vec!["domain"]),
        ("access", vec!["domain"]),
        ("storage", vec!["domain", "secret_url"]),
        ("answers", vec!["domain", "storage"]),
        ("ingest", vec!["domain", "exotel", "storage", "telemetry"]),
        ("retention", vec!["background", "domain", "pace", "storage", "telemetry"]),
        (
            "http",
            vec![
                "access",
                "answers",
                "domain",
                "exotel",
                "ingest",
                "pace",
                "secret_url",
                "storage",
                "telemetry",
            ],
        ),
        ("listener", vec!["shutdown", "telemetry"]),
        ("simulator", vec!["access", "answers", "client", "domain", "exotel"]),
        (
            "config",
            vec!["access", "domain", "http", "ingest", "retention", "secret_url", "storage", "telemetry"],
        ),
        (
            "app",
            vec![
                "access",
                "background",
                "config",
                "domain",
                "http",
                "ingest",
                "listener",
                "retention",
                "shutdown",
                "storage",
                "telemetry",
            ],
        ),
        (
            "cli",
            vec![
                "access",
                "app",
                "config",
                "domain",
                "exotel",
                "http",
                "ingest",
                "retention",
                "shutdown",
                "simulator",
                "storage",
                "telemetry",
            ],
        ),
    ])
}

/// What a layer's code may not name at all.
const BANNED: [(&str, &[&str]); 5] = [
    ("domain", &["sqlx", "axum", "hyper", "http", "tokio", "utoipa"]),
    ("exotel", &["sqlx", "axum", "hyper", "utoipa"]),
    ("storage", &["axum", "hyper", "utoipa"]),
    ("answers", &["sqlx", "axum", "hyper"]),
    ("ingest", &["axum", "hyper", "utoipa"]),
];

pub(super) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn module_of(file: &Path) -> String {
    let first = file.strip_prefix("src").unwrap().iter().next().unwrap();
    first.to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Code without comments, and without the tests at its end.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules that `crate::…` names, groups included.
fn imports(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            modules.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => modules.push(word(std::mem::take(&mut item).trim())),
                c => item.push(c),
            }
        }
        modules.push(word(item.trim()));
    }
    modules.retain(|module| !module.is_empty());
    modules
}

#[test]
fn imports_point_one_way() {
    let allowed = allowed();
    let files = rust_files(Path::new("src"));
    assert!(files.len() > 40, "the sources are not where they were");
    for file in files {
        let module = module_of(&file);
        if ["main", "lib"].contains(&module.as_str()) {
            continue;
        }
        let below =
            allowed.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no place in the house"));
        let code = code(&file);
        for import in imports(&code) {
            let fine = import == module || below.contains(&import.as_str());
            assert!(fine, "{} may not import {import}", file.display());
        }
        for (_, banned) in BANNED.iter().filter(|(layer, _)| *layer == module) {
            for name in *banned {
                assert!(!code.contains(&format!("{name}::")), "{} may not use {name}", file.display());
            }
        }
    }
}

/// Behind a pooler a statement needs a session: see `storage/postgres/session.rs`.
#[test]
fn no_statement_goes_past_the_sessions_that_know_of_poolers() {
    for file in rust_files(Path::new("src/storage")) {
        for past in [".pool())", ".pool().begin", ".pool().acquire"] {
            let fine = !code(&file).contains(past);
            assert!(fine, "{}: `{past}`; take Postgres::reading or Postgres::writing", file.display());
        }
    }
}

#[test]
fn groups_are_seen_through() {
    let code = "use crate::{app, domain::{A, B}, storage::Store}; crate::http::x()";
    assert_eq!(imports(code), ["app", "domain", "storage", "http"]);
}

/// The house's size: 200 lines at most, without the tests at the end.
#[test]
fn files_stay_small() {
    for file in rust_files(Path::new("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.split("#[cfg(test)]").next().unwrap().lines().count();
        assert!(lines <= 200, "{} has {lines} lines", file.display());
    }
}

#[test]
fn every_module_says_what_it_holds() {
    for file in rust_files(Path::new("src")) {
        assert!(
            fs::read_to_string(&file).unwrap().starts_with("//! "),
            "{} has no module docs",
            file.display()
        );
    }
}
