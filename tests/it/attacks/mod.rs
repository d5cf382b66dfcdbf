//! What somebody on the internet may try, each against the real binary: after each attack it answers as before,
//! and its log holds one line per event and nothing that is nobody's business.

mod callers;
mod content;
mod transport;

use serde_json::Value;

use crate::support::Service;

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
