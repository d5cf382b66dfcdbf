//! What is shipped for Prometheus and Grafana fits what the service tells, and means what it says.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Exposition, SENT};
use crate::support::{Backend, TestApp};

const FOLDER: &str = "config/monitoring";

/// What promtool says; it must find nothing wrong.
fn promtool(arguments: &[&str], input: &str) -> String {
    let mut promtool = Command::new("promtool");
    promtool.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = promtool.spawn().expect("promtool is missing; install Debian's package `prometheus`");
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = running.wait_with_output().unwrap();
    let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    assert!(ended.status.success(), "promtool {arguments:?}: {said}");
    said
}

/// A service that has everything there is to tell.
async fn exposition() -> Exposition {
    let folder = TempDir::new().unwrap();
    let spool = folder.path().join("spool.db");
    let settings = [("SPOOL__PATH", spool.to_str().unwrap()), ("ACCOUNTS__DEFAULT__REPORT_ONLY", "true")];
    let app = TestApp::with(Backend::Sqlite, &settings).await;
    app.record(&[("SmsSid", "s1"), SENT, ("DateSent", "2025-01-15 10:29:48")]).await;
    app.callback(&[("SmsSid", "s2")]).await;
    // The first question is counted once it is answered.
    Exposition::from(&app).await;
    Exposition::from(&app).await
}

fn shipped(file: &str) -> String {
    fs::read_to_string(format!("{FOLDER}/{file}")).unwrap()
}

/// Every expression of the dashboard's panels.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&shipped("grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("dlr_") || word.starts_with("process_")).collect()
}

#[tokio::test]
async fn what_is_told_is_as_prometheus_wants_it() {
    assert_eq!(promtool(&["check", "metrics"], &exposition().await.text), "", "no complaint of any kind");
}

#[test]
fn the_alerts_fire_when_they_should() {
    let file = |name| format!("{FOLDER}/{name}");
    promtool(&["check", "rules", &file("alerts.yml")], "");
    promtool(&["check", "config", &file("prometheus.yml")], "");
    promtool(&["test", "rules", &file("alerts.test.yml")], "");
    let (alerts, tests) = (shipped("alerts.yml"), shipped("alerts.test.yml"));
    let firing: BTreeSet<&str> = tests
        .split("alertname: ")
        .skip(1)
        .filter(|test| test.split_once("exp_alerts:").is_some_and(|(_, then)| then.starts_with('\n')))
        .map(|test| test.lines().next().unwrap())
        .collect();
    let alerts: BTreeSet<&str> =
        alerts.split("- alert: ").skip(1).map(|alert| alert.lines().next().unwrap()).collect();
    assert!(alerts.len() > 10);
    assert_eq!(firing, alerts, "each alert is seen firing");
}

#[test]
fn the_dashboard_asks_what_prometheus_understands() {
    let rules = expressions().into_iter().enumerate().map(|(number, expression)| {
        let filled = [("$__rate_interval", "5m"), ("$job", "dlr-receiver"), ("$instance", ".*")];
        let expr = filled.iter().fold(expression, |expr, (variable, value)| expr.replace(variable, value));
        json!({"record": format!("panel:{number}"), "expr": expr})
    });
    let groups = json!({"groups": [{"name": "dashboard", "rules": rules.collect::<Vec<_>>()}]});
    let folder = TempDir::new().unwrap();
    // JSON is YAML as well.
    let file = folder.path().join("rules.yml");
    fs::write(&file, groups.to_string()).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()], "");
}

#[tokio::test]
async fn dashboard_alerts_and_documents_name_what_is_told_and_all_of_it_is_shown() {
    let told = exposition().await;
    let families = told.families();
    let known = |name: &str| {
        let parts = ["_bucket", "_sum", "_count"].into_iter().filter_map(|part| name.strip_suffix(part));
        let mut kinds = parts.filter_map(|family| families.get(family));
        families.get(name).is_some_and(|kind| *kind != "histogram") || kinds.any(|kind| *kind == "histogram")
    };
    let panels = expressions().join("\n");
    for text in [&panels, &shipped("alerts.yml"), &shipped("alerts.test.yml")] {
        let named = names(text);
        assert!(named.len() > 10, "{named:?}");
        for name in named {
            assert!(known(name), "nothing tells {name}");
        }
    }
    let documented = include_str!("../../../docs/operations.md");
    for family in families.keys().filter(|family| family.starts_with("dlr_")) {
        assert!(panels.contains(family), "no panel shows {family}");
        assert!(documented.contains(&format!("| `{family}` |")), "{family} is not in docs/operations.md");
    }
}
