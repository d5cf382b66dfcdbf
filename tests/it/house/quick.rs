//! The list of what `tests/run --sqlite` leaves out.

use std::{fs, path::Path};

use super::layering::rust_files;

#[test]
fn every_name_on_the_list_is_that_of_a_test_or_of_a_folder_of_tests() {
    let list = fs::read_to_string("tests/needs_server.txt").unwrap();
    let sources: String =
        rust_files(Path::new("tests/it")).iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let names: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let function = name.trim_end_matches("::").rsplit("::").next().unwrap();
        let is_there = name.ends_with("postgres")
            || sources.contains(&format!("fn {function}("))
            || sources.contains(&format!("mod {function};"));
        assert!(is_there, "tests/needs_server.txt: `{name}` is no test");
    }
}
