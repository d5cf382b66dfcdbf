//! Exports: the same messages as a list, as long as it is.

use std::{io::Read, time::Duration};

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{TestApp, each_backend};

/// More than two pages of an export.
const MESSAGES: usize = 1234;

async fn fill(app: &TestApp) {
    for number in 0..MESSAGES {
        let (sid, to) = (format!("m{number:04}"), format!("098{number:08}"));
        app.record(&[("SmsSid", &sid), ("To", &to), ("Status", "sent"), ("CustomField", "=1+1")]).await;
    }
}

async fn get(app: &TestApp, query: &str, header: (&str, &str)) -> reqwest::Response {
    let url = format!("/messages/export{query}");
    app.request("GET", &url).header(header.0, header.1).send().await.unwrap().error_for_status().unwrap()
}

each_backend! {
    async fn an_export_holds_what_the_pages_of_a_list_hold(app) {
        fill(&app).await;
        let (mut listed, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.ask(&format!("/messages?limit=500{cursor}")).await.json;
            listed.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(listed.len(), MESSAGES);
        let lines = get(&app, "", ("accept", "*/*")).await;
        assert_eq!(lines.headers()["content-type"], "application/x-ndjson");
        let lines = lines.text().await.unwrap();
        let exported: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(exported, listed);

        let table = get(&app, "?outcome=delivered", ("accept", "text/csv")).await;
        assert!(table.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
        let table = table.text().await.unwrap();
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let names: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(names, listed[0].as_object().unwrap().keys().cloned().collect::<Vec<_>>());
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), MESSAGES);
        let cell = |name: &str| rows[0][names.iter().position(|column| column == name).unwrap()].to_owned();
        assert_eq!((cell("sid"), cell("custom_field")), ("m1233".into(), "'=1+1".into()));
        assert_eq!((cell("final"), cell("sms_units"), cell("callbacks")), ("true".into(), String::new(), "1".into()));
    }

    async fn the_format_is_asked_for_and_gzip_too(app) {
        fill(&app).await;
        let plain = get(&app, "?format=csv", ("accept", "application/json")).await;
        assert!(plain.headers().get("content-encoding").is_none());
        let plain = plain.text().await.unwrap();
        let packed = get(&app, "?format=csv", ("accept-encoding", "gzip")).await;
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() < plain.len() / 5);
        let mut unpacked = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
        for (query, parameter) in [("format=xml", "format"), ("limit=5", "limit"), ("outcome=x", "outcome")] {
            let answer = app.ask(&format!("/messages/export?{query}")).await;
            assert_eq!((answer.status, answer.json["parameter"].as_str()), (400, Some(parameter)));
        }
        let none = get(&app, "?format=csv&outcome=pending", ("accept", "*/*")).await.text().await.unwrap();
        assert_eq!(none.lines().count(), 1, "an empty table has names too");
        assert_eq!(get(&app, "?outcome=pending", ("accept", "*/*")).await.text().await.unwrap(), "");
    }

    async fn a_client_that_leaves_or_dawdles_keeps_nobody_waiting(app) {
        fill(&app).await;
        let address = app.internal_url.strip_prefix("http://").unwrap().to_owned();
        // More than there are connections to the database; none reads beyond the first bytes.
        let mut dawdling = Vec::new();
        for _ in 0..16 {
            let mut client = TcpStream::connect(&address).await.unwrap();
            client.write_all(b"GET /messages/export HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut first = [0; 64];
            client.read_exact(&mut first).await.unwrap();
            dawdling.push(client);
        }
        let asked = tokio::time::timeout(Duration::from_secs(2), app.ask("/messages?limit=1"));
        assert_eq!(asked.await.unwrap().status, 200);
        drop(dawdling);
        let whole = get(&app, "", ("accept", "*/*")).await.text().await.unwrap();
        assert_eq!(whole.lines().count(), MESSAGES);
    }
}
