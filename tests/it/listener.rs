//! What a listener puts up with, and what it does not: times, numbers, both versions of HTTP, the end.
//! `attacks::transport` goes against the defaults; here they are shorter.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use reqwest::{Body, Client, Version};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use crate::support::{
    Answer, Backend, DEADLINE, Database, Load, Pace, Service, TestApp,
    frames::{self, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, STATUS_200, WHOLE},
    traffic::Latencies,
    wire::{Wire, callback, statuses},
};

const PATH: &str = "/callbacks/exotel/default";
const MOMENT: Duration = Duration::from_millis(400);

async fn app(settings: &[(&str, &str)]) -> TestApp {
    TestApp::with(Backend::Sqlite, settings).await
}

fn h2() -> Client {
    Client::builder().http2_prior_knowledge().build().unwrap()
}

/// A body that comes piece by piece.
fn pieces() -> (mpsc::UnboundedSender<&'static str>, Body) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let next = async |mut receiver: mpsc::UnboundedReceiver<&'static str>| {
        let piece = receiver.recv().await?;
        Some((Ok::<_, Infallible>(piece), receiver))
    };
    (sender, Body::wrap_stream(futures_util::stream::unfold(receiver, next)))
}

#[tokio::test]
async fn a_connection_may_rest_between_requests_but_not_within_a_head() {
    let app = app(&[("HTTP__HEADER_TIMEOUT_MS", "400"), ("HTTP__IDLE_TIMEOUT_MS", "20000")]).await;
    let mut wire = Wire::to(&app.url).await;
    for sid in ["first", "second", "third"] {
        wire.send(callback(PATH, sid)).await;
        assert_eq!(statuses(&wire.answer().await), ["200"], "{sid}");
        sleep(MOMENT * 2).await;
    }
    // The head of a later request has its time from its own first byte.
    wire.send("POST /callbacks").await;
    let began = Instant::now();
    assert_eq!(wire.rest().await, "");
    assert!(began.elapsed() >= MOMENT && began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn requests_that_come_at_once_or_in_pieces_are_all_answered() {
    let app = app(&[("HTTP__IDLE_TIMEOUT_MS", "1000")]).await;
    let mut wire = Wire::to(&app.url).await;
    let all: String = (0..20).map(|number| callback(PATH, &format!("s{number}"))).collect();
    let (begin, end) = all.split_at(all.len() - 200);
    for byte in begin.as_bytes()[..60].chunks(1) {
        wire.send(byte).await;
    }
    wire.send(&begin[60..]).await;
    sleep(MOMENT / 4).await;
    wire.send(end).await;
    assert_eq!(statuses(&wire.rest().await), ["200"; 20]);
    assert_eq!(app.message("s19").await["outcome"], "delivered");
}

#[tokio::test]
async fn a_body_may_take_longer_than_its_time_while_it_keeps_its_rate() {
    let app = app(&[("HTTP__BODY_TIMEOUT_MS", "500"), ("HTTP__BODY_MIN_RATE", "2000")]).await;
    let send = async |piece: &'static str| {
        let (sender, body) = pieces();
        let sending = tokio::spawn(async move {
            sender.send("SmsSid=paced&Status=sent&x=").unwrap();
            for _ in 0..30 {
                sleep(Duration::from_millis(50)).await;
                if sender.send(piece).is_err() {
                    break;
                }
            }
        });
        let answer = Answer::of(app.request("POST", PATH).body(body).send().await.unwrap()).await;
        sending.abort();
        answer
    };
    // Thirty times 400 bytes in one and a half seconds, and thirty times one.
    let piece: &'static str = "a".repeat(400).leak();
    let (kept, broken) = tokio::join!(send(piece), send("a"));
    assert_eq!(kept.status, 200, "{kept:?}");
    assert_eq!((broken.status, broken.problem()), (408, "body_too_slow"));
    let (_sender, body) = pieces();
    let lookup = app.request("POST", "/messages/lookup").body(body).send().await.unwrap();
    assert_eq!(Answer::of(lookup).await.problem(), "body_too_slow", "also of other requests");
}

#[tokio::test]
async fn what_is_no_http_is_told_as_a_problem_and_leaves_one_line_without_the_url() {
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, &[("HTTP__MAX_HEADER_BYTES", "8192")]).await;
    let beyond = "a".repeat(20_000);
    for (url, status, kind) in [
        ("/callbacks/exotel/default?token=s3cr3t&x=a b", "400", "malformed_request"),
        ("/callbacks/exotel/default?token=s3cr3t&x=\"a\"", "400", "malformed_request"),
        ("/callbacks/exotel/default?token=s3cr3t&x=Caf\u{e9}", "400", "malformed_request"),
        ("/callbacks/exotel/default/s3 cr3t", "400", "malformed_request"),
        (&format!("/callbacks/exotel/default?token=s3cr3t&x={beyond}"), "431", "head_too_large"),
    ] {
        let mut wire = Wire::to(&service.url).await;
        // A byte of Latin-1 where there is one.
        let head: Vec<u8> = format!("POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            .chars()
            .map(|char| u8::try_from(u32::from(char)).unwrap())
            .collect();
        // Behind one that is answered, in the same write.
        wire.send([callback(PATH, "before").into_bytes(), head].concat()).await;
        let answers = wire.rest().await;
        assert_eq!(statuses(&answers), ["200", status], "{url:.80}: {answers}");
        let (_, last) = answers.rsplit_once("HTTP/1.1 ").unwrap();
        let (head, body) = last.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["type"], format!("urn:dlr-receiver:problem:{kind}"));
        assert_eq!(problem["status"].to_string(), status);
    }
    // A connection is counted once it has ended, which is after its answer.
    let end = Instant::now() + DEADLINE;
    loop {
        let metrics = reqwest::get(format!("{}/metrics", service.url)).await.unwrap().text().await.unwrap();
        let count = |kind: &str| {
            let counts =
                |line: &&str| line.starts_with("dlr_http_protocol_errors_total") && line.contains(kind);
            metrics.lines().find(counts).and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
        };
        let counts = (count("\"malformed\""), count("\"head_too_large\""));
        if counts == (Some("4".to_owned()), Some("1".to_owned())) {
            break;
        }
        assert!(Instant::now() < end, "{counts:?}");
        sleep(Duration::from_millis(20)).await;
    }
    service.has_logged("head_too_large").await;
    let log = service.log_text();
    let lines = log.lines().filter(|line| line.contains("does not keep to HTTP")).count();
    assert_eq!(lines, 2, "one for each kind: {log}");
    assert!(!log.contains("s3cr3t") && !log.contains("Caf"), "{log}");
}

