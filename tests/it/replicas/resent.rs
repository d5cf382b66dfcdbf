//! What the load balancer makes of a callback: whom it says it is from, and that it is sent again whole.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode},
    routing::{any, get},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::balancer::Balancer;
use crate::support::Answer;

/// Whom a request says it is from, and how long its body is.
async fn told(headers: HeaderMap, body: Bytes) -> String {
    let named = |name| headers.get_all(name).iter().map(|value| value.to_str().unwrap());
    let from: Vec<_> = named("x-forwarded-for").chain(named("forwarded")).collect();
    format!("{} {}", from.join(" "), body.len())
}

/// Tells the callers what has reached it.
async fn echo() -> u16 {
    let service = Router::new().route("/readyz", get(|| async {})).fallback(any(told));
    let service = service.layer(DefaultBodyLimit::disable());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, service).await });
    port
}

/// Says that it is ready, and hangs up, or answers 503, once it has read what else it is sent.
async fn useless(status: Option<StatusCode>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1 << 20];
            let mut length = 0;
            while !request[..length].windows(4).any(|end| end == b"\r\n\r\n") {
                length += stream.read(&mut request[length..]).await.unwrap_or(0).max(1);
            }
            let answer = match status {
                _ if request.starts_with(b"GET /readyz") => "HTTP/1.1 200 OK".to_owned(),
                Some(status) => format!("HTTP/1.1 {}", status.as_u16()),
                None => String::new(),
            };
            if !request.starts_with(b"GET /readyz") {
                count.fetch_add(1, Ordering::Relaxed);
            }
            if !answer.is_empty() {
                let head = format!("{answer} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).await;
            }
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_callback_is_sent_again_whole_where_a_receiver_hangs_up_or_has_no_room() {
    for status in [None, Some(StatusCode::SERVICE_UNAVAILABLE)] {
        let ((bad, asked), good) = (useless(status).await, echo().await);
        let balancer = Balancer::of_receivers([(bad, bad), (good, good)]).await;
        let url = format!("{}/callbacks/exotel/default/s3cret-token", balancer.url());
        for _ in 0..4 {
            let request = reqwest::Client::new().post(&url).body(vec![b'x'; 64 * 1024]);
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(answer.status, 200, "{}", balancer.log_text());
            assert_eq!(answer.json, "127.0.0.1 65536");
        }
        assert!(asked.load(Ordering::Relaxed) > 0, "none of them went to the bad one first");
        let log = balancer.log_text();
        assert!(log.contains("POST receivers/receiver-2 200"), "{log}");
        assert!(!log.contains("s3cret") && !log.contains("/callbacks"), "{log}");
    }
}

#[tokio::test]
async fn the_world_reaches_callbacks_only_and_cannot_say_where_it_is() {
    let receiver = echo().await;
    let balancer = Balancer::of_receivers([(receiver, receiver), (receiver, receiver)]).await;
    for (path, status) in [
        ("/callbacks/exotel/default", 200),
        ("/livez", 200),
        ("/readyz", 404),
        ("/metrics", 404),
        ("/messages/m1", 404),
        ("/livez/../messages/m1", 404),
        ("//messages/m1", 404),
        ("/v1/Accounts/default/SMS/Messages/m1", 404),
    ] {
        // Sent as it stands: a client would tidy up the path.
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", balancer.port())).await.unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 6.6.6.6\r\nforwarded: for=6.6.6.6\r\n\
             x-forwarded-for: 10.0.0.1\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        assert_eq!(answer.ends_with("127.0.0.1 0"), status == 200, "{path}: {answer}");
    }
}
