//! Traces: they reach a collector, hold nothing personal, and hold up nobody.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::support::{Backend, Database, Service, Settings};

const TOKEN: &str = "secret-token";

/// A service that has taken one callback, traced, and is told to end.
async fn traced(endpoint: &str, settings: Settings<'_>) -> Service {
    let database = Database::create(Backend::Sqlite).await;
    let tracing = [
        ("TRACING__OTLP_ENDPOINT", endpoint),
        ("TRACING__SAMPLED_SHARE", "1"),
        ("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN),
    ];
    let mut service = Service::start(&database, &[&tracing, settings].concat()).await;
    let form = [("SmsSid", "s1"), ("To", "09812345670"), ("Status", "sent"), ("CustomField", "order-7")];
    let url = format!("{}/callbacks/exotel/acme/{TOKEN}?team=payments", service.url);
    let answer = reqwest::Client::new().post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    service.signal("TERM");
    let success = service.ended().await.success();
    let log = service.log_text();
    assert!(success && !log.contains("panic"), "{log}");
    service
}

#[tokio::test]
async fn a_request_is_traced_before_the_end_and_without_anything_personal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let (sender, mut received) = mpsc::unbounded_channel();
    let collect = async move |headers: HeaderMap, body: Bytes| {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        sender.send(body).unwrap();
    };
    tokio::spawn(
        async move { axum::serve(listener, Router::new().route("/v1/traces", post(collect))).await },
    );
    traced(&endpoint, &[]).await;
    let mut exported = String::new();
    while let Ok(body) = received.try_recv() {
        exported += &String::from_utf8_lossy(&body);
    }
    for said in ["service.name", "dlr-receiver", "request", "/callbacks/exotel/{account}/{token}", "recorded"]
    {
        assert!(exported.contains(said), "no {said} in {exported}");
    }
    for personal in [TOKEN, "9812345670", "order-7", "payments"] {
        assert!(!exported.contains(personal), "{personal} in {exported}");
    }
}

#[tokio::test]
async fn a_collector_that_refuses_is_complained_of_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let refuse = Router::new().fallback(|| async { StatusCode::SERVICE_UNAVAILABLE });
    tokio::spawn(async move { axum::serve(listener, refuse).await });
    let service = traced(&endpoint, &[]).await;
    let complaints = service.log_text().matches("the collector takes no traces").count();
    assert_eq!(complaints, 1, "{}", service.log_text());
}

#[tokio::test]
async fn a_collector_that_hangs_does_not_hold_up_the_end() {
    // Connections are made, and nobody ever answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let begun = Instant::now();
    let service = traced(&endpoint, &[("HTTP__SHUTDOWN_TIMEOUT_MS", "6000")]).await;
    let took = begun.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(20)).contains(&took), "{took:?}");
    let log = service.log_text();
    assert!(log.contains("the last traces are lost") && !log.contains("stopped at the deadline"), "{log}");
}
