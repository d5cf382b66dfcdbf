//! Answers that are not read: what is kept for them is freed, whatever else happens on their connection.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{metric, resident};
use crate::support::{
    Backend, DEADLINE, Database, Service,
    frames::{self, END_STREAM, Frames, RST_STREAM, WHOLE, WINDOW_UPDATE},
    wire::Wire,
};

const IDLE: Duration = Duration::from_secs(3);

/// As many as an export gives at once, some 400 KB.
const MESSAGES: usize = 200;

/// A service with messages to export, and its database.
async fn filled() -> (Database, Service) {
    let database = Database::create(Backend::Sqlite).await;
    // As many scans as there are streams: others would only be told that there are too many.
    let settings = [
        ("HTTP__IDLE_TIMEOUT_MS", "3000"),
        ("HTTP__HEADER_TIMEOUT_MS", "2000"),
        ("SPOOL__PATH", ""),
        ("DATABASE__MAX_CONNECTIONS", "300"),
        ("LIMITS__SCANS_AT_ONCE", "150"),
    ];
    let service = Service::start(&database, &settings).await;
    let (client, url) = (reqwest::Client::new(), format!("{}/callbacks/exotel/default", service.url));
    let text = "x".repeat(1500);
    let send = |number: usize| {
        let form =
            [("SmsSid", format!("s{number}")), ("Status", "sent".into()), ("CustomField", text.clone())];
        let sent = client.post(&url).form(&form).send();
        async move { assert_eq!(sent.await.unwrap().status(), 200) }
    };
    for numbers in (0..MESSAGES).collect::<Vec<_>>().chunks(64) {
        futures_util::future::join_all(numbers.iter().map(|number| send(*number))).await;
    }
    (database, service)
}

/// A client that is owed many answers on one connection, and takes none of them.
#[tokio::test]
async fn stalled_streams_are_reset_and_their_memory_freed_while_the_connection_lives() {
    let (_database, service) = filled().await;
    let before = resident(&service);
    let mut frames = Frames::to(&service.url, 100).await;
    let stalled: BTreeSet<u32> = (0..127).map(|number| 2 * number + 1).collect();
    for stream in &stalled {
        frames.send(frames::request(*stream, WHOLE, "/messages/export")).await;
    }
    let (began, mut reset, mut alive, mut stream) = (Instant::now(), BTreeSet::new(), 0, 255);
    let mut most = 0;
    while reset.len() < stalled.len() {
        assert!(
            began.elapsed() < IDLE + 3 * DEADLINE,
            "{} of {} streams are reset",
            reset.len(),
            stalled.len()
        );
        // More often than once in a timeout, so that the connection is never idle.
        assert!(frames.send(frames::request(stream, WHOLE, "/livez")).await, "the connection has ended");
        stream += 2;
        let until = Instant::now() + IDLE / 4;
        while let Some(frame) = frames.next(until.saturating_duration_since(Instant::now())).await {
            match frame.kind {
                RST_STREAM if stalled.contains(&frame.stream) => {
                    assert!(began.elapsed() > IDLE / 2, "after {:?}", began.elapsed());
                    reset.insert(frame.stream);
                }
                frames::HEADERS if frame.stream > 254 => alive += 1,
                _ => {}
            }
        }
        most = most.max(resident(&service));
    }
    assert_eq!(reset, stalled);
    assert!(alive >= 3, "{alive} answers on the same connection meanwhile");
    assert_eq!(metric(&service, "dlr_http_answers_stalled_total{listener=\"public\"}").await, 127);
    super::tell(&format!(
        "127 stalled exports: {before} MB before, {most} MB at most, {} MB after",
        resident(&service)
    ));
    // The connection is as good as before.
    frames.send(frames::request(stream, WHOLE, "/livez")).await;
    assert!(frames.next(DEADLINE).await.is_some());
}

/// Whoever reads slowly, but reads, gets the whole answer.
#[tokio::test]
async fn a_slow_reader_gets_its_whole_answer() {
    let (_database, service) = filled().await;
    let mut frames = Frames::to(&service.url, 20_000).await;
    frames.send(frames::request(1, WHOLE, "/messages/export")).await;
    let (began, mut length, mut lines) = (Instant::now(), 0, 0);
    loop {
        let frame = frames.next(DEADLINE).await.expect("the answer ends early");
        assert_ne!(frame.kind, RST_STREAM, "after {length} bytes");
        if frame.kind != frames::DATA {
            continue;
        }
        length += frame.payload.len();
        lines += String::from_utf8_lossy(&frame.payload).matches('\n').count();
        if frame.flags & END_STREAM != 0 {
            break;
        }
        // Each pause is shorter than the timeout, all together are longer.
        if length % 30_000 < frame.payload.len() {
            tokio::time::sleep(IDLE / 4).await;
        }
        let more = u32::try_from(frame.payload.len()).unwrap();
        for stream in [0, 1].into_iter().filter(|_| more > 0) {
            frames.send(frames::frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())).await;
        }
    }
    assert!(began.elapsed() > IDLE, "{:?}", began.elapsed());
    assert_eq!(lines, MESSAGES);
    assert_eq!(metric(&service, "dlr_http_answers_stalled_total{listener=\"public\"}").await, 0);
}

/// A short answer, and one that was only begun to be read, are given up as well.
#[tokio::test]
async fn any_answer_that_is_not_read_ends() {
    let (_database, service) = filled().await;
    for (window, path) in [(0, "/livez"), (0, "/messages?limit=500"), (20_000, "/messages?limit=500")] {
        let mut frames = Frames::to(&service.url, window).await;
        frames.send(frames::request(1, WHOLE, path)).await;
        let began = Instant::now();
        loop {
            let frame = frames.next(DEADLINE).await.expect("the connection ends before the stream");
            if frame.kind == RST_STREAM {
                break;
            }
            assert_ne!(frame.flags & END_STREAM, END_STREAM, "{path}: it is given away");
        }
        assert!(began.elapsed() > IDLE * 2 / 3, "{path}: after {:?}", began.elapsed());
    }
}

/// By HTTP/1 the connection ends, as nothing else can happen on it.
#[tokio::test]
async fn by_http_1_the_connection_of_an_answer_that_is_not_read_is_cut() {
    let (_database, service) = filled().await;
    let mut wires = Vec::new();
    for _ in 0..3 {
        let mut wire = Wire::of_few_bytes(&service.url).await;
        // More than the system's buffers hold.
        wire.send("GET /messages/export HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20)).await;
        wires.push(wire);
    }
    let end = Instant::now() + 2 * DEADLINE;
    while metric(&service, "dlr_http_connections_cut_total{listener=\"public\"}").await < 3 {
        assert!(Instant::now() < end, "they are not cut");
        tokio::time::sleep(IDLE / 10).await;
    }
    drop(wires);
}
