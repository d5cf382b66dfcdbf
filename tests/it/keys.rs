//! API keys: who may ask.

use std::process::Command;

use dlr_receiver::http::KeyDigest;

use crate::support::{Answer, Backend, TestApp, binary};

const ROUTES: [&str; 5] =
    ["/messages/s1", "/messages/s1/callbacks", "/status-codes", "/status-codes/20005", "/rejected"];

async fn guarded() -> TestApp {
    let key = |name: &str, scope: &str| {
        let digest = KeyDigest::of(&format!("dlr_{name}"));
        format!("{{name = \"{name}\", sha256 = \"{digest}\", scopes = [\"{scope}\"]}}")
    };
    let keys = format!("[{}, {}, {}]", key("reader", "read"), key("writer", "write"), key("root", "admin"));
    let app = TestApp::with(Backend::Sqlite, &[("AUTH__KEYS", &keys)]).await;
    app.record(&[("SmsSid", "s1"), ("Status", "sent")]).await;
    app
}

async fn ask(app: &TestApp, path: &str, authorization: Option<String>) -> Answer {
    let request = app.request("GET", path);
    let request = match authorization {
        Some(value) => request.header("authorization", value),
        None => request,
    };
    Answer::of(request.send().await.unwrap()).await
}

fn basic(user: &str, password: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

#[tokio::test]
async fn every_question_needs_a_key_that_may_read() {
    let app = guarded().await;
    for path in ROUTES {
        for (authorization, status) in [
            (None, 401),
            (Some("Bearer dlr_nobody".to_owned()), 401),
            (Some("Bearer ".to_owned()), 401),
            (Some("Digest dlr_reader".to_owned()), 401),
            (Some("Bearer dlr_writer".to_owned()), 403),
            (Some("Bearer dlr_reader".to_owned()), 200),
            (Some(basic("anybody", "dlr_reader")), 200),
            (Some(basic("dlr_reader", "")), 200),
            (Some("Bearer dlr_root".to_owned()), 200),
        ] {
            let answer = ask(&app, path, authorization.clone()).await;
            assert_eq!(answer.status, status, "{path} with {authorization:?}: {}", answer.json);
            if status != 200 {
                answer.problem();
            }
        }
    }
    for open in ["/livez", "/readyz"] {
        assert_eq!(ask(&app, open, None).await.status, 200, "{open} needs no key");
    }
}

#[tokio::test]
async fn a_new_key_is_shown_once_and_its_lines_make_it_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut command: Command = binary(folder.path());
    let output = command.args(["key", "new", "re \"ports\"", "--scopes", "read,write"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let key = text.split_whitespace().find(|word| word.starts_with("dlr_")).unwrap();
    let lines = &text[text.find("[[auth.keys]]").unwrap()..];
    assert!(key.len() > 40 && !lines.contains(key), "{text}");

    let file = folder.path().join("keys.toml");
    std::fs::write(&file, lines).unwrap();
    let file = Some(file);
    let config =
        dlr_receiver::config::load(&dlr_receiver::config::Sources { file, ..Default::default() }).unwrap();
    let configured = &config.auth.keys.0[0];
    assert_eq!((configured.name.as_str(), configured.scopes.len()), ("re \"ports\"", 2));
    assert_eq!(configured.sha256, KeyDigest::of(key));
}
