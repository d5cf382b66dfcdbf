//! Floods by HTTP/2: frames that cost a client nothing. Memory stays bounded, honest callbacks are answered, the log
//! does not grow, and the connections end and are counted. With `DLR_SOAK=1` each takes minutes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{metric, resident, still_well, tell};
use crate::{
    crash::in_soak,
    support::{
        Backend, DEADLINE, Database, Load, Pace, Service,
        frames::{
            self, CONTINUATION, DATA, END_HEADERS, Frames, HEADERS, PING, RST_STREAM, SETTINGS, WHOLE,
            WINDOW_UPDATE, frame, request,
        },
    },
};

const TOKEN: &str = "tok-3cr3t";

/// A flood: its name, and the frames that follow each other, of which the number is given.
type Flood = (&'static str, fn(u32) -> Vec<u8>);

/// Streams that are not used for anything else.
fn stream(number: u32) -> u32 {
    2 * number + 3
}

const FLOODS: [Flood; 8] = [
    ("rapid reset", |number| {
        let reset = frame(RST_STREAM, 0, stream(number), &8_u32.to_be_bytes());
        [request(stream(number), WHOLE, "/livez"), reset].concat()
    }),
    ("pings", |number| frame(PING, 0, 0, &u64::from(number).to_be_bytes())),
    ("settings", |_| frame(SETTINGS, 0, 0, &[])),
    ("continuations", |number| match number {
        0 => request(stream(0), 0, "/livez"),
        _ => frame(CONTINUATION, 0, stream(0), &[0x82; 100]),
    }),
    ("empty data", |number| match number {
        0 => request(stream(0), END_HEADERS, "/livez"),
        _ => frame(DATA, 0, stream(0), &[]),
    }),
    ("windows", |_| frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes())),
    ("header bombs", |number| {
        // A long header is remembered, and then repeated: a few thousand bytes say megabytes.
        let long = [&[0x40, 1, b'a', 0x7f, 0xa1, 0x1e][..], &[b'b'; 4000]].concat();
        let bomb = [&[0x82, 0x86, 0x84][..], &long, &[0xbe; 2000]].concat();
        frame(HEADERS, WHOLE, stream(number), &bomb)
    }),
    ("unknown frames", |_| frame(0xfa, 0, 0, &[0; 64])),
];

/// Connects again and again, and sends frames until the connection ends. Returns how many connections ended.
async fn flood(url: String, (_, frames): Flood, stop: Arc<AtomicBool>, ended: Arc<AtomicU64>) {
    while !stop.load(Relaxed) {
        let mut connection = Frames::to(&url, 65_535).await;
        // A request that is served, so that it is a connection like any other.
        connection.send(request(1, WHOLE, "/livez")).await;
        let (mut reader, mut writer) = connection.split();
        let reading =
            tokio::spawn(async move { while reader.read(&mut [0; 4096]).await.unwrap_or(0) > 0 {} });
        for batch in 0_u32.. {
            let many: Vec<u8> = (batch * 64..(batch + 1) * 64).flat_map(frames).collect();
            if writer.write_all(&many).await.is_err() || stop.load(Relaxed) {
                break;
            }
        }
        if !stop.load(Relaxed) {
            ended.fetch_add(1, Relaxed);
        }
        reading.abort();
    }
}

/// The lines of a log that are not the one of each answered request.
fn other_lines(service: &Service) -> usize {
    service.log_text().lines().filter(|line| !line.contains("request finished")).count()
}

