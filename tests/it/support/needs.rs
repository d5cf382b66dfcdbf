//! What tests need beside the service, and what is said where it is missing.

use std::{env, ffi::OsString, io::Write, process::exit};

/// Set by `tests/run --sqlite`, which leaves out whatever needs a server.
const ONLY_SQLITE: &str = "DLR_TEST_ONLY_SQLITE";

/// A variable that `tests/run` sets. Without it nothing more can be tested: one message says what to do, in place of
/// hundreds of failures.
pub fn set_by_run(variable: &str, what: &str) -> OsString {
    assert!(env::var_os(ONLY_SQLITE).is_none(), "this test needs {what}: name it in tests/needs_server.txt");
    env::var_os(variable).unwrap_or_else(|| {
        // Past the harness, which keeps what a test prints to itself.
        let _ = writeln!(
            std::io::stderr(),
            "\nThese tests need {what}, which tests/run provides. Run one of these in place of cargo test:\n\n    \
             tests/run             all tests, on SQLite and on a Postgres that it starts and stops\n    \
             tests/run --sqlite    all that needs no server, in two minutes\n"
        );
        exit(1)
    })
}

/// Fails where `tests/run` has found out that something can be tested here. Else whoever runs the test by hand is told
/// that it was not run.
pub fn not_tested(variable: &str, why: &str) {
    assert!(env::var_os(variable).is_none(), "{variable} is set, so this has to be tested here: {why}");
    let _ = writeln!(std::io::stderr(), "not tested: {why}; set {variable}=1 to have this fail");
}
