//! Attacks by what a callback, or a question, holds.

use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::hold_nothing_of;
use crate::support::{Backend, Database, Service, Settings};

const TOKEN: &str = "tok-3cr3t";

const SETTINGS: Settings<'static> = &[("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN), ("LOG__FORMAT", "json")];

/// A service to attack, with an account `acme`.
async fn target(backend: Backend) -> (Service, Database) {
    let database = Database::create(backend).await;
    let service = Service::start(&database, SETTINGS).await;
    (service, database)
}

/// Declares one test for each backend, on a service to attack.
macro_rules! attacks {
    ($(async fn $name:ident($service:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn attack($service: &Service) $body

            #[tokio::test]
            async fn sqlite() {
                let (service, _database) = target(Backend::Sqlite).await;
                attack(&service).await;
            }

            #[tokio::test]
            async fn postgres() {
                let (service, _database) = target(Backend::Postgres).await;
                attack(&service).await;
            }
        }
    )*};
}

/// What somebody tries who hopes that a text is taken for code.
const HOSTILE: [&str; 8] = [
    "x'; DROP TABLE messages; --",
    "\" OR \"\"=\"",
    "$1) UNION SELECT 1 --",
    "\r\nERROR forged=line",
    "\u{1b}[31mred\u{1b}[0m\u{7}",
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "=HYPERLINK(\"http://evil\",\"x\")",
];

/// The URL of a path of the account's callbacks, opened by its token.
fn callback_url(service: &Service, rest: &str) -> String {
    format!("{}/callbacks/exotel/acme/{TOKEN}{rest}", service.url)
}

/// Whether the service takes a good callback, and has logged nothing of these texts either.
async fn still_well(service: &Service, texts: &[&str]) {
    super::still_well(service, TOKEN).await;
    hold_nothing_of(&service.log_text(), texts);
}

async fn post(service: &Service, query: &str, body: String) -> Response {
    let request = Client::new().post(callback_url(service, query));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(body).send().await.unwrap()
}

async fn send(service: &Service, fields: &[(&str, &str)]) -> u16 {
    let request = Client::new().post(callback_url(service, "")).form(fields);
    request.send().await.unwrap().status().as_u16()
}

