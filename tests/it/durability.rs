//! A 200 means that it is on disk: the real binary, killed and stopped.

use std::time::Duration;

use serde_json::Value;

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

#[tokio::test]
async fn killed_under_load_it_has_kept_all_that_it_acknowledged() {
    for backend in BACKENDS {
        let database = Database::create(backend).await;
        let mut service = Service::start(&database, &[]).await;
        let url = service.url.clone();
        let senders: Vec<_> =
            (0..8).map(|sender| tokio::spawn(send_until_it_fails(url.clone(), sender))).collect();
        tokio::time::sleep(Duration::from_millis(400)).await;
        service.signal("KILL");
        service.ended().await;
        let mut acknowledged = Vec::new();
        for sender in senders {
            acknowledged.extend(sender.await.unwrap());
        }
        assert!(!acknowledged.is_empty(), "{backend:?}: nothing was acknowledged before the end");
        let service = Service::start(&database, &[]).await;
        for sid in acknowledged {
            assert_eq!(outcome(&service, &sid).await, "delivered", "{sid} was acknowledged on {backend:?}");
        }
    }
}

/// The sids that were acknowledged before the service was gone.
async fn send_until_it_fails(url: String, sender: u32) -> Vec<String> {
    let (client, mut acknowledged) = (reqwest::Client::new(), Vec::new());
    for count in 0..2000 {
        let sid = format!("load-{sender}-{count}");
        let fields = [("SmsSid", sid.as_str()), ("DetailedStatusCode", "20005")];
        let sent = client.post(format!("{url}/callbacks/exotel/default")).form(&fields).send().await;
        match sent {
            Ok(answer) if answer.status() == 200 => acknowledged.push(sid),
            _ => break,
        }
    }
    acknowledged
}

#[tokio::test]
async fn a_stop_finishes_what_was_accepted_within_its_deadline() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for backend in BACKENDS {
        let database = Database::create(backend).await;
        let mut service = Service::start(&database, &[("HTTP__SHUTDOWN_TIMEOUT_MS", "15000")]).await;
        let address = service.url.strip_prefix("http://").unwrap().to_owned();
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let body = "SmsSid=late&DetailedStatusCode=20005";
        let head = format!(
            "POST /callbacks/exotel/default HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // It asks for the body: from here on the request is under way.
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&interim));
        service.signal("TERM");
        while !service.log_text().contains("stopping") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
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
    use tokio::io::AsyncWriteExt;
    let database = Database::create(Backend::Sqlite).await;
    let mut service = Service::start(&database, &[("HTTP__SHUTDOWN_TIMEOUT_MS", "300")]).await;
    let address = service.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    stream
        .write_all(b"POST /callbacks/exotel/default HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n1")
        .await
        .unwrap();
    post(&service, "other").await.unwrap();
    service.signal("TERM");
    assert!(service.ended().await.success(), "{}", service.log_text());
    assert!(service.log_text().contains("at the deadline"), "{}", service.log_text());
}
