//! The documents: whatever file, anchor or length they name is there.

use std::{collections::HashSet, fs, path::Path};

/// Every document that people read.
fn documents() -> Vec<String> {
    let docs = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let docs = docs.map(|path| path.display().to_string());
    let roots =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "benches/load/peers/README.md"];
    let roots = roots.iter().filter(|path| Path::new(path).exists()).map(ToString::to_string);
    let documents: Vec<_> = docs.chain(roots).collect();
    assert!(documents.len() > 10, "the documents are not where they were: {documents:?}");
    documents
}

/// The text without its code blocks, in which paths may be of other machines.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The anchors that a heading makes, as Markdown hosts name them.
fn anchors(text: &str) -> HashSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let kept = |c: char| (c.is_alphanumeric() || c == '-' || c == '_').then_some(c);
        let words = line.trim_start_matches('#').trim().to_lowercase();
        words.chars().filter_map(|c| if c == ' ' { Some('-') } else { kept(c) }).collect()
    };
    headings.map(anchor).collect()
}

/// The targets of links, and of images.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The words in backticks that are paths of this repository.
fn paths(text: &str) -> Vec<&str> {
    let folders = ["src/", "tests/", "docs/", "config/", "benches/", "migrations/", ".ci/"];
    let words = text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace);
    let words = words.map(|word| word.trim_end_matches([',', '.', ';', ':']));
    let is_path = |word: &&str| folders.iter().any(|folder| word.starts_with(folder));
    // What is left out, or made up for an example, is no path.
    words
        .filter(is_path)
        .filter(|word| !word.contains(['…', '*', '<', '$']) && !word.contains("NNNN"))
        .collect()
}

#[test]
fn every_path_that_a_document_names_is_there() {
    let mut named = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for path in paths(&prose(&text)) {
            named += 1;
            assert!(Path::new(path).exists(), "{document} names {path}, which is not there");
        }
    }
    assert!(named > 50, "{named}");
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&prose(&text)).filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => document.clone(),
                file => Path::new(&document).parent().unwrap().join(file).display().to_string(),
            };
            assert!(Path::new(&target).exists(), "{document}: {link} leads to no file");
            let found = anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
            assert!(found, "{document}: {link} leads to no heading");
        }
    }
}

#[test]
fn the_readme_is_a_door_and_no_book() {
    let lines = fs::read_to_string("README.md").unwrap().lines().count();
    assert!(lines <= 200, "{lines} lines; what is longer goes to docs/");
}

#[test]
fn what_is_no_path_no_link_and_no_heading_is_told_apart() {
    assert_eq!(
        paths("see `src/a.rs` and `cargo run`, `tests/run --test it` or src/b.rs"),
        ["src/a.rs", "tests/run"]
    );
    assert_eq!(links("[a](b.md#c), ![d](e.svg)").collect::<Vec<_>>(), ["b.md#c", "e.svg"]);
    assert!(anchors("# A `damaged` file, again\n").contains("a-damaged-file-again"));
    assert_eq!(prose("a ```sh\nb\n``` c"), "a  c");
}
