//! `simulate`: the real binary against the real service, and against receivers that lie.

use std::{
    fs::File,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, rejection::BytesRejection},
    http::{Method, StatusCode},
    routing::get,
};
use serde_json::{Value, json};

use crate::support::{Backend, Database, Service, binary};

/// What a run printed: its standard output, or that and its complaint.
async fn simulate(arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = binary(folder.path());
    command.arg("simulate").args(arguments).envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (printed, complaint) = (text(output.stdout), text(output.stderr));
    if output.status.success() { Ok(printed) } else { Err(printed + &complaint) }
}

/// The line of the summary that begins with `word`.
fn line<'p>(printed: &'p str, word: &str) -> &'p str {
    let line = printed.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no line `{word}` in {printed}")).trim()
}

async fn keeps_its_promises(backend: Backend) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, &[]).await;
    let storm = ["--duplicates", "0.2", "--shuffle", "--garbage", "0.05", "--outage", "--count", "150"];
    let manner = ["--rate", "0", "--retry-after", "50ms,100ms", "--url", &service.url];
    let printed = simulate(&[&storm[..], &manner].concat(), &[]).await.unwrap();
    assert_eq!((line(&printed, "missing"), line(&printed, "wrong")), ("0", "0"), "{printed}");
    assert_eq!(line(&printed, "acknowledged"), line(&printed, "stored"), "{printed}");
    assert!(printed.contains("× cut off by the outage"), "{printed}");
    assert!(!line(&printed, "answered").contains("refused 0"), "{printed}");
}

#[tokio::test]
async fn the_service_keeps_its_promises_on_sqlite() {
    keeps_its_promises(Backend::Sqlite).await;
}

#[tokio::test]
async fn the_service_keeps_its_promises_on_postgres() {
    keeps_its_promises(Backend::Postgres).await;
}

#[tokio::test]
async fn a_whole_callback_url_a_key_and_a_second_listener_are_taken() {
    let (key, digest) = (
        "dlr_Pej606Lk8ij4mb_KMD3u0d1w3wQhMyL7fkvSBQr5r6c",
        "39837fd9340ce30616ea915553495532a866d06bc79a7fea178c9cbac8328939",
    );
    let keys = format!("[{{name = \"reports\", sha256 = \"{digest}\", scopes = [\"read\"]}}]");
    let account = [
        ("DLR__ACCOUNTS__ACME__CALLBACK_TOKENS", "s3cret"),
        ("DLR__ACCOUNTS__ACME__TIME_ZONE", "Europe/Berlin"),
        ("DLR__ACCOUNTS__ACME__COUNTRY", "DE"),
    ];
    let split = [("DLR__HTTP__INTERNAL_BIND", "127.0.0.1:0"), ("DLR__AUTH__KEYS", keys.as_str())];
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start_with(&database, &[&account[..], &split].concat()).await;
    let log = service.log_text();
    let (_, questions) = log.split_once("questions=").unwrap();
    let questions = format!("http://{}", questions.split_whitespace().next().unwrap());
    let url = format!("{}/callbacks/exotel/acme/s3cret?campaign_id=diwali&team=a%26b", service.url);
    let arguments = ["--url", &url, "--questions-url", &questions, "--count", "40", "--rate", "0"];

    let without_key = simulate(&arguments, &account).await.unwrap_err();
    assert!(without_key.contains("give a key of the scope `read` with --api-key"), "{without_key}");
    let with_key = [&account[..], &[("DLR_API_KEY", key)]].concat();
    let printed = simulate(&arguments, &with_key).await.unwrap();
    assert_eq!(line(&printed, "stored"), "40", "{printed}");
    assert!(!printed.contains("s3cret") && !printed.contains(key), "{printed}");
    // Without the account's zone and country it would read the callbacks otherwise.
    let otherwise = simulate(&[&arguments[..], &["--wait", "0s"]].concat(), &[("DLR_API_KEY", key)]).await;
    assert!(otherwise.unwrap_err().contains("sent_at should be"));
}

/// Answers 200 to callbacks, 500 to what is none, and to questions with what `known` makes of the sid.
struct Liar {
    url: String,
    /// Bodies that broke off.
    broken: Arc<AtomicUsize>,
}