#[tokio::test]
async fn at_the_cap_one_listener_does_not_keep_the_other_from_answering() {
    let settings = [("HTTP__MAX_CONNECTIONS", "1"), ("HTTP__INTERNAL_BIND", "127.0.0.1:0")];
    let app = app(&settings).await;
    let mut held = Wire::to(&app.url).await;
    held.send(callback(PATH, "held")).await;
    assert_eq!(statuses(&held.answer().await), ["200"]);
    let mut waiting = Wire::to(&app.url).await;
    waiting.send(callback(PATH, "waiting")).await;
    assert!(!waiting.is_answered_within(MOMENT).await);
    assert_eq!(app.ask("/readyz").await.status, 200);
    drop(held);
    assert_eq!(statuses(&waiting.answer().await), ["200"]);
}

#[tokio::test]
async fn connections_that_only_rest_make_room_where_it_is_tight() {
    let settings = [
        ("HTTP__MAX_CONNECTIONS", "8"),
        ("HTTP__HEADER_TIMEOUT_MS", "1000"),
        ("HTTP__IDLE_TIMEOUT_MS", "600000"),
    ];
    let app = app(&settings).await;
    let mut resting = Vec::new();
    for number in 0..20 {
        let mut wire = Wire::to(&app.url).await;
        wire.send(callback(PATH, &format!("s{number}"))).await;
        assert_eq!(statuses(&wire.answer().await), ["200"], "{number}");
        resting.push(wire);
    }
}

