//! A 200 means that it is on disk: the real binary, killed and stopped. `crash` does so under load.

use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Backend, Database, Service};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

async fn post(service: &Service, sid: &str) -> reqwest::Result<u16> {
    let url = format!("{}/callbacks/exotel/default", service.url);
    let fields = [("SmsSid", sid), ("Status", "sent"), ("DetailedStatusCode", "20005")];
    Ok(reqwest::Client::new().post(url).form(&fields).send().await?.status().as_u16())
}

async fn outcome(service: &Service, sid: &str) -> Value {
    let answer = reqwest::get(format!("{}/messages/{sid}", service.url)).await.unwrap();
    answer.json::<Value>().await.unwrap()["outcome"].clone()
}

#[tokio::test]
async fn a_restart_between_callback_and_question_loses_nothing() {
    for backend in BACKENDS {
        let database = Database::create(backend).await;
        for (signal, sid) in [("KILL", "killed"), ("TERM", "terminated"), ("INT", "interrupted")] {
            let mut service = Service::start(&database, &[]).await;
            assert_eq!(post(&service, sid).await.unwrap(), 200);
            service.signal(signal);
            let status = service.ended().await;
            assert_eq!(status.success(), signal != "KILL", "{signal} on {backend:?}: {}", service.log_text());
            let service = Service::start(&database, &[]).await;
            assert_eq!(outcome(&service, sid).await, "delivered", "{signal} on {backend:?}");
        }
    }
}

/// A callback whose body is asked for but not yet sent: it is under way.
async fn half_a_callback(service: &Service, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /callbacks/exotel/default HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&interim));
    stream
}

#[tokio::test]
async fn a_stop_finishes_what_was_accepted_within_its_deadline() {
    for backend in BACKENDS {
        let database = Database::create(backend).await;
        let mut service = Service::start(&database, &[("HTTP__SHUTDOWN_TIMEOUT_MS", "15000")]).await;
        let body = "SmsSid=late&DetailedStatusCode=20005";
        let mut stream = half_a_callback(&service, body).await;
        service.signal("TERM");
        service.has_logged("stopping").await;
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("HTTP/1.1 200"), "{backend:?}: {answer}");
        assert!(service.ended().await.success());
        let service = Service::start(&database, &[]).await;
        assert_eq!(outcome(&service, "late").await, "delivered");
    }
}

#[tokio::test]
async fn a_client_that_never_finishes_is_cut_at_the_deadline_and_the_exit_is_clean() {
    let database = Database::create(Backend::Sqlite).await;
    let mut service = Service::start(&database, &[("HTTP__SHUTDOWN_TIMEOUT_MS", "300")]).await;
    let _stream = half_a_callback(&service, "SmsSid=never").await;
    service.signal("TERM");
    assert!(service.ended().await.success(), "{}", service.log_text());
    assert!(service.log_text().contains("at the deadline"), "{}", service.log_text());
}

#[tokio::test]
async fn a_stop_while_another_replica_migrates_does_not_wait_for_it() {
    let database = Database::create(Backend::Postgres).await;
    drop(Service::start(&database, &[]).await);
    let mut other = PgConnection::connect(&database.url).await.unwrap();
    let mut migration = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE _sqlx_migrations").execute(&mut *migration).await.unwrap();
    let mut service = Service::spawn(&database, &[]);
    let waiting = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database \
                   WHERE d.datname = current_database() AND NOT granted";
    let end = Instant::now() + Duration::from_secs(30);
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *migration).await.unwrap() == 0 {
        assert!(Instant::now() < end, "it does not migrate: {}", service.log_text());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.signal("TERM");
    assert!(service.ended().await.success(), "{}", service.log_text());
    assert!(!service.log_text().contains("listening"), "it was still waiting");
}
