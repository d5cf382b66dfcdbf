//! What every test stands on: the service on both backends, and the requests that Exotel makes.

pub mod arbitrary;
mod binary;
mod cluster;
mod database;
pub mod frames;
pub mod load;
pub mod needs;
pub mod program;
pub mod traffic;
pub mod wire;

use std::{
    collections::HashMap,
    process::Command,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use dlr_receiver::{
    app::App,
    config::{Config, Sources, load},
    domain::Clock,
    shutdown::ShutdownTrigger,
    storage::Store,
};
use reqwest::{Response, StatusCode};
use serde_json::Value;

pub use binary::{Service, binary};
pub use cluster::Cluster;
pub use database::{Backend, Database};
pub use load::{Load, Pace};
pub use traffic::Traffic;

/// How long anything may take before a test gives up on it.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Declares one test for each backend.
macro_rules! each_backend {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "only some tests use what stands around them")]
            use super::*;

            async fn test($app: crate::support::TestApp) $body

            $(#[$meta])*
            #[tokio::test]
            async fn sqlite() {
                test(crate::support::TestApp::on(crate::support::Backend::Sqlite).await).await;
            }

            $(#[$meta])*
            #[tokio::test]
            async fn postgres() {
                test(crate::support::TestApp::on(crate::support::Backend::Postgres).await).await;
            }
        }
    )*};
}
pub(crate) use each_backend;

/// Settings as environment variables, without `DLR__`.
pub type Settings<'a> = &'a [(&'a str, &'a str)];

/// The service in this process, on a database of its own.
pub struct TestApp {
    pub url: String,
    pub internal_url: String,
    pub database: Database,
    /// Microseconds since the Unix epoch; the clock stands still.
    pub clock: Arc<AtomicI64>,
    http: reqwest::Client,
    _trigger: ShutdownTrigger,
}

/// When tests take place: 2025-01-15T05:00:00Z.
pub const NOW_MICROS: i64 = 1_736_917_200_000_000;

impl TestApp {
    /// With the defaults, but for the database and the port.
    pub async fn on(backend: Backend) -> Self {
        Self::with(backend, &[]).await
    }

    /// With settings.
    pub async fn with(backend: Backend, settings: Settings<'_>) -> Self {
        let database = Database::create(backend).await;
        Self::on_database(database, settings).await
    }

    /// On a database that exists.
    pub async fn on_database(database: Database, settings: Settings<'_>) -> Self {
        Self::on_database_at(NOW_MICROS, database, settings).await
    }

    /// The same, at another time.
    pub async fn on_database_at(micros: i64, database: Database, settings: Settings<'_>) -> Self {
        let clock = Arc::new(AtomicI64::new(micros));
        let config = config(&database, settings);
        let app = App::build(&config, Clock::Manual(Arc::clone(&clock))).await.unwrap();
        let (callbacks, questions) = app.addresses().unwrap();
        let (trigger, shutdown) = ShutdownTrigger::new();
        tokio::spawn(app.run(shutdown));
        Self {
            url: format!("http://{callbacks}"),
            internal_url: format!("http://{questions}"),
            database,
            clock,
            http: reqwest::Client::new(),
            _trigger: trigger,
        }
    }

    /// A request to the public listener, to be completed.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    /// A callback of the account `default` as a form.
    pub async fn callback(&self, fields: &[(&str, &str)]) -> Response {
        self.request("POST", "/callbacks/exotel/default").form(fields).send().await.unwrap()
    }

    /// A callback that must be recorded.
    pub async fn record(&self, fields: &[(&str, &str)]) {
        let response = self.callback(fields).await;
        let status = response.status();
        assert_eq!(status, StatusCode::OK, "{}", response.text().await.unwrap());
    }

    /// The answer to a question.
    pub async fn ask(&self, path: &str) -> Answer {
        let response = self.http.get(format!("{}{path}", self.internal_url)).send().await.unwrap();
        Answer::of(response).await
    }

    /// What is known of a message that must be known.
    pub async fn message(&self, sid: &str) -> Value {
        let answer = self.ask(&format!("/messages/{sid}")).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub headers: reqwest::header::HeaderMap,
    pub json: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let content_type = headers.get("content-type").map(|v| v.to_str().unwrap().to_owned());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, content_type: content_type.unwrap_or_default(), headers, json }
    }

    /// The problem's kind; the answer must be a problem.
    pub fn problem(&self) -> &str {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], self.status, "{self:?}");
        self.json["type"].as_str().unwrap().strip_prefix("urn:dlr-receiver:problem:").unwrap()
    }
}

/// An empty database with the schema.
pub async fn migrated(backend: Backend) -> Database {
    let database = Database::create(backend).await;
    let store = Store::open(&config(&database, &[]).database).unwrap();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
    database
}

/// The defaults on `database` and any free port, with settings laid over them.
pub fn config(database: &Database, settings: Settings<'_>) -> Config {
    let own = [
        ("HTTP__BIND", "127.0.0.1:0"),
        ("DATABASE__URL", database.url.as_str()),
        // A busy test machine may take long over a commit.
        ("DATABASE__TIMEOUT_MS", "20000"),
        ("INGEST__COMMIT_TIMEOUT_MS", "20000"),
        ("SPOOL__PATH", ""),
    ];
    let variables =
        own.iter().chain(settings).map(|(key, value)| (format!("DLR__{key}"), (*value).to_owned()));
    let sources = Sources { variables: variables.collect::<HashMap<_, _>>(), ..Sources::default() };
    load(&sources).unwrap()
}

/// Sends a signal, by its name, to processes that the test has started. The shell's own `kill`: not every
/// machine has the program.
pub fn send_signal(name: &str, processes: &[u32]) {
    for process in processes {
        // One of several may have ended by itself.
        let sent = Command::new("sh").args(["-c", &format!("kill -s {name} {process}")]).status().unwrap();
        assert!(sent.success() || processes.len() > 1, "cannot send {name} to {process}");
    }
}