#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    let app = app(&[("HTTP__BODY_TIMEOUT_MS", "1000"), ("HTTP__IDLE_TIMEOUT_MS", "1500")]).await;
    let (client, url) = (h2(), format!("{}{PATH}", app.url));
    let mut callbacks = JoinSet::new();
    for number in 0..300 {
        let fields = [("SmsSid", format!("h2-{number}")), ("Status", "sent".to_owned())];
        callbacks.spawn(client.post(&url).form(&fields).send());
    }
    for answer in callbacks.join_all().await {
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
    }
    assert_eq!(app.message("h2-299").await["outcome"], "delivered");
    let large = client.post(&url).body("a".repeat(64 * 1024 + 1)).send().await.unwrap();
    assert_eq!(Answer::of(large).await.problem(), "body_too_large");
    // A body that is slow is one stream's affair.
    let (_sender, body) = pieces();
    let slow = client.post(&url).body(body).send().await.unwrap();
    assert_eq!(Answer::of(slow).await.problem(), "body_too_slow");
    let export = client.get(format!("{}/messages/export", app.url)).send().await.unwrap();
    assert_eq!(export.text().await.unwrap().lines().count(), 300);
}

#[tokio::test]
async fn an_idle_connection_by_http_2_is_closed() {
    let app = app(&[("HTTP__IDLE_TIMEOUT_MS", "1000")]).await;
    let mut idle = Frames::to(&app.url, 65_535).await;
    idle.send(frames::request(1, WHOLE, "/livez")).await;
    while idle.next(DEADLINE).await.expect("an answer").flags & END_STREAM == 0 {}
    let began = Instant::now();
    // It is told that nothing more will be answered, and then closed.
    while let Some(frame) = idle.next(DEADLINE).await {
        assert_eq!(frame.kind, GOAWAY);
    }
    let rested = began.elapsed();
    assert!(rested >= Duration::from_millis(900) && rested < DEADLINE / 2, "{rested:?}");
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_by_both_versions() {
    let database = Database::create(Backend::Sqlite).await;
    let mut service = Service::start(&database, &[("HTTP__SHUTDOWN_TIMEOUT_MS", "15000")]).await;
    let mut idle = Wire::to(&service.url).await;
    idle.send(callback(PATH, "idle")).await;
    idle.answer().await;
    let mut silent = Wire::to(&service.url).await;
    let (first, second) = ("SmsSid=late&", "Status=sent");
    // By HTTP/1.1 the handler asks for the body once it has the head.
    let mut late = Wire::to(&service.url).await;
    let length = first.len() + second.len();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    late.send(head).await;
    assert_eq!(statuses(&late.answer().await), ["100"]);
    late.send(first).await;
    // By HTTP/2 frames are read in order: where the second request is answered, the first one is under way.
    let mut late_2 = Frames::to(&service.url, 65_535).await;
    late_2.send(frames::post(1, END_HEADERS, PATH)).await;
    late_2.send(frames::frame(DATA, 0, 1, first.as_bytes())).await;
    late_2.send(frames::request(3, WHOLE, "/livez")).await;
    while late_2.next(DEADLINE).await.expect("an answer").flags & END_STREAM == 0 {}
    service.signal("TERM");
    service.has_logged("stopping").await;
    assert_eq!((idle.rest().await, silent.rest().await), (String::new(), String::new()));
    assert!(silent.age() < Duration::from_secs(4), "it is not waited for: {:?}", silent.age());
    late.send(second).await;
    assert_eq!(statuses(&late.answer().await), ["200"]);
    late_2.send(frames::frame(DATA, END_STREAM, 1, second.as_bytes())).await;
    let answered = loop {
        let frame = late_2.next(DEADLINE).await.expect("an answer");
        if (frame.kind, frame.stream) == (HEADERS, 1) {
            break frame;
        }
    };
    assert_eq!(answered.payload[0], STATUS_200);
    assert!(service.ended().await.success(), "{}", service.log_text());
    assert!(!service.log_text().contains("deadline"), "{}", service.log_text());
}

/// How many files this process may have open.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX)
}

