//! Exports: the same messages as a list, as long as it is.

use std::{
    io::{Cursor, Read},
    time::Duration,
};

use calamine::{Data, DataType, Reader, Xlsx};
use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Backend, TestApp, each_backend};

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

/// The sheet of a workbook.
async fn sheet_of(answer: reqwest::Response) -> calamine::Range<Data> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(answer.bytes().await.unwrap())).unwrap();
    assert_eq!(workbook.sheet_names(), ["messages"]);
    workbook.worksheet_range("messages").unwrap()
}

/// A cell of a sheet holds a value of the JSON: texts as texts, and times by the clock of India.
fn is_the_same(cell: &Data, column: &str, value: &Value) {
    match value {
        Value::String(time) if column.ends_with("_at") => {
            let local = cell.as_datetime().unwrap_or_else(|| panic!("{column} is no time: {cell:?}"));
            let expected = time
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
                .with_timezone(&chrono_tz::Asia::Kolkata);
            let off = (local - expected.naive_local()).num_milliseconds().abs();
            assert!(off <= 1, "{column}: {local} is not {expected}");
        }
        Value::String(text) if text.chars().count() > 32_767 => {
            assert_eq!(cell.to_string().chars().count(), 32_767);
        }
        Value::String(text) => {
            let told = cell.get_string().unwrap_or_else(|| panic!("{column} is no text: {cell:?}"));
            // Not every reader undoes the escapes of control characters.
            let undone = ["\u{1}", "\u{B}"].iter().fold(told.to_owned(), |text, c| {
                text.replace(&format!("_x{:04X}_", u32::from(c.chars().next().unwrap())), c)
            });
            assert_eq!(undone.replace("_x005F_", "_"), *text, "{column}");
        }
        Value::Bool(flag) => assert_eq!(cell, &Data::Bool(*flag), "{column}"),
        Value::Number(number) => assert_eq!(cell.as_f64(), number.as_f64(), "{column}"),
        Value::Null => assert!(cell.is_empty(), "{column}: {cell:?}"),
        Value::Array(words) => {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            assert_eq!(cell.to_string(), words.join(" "), "{column}");
        }
        labels @ Value::Object(_) => {
            let text = if cell.is_empty() { "{}".to_owned() } else { cell.to_string() };
            assert_eq!(text, labels.to_string(), "{column}");
        }
    }
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

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
        let workbook = get(&app, "?format=xlsx", ("accept-encoding", "gzip")).await;
        assert!(workbook.headers().get("content-encoding").is_none(), "it is packed already");
        for (query, parameter) in [("format=xml", "format"), ("limit=5", "limit"), ("outcome=x", "outcome")] {
            let answer = app.ask(&format!("/messages/export?{query}")).await;
            assert_eq!((answer.status, answer.json["parameter"].as_str()), (400, Some(parameter)));
        }
        let none = get(&app, "?format=csv&outcome=pending", ("accept", "*/*")).await.text().await.unwrap();
        assert_eq!(none.lines().count(), 1, "an empty table has names too");
        assert_eq!(get(&app, "?outcome=pending", ("accept", "*/*")).await.text().await.unwrap(), "");
    }

    async fn accept_is_read_as_it_is_meant(app) {
        app.record(&[("SmsSid", "s1"), ("Status", "sent")]).await;
        for (accept, media_type) in [
            ("*/*", "application/x-ndjson"),
            ("", "application/x-ndjson"),
            ("application/json", "application/x-ndjson"),
            ("application/json;q=0.1,text/csv;q=0.9", "text/csv; charset=utf-8; header=present"),
            ("TEXT/CSV", "text/csv; charset=utf-8; header=present"),
            ("text/*", "text/csv; charset=utf-8; header=present"),
            ("text/csv;q=0, */*", "application/x-ndjson"),
            ("text/csv;q=0", "application/x-ndjson"),
            ("application/*;q=0, */*;q=0.1", "text/csv; charset=utf-8; header=present"),
            (XLSX, XLSX),
            ("text/csv;q=0.5, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;q=0.6", XLSX),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/x-ndjson"),
        ] {
            assert_eq!(get(&app, "", ("accept", accept)).await.headers()["content-type"], media_type, "{accept}");
        }
        for accept in ["image/png", "application/xml", "*/*;q=0", "text/csv;q=0, text/html"] {
            let refused = app.request("GET", "/messages/export").header("accept", accept).send().await.unwrap();
            let refused = Answer::of(refused).await;
            assert_eq!((refused.status, refused.problem()), (406, "not_acceptable"), "{accept}");
            assert!(refused.json["available"].as_array().unwrap().contains(&"text/csv".into()), "{}", refused.json);
            let asked = get(&app, "?format=csv", ("accept", accept)).await;
            assert!(asked.headers()["content-type"].to_str().unwrap().starts_with("text/csv"), "what is asked for goes first");
        }
    }

    async fn a_workbook_holds_what_the_lines_hold(app) {
        fill(&app).await;
        app.clock.fetch_add(1_500_000, std::sync::atomic::Ordering::Relaxed);
        let long = "x".repeat(33_000);
        let odd = "<a href='http://x'> & \u{1}\u{B} _x000D_ हिन्दी 😀";
        for (sid, to, text) in [
            ("1107160000000000123", "09812345670", "=HYPERLINK(\"http://x\")"),
            ("00012", "+919812345671", odd),
            ("1e5", "12345", &long),
        ] {
            app.record(&[("SmsSid", sid), ("To", to), ("DetailedStatusCode", "20005"), ("DateSent", "2025-01-15 10:30:01"), ("SmsUnits", "2"), ("CustomField", text)]).await;
        }
        let answer = get(&app, "?format=xlsx", ("accept", "*/*")).await;
        assert_eq!(answer.headers()["content-type"], XLSX);
        assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"messages.xlsx\"");
        let sheet = sheet_of(answer).await;
        assert_eq!(sheet.height(), MESSAGES + 4, "a line of names, and a row for each");
        let lines = get(&app, "", ("accept", "*/*")).await.text().await.unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<String> = sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
        let columns: Vec<_> = lines[0].as_object().unwrap().keys().collect();
        for (name, column) in names.iter().zip(&columns) {
            let zoned = if column.ends_with("_at") { format!("{column} (Asia/Kolkata)") } else { (*column).clone() };
            assert_eq!(*name, zoned);
        }
        for (row, line) in sheet.rows().skip(1).zip(&lines) {
            for (cell, column) in row.iter().zip(&columns) {
                is_the_same(cell, column, &line[*column]);
            }
        }
        let (numbers, texts) = (&sheet.get_value((1, 15)), &sheet.get_value((2, 15)));
        assert!(numbers.unwrap().to_string().ends_with('…') && texts.unwrap().to_string().contains("हिन्दी"), "{texts:?}");
        let none = sheet_of(get(&app, "?format=xlsx&outcome=pending", ("accept", "*/*")).await).await;
        assert_eq!(none.height(), 1, "an empty one has names too");
    }

    async fn a_client_that_leaves_or_dawdles_keeps_nobody_waiting(app) {
        fill(&app).await;
        let address = app.internal_url.strip_prefix("http://").unwrap().to_owned();
        // More than there are connections to the database; none reads beyond the first bytes.
        let mut dawdling = Vec::new();
        for number in 0..16 {
            let mut client = TcpStream::connect(&address).await.unwrap();
            let format = if number % 4 == 0 { "xlsx" } else { "ndjson" };
            let request = format!("GET /messages/export?format={format} HTTP/1.1\r\nhost: x\r\n\r\n");
            client.write_all(request.as_bytes()).await.unwrap();
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

/// The times of a workbook are in UTC where accounts of several zones are asked for.
async fn zones(backend: Backend) {
    let app = TestApp::with(
        backend,
        &[("ACCOUNTS__ACME__TIME_ZONE", "Asia/Kolkata"), ("ACCOUNTS__BERLIN__TIME_ZONE", "Europe/Berlin")],
    )
    .await;
    let callback =
        app.request("POST", "/callbacks/exotel/berlin").form(&[("SmsSid", "b"), ("Status", "sent")]);
    assert_eq!(callback.send().await.unwrap().status(), 200);
    for (query, zone, hour) in [("", "UTC", 5), ("&account=berlin", "Europe/Berlin", 6)] {
        let sheet = sheet_of(get(&app, &format!("?format=xlsx{query}"), ("accept", "*/*")).await).await;
        assert_eq!(sheet.get_value((0, 18)).unwrap().to_string(), format!("first_received_at ({zone})"));
        let time = sheet.get_value((1, 18)).unwrap().as_datetime().unwrap();
        assert_eq!(time.to_string(), format!("2025-01-15 0{hour}:00:00"), "{zone}");
    }
}

#[tokio::test]
async fn a_workbook_names_its_zone_on_sqlite() {
    zones(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_workbook_names_its_zone_on_postgres() {
    zones(Backend::Postgres).await;
}