async fn withstands(flooding: Flood) {
    let (name, _) = flooding;
    let own = [
        ("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN),
        ("ACCOUNTS__DEFAULT__COUNTRY", "IN"),
        ("SPOOL__PATH", ""),
    ];
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, &own).await;
    let (stop, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let load = Load::start(&service.url, Pace::STEADY);
    load.acknowledges(20).await;
    let (lines, before) = (other_lines(&service), resident(&service));
    let floods: Vec<_> = (0..4)
        .map(|_| tokio::spawn(flood(service.url.clone(), flooding, Arc::clone(&stop), Arc::clone(&ended))))
        .collect();
    let (end, mut most) = (Instant::now() + in_soak(Duration::from_mins(2), Duration::from_millis(1500)), 0);
    // However busy the machine is, one connection has to end.
    while Instant::now() < end || (ended.load(Relaxed) == 0 && Instant::now() < end + DEADLINE) {
        most = most.max(resident(&service));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    load.acknowledges(20).await;
    stop.store(true, Relaxed);
    for flood in floods {
        flood.await.unwrap();
    }
    let traffic = load.stop().await;
    traffic.was_all_acknowledged();
    let ended = ended.load(Relaxed);
    let counted =
        metric(&service, "dlr_http_protocol_errors_total{listener=\"public\",kind=\"http2_flood\"}").await
            + metric(&service, "dlr_http_protocol_errors_total{listener=\"public\",kind=\"http2_protocol\"}")
                .await;
    let lines = other_lines(&service) - lines;
    tell(&format!(
        "{name}: {ended} connections ended, {counted} counted, {before} to {most} MB, {lines} lines, answers {:?}",
        traffic.answers()
    ));
    assert!(most < before + 64, "{name}: from {before} to {most} MB");
    assert!(lines <= 20, "{name}: {lines} lines: {}", service.log_text());
    assert!(ended > 0, "{name}: no connection ended");
    // One that was under way at the end may be counted as well.
    assert!(counted >= ended, "{name}: {counted} of {ended} are counted");
    still_well(&service, TOKEN).await;
}

/// One test for each, so that they can be run alone.
macro_rules! floods {
    ($($name:ident: $number:literal,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            withstands(FLOODS[$number]).await;
        }
    )*};
}

floods! {
    rapid_resets_are_withstood: 0,
    pings_are_withstood: 1,
    settings_are_withstood: 2,
    continuations_are_withstood: 3,
    empty_data_is_withstood: 4,
    windows_are_withstood: 5,
    header_bombs_are_withstood: 6,
    unknown_frames_are_withstood: 7,
}

/// Connections that break the rules of HTTP are counted by kind, and cost no line of the log.
#[tokio::test]
async fn connections_that_break_http_are_counted_by_kind() {
    use crate::support::wire::Wire;
    let database = Database::create(Backend::Sqlite).await;
    let service =
        Service::start(&database, &[("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN), ("SPOOL__PATH", "")]).await;
    let lines = other_lines(&service);
    let long = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    for _ in 0..30 {
        for bytes in ["\x16\x03\x01\0\x05hello", "GET /livez\r\n\r\n", &long] {
            let mut wire = Wire::to(&service.url).await;
            wire.send(bytes).await;
            wire.rest().await;
        }
        // Data on a stream that was never opened.
        let mut frames = Frames::to(&service.url, 65_535).await;
        frames.send(frame(DATA, 0, 1, b"x")).await;
        let mut is_told = false;
        // What belongs to the connection, such as its window, may come first.
        while let Some(frame) = frames.next(DEADLINE).await {
            is_told |= frame.kind == frames::GOAWAY;
        }
        assert!(is_told, "the connection ends without a word");
    }
    for (kind, count) in
        [("malformed", 60), ("head_too_large", 30), ("http2_protocol", 30), ("http2_flood", 0)]
    {
        let series = format!("dlr_http_protocol_errors_total{{listener=\"public\",kind=\"{kind}\"}}");
        // A connection is counted once it has ended on this side, too.
        let end = Instant::now() + DEADLINE;
        while metric(&service, &series).await < count && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(metric(&service, &series).await, count, "{kind}");
    }
    // Whatever the service has to say of its own meanwhile.
    assert!(other_lines(&service) < lines + 5, "{}", service.log_text());
    still_well(&service, TOKEN).await;
}
