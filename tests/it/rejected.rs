//! The log of refused bodies: byte for byte, bounded, newest first.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::support::{Backend, NOW_MICROS, TestApp, each_backend};

async fn refuse(app: &TestApp, body: Vec<u8>) {
    let sent = app.request("POST", "/callbacks/exotel/default").body(body).send().await.unwrap();
    assert_eq!(sent.status(), 422);
}

each_backend! {
    async fn bodies_are_kept_byte_for_byte(app) {
        refuse(&app, b"SmsSid=s1&Body=YES".to_vec()).await;
        refuse(&app, b"\x00\xff binary".to_vec()).await;
        let get = "/callbacks/exotel/default?SmsSid=s1&token=secret&Body=%41";
        assert_eq!(app.request("GET", get).send().await.unwrap().status(), 422);
        let list = app.ask("/rejected").await.json;
        insta::assert_json_snapshot!("rejected", list, {".items[].id" => "[id]"});
    }

    async fn pages_are_complete_and_without_repeats(app) {
        for i in 0..7 {
            refuse(&app, format!("n={i}").into_bytes()).await;
        }
        let (mut seen, mut path) = (Vec::new(), "/rejected?limit=3".to_owned());
        loop {
            let page = app.ask(&path).await.json;
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["body"].as_str().unwrap().to_owned()));
            // What comes in meanwhile does not move the rest.
            refuse(&app, b"meanwhile".to_vec()).await;
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/rejected?limit=3&cursor={cursor}");
        }
        assert_eq!(seen, ["n=6", "n=5", "n=4", "n=3", "n=2", "n=1", "n=0"]);
    }
}

#[tokio::test]
async fn the_log_is_bounded_by_count_and_by_age() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let settings = [("REJECTED__MAX_COUNT", "3"), ("REJECTED__MAX_AGE_DAYS", "2")];
        let app = TestApp::with(backend, &settings).await;
        for i in 0..5 {
            refuse(&app, format!("n={i}").into_bytes()).await;
        }
        let bodies = async || {
            let list = app.ask("/rejected").await.json;
            let items = list["items"].as_array().unwrap();
            items.iter().map(|item| item["body"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(bodies().await, ["n=4", "n=3", "n=2"], "{backend:?}");
        let day = 24 * 60 * 60 * 1_000_000;
        app.clock.store(NOW_MICROS + 2 * day + 1, Ordering::Relaxed);
        assert!(bodies().await.is_empty(), "too old to be shown: {backend:?}");
        refuse(&app, b"fresh".to_vec()).await;
        app.clock.store(NOW_MICROS, Ordering::Relaxed);
        assert_eq!(bodies().await, ["fresh"], "the old ones are gone: {backend:?}");
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let app = TestApp::on(Backend::Sqlite).await;
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("cursor=nonsense", "cursor"),
        ("lmit=5", "lmit"),
    ] {
        let answer = app.ask(&format!("/rejected?{query}")).await;
        assert_eq!(answer.problem(), "invalid_parameter", "{query}");
        assert_eq!(answer.json["parameter"], json!(parameter), "{query}");
    }
    let twice = app.ask("/rejected?limit=1&limit=2").await;
    assert!(twice.json["detail"].as_str().unwrap().contains("limit"), "{}", twice.json);
}

#[tokio::test]
async fn an_age_beyond_all_times_keeps_everything() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        for days in ["9999999", "4294967295"] {
            let app = TestApp::with(backend, &[("REJECTED__MAX_AGE_DAYS", days)]).await;
            refuse(&app, b"x=y".to_vec()).await;
            assert_eq!(app.ask("/rejected").await.json["items"][0]["body"], "x=y", "{days} on {backend:?}");
        }
    }
}