async fn ask(service: &Service, path: &str) -> (u16, Value) {
    let answer = Client::new().get(format!("{}{path}", service.url)).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

async fn message(service: &Service, sid: &str) -> Value {
    let (status, message) = ask(service, &format!("/messages/{sid}")).await;
    assert_eq!(status, 200, "{sid}: {message}");
    message
}

attacks! {
    async fn fields_that_contradict_each_other_are_refused(service) {
        for body in [
            "SmsSid=one&SmsSid=two&Status=sent",
            "SmsSid=one&sms_sid=two&Status=sent",
            "SmsSid=one&Status=failed&status=sent",
            "SmsSid=one&To=09812345670&To=09812345671&Status=sent",
        ] {
            assert_eq!(post(service, "", body.to_owned()).await.status(), 422, "{body}");
        }
        // The same twice says nothing new.
        assert_eq!(post(service, "", "SmsSid=same&SmsSid=same&Status=sent".into()).await.status(), 200);
        assert_eq!(ask(service, "/messages/one").await.0, 404);
        still_well(service, &[]).await;
    }

    async fn a_query_string_never_stands_in_for_a_body(service) {
        let query = "?SmsSid=of-the-query&Status=failed&To=09999999999&Sms_Sid=x";
        assert_eq!(post(service, query, "SmsSid=of-the-body&Status=sent".into()).await.status(), 200);
        assert_eq!(post(service, "?SmsSid=of-the-query&Status=sent", String::new()).await.status(), 422);
        let kept = message(service, "of-the-body").await;
        assert_eq!((&kept["outcome"], &kept["to"]), (&json!("delivered"), &Value::Null));
        assert_eq!(ask(service, "/messages/of-the-query").await.0, 404);
        // Nor a body for a query string: its labels are fields that say nothing to us.
        let body = "SmsSid=unlabelled&Status=sent&campaign_id=stolen&token=x";
        assert_eq!(post(service, "", body.into()).await.status(), 200);
        assert_eq!(message(service, "unlabelled").await["labels"], json!({}));
        still_well(service, &["9999999999"]).await;
    }

    async fn keys_of_arrays_and_objects_are_no_fields(service) {
        for body in ["SmsSid[]=a&Status[]=sent", "SmsSid[0]=a&SmsSid[1]=b&Status=sent", "SmsSid[x][y]=a&Status=sent"] {
            assert_eq!(post(service, "", body.to_owned()).await.status(), 422, "{body}");
        }
        let nested = json!({"SmsSid": {"$ne": null}, "Status": ["sent"]});
        let request = Client::new().post(callback_url(service, "")).json(&nested);
        assert_eq!(request.send().await.unwrap().status(), 422);
        still_well(service, &[]).await;
    }

    async fn ten_thousand_keys_are_counted_and_refused(service) {
        let keys = (0..10_000).map(|n| format!("&{n:x}=")).collect::<Vec<_>>().concat();
        let answer = post(service, "", format!("SmsSid=many&Status=sent{keys}")).await;
        assert_eq!(answer.status(), 422);
        let problem = answer.text().await.unwrap();
        assert!(problem.contains("10002 fields") && problem.len() < 2000, "{problem}");
        let labels = (0..1_000).map(|n| format!("&l{n}=v")).collect::<Vec<_>>().concat();
        let answer = post(service, &format!("?a=b{labels}"), "SmsSid=labelled&Status=sent".into()).await;
        assert_eq!(answer.status(), 200);
        let labels = message(service, "labelled").await["labels"].as_object().unwrap().len();
        assert!(labels < 100, "{labels} labels");
        let json = (0..5_000).map(|n| format!(",\"{n:x}\":{n}")).collect::<Vec<_>>().concat();
        let json = Client::new().post(callback_url(service, "")).header("content-type", "application/json")
            .body(format!("{{\"SmsSid\":\"json\",\"Status\":\"sent\"{json}}}"));
        assert_eq!(json.send().await.unwrap().status(), 422);
        still_well(service, &[]).await;
    }

    async fn bytes_that_are_no_text_are_replaced_and_said_so(service) {
        let body = "SmsSid=broken%00sid&Status=sent%FF&CustomField=%C3%28%00&To=%F0%9F%92%A9";
        assert_eq!(post(service, "?label=%00%FF", body.into()).await.status(), 200);
        let (_, list) = ask(service, "/messages?anomaly=bad_text").await;
        let kept = &list["items"][0];
        assert!(!kept.to_string().contains("\\u0000"), "{kept}");
        assert!(kept["sid"].as_str().unwrap().contains('\u{FFFD}'), "{kept}");
        still_well(service, &[]).await;
    }

    async fn hostile_text_in_any_field_stays_text(service) {
        const FIELDS: [&str; 7] = ["CustomField", "To", "From", "DetailedStatus", "DateSent", "SmsUnits", "Body"];
        for (n, text) in HOSTILE.iter().enumerate() {
            for field in FIELDS {
                let (sid, status) = (format!("hostile-{n}-{field}"), ("Status", "sent"));
                assert_eq!(send(service, &[("SmsSid", &sid), status, (field, text)]).await, 200, "{field}={text:?}");
            }
            let kept = message(service, &format!("hostile-{n}-CustomField")).await;
            assert_eq!(kept["custom_field"], *text);
            assert_eq!(send(service, &[("SmsSid", text), ("Status", "failed")]).await, 200, "{text:?}");
            assert_eq!(send(service, &[("SmsSid", &format!("status-{n}")), ("Status", text)]).await, 200);
        }
        still_well(service, &["DROP TABLE", "HYPERLINK", "forged=line", "passwd", "script"]).await;
    }

    async fn hostile_text_in_any_filter_finds_nothing(service) {
        assert_eq!(send(service, &[("SmsSid", "bystander"), ("Status", "sent")]).await, 200);
        for text in HOSTILE {
            let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            for filter in ["to", "custom_field", "label=a:"] {
                let joint = if filter.contains('=') { "" } else { "=" };
                let (status, found) = ask(service, &format!("/messages?{filter}{joint}{text}")).await;
                assert_eq!((status, &found["items"]), (200, &json!([])), "{filter} {text}");
            }
            for filter in ["account", "outcome", "status", "code", "received_from", "older_than", "limit", "cursor", "group_by"] {
                let (status, problem) = ask(service, &format!("/messages?{filter}={text}")).await;
                assert_eq!(status, 400, "{filter} {text}: {problem}");
            }
            // A comma is between two groups.
            let (status, problem) = ask(service, &format!("/stats?group_by=label:{}", text.replace("%2C", ""))).await;
            assert_eq!(status, 200, "{problem}");
        }
        assert_eq!(message(service, "bystander").await["outcome"], "delivered");
        still_well(service, &["DROP TABLE", "HYPERLINK"]).await;
    }

    async fn a_path_in_a_sid_is_a_sid(service) {
        let sid = "../../rejected?x=1#y";
        assert_eq!(send(service, &[("SmsSid", sid), ("Status", "sent")]).await, 200);
        assert_eq!(message(service, "..%2F..%2Frejected%3Fx=1%23y").await["sid"], sid);
        still_well(service, &[]).await;
    }

    async fn a_huge_sid_is_refused_and_named(service) {
        for length in [129, 60_000] {
            let answer = post(service, "", format!("SmsSid={}&Status=sent", "x".repeat(length))).await;
            assert_eq!(answer.status(), 422);
            let problem = answer.text().await.unwrap();
            assert!(problem.contains("SmsSid") && problem.len() < 1000, "{problem}");
        }
        assert_eq!(ask(service, &format!("/messages/{}", "x".repeat(5000))).await.0, 404);
        still_well(service, &["xxxx"]).await;
    }

    async fn a_formula_is_quoted_in_a_table(service) {
        for (n, formula) in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"].iter().enumerate() {
            let sid = format!("formula-{n}");
            assert_eq!(send(service, &[("SmsSid", &sid), ("Status", "sent"), ("CustomField", formula)]).await, 200);
        }
        let csv = Client::new().get(format!("{}/messages/export?format=csv", service.url));
        let csv = csv.send().await.unwrap().text().await.unwrap();
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        let column = rows.headers().unwrap().iter().position(|name| name == "custom_field").unwrap();
        let cells: Vec<_> = rows.records().map(|row| row.unwrap()[column].to_owned()).collect();
        assert_eq!(cells.len(), 6);
        assert!(cells.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{cells:?}");
        still_well(service, &[]).await;
    }

    async fn html_in_a_label_is_data(service) {
        let query = "?note=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&%3Cb%3E=1";
        assert_eq!(post(service, query, "SmsSid=html&Status=sent".into()).await.status(), 200);
        let answer = Client::new().get(format!("{}/messages/html", service.url)).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let kept: Value = answer.json().await.unwrap();
        assert_eq!(kept["labels"]["note"], "<img src=x onerror=alert(1)>");
        still_well(service, &["onerror"]).await;
    }

    async fn absurd_dates_and_numbers_are_flagged(service) {
        for (n, date) in ["9999999-99-99 99:99:99", "-292277-01-01 00:00:00", "2025-02-30 25:61:61", "NaN", "1e400"].iter().enumerate() {
            let sid = format!("date-{n}");
            assert_eq!(send(service, &[("SmsSid", &sid), ("Status", "sent"), ("DateSent", date)]).await, 200);
            let kept = message(service, &sid).await;
            assert_eq!((&kept["sent_at"], &kept["anomalies"]), (&Value::Null, &json!(["bad_time"])), "{date}");
        }
        for (n, number) in ["9223372036854775808", "-99999999999999999999", "1e400", "0x7fffffff", "NaN"].iter().enumerate() {
            let sid = format!("number-{n}");
            let fields = [("SmsSid", sid.as_str()), ("Status", "sent"), ("SmsUnits", number), ("DetailedStatusCode", number)];
            assert_eq!(send(service, &fields).await, 200, "{number}");
            let kept = message(service, &sid).await;
            assert_eq!((&kept["sms_units"], &kept["outcome"]), (&Value::Null, &json!("delivered")), "{number}");
        }
        for number in ["99999999999999999999", "-1", "1e9"] {
            assert_eq!(ask(service, &format!("/messages?limit={number}")).await.0, 400);
            assert_eq!(ask(service, &format!("/messages?code={number}99999999999")).await.0, 400);
        }
        still_well(service, &[]).await;
    }
}
