//! What strangers send to a URL that anybody may find: after each attack the real binary still answers, and
//! its log holds one line per event and no secret.

mod content;

use serde_json::Value;

use crate::support::{Backend, Database, Service, Settings};

/// The token of the account that is attacked.
pub const TOKEN: &str = "tok-3cr3t";

const SETTINGS: Settings<'static> = &[("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN), ("LOG__FORMAT", "json")];

/// A service to attack, with an account `acme`.
pub async fn target(backend: Backend) -> (Service, Database) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, SETTINGS).await;
    (service, database)
}

/// The URL of a path of the account's callbacks, opened by its token.
pub fn callback_url(service: &Service, rest: &str) -> String {
    format!("{}/callbacks/exotel/acme/{TOKEN}{rest}", service.url)
}

/// Whether the service takes a good callback and has logged nothing that is nobody's business.
pub async fn still_well(service: &Service, secrets: &[&str]) {
    let good = [("SmsSid", "still-well"), ("To", "09812345670"), ("Status", "sent")];
    let answer = reqwest::Client::new().post(callback_url(service, "")).form(&good).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", service.log_text());
    service.has_logged("request finished").await;
    let log = service.log_text();
    for line in log.lines().filter(|line| !line.is_empty()) {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "no event of one line: {line:?}");
        assert!(!line.contains(|c: char| c.is_control()), "a control character: {line:?}");
    }
    for secret in [&[TOKEN, "9812345670"], secrets].concat() {
        assert!(!log.contains(secret), "{secret:?} is in the log: {log}");
    }
}

/// Declares one test for each backend, on a service to attack.
macro_rules! attacks {
    ($(async fn $name:ident($service:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn attack($service: &crate::support::Service) $body

            #[tokio::test]
            async fn sqlite() {
                let (service, _database) = crate::attacks::target(crate::support::Backend::Sqlite).await;
                attack(&service).await;
            }

            #[tokio::test]
            async fn postgres() {
                let (service, _database) = crate::attacks::target(crate::support::Backend::Postgres).await;
                attack(&service).await;
            }
        }
    )*};
}
use attacks;
