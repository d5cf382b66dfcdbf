//! Clients of Exotel's API that others published, asking the real binary. `tests/run` installs them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::support::{Backend, Database, Service, Settings, needs::set_by_run};

/// Some clients take the account's sid for the key.
const SETTINGS: Settings<'static> = &[
    ("ACCOUNTS__ACME__SID", "acme1m"),
    ("ACCOUNTS__ACME__READ_KEY", "acme1m"),
    ("ACCOUNTS__ACME__READ_TOKEN", "t0ken"),
    ("ACCOUNTS__ACME__READ_LIMIT_PER_MINUTE", "10"),
];

/// The service with two messages of a campaign.
async fn service(backend: Backend) -> (Service, Database) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, SETTINGS).await;
    let url = format!("{}/callbacks/exotel/acme?campaign_id=diwali", service.url);
    for (sid, status, code) in [("s1", "sent", "20005"), ("s2", "failed-dnd", "23005")] {
        let fields = [
            ("SmsSid", sid),
            ("To", "09812345670"),
            ("Status", status),
            ("DetailedStatusCode", code),
            ("DateSent", "2025-01-15 10:30:05"),
            ("DateUpdated", "2025-01-15 10:30:06"),
            ("SmsUnits", "1"),
        ];
        let sent = reqwest::Client::new().post(&url).form(&fields).send().await.unwrap();
        assert_eq!(sent.status(), 200);
    }
    (service, database)
}

/// Where `tests/run` has installed the clients.
fn installed() -> PathBuf {
    set_by_run("DLR_TEST_CLIENTS", "published clients of Exotel's API").into()
}

/// What a script prints, which is what its client was told.
async fn told_by(interpreter: &Path, script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(interpreter);
    command.arg(format!("tests/clients/{script}")).args(arguments);
    command.env("NODE_PATH", installed().join("node/node_modules"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The message `s1`, as the first version tells it in JSON.
fn message() -> Value {
    json!({"SMSMessage": {
        "Sid": "s1",
        "AccountSid": "acme1m",
        "From": null,
        "To": "09812345670",
        "DateCreated": "2025-01-15 10:30:06",
        "DateUpdated": "2025-01-15 10:30:06",
        "DateSent": "2025-01-15 10:30:05",
        "Body": null,
        "Direction": null,
        "Uri": "/v1/Accounts/acme1m/SMS/Messages/s1.json",
        "ApiVersion": null,
        "Price": null,
        "Status": "sent",
        "DetailedStatusCode": "20005",
        "DetailedStatus": "DELIVERED_TO_HANDSET",
        "SmsUnits": 1,
    }})
}

fn exception(status: u16, message: &str, code: Option<u32>) -> Value {
    let mut exception = json!({"Status": status, "Message": message});
    if let Some(code) = code {
        exception["Code"] = json!(code);
    }
    json!({ "RestException": exception })
}

async fn exotelpy(backend: Backend) {
    let (service, _database) = service(backend).await;
    let arguments = [service.url.as_str(), "acme1m", "acme1m", "t0ken"];
    let told = told_by(&installed().join("venv/bin/python"), "ask_with_exotelpy.py", &arguments).await;
    assert_eq!(told["message"], message());
    assert_eq!(told["unknown"], exception(200, "No matching results", None));
    let page = &told["campaign"];
    assert_eq!(page["metadata"], json!({"count": 1, "offset": 1, "total": 2, "limit": 1}));
    let row = &page["response"][0]["data"];
    assert_eq!(
        (&row["sid"], &row["status"], &row["detailed_status"]),
        (&json!("s2"), &json!("failed_dnd"), &json!("FAILED_REJECTED_DND"))
    );
    assert_eq!(told["whole_campaign"]["metadata"]["count"], 2);
    for (question, answer) in [
        ("bad_limit", "ValidationError: `limit`: must be a whole number from 1 to 500"),
        ("bad_path", "ValidationError: Invalid parameters"),
        ("wrong_token", "AuthenticationFailed: Unauthorized;"),
        ("odd_token", "ValidationError: Bad or missing parameters in request.;"),
        ("throttled", "Throttled: Request was throttled."),
    ] {
        assert_eq!(told[question], answer, "{question}");
    }
    assert!(told["foreign_account"].as_str().unwrap().starts_with("PermissionDenied"), "{told}");
}

async fn exotel_of_pypi(backend: Backend) {
    let (service, _database) = service(backend).await;
    let arguments = [service.url.as_str(), "acme1m", "t0ken"];
    let told = told_by(&installed().join("venv/bin/python"), "ask_with_exotel.py", &arguments).await;
    let expected = json!({
        "message": [200, message()],
        "unknown": [200, exception(200, "No matching results", None)],
        "wrong_token": [401, exception(401, "Unauthorized;", Some(34010))],
        "throttled": [429, exception(429, "Too many GET requests.", Some(40403))],
    });
    assert_eq!(told, expected);
}

async fn exotel_of_npm(backend: Backend) {
    let (service, _database) = service(backend).await;
    let arguments = [service.url.as_str(), "acme1m", "t0ken"];
    let told = told_by(Path::new("node"), "ask_with_exotel.js", &arguments).await;
    let mut xml = message()["SMSMessage"].clone();
    for (_, value) in xml.as_object_mut().unwrap() {
        // Elements are texts, and null is an empty one.
        *value = json!(value.as_str().map_or_else(|| value.to_string().replace("null", ""), str::to_owned));
    }
    xml["Uri"] = json!("/v1/Accounts/acme1m/SMS/Messages/s1");
    let expected = json!({
        "message": xml,
        "unknown": "nothing",
        "wrong_token": "401: Unauthorized;",
        "bad_path": "400: Invalid parameters",
        "throttled": "429: Too many GET requests.",
    });
    assert_eq!(told, expected);
}

macro_rules! on_both {
    ($($name:ident => $client:ident),* $(,)?) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn sqlite() {
                $client(Backend::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                $client(Backend::Postgres).await;
            }
        }
    )*};
}
on_both! {
    exotelpy_reads_us_as_it_reads_exotel => exotelpy,
    exotel_of_pypi_reads_us_as_it_reads_exotel => exotel_of_pypi,
    exotel_of_npm_reads_us_as_it_reads_exotel => exotel_of_npm,
}
