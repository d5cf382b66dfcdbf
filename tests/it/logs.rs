//! The log of a run: one line per request, and nothing in it that is nobody's business.

use serde_json::Value;

use crate::support::{Backend, Database, Service};

const TOKEN: &str = "tok-3cr3t";
const KEY: &str = "dlr_k3y-3cr3t";

/// Also what dependencies say, which has to be asked for by name.
const EVERYTHING: &str = "trace,axum=trace,axum_core=trace,h2=trace,hyper=trace,hyper_util=trace,mio=trace,\
                          rustls=trace,sqlx=trace,tokio_util=trace,tower=trace,tower_http=trace";

/// A request line by line, as `(method, path, body)`.
fn requests() -> Vec<(&'static str, String, &'static str)> {
    let callback = format!("/callbacks/exotel/acme/{TOKEN}");
    vec![
        ("POST", callback.clone(), "SmsSid=logged&To=09812345670&Status=sent&CustomField=own-3cr3t"),
        (
            "POST",
            format!("{callback}?campaign_id=label-3cr3t"),
            "SmsSid=logged&To=%2B919812345670&Body=body-3cr3t",
        ),
        ("POST", format!("/callbacks/exotel/acme?token={TOKEN}"), "{\"broken"),
        ("POST", "/callbacks/exotel/acme/wr0ng-3cr3t".into(), "SmsSid=x&To=09812345670&Status=sent"),
        ("POST", "/callbacks/exotel/n0b0dy-3cr3t".into(), "SmsSid=x"),
        ("GET", format!("{callback}?SmsSid=logged&Status=%0D%0AERROR%1B%5B31m&To=09812345670"), ""),
        ("GET", "/messages/09812345670?account=3cr3t".into(), ""),
        ("GET", "/messages/logged".into(), ""),
        ("GET", "/rejected?cursor=3cr3t".into(), ""),
        ("GET", "/n0where-3cr3t/09812345670".into(), ""),
    ]
}

async fn run(format: &str, backend: Backend) -> String {
    let database = Database::create(backend).await;
    let keys = format!(
        "[{{name = \"ops\", sha256 = \"{}\", scopes = [\"read\"]}}]",
        dlr_receiver::http::KeyDigest::of(KEY)
    );
    let settings = [
        ("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN),
        ("AUTH__KEYS", keys.as_str()),
        ("LOG__FORMAT", format),
        ("LOG__FILTER", EVERYTHING),
    ];
    let mut service = Service::start(&database, &settings).await;
    let client = reqwest::Client::new();
    for (method, path, body) in requests() {
        let request =
            client.request(method.parse().unwrap(), format!("{}{path}", service.url)).bearer_auth(KEY);
        request.body(body).send().await.unwrap();
    }
    service.signal("TERM");
    assert!(service.ended().await.success());
    service.log_text()
}

fn holds_no_secret(log: &str) {
    for secret in ["3cr3t", "9812345670", "campaign_id", "SmsSid", "CustomField", "?", "\u{1b}[31m"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret:?} is in the log");
    }
}

#[tokio::test]
async fn a_log_for_machines_has_one_line_per_request_and_no_secret() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let log = run("json", backend).await;
        holds_no_secret(&log);
        let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let lines: Vec<_> = events.iter().filter(|event| event["message"] == "request finished").collect();
        assert_eq!(lines.len(), requests().len());
        let line = |line: &Value| {
            assert!(line["duration_ms"].is_number(), "{line}");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (method, route) = (text(&line["span"]["method"]), text(&line["span"]["route"]));
            format!("{method} {route} {} {}", line["status"], text(&line["outcome"]))
        };
        let lines: Vec<_> = lines.into_iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "POST /callbacks/exotel/{account}/{token} 200 recorded",
                "POST /callbacks/exotel/{account}/{token} 422 not_a_status_callback",
                "POST /callbacks/exotel/{account} 422 malformed_body",
                "POST /callbacks/exotel/{account}/{token} 401 unauthorized",
                "POST /callbacks/exotel/{account} 404 unknown_account",
                "GET /callbacks/exotel/{account}/{token} 200 recorded",
                "GET /messages/{sid} 404 unknown_sid",
                "GET /messages/{sid} 200 answered",
                "GET /rejected 400 invalid_parameter",
                "GET unmatched 404 unknown_route",
            ]
        );
    }
}

#[tokio::test]
async fn a_log_for_people_holds_no_secret_either() {
    let log = run("pretty", Backend::Sqlite).await;
    holds_no_secret(&log);
    let lines = log.lines().filter(|line| line.contains("request finished"));
    assert_eq!(lines.count(), requests().len());
    assert!(log.contains("POST") && log.contains("/callbacks/exotel/{account}/{token}"), "{log}");
}