impl Liar {
    async fn start(known: fn(&str) -> (StatusCode, Value)) -> Self {
        let broken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&broken);
        let take = move |method: Method, body: Result<Bytes, BytesRejection>| async move {
            let garbage = method == Method::POST && body.as_ref().is_ok_and(|body| !is_callback(body));
            count.fetch_add(usize::from(body.is_err()), Ordering::Relaxed);
            if garbage { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
        };
        let answer = move |Path(sid): Path<String>| async move {
            let (status, told) = known(&sid);
            (status, Json(told))
        };
        let routes = Router::new()
            .route("/callbacks/exotel/default", get(take.clone()).post(take))
            .route("/messages/{sid}", get(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { url, broken }
    }
}

/// As far as the test needs to know.
fn is_callback(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body).to_lowercase().replace('_', "");
    body.contains("smssid") && body.contains("status") && body.len() < 64 * 1024
}

#[tokio::test]
async fn a_receiver_that_forgets_is_found_out() {
    let liar = Liar::start(|_| (StatusCode::NOT_FOUND, Value::Null)).await;
    let arguments =
        ["--url", &liar.url, "--count", "60", "--rate", "0", "--wait", "0s", "--garbage", "0", "--seed", "1"];
    let printed = simulate(&arguments, &[]).await.unwrap_err();
    assert_eq!((line(&printed, "acknowledged"), line(&printed, "stored")), ("60", "0"), "{printed}");
    assert_eq!((line(&printed, "missing"), line(&printed, "wrong")), ("60", "0"), "{printed}");
    assert!(printed.contains(": asked for it, it answered 404 Not Found"), "{printed}");
    assert!(printed.contains("dlr-receiver: the receiver failed: 60 missing, 0 wrong"), "{printed}");
}

#[tokio::test]
async fn a_receiver_that_tells_something_else_is_found_out() {
    let liar = Liar::start(|sid| {
        let told = json!({"sid": sid, "account": "default", "to": "+919899999999", "outcome": "lost", "callbacks": 0});
        (StatusCode::OK, told)
    });
    let liar = liar.await;
    let arguments =
        ["--url", &liar.url, "--count", "20", "--rate", "0", "--wait", "0s", "--garbage", "0", "--seed", "1"];
    let printed = simulate(&arguments, &[]).await.unwrap_err();
    assert_eq!((line(&printed, "missing"), line(&printed, "wrong")), ("0", "20"), "{printed}");
    assert!(printed.contains("outcome should be \"delivered\", is \"lost\""), "{printed}");
    assert!(printed.contains("callbacks should be \"1 or more\", is 0"), "{printed}");
    assert!(printed.contains(", is *********9999") && !printed.contains("9899999999"), "{printed}");
}

#[tokio::test]
async fn an_outage_breaks_bodies_off_and_garbage_that_breaks_the_receiver_is_told() {
    let liar = Liar::start(|_| (StatusCode::NOT_FOUND, Value::Null)).await;
    let arguments = ["--url", &liar.url, "--count", "200", "--rate", "0", "--wait", "0s", "--garbage", "0.3"];
    let arguments = [&arguments[..], &["--outage", "--retry-after", "20ms,20ms", "--seed", "1"]].concat();
    let printed = simulate(&arguments, &[]).await.unwrap_err();
    assert!(printed.contains("× answered 500 Internal Server Error"), "{printed}");
    assert_ne!(line(&printed, "wrong"), "0", "{printed}");
    assert!(liar.broken.load(Ordering::Relaxed) > 0, "the receiver has seen the outage");
}

#[tokio::test]
async fn a_run_without_a_receiver_says_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let printed = simulate(&["--url", &url], &[]).await.unwrap_err();
    assert!(printed.contains(&format!("cannot reach the receiver at {url}: no connection:")), "{printed}");

    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, &[]).await;
    let nobody = format!("{}/callbacks/exotel/nobody", service.url);
    let arguments = ["--url", &nobody, "--count", "3", "--rate", "0", "--retry-after", "1ms,1ms"];
    let printed = simulate(&arguments, &[]).await.unwrap_err();
    assert!(
        printed.contains("nothing was acknowledged: answered 404 Not Found: the callback URL"),
        "{printed}"
    );
}

#[tokio::test]
async fn what_cannot_be_played_is_refused() {
    for (arguments, fault) in [
        (&["--retry-after", "1s"][..], "give two, such as 5m,15m"),
        (&["--wait", "2d"], "a day at most"),
        (&["--garbage", "1.5"], "a share is a number from 0 to 1"),
        (&["--api-key", "a\nb"], "no API key has"),
    ] {
        let refused =
            simulate(&[&["--url", "http://127.0.0.1:1"], arguments].concat(), &[]).await.unwrap_err();
        assert!(refused.contains(fault), "{refused}");
    }
}

/// Waits until a file holds `text`.
async fn says(file: &std::path::Path, text: &str) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !std::fs::read_to_string(file).unwrap().contains(text) {
        assert!(std::time::Instant::now() < end, "{text} is not in {}", file.display());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_interrupted_run_reads_back_what_was_acknowledged() {
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let (out, log) = (folder.path().join("out"), folder.path().join("log"));
    let mut command = binary(folder.path());
    command.args(["simulate", "--url", &service.url, "--count", "2000", "--rate", "20"]);
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    says(&log, "sending: ").await;
    let interrupt = format!("kill -s INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    let printed = std::fs::read_to_string(&out).unwrap();
    assert!(status.success(), "{printed}");
    assert_eq!((line(&printed, "missing"), line(&printed, "wrong")), ("0", "0"), "{printed}");
    let sent: usize = line(&printed, "sent").split(' ').next().unwrap().parse().unwrap();
    assert!((1..2000).contains(&sent), "{printed}");
}
