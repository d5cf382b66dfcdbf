//! Attacks below what is said: clients that are slow, silent, too many, too large or ambiguous.

use std::time::Duration;

use reqwest::Version;

use super::still_well;
use crate::support::{
    Answer, Backend, Database, Service,
    wire::{Wire, callback, statuses},
};

const TOKEN: &str = "tok-3cr3t";
const PATH: &str = "/callbacks/exotel/acme/tok-3cr3t";
const SECOND: Duration = Duration::from_secs(1);

/// The service with all limits as they are by default, but for `settings`.
async fn service(settings: &[(&str, &str)]) -> Service {
    let own = [
        ("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN),
        ("LOG__FORMAT", "json"),
        ("LOG__FILTER", "debug"),
        ("SPOOL__PATH", ""),
    ];
    let database = Database::create(Backend::Sqlite).await;
    Service::start(&database, &[&own, settings].concat()).await
}

/// The head of a callback with other headers.
fn head(headers: &str) -> String {
    format!("POST {PATH} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
}

#[tokio::test]
async fn slow_headers_are_cut_within_six_seconds_where_plain_axum_is_open_after_45() {
    let service = service(&[]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("http://{}", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/livez", axum::routing::get(|| async { "ok" }));
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    let trickle = async |url: &str| {
        let mut wire = Wire::to(url).await;
        wire.send("GET /livez HTTP/1.1\r\nHost: x\r\nx-slow: ").await;
        let (answer, closed) = wire.trickle(("a", SECOND), 45 * SECOND).await;
        (answer, closed, wire.age())
    };
    let (ours, plain) = tokio::join!(trickle(&service.url), trickle(&plain));
    let (answer, closed, age) = ours;
    assert!(closed && age < 6 * SECOND && age > 4 * SECOND, "ours: {closed} after {age:?}");
    assert_eq!(answer, "");
    let (_, closed, age) = plain;
    assert!(!closed && age >= 45 * SECOND, "plain axum: {closed} after {age:?}");
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn slow_bodies_are_refused_within_seven_seconds() {
    let service = service(&[]).await;
    let trickle = async |headers: &str, piece: &str| {
        let mut wire = Wire::to(&service.url).await;
        wire.send(head(headers)).await;
        let (answer, closed) = wire.trickle((piece, SECOND), 20 * SECOND).await;
        assert!(closed && wire.age() < 7 * SECOND, "{headers:?}: {closed} after {:?}", wire.age());
        assert!(wire.age() > 4 * SECOND, "{headers:?}: after {:?}", wire.age());
        let answer = answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(statuses(answer), ["408"], "{headers:?}: {answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("body_too_slow"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    };
    tokio::join!(
        trickle("Content-Length: 100\r\n", "S"),
        trickle("Transfer-Encoding: chunked\r\n", "1\r\nS\r\n"),
        trickle("Content-Length: 100\r\n", ""),
        trickle("Content-Length: 100\r\nExpect: 100-continue\r\n", ""),
    );
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn connections_that_are_left_half_open_or_say_nothing_end() {
    let service = service(&[("HTTP__IDLE_TIMEOUT_MS", "7000")]).await;
    let ends = async |begin: &[u8], (from, to): (u32, u32)| {
        let mut wire = Wire::to(&service.url).await;
        wire.send(begin).await;
        let answers = wire.rest().await;
        let age = wire.age();
        assert!(age > from * SECOND && age < to * SECOND, "{begin:?}: after {age:?}");
        answers
    };
    let once = callback(PATH, "once");
    let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let (silent, begun, preface, h2, kept) = tokio::join!(
        ends(b"", (4, 6)),
        ends(b"GET /livez HTTP/1.1\r\n", (4, 6)),
        ends(b"PRI * HT", (4, 6)),
        ends(settings, (4, 6)),
        // Between requests it may rest for longer than the head of one may take.
        ends(once.as_bytes(), (6, 9)),
    );
    assert_eq!((silent.as_str(), begun.as_str(), preface.as_str()), ("", "", ""));
    assert!(!h2.contains("HTTP/1.1"));
    assert_eq!(statuses(&kept), ["200"]);
    // A client that has hung up on its writing side is not waited for.
    let mut half = Wire::to(&service.url).await;
    half.send(head("Content-Length: 100\r\n")).await;
    half.end().await;
    half.rest().await;
    assert!(half.age() < 3 * SECOND, "after {:?}", half.age());
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn at_the_cap_of_connections_new_ones_wait_and_old_ones_live() {
    let service = service(&[("HTTP__MAX_CONNECTIONS", "3")]).await;
    let mut held = Vec::new();
    for number in 0..3 {
        let mut wire = Wire::to(&service.url).await;
        wire.send(callback(PATH, &format!("held-{number}"))).await;
        assert_eq!(statuses(&wire.answer().await), ["200"]);
        held.push(wire);
    }
    let mut waiting = Wire::to(&service.url).await;
    waiting.send(callback(PATH, "waiting")).await;
    assert!(!waiting.is_answered_within(SECOND / 2).await, "one too many");
    for wire in &mut held {
        wire.send(callback(PATH, "again")).await;
        assert_eq!(statuses(&wire.answer().await), ["200"]);
    }
    assert!(!waiting.is_answered_within(SECOND / 10).await, "one too many");
    held.pop();
    assert_eq!(statuses(&waiting.answer().await), ["200"]);
    drop((held, waiting));
    service.has_logged("http.max_connections").await;
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn without_files_left_accepting_is_tried_again_and_does_not_spin() {
    let service = service(&[]).await;
    // Fewer than it has made room for at its start.
    let open = std::fs::read_dir(format!("/proc/{}/fd", service.id())).unwrap().count();
    let limit = format!("--nofile={}", open + 20);
    let id = format!("--pid={}", service.id());
    let limited = std::process::Command::new("prlimit").args([id, limit]).status().unwrap();
    assert!(limited.success());
    let mut wires = Vec::new();
    for _ in 0..60 {
        wires.push(Wire::to(&service.url).await);
    }
    service.has_logged("cannot be accepted").await;
    let before = processor_time(&service);
    tokio::time::sleep(SECOND).await;
    let spent = processor_time(&service) - before;
    assert!(spent < 50, "{spent} hundredths of a second in one");
    assert_eq!(service.log_text().matches("cannot be accepted").count(), 1);
    drop(wires);
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn connections_leave_the_database_its_files() {
    let database = Database::create(Backend::Sqlite).await;
    let few_files = ["sh", "-c", "ulimit -n 80; exec \"$0\""];
    let variables = [
        ("DLR__ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN),
        ("DLR__LOG__FORMAT", "json"),
        ("DLR__SPOOL__PATH", ""),
    ];
    let service = Service::start_by(&few_files, &database, &variables).await;
    service.has_logged("fewer connections than http.max_connections").await;
    let mut wires = Vec::new();
    for number in 0..16 {
        let mut wire = Wire::to(&service.url).await;
        wire.send(callback(PATH, &format!("s{number}"))).await;
        assert_eq!(statuses(&wire.answer().await), ["200"]);
        wires.push(wire);
    }
    let mut waiting = Wire::to(&service.url).await;
    waiting.send(callback(PATH, "waiting")).await;
    assert!(!waiting.is_answered_within(SECOND / 2).await);
    drop((wires, waiting));
    assert!(!service.log_text().contains("cannot be accepted"));
    still_well(&service, TOKEN).await;
}

/// What a process has had of the processor, in hundredths of a second.
fn processor_time(service: &Service) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", service.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_refused() {
    let service = service(&[]).await;
    let ask = async |headers: String| {
        let mut wire = Wire::to(&service.url).await;
        wire.send(format!("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")).await;
        statuses(&wire.rest().await).join(" ")
    };
    let many = |count: usize| "x-more: 1\r\n".repeat(count);
    assert_eq!(ask(many(98)).await, "200", "a hundred with the two that are always there");
    assert_eq!(ask(many(99)).await, "431");
    assert_eq!(ask(many(3000)).await, "431");
    let large = |length: usize| format!("x-large: {}\r\n", "a".repeat(length));
    assert_eq!(ask(large(16_000)).await, "200");
    assert_eq!(ask(large(16_400)).await, "431");
    assert_eq!(ask(large(1_000_000)).await, "431");
    let h2 = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let livez =
        |length: usize| h2.get(format!("{}/livez", service.url)).header("x-large", "a".repeat(length));
    assert_eq!(livez(15_000).send().await.unwrap().status(), 200);
    let refused = livez(17_000).send().await;
    assert!(refused.map_or_else(|error| error.is_request(), |answer| answer.status() == 431));
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_so_that_the_client_sees_it() {
    let service = service(&[]).await;
    let chunks = |length: usize| {
        let chunks = format!("1000\r\n{}\r\n", "a".repeat(0x1000)).repeat(length / 0x1000);
        let rest = length % 0x1000;
        format!("{chunks}{rest:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(rest))
    };
    for length in [64 * 1024 + 1, 900_000] {
        let plain = (format!("Content-Length: {length}\r\n"), "a".repeat(length));
        let chunked = ("Transfer-Encoding: chunked\r\n".to_owned(), chunks(length));
        for (headers, body) in [plain, chunked] {
            let mut wire = Wire::to(&service.url).await;
            assert!(wire.send(head(&headers) + &body).await, "{length} {headers}");
            let answer = wire.answer().await;
            assert_eq!(statuses(&answer), ["413"], "{answer}");
            assert!(answer.contains("body_too_large"), "{answer}");
            // Read to its end, it is no hindrance to the next request.
            wire.send(callback(PATH, "next")).await;
            assert_eq!(statuses(&wire.answer().await), ["200"], "{length} {headers}");
        }
    }
    // Nobody reads for ever what nobody wants.
    let mut endless = Wire::to(&service.url).await;
    endless.send(head("Content-Length: 100000000\r\n")).await;
    let (_, closed) = endless.trickle((&"a".repeat(65536), Duration::ZERO), 10 * SECOND).await;
    assert!(closed && endless.age() < 5 * SECOND, "{closed} after {:?}", endless.age());
    let exact = format!("SmsSid=exact&Status=sent&x={}", "a".repeat(64 * 1024 - 27));
    let sent = reqwest::Client::new().post(format!("{}{PATH}", service.url)).body(exact);
    assert_eq!(sent.send().await.unwrap().status(), 200, "64 KiB are taken");
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn a_gzip_bomb_is_not_unpacked() {
    let service = service(&[]).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &vec![b'a'; 50_000_000]).unwrap();
    let bomb = packed.finish().unwrap();
    assert!(bomb.len() < 64 * 1024);
    for encoding in ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"] {
        let request = reqwest::Client::new().post(format!("{}{PATH}", service.url)).body(bomb.clone());
        let answer = request.header("content-encoding", encoding).send().await.unwrap();
        let answer = Answer::of(answer).await;
        assert_eq!((answer.status, answer.problem()), (415, "unsupported_media_type"), "{encoding}");
    }
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn requests_that_two_readers_may_read_differently_get_one_answer_and_the_end() {
    let service = service(&[]).await;
    let hidden = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let tell = async |request: String| {
        let mut wire = Wire::to(&service.url).await;
        wire.send(&request).await;
        let answer = wire.rest().await;
        assert!(wire.age() < 4 * SECOND, "{request:?}: after {:?}", wire.age());
        statuses(&answer).join(" ")
    };
    for headers in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 5\r\n",
        "Content-Length: 5\r\n X-Folded: 1\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n",
        "X: 1\rTransfer-Encoding: chunked\r\n",
        "X: a\0b\r\n",
        "No colon\r\n",
        " X: 1\r\n",
    ] {
        let answer = tell(head(headers) + "5\r\nSmsSi\r\n0\r\n\r\n" + hidden).await;
        assert_eq!(answer, "400", "{headers:?}");
    }
    for line in ["POST /x  HTTP/1.1", "POST  /x HTTP/1.1", "POST /x HTTP/1.1 ", "POST /x", "POST /x HTTP/2.1"]
    {
        let answer = tell(format!("{line}\r\nHost: x\r\n\r\n{hidden}")).await;
        assert_eq!(answer, "400", "{line:?}");
    }
    let old = head("Transfer-Encoding: chunked\r\n").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(tell(old + "0\r\n\r\n" + hidden).await, "400", "there are no chunks in HTTP/1.0");
    still_well(&service, TOKEN).await;
}

/// What HTTP's own rules let a server read in one way only: it is read so, answered once, and closed.
#[tokio::test]
async fn chunks_go_before_a_length_and_the_connection_ends() {
    let service = service(&[]).await;
    let body = "SmsSid=both&Status=sent";
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let hidden = callback(PATH, "hidden");
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n",
    ] {
        let mut wire = Wire::to(&service.url).await;
        wire.send(head(headers) + &chunked + &hidden).await;
        assert_eq!(statuses(&wire.rest().await), ["200"], "{headers:?}");
    }
    // A broken chunk is the end as well.
    for chunk in ["zz\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "5\nSmsSi", "5 5\r\nSmsSi"] {
        let mut wire = Wire::to(&service.url).await;
        wire.send(head("Transfer-Encoding: chunked\r\n") + chunk + "\r\n0\r\n\r\n" + &hidden).await;
        assert_eq!(statuses(&wire.rest().await), ["422"], "{chunk:?}");
    }
    let ask = reqwest::get(format!("{}/messages/hidden", service.url)).await.unwrap();
    assert_eq!(ask.status(), 404, "nobody took what was hidden");
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_taken() {
    let service = service(&[]).await;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let client = reqwest::Client::builder();
        let h2 = version == Version::HTTP_2;
        let client = if h2 { client.http2_prior_knowledge() } else { client };
        let client = client.build().unwrap();
        for method in ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
            let url = format!("{}{PATH}?SmsSid=no&Status=sent", service.url);
            let answer = client.request(method.parse().unwrap(), url).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.version()), (405, version), "{method}");
            assert_eq!(answer.headers()["allow"], "GET,POST", "{method}");
        }
        let put = client.put(format!("{}/livez", service.url)).send().await.unwrap();
        assert_eq!((put.status().as_u16(), &put.headers()["allow"]), (405, &"GET,HEAD".parse().unwrap()));
    }
    let ask = reqwest::get(format!("{}/messages/no", service.url)).await.unwrap();
    assert_eq!(ask.status(), 404);
    still_well(&service, TOKEN).await;
}
