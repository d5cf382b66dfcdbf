//! Accounts and their callback tokens: who may call.

use crate::support::{Answer, Backend, TestApp};

const SENT: [(&str, &str); 2] = [("SmsSid", "s1"), ("Status", "sent")];

async fn guarded() -> TestApp {
    let tokens = ("ACCOUNTS__ACME__CALLBACK_TOKENS", "new-token,old/token");
    TestApp::with(Backend::Sqlite, &[tokens, ("ACCOUNTS__OTHER__CALLBACK_TOKENS", "others")]).await
}

async fn call(app: &TestApp, path: &str, password: Option<&str>) -> Answer {
    let request = app.request("POST", path).form(&SENT);
    let request = match password {
        Some(_) => request.basic_auth("exotel", password),
        None => request,
    };
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_token_opens_the_url_from_any_of_its_places() {
    let app = guarded().await;
    for (path, password) in [
        ("/callbacks/exotel/acme/new-token", None),
        ("/callbacks/exotel/acme/old%2Ftoken", None),
        ("/callbacks/exotel/acme?token=old%2Ftoken&label=x", None),
        ("/callbacks/exotel/acme", Some("new-token")),
        ("/callbacks/exotel/ACME/new-token", None),
        ("/callbacks/exotel/acme/new-token/", None),
        ("/callbacks/exotel/acme/?token=new-token", None),
    ] {
        let answer = call(&app, path, password).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.json);
    }
    let get =
        app.request("GET", "/callbacks/exotel/acme/new-token?SmsSid=s2&Status=sent").send().await.unwrap();
    assert_eq!(get.status(), 200);
    assert_eq!(app.message("s1").await["account"], "acme");
}

#[tokio::test]
async fn without_a_valid_token_the_answer_is_401_before_the_body_is_looked_at() {
    let app = guarded().await;
    for (path, password) in [
        ("/callbacks/exotel/acme", None),
        ("/callbacks/exotel/acme/", None),
        ("/callbacks/exotel/acme/new-toke", None),
        ("/callbacks/exotel/acme/others", None),
        ("/callbacks/exotel/acme?token=", None),
        ("/callbacks/exotel/acme?TOKEN=new-token", None),
        ("/callbacks/exotel/acme", Some("new-token ")),
    ] {
        let answer = call(&app, path, password).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.json);
    }
    let oversized =
        app.request("POST", "/callbacks/exotel/acme").body(vec![b'x'; 1 << 20]).send().await.unwrap();
    let answer = Answer::of(oversized).await;
    assert_eq!((answer.status, answer.problem()), (401, "unauthorized"));
    let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert!(challenges.iter().any(|value| value.as_bytes().starts_with(b"Basic ")), "{challenges:?}");
    assert_eq!(app.ask("/messages/s1").await.status, 404);
    assert_eq!(app.ask("/rejected").await.json["items"], serde_json::json!([]), "nothing of it is kept");
}

#[tokio::test]
async fn configured_accounts_take_the_place_of_default() {
    let app = guarded().await;
    for path in ["/callbacks/exotel/default", "/callbacks/exotel/nobody/new-token"] {
        let answer = call(&app, path, None).await;
        assert_eq!((answer.status, answer.problem()), (404, "unknown_account"), "{path}");
    }
}

#[tokio::test]
async fn times_and_numbers_are_read_as_the_accounts() {
    let settings = [("ACCOUNTS__BERLIN__TIME_ZONE", "Europe/Berlin"), ("ACCOUNTS__BERLIN__COUNTRY", "de")];
    let app = TestApp::with(Backend::Sqlite, &settings).await;
    let fields =
        [("SmsSid", "b1"), ("Status", "sent"), ("To", "030 901820"), ("DateSent", "2025-07-01 12:00:00")];
    let sent = app.request("POST", "/callbacks/exotel/berlin").form(&fields).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let message = app.message("b1").await;
    assert_eq!(
        (&message["to"], &message["sent_at"]),
        (&"+4930901820".into(), &"2025-07-01T10:00:00Z".into())
    );
}
