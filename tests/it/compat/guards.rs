//! Who may read in Exotel's way, where, and what else stays as it was.

use std::process::Stdio;

use dlr_receiver::http::KeyDigest;
use serde_json::Value;

use super::{ACME, SETTINGS, ask, record};
use crate::support::{Answer, Backend, Cluster, Database, Service, TestApp, binary};

const SMS: &str = "/v1/Accounts/acme1m/SMS/Messages/s1.json";

#[tokio::test]
async fn other_paths_and_methods_are_answered_as_everywhere() {
    let app = super::app(Backend::Sqlite).await;
    for path in ["/vault", "/vault/x", "/Vault/x/y", "/v", "/version1/x", "/nowhere"] {
        for method in ["GET", "POST"] {
            let answer = Answer::of(app.request(method, path).send().await.unwrap()).await;
            assert_eq!((answer.status, answer.problem()), (404, "unknown_route"), "{method} {path}");
        }
    }
    for path in [SMS, "/v1/Accounts/acme1m/Sms/send.json", "/V2", "/v3/x"] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer = Answer::of(app.request(method, path).send().await.unwrap()).await;
            assert_eq!((answer.status, answer.problem()), (405, "method_not_allowed"), "{method} {path}");
            assert_eq!(answer.headers["allow"], "GET,HEAD");
        }
    }
    record(&app, "acme", &[("SmsSid", "s1"), ("Status", "sent")]).await;
    let head = app.request("HEAD", SMS).basic_auth("key1", Some("token1")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap()), (200, String::new()));
}

#[tokio::test]
async fn the_public_listener_is_not_read() {
    let apart = [SETTINGS, &[("HTTP__INTERNAL_BIND", "127.0.0.1:0")]].concat();
    let app = TestApp::with(Backend::Sqlite, &apart).await;
    record(&app, "acme", &[("SmsSid", "s1"), ("Status", "sent")]).await;
    assert_eq!(ask(&app, SMS, ACME).await.problem(), "unknown_route");
    assert_eq!(app.ask(SMS).await.json["RestException"]["Status"], 401, "the internal one asks who it is");
}

#[tokio::test]
async fn api_keys_and_read_keys_do_not_open_each_others_routes() {
    let keys = format!("[{{name = \"ops\", sha256 = \"{}\", scopes = [\"read\"]}}]", KeyDigest::of("dlrkey"));
    let app = TestApp::with(Backend::Sqlite, &[SETTINGS, &[("AUTH__KEYS", &keys)]].concat()).await;
    record(&app, "acme", &[("SmsSid", "s1"), ("Status", "sent")]).await;
    assert_eq!(ask(&app, SMS, ACME).await.status, 200);
    assert_eq!(ask(&app, SMS, Some(("ops", "dlrkey"))).await.json["RestException"]["Code"], 34010);
    assert_eq!(ask(&app, "/messages/s1", ACME).await.status, 401);
    let bearer = app.request("GET", SMS).bearer_auth("dlrkey").send().await.unwrap();
    assert_eq!(Answer::of(bearer).await.json["RestException"]["Status"], 401);
}

#[tokio::test]
async fn while_the_database_is_away_exotels_way_says_so_too() {
    let mut cluster = Cluster::start_new().await;
    let settings = [SETTINGS, &[("DATABASE__TIMEOUT_MS", "1000")]].concat();
    let app = TestApp::on_database(cluster.database().await, &settings).await;
    cluster.stop_immediate();
    for (path, message) in [
        (SMS, "/RestException/Message"),
        ("/v2/accounts/acme1m/sms-campaigns/c1/sms-details", "/response/error_data/description"),
    ] {
        let answer = ask(&app, path, ACME).await;
        assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &"5".parse().unwrap()));
        let text = answer.json.pointer(message).unwrap();
        assert_eq!(text, "the store cannot be reached now; try again later");
    }
}

#[test]
fn accounts_that_could_not_be_read_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |variables: &[(&str, &str)]| {
        let mut command = binary(folder.path());
        command.arg("check-config").stdout(Stdio::null());
        command.envs(variables.iter().map(|(key, value)| (format!("DLR__ACCOUNTS__{key}"), *value)));
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{variables:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let half = refusal(&[("A__READ_KEY", "k3y")]);
    assert!(
        half.contains("set read_key and read_token both") && half.contains("DLR__ACCOUNTS__A__READ_TOKEN"),
        "{half}"
    );
    let odd = refusal(&[("A__READ_KEY", "k3y"), ("A__READ_TOKEN", "t0k-en")]);
    assert!(odd.contains("accounts.a.read_token") && !odd.contains("t0k-en"), "{odd}");
    let pair = |name: &str| [(format!("{name}__READ_KEY"), "k3y"), (format!("{name}__READ_TOKEN"), "t0k")];
    let both: Vec<_> = [pair("A"), pair("B")].concat();
    let mut both: Vec<_> = both.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    both.push(("A__SID", "B"));
    let same = refusal(&both);
    assert!(same.contains("accounts.a and accounts.b have the same sid"), "{same}");
    let never = refusal(&[("A__READ_LIMIT_PER_MINUTE", "0")]);
    assert!(never.contains("read_limit_per_minute"), "{never}");
}

#[test]
fn a_read_token_comes_from_a_file_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "t0ken\n").unwrap();
    let mut command = binary(folder.path());
    command.env("DLR__ACCOUNTS__A__READ_TOKEN_FILE", &file).env("DLR__ACCOUNTS__A__READ_KEY", "k3y");
    let output = command.arg("check-config").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("read_token = \"[redacted]\""), "{text}");
    assert!(!text.contains("t0ken") && !text.contains("k3y"), "{text}");
}

#[tokio::test]
async fn a_log_holds_neither_keys_nor_what_is_asked_for() {
    let settings = [
        ("ACCOUNTS__ACME__READ_KEY", "key3cr3t"),
        ("ACCOUNTS__ACME__READ_TOKEN", "t0k3cr3t"),
        ("LOG__FILTER", "trace"),
        ("LOG__FORMAT", "json"),
    ];
    let database = Database::create(Backend::Sqlite).await;
    let mut service = Service::start(&database, &settings).await;
    let client = reqwest::Client::new();
    for (path, token) in [
        ("/v1/Accounts/acme/SMS/Messages/sid3cr3t", "t0k3cr3t"),
        ("/V2/accounts/acme/sms-campaigns/c3cr3t/sms-details?number=09812345670", "t0k3cr3t"),
        ("/v1/Accounts/acme/Sms", "wr0ng3cr3t"),
        ("/v3cr3t/Accounts", "t0k3cr3t"),
    ] {
        client
            .get(format!("{}{path}", service.url))
            .basic_auth("key3cr3t", Some(token))
            .send()
            .await
            .unwrap();
    }
    service.signal("TERM");
    assert!(service.ended().await.success());
    let log = service.log_text();
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines = events.filter(|event| event["message"] == "request finished").map(|event| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text(&event["span"]["route"]), event["status"], text(&event["outcome"]))
    });
    let expected = [
        "/v{version}/{*resource} 200 no_matching_results",
        "/V{version}/{*resource} 200 answered",
        "/v{version}/{*resource} 401 unauthorized",
        "/v{version}/{*resource} 400 unsupported_version",
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    for secret in ["3cr3t", "9812345670", "a2V5M2NyM3Q"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret:?} is in the log");
    }
}
