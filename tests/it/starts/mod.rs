//! A start of the real binary while something is wrong with its database. With a spool it listens within
//! seconds, keeps what comes, says why, and drains once the database is mended; without one it ends, and
//! says why.

mod outlived;
mod postgres;
mod sqlite;
mod standby;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::support::{DEADLINE, Database, Service, binary};

/// How long a start may take: three seconds for the database, and what a busy machine needs.
const LONGEST_START: Duration = Duration::from_secs(12);

/// A service on a database that may be in any state, with a spool that stays.
struct Started {
    service: Service,
    spool: PathBuf,
    /// Gone with the test, and the spool with it.
    folder: TempDir,
}

impl Started {
    /// Starts it, which must not take long.
    async fn on(database: &Database, settings: &[(&str, &str)]) -> Self {
        Self::by(&[], database, settings).await
    }

    /// The same, started by a program and its arguments.
    async fn by(starter: &[&str], database: &Database, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool.db");
        let path = spool.display().to_string();
        let own = [
            ("DLR__SPOOL__PATH", path.as_str()),
            ("DLR__INGEST__COMMIT_TIMEOUT_MS", "2000"),
            ("DLR__DATABASE__TIMEOUT_MS", "3000"),
        ];
        let begun = Instant::now();
        let service = Service::start_by(starter, database, &[&own, settings].concat()).await;
        assert!(begun.elapsed() < LONGEST_START, "it took {:?}: {}", begun.elapsed(), service.log_text());
        Self { service, spool, folder }
    }

    async fn ask(&self, path: &str) -> (u16, Value) {
        let answer = reqwest::get(format!("{}{path}", self.service.url)).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Sends a callback, and says where it is kept.
    async fn callback(&self, sid: &str) -> String {
        let form = [("SmsSid", sid), ("DetailedStatusCode", "20005")];
        let url = format!("{}/callbacks/exotel/default", self.service.url);
        let answer = reqwest::Client::new().post(url).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", self.service.log_text());
        answer.json::<Value>().await.unwrap()["status"].as_str().unwrap().to_owned()
    }

    /// Callbacks go to the spool, and whoever asks is told why, as is the log, once.
    async fn outlives(&self, trouble: &str, level: &str) {
        for number in 0..3 {
            assert_eq!(self.callback(&format!("spooled-{number}")).await, "spooled");
        }
        let (status, ready) = self.says(trouble).await;
        assert_eq!((status, &ready["status"]), (200, &"spooling".into()), "{ready}");
        let log = self.service.log_text();
        let said = log.lines().filter(|line| line.contains(trouble)).collect::<Vec<_>>();
        assert!(said.len() == 1 && said[0].contains(level), "{trouble}: {log}");
    }

    /// Waits until `/readyz` says what is wrong.
    async fn says(&self, trouble: &str) -> (u16, Value) {
        let end = Instant::now() + DEADLINE;
        loop {
            let (status, ready) = self.ask("/readyz").await;
            if ready["detail"].as_str().is_some_and(|detail| detail.contains(trouble)) {
                return (status, ready);
            }
            assert!(Instant::now() < end, "{ready}: {}", self.service.log_text());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Once the database is mended it is ready by itself, and nothing that was acknowledged is lost.
    async fn recovers(&self) {
        let end = Instant::now() + DEADLINE;
        for path in ["/readyz", "/messages/spooled-0", "/messages/spooled-1", "/messages/spooled-2"] {
            loop {
                let (status, answer) = self.ask(path).await;
                let recovered = answer["status"] == "ready" || answer["outcome"] == "delivered";
                if status == 200 && recovered {
                    assert!(path == "/readyz" || answer["callbacks"] == 1, "drained once: {answer}");
                    break;
                }
                assert!(Instant::now() < end, "{path}: {answer}: {}", self.service.log_text());
                sleep(Duration::from_millis(20)).await;
            }
        }
        assert_eq!(self.callback("afterwards").await, "recorded");
    }
}

/// What a start without a spool, or `migrate`, ends with.
async fn complaint(command: &str, database: &Database) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut binary = binary(folder.path());
    binary.arg(command).env("DATABASE_URL", &database.url).env("DLR__HTTP__BIND", "127.0.0.1:0");
    binary.env("DLR__DATABASE__TIMEOUT_MS", "3000").env("DLR__SPOOL__PATH", "");
    let ended = tokio::task::spawn_blocking(move || binary.output().unwrap());
    let output = tokio::time::timeout(DEADLINE, ended).await.expect("it ends").unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}
