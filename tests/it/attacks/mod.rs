//! What somebody on the internet may try, each against the real binary: after each attack it answers as before,
//! and its log holds one line per event and nothing that is nobody's business.

mod callers;
mod content;
mod floods;
mod stalled;
mod transport;

use serde_json::Value;

use crate::{crash::tell, support::Service};

/// The number that all good callbacks here are about.
const TO: &str = "+919812345670";

/// A good callback of the account `acme` is still taken, and the log holds neither a number nor anything
/// that tests keep secret: all their secrets have `3cr3t` in them.
async fn still_well(service: &Service, token: &str) {
    let url = format!("{}/callbacks/exotel/acme/{token}", service.url);
    let good = [("SmsSid", "still-well"), ("Status", "sent"), ("To", TO)];
    let answer = reqwest::Client::new().post(url).form(&good).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", service.log_text());
    service.has_logged("request finished").await;
    let log = service.log_text();
    // The last line may be on its way.
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    for line in whole.lines() {
        assert!(!line.contains(|c: char| c.is_control()), "a control character: {line:?}");
        if log.starts_with('{') {
            let event: Value = serde_json::from_str(line).unwrap_or_default();
            assert!(event["message"].is_string(), "no event: {line:?}");
        }
    }
    hold_nothing_of(&log, &[token, "3cr3t", "9812345670"]);
}

fn hold_nothing_of(log: &str, secrets: &[&str]) {
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret:?} is in the log");
    }
}

/// What a counter of a service with one listener has counted.
async fn metric(service: &Service, series: &str) -> u64 {
    let told = reqwest::get(format!("{}/metrics", service.url)).await.unwrap().text().await.unwrap();
    let line = told.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {told}")).parse().unwrap()
}

/// How much memory a service has, in megabytes.
fn resident(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