/// The latencies of callbacks that were sent for so long.
async fn latencies(url: &str, long: Duration) -> Latencies {
    let (load, began) = (Load::start(url, Pace::STEADY), Instant::now());
    sleep(long).await;
    let traffic = load.stop().await;
    traffic.was_all_acknowledged();
    traffic.latencies((began, Instant::now()))
}

/// Slow clients, which send a byte `every` so often.
struct SlowClients {
    url: String,
    every: Duration,
    count: usize,
}

/// Slow clients that connect again as soon as they are cut; every other one is slow with a body.
fn slow_clients(SlowClients { url, every, count }: SlowClients) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for number in 0..count {
        let url = url.clone();
        clients.spawn(async move {
            // Not all at the same moment, now and later on.
            sleep(Duration::from_millis(number as u64 * 5 / 2 % 5000)).await;
            loop {
                let mut wire = Wire::to(&url).await;
                let head = format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nx-slow: ");
                wire.send(if number % 2 == 0 { head } else { head + "\r\n\r\n" }).await;
                wire.trickle(("a", every), DEADLINE).await;
            }
        });
    }
    clients
}

/// Waits until so many connections are open.
async fn has_connections(url: &str, count: usize) {
    let end = Instant::now() + DEADLINE;
    loop {
        let metrics = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
        let gauge =
            metrics.lines().find_map(|line| line.strip_prefix("dlr_http_connections{listener=\"public\"} "));
        let open: usize = gauge.unwrap().parse().unwrap();
        if open >= count {
            return;
        }
        assert!(Instant::now() < end, "{open} of {count} connections");
        sleep(Duration::from_millis(100)).await;
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A slow client costs the service little: honest callbacks are answered in the time that they take alone, give or take
/// the machine. Where slow clients kept others from being accepted, those would wait for the timeout of a head.
#[expect(clippy::print_stderr, reason = "for whoever reads the tests' output")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_slow_clients_do_not_slow_down_honest_ones() {
    // The slowest of a hundred shows what a slow client costs, but on a machine without other work only.
    let strict = std::env::var_os("DLR_SOAK").is_some() && !cfg!(debug_assertions);
    // By turns, for a disk that stalls does so in the one as in the other.
    let (rounds, long) = if strict { (3, Duration::from_secs(12)) } else { (1, Duration::from_secs(4)) };
    let database = Database::create(Backend::Sqlite).await;
    let all_files = ["sh", "-c", "ulimit -n $(ulimit -Hn); exec \"$0\""];
    let service =
        Service::start_by(&all_files, &database, &[("DLR__LOG__FILTER", "warn,dlr_receiver=info")]).await;
    let count = 2000.min(open_files().saturating_sub(400));
    let every = Duration::from_secs(if strict { 1 } else { 2 });
    let (mut alone, mut besieged) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(latencies(&service.url, long).await);
        let mut clients = slow_clients(SlowClients { url: service.url.clone(), every, count });
        // Some have been cut by then, and connect again.
        has_connections(&service.url, count * 8 / 10).await;
        besieged.push(latencies(&service.url, long).await);
        has_connections(&service.url, count * 7 / 10).await;
        clients.shutdown().await;
    }
    eprintln!("{alone:?} alone, {besieged:?} beside {count} slow clients");
    let p99 = |latencies: &[Latencies]| median(latencies.iter().map(|each| each.p99).collect());
    let p50 = |latencies: &[Latencies]| median(latencies.iter().map(|each| each.p50).collect());
    let (alone, besieged, bearable) = if strict {
        (p99(&alone), p99(&besieged), p99(&alone).max(Duration::from_millis(5)) * 2)
    } else {
        (p50(&alone), p50(&besieged), (p50(&alone) * 10).max(Duration::from_millis(500)))
    };
    assert!(besieged <= bearable, "{besieged:?} beside {count} slow clients, {alone:?} alone");
}
