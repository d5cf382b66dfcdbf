//! Reading in Exotel's way: the same questions as Exotel's API takes, with the same answers.

mod campaign;
mod clients;
mod details;
mod errors;
mod guards;
mod page;
mod shared;

use crate::support::{Answer, Backend, Settings, TestApp};

/// Accounts that can be read: `acme`, which Exotel knows as `acme1m`, and another one.
const SETTINGS: Settings<'static> = &[
    ("ACCOUNTS__ACME__SID", "acme1m"),
    ("ACCOUNTS__ACME__READ_KEY", "key1"),
    ("ACCOUNTS__ACME__READ_TOKEN", "token1"),
    ("ACCOUNTS__BERLIN__READ_KEY", "key2"),
    ("ACCOUNTS__BERLIN__READ_TOKEN", "token2"),
    ("ACCOUNTS__BERLIN__TIME_ZONE", "Europe/Berlin"),
    ("ACCOUNTS__BERLIN__COUNTRY", "DE"),
    ("ACCOUNTS__GONE__READ_KEY", "key3"),
    ("ACCOUNTS__GONE__READ_TOKEN", "token3"),
    ("ACCOUNTS__GONE__ACTIVE", "false"),
    ("ACCOUNTS__BUSY__READ_KEY", "key4"),
    ("ACCOUNTS__BUSY__READ_TOKEN", "token4"),
    ("ACCOUNTS__BUSY__READ_LIMIT_PER_MINUTE", "2"),
    ("ACCOUNTS__UNREAD__COUNTRY", "IN"),
];

const ACME: Option<(&str, &str)> = Some(("key1", "token1"));
const BERLIN: Option<(&str, &str)> = Some(("key2", "token2"));
const GONE: Option<(&str, &str)> = Some(("key3", "token3"));
const BUSY: Option<(&str, &str)> = Some(("key4", "token4"));

async fn app(backend: Backend) -> TestApp {
    TestApp::with(backend, SETTINGS).await
}

/// A callback of an account that must be recorded; labels stand in `account` behind a `?`.
async fn record(app: &TestApp, account: &str, fields: &[(&str, &str)]) {
    let callback = app.request("POST", &format!("/callbacks/exotel/{account}")).form(fields);
    let answer = callback.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

/// The answer to a question with a key and a token.
async fn ask(app: &TestApp, path: &str, credentials: Option<(&str, &str)>) -> Answer {
    let question = app.request("GET", path);
    let question = match credentials {
        Some((key, token)) => question.basic_auth(key, Some(token)),
        None => question,
    };
    Answer::of(question.send().await.unwrap()).await
}

/// Declares one test for each backend, on accounts that can be read.
macro_rules! on_each {
    ($(async fn $name:ident($app:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($app: crate::support::TestApp) $body

            #[tokio::test]
            async fn sqlite() {
                test(crate::compat::app(crate::support::Backend::Sqlite).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                test(crate::compat::app(crate::support::Backend::Postgres).await).await;
            }
        }
    )*};
}
use on_each;
