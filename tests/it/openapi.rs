//! The description of the API: complete, true, and shown without anything from elsewhere.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use dlr_receiver::http::KeyDigest;
use serde_json::Value;

use crate::support::{Backend, Database, Service, each_backend, needs::set_by_run};

/// The paths of the routes, as `src/http/mod.rs` lists them.
fn routes() -> BTreeSet<String> {
    let list = fs::read_to_string("src/http/mod.rs").unwrap();
    list.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Exotel's routes, in their canonical spelling; they are read in any.
const EXOTELS: [&str; 2] = [
    "/v1/Accounts/{account_sid}/SMS/Messages/{sid}",
    "/v2/accounts/{account_sid}/sms-campaigns/{campaign_id}/sms-details",
];

each_backend! {
    async fn every_route_is_described_with_what_it_may_answer(app) {
        let answer = app.ask("/openapi.json").await;
        assert_eq!(answer.json["openapi"], "3.1.0");
        let paths = answer.json["paths"].as_object().unwrap();
        let mut expected = routes();
        expected.extend(EXOTELS.map(str::to_owned));
        assert_eq!(paths.keys().cloned().collect::<BTreeSet<_>>(), expected);
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.contains_key("200"), "{method} {path}");
                assert!(path == "/livez" || responses.contains_key("503"), "{method} {path}");
                assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
            }
        }
        let described = |path: &str| -> BTreeSet<String> {
            let parameters = paths[path]["get"]["parameters"].as_array().unwrap();
            parameters.iter().map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
        };
        // What is refused names all parameters there are.
        for path in ["/messages", "/messages/export", "/stats"] {
            let refused = app.ask(&format!("{path}?nonsense=1")).await.json;
            let allowed: Vec<String> = serde_json::from_value(refused["allowed"].clone()).unwrap();
            assert_eq!(described(path), allowed.into_iter().collect(), "{path}");
        }
    }

    async fn the_page_needs_nothing_from_elsewhere(app) {
        let answer = app.ask("/docs").await;
        assert!(answer.content_type.starts_with("text/html"));
        let Value::String(page) = &answer.json else { panic!("{answer:?}") };
        for path in routes() {
            assert!(page.contains(&path), "{path}");
        }
        let outside_code: String =
            page.split("<code>").map(|part| part.split_once("</code>").map_or(part, |(_, rest)| rest)).collect();
        assert!(!outside_code.contains('`'), "descriptions are rendered");
        for outside in ["http://", "https://", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    }
}

/// Asks the running service all that its description allows, and much that it does not. Left out is only that
/// what fits the schemas must be taken: that a cursor was given out before, that a window ends after it begins
/// and that a callback says something are no matters of schemas.
async fn conforms(backend: Backend) {
    let (database, folder) = (Database::create(backend).await, tempfile::tempdir().unwrap());
    let keys =
        format!("[{{name = \"c\", sha256 = \"{}\", scopes = [\"read\"]}}]", KeyDigest::of("dlr_conformance"));
    let service =
        Service::start(&database, &[("AUTH__KEYS", &keys), ("LOG__FILTER", "warn,dlr_receiver=info")]).await;
    let programs = set_by_run("DLR_TEST_CLIENTS", "schemathesis");
    let mut asking = Command::new(Path::new(&programs).join("venv/bin/schemathesis"));
    asking
        .args([
            "run",
            &format!("{}/openapi.json", service.url),
            "--header",
            "Authorization: Bearer dlr_conformance",
        ])
        .args(["--exclude-checks", "positive_data_acceptance", "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "25", "--seed", "20261121", "--request-timeout", "10", "--no-color"])
        .current_dir(folder.path());
    let ran = tokio::task::spawn_blocking(move || asking.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    let log = service.log_text();
    assert!(!log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn the_service_conforms_to_its_description_on_sqlite() {
    conforms(Backend::Sqlite).await;
}

#[tokio::test]
async fn the_service_conforms_to_its_description_on_postgres() {
    conforms(Backend::Postgres).await;
}
