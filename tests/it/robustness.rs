//! No body, however broken, brings the service down or yields a 5xx.

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use tokio::runtime::Runtime;

use crate::support::{Backend, TestApp};

/// Bodies from noise to nearly right.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"SmsSid=".to_vec()),
        Just(b"&Status=sent".to_vec()),
        Just(b"&DetailedStatusCode=20005".to_vec()),
        Just(b"{\"SmsSid\":".to_vec()),
        Just(b"\"\\ud800\\u0000\"".to_vec()),
        Just(b",\"Status\":[\"sent\"]}".to_vec()),
        Just(b"--b\r\ncontent-disposition: form-data; name=\"SmsSid\"\r\n\r\n".to_vec()),
        Just(b"\r\n--b--".to_vec()),
        Just(b"%00%FF%C3%28".to_vec()),
        Just(b"&DateSent=99999-99-99 99:99:99&SmsUnits=1e999&To=%2B%2B".to_vec()),
        Just(b"['".to_vec()),
        Just("é\u{202E}\u{0}".as_bytes().to_vec()),
        vec(any::<u8>(), 0..20),
        "\\PC{0,12}".prop_map(String::into_bytes),
    ];
    prop_oneof![vec(token, 0..10).prop_map(|parts| parts.concat()), vec(any::<u8>(), 0..400)]
}

fn content_types() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some("application/x-www-form-urlencoded"),
        Some("application/json"),
        Some("multipart/form-data; boundary=b"),
        Some("multipart/form-data"),
        Some("nonsense"),
    ])
}

fn never_fails(backend: Backend) {
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::on(backend));
    let config = ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Default::default()
    };
    let strategy = (bodies(), content_types(), "[ -~]{0,20}");
    let outcome = TestRunner::new(config).run(&strategy, |(body, content_type, query)| {
        let request = app.request("POST", "/callbacks/exotel/default").query(&[("label", query)]).body(body);
        let request = match content_type {
            Some(content_type) => request.header("content-type", content_type),
            None => request,
        };
        let status = runtime.block_on(async { request.send().await.unwrap().status().as_u16() });
        prop_assert!([200, 415, 422].contains(&status), "{status}");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    runtime.block_on(async {
        app.record(&[("SmsSid", "still-alive"), ("Status", "sent")]).await;
    });
}

#[test]
fn no_body_yields_a_5xx_on_sqlite() {
    never_fails(Backend::Sqlite);
}

#[test]
fn no_body_yields_a_5xx_on_postgres() {
    never_fails(Backend::Postgres);
}

#[tokio::test]
async fn absurd_values_in_every_field_are_data() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::on(backend).await;
        let fields = [
            "To",
            "Status",
            "DetailedStatusCode",
            "DetailedStatus",
            "SmsUnits",
            "DateSent",
            "SentAt",
            "DeliveredAt",
            "UpdatedAt",
            "DateUpdated",
            "CustomField",
            "CampaignSid",
            "AccountSid",
            "From",
            "Body",
            "ErrorCode",
            "ExternalRef",
        ];
        let values = [
            "9223372036854775808",
            "-1",
            "1e400",
            "0000-00-00",
            "9999-12-31 23:59:59",
            "292277-01-01 00:00:00",
            "' OR 1=1; --",
            "\r\nSet-Cookie: x",
            "\u{1b}[31m",
            "<script>",
            "=1+1",
            "../../etc",
            "\u{0}",
            "null",
        ];
        for field in fields {
            for value in values {
                let mut form = vec![("SmsSid", "absurd"), (field, value)];
                if !["Status", "DetailedStatusCode", "DetailedStatus"].contains(&field) {
                    form.push(("Status", "sent"));
                }
                let status = app.callback(&form).await.status().as_u16();
                let silent = value == "null" && form.len() == 2;
                assert_eq!(status, if silent { 422 } else { 200 }, "{field}={value:?} on {backend:?}");
            }
        }
        assert_eq!(app.message("absurd").await["outcome"], "delivered");
    }
}
