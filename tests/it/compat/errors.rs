//! Exotel's table of errors: every row, answered as there.

use serde_json::{Value, json};

use super::{ACME, BERLIN, BUSY, GONE, ask, on_each};
use crate::support::{Answer, TestApp};

/// A row of the table: what it applies to, the scenario, the status, the code and the message.
type Row = [&'static str; 5];

fn table() -> Vec<Row> {
    let rows = include_str!("../../fixtures/api_errors.csv").lines().skip(1);
    rows.map(|row| row.split(',').collect::<Vec<_>>().try_into().unwrap()).collect()
}

type Question = (&'static str, Option<(&'static str, &'static str)>);

/// Questions of the first version that a scenario of the table means. `.json` is added for JSON.
fn questions(scenario: &str) -> Vec<Question> {
    let sms = "/v1/Accounts/acme1m/SMS/Messages/s1";
    match scenario {
        "SID not found" => vec![(sms, ACME)],
        "too many GET requests for the account" => vec![("/v1/Accounts/busy/SMS/Messages/s1", BUSY)],
        "unrecognised path under /Sms/" => vec![
            ("/v1/Accounts/acme1m/Sms/whatever", ACME),
            ("/v1/Accounts/acme1m/Sms/Messages", ACME),
            ("/v1/Accounts/acme1m/Sms/Messages/s1/more", ACME),
        ],
        "account inactive" => {
            vec![("/v1/Accounts/gone/SMS/Messages/s1", GONE), ("/v1/Accounts/gone/Sms", GONE)]
        }
        "/v1/Accounts/<sid>/Sms called without a resource" => vec![("/v1/Accounts/acme1m/Sms", ACME)],
        "unsupported API version" => vec![
            ("/v3/Accounts/acme1m/SMS/Messages/s1", ACME),
            ("/v3/Accounts/acme1m/SMS/Messages/s1", None),
            ("/v3/anything", None),
        ],
        "/Accounts/ missing from URL" => vec![("/v1/acme1m/SMS/Messages/s1", ACME), ("/v1/SMS", None)],
        "account sid missing from URL" => vec![("/v1/Accounts//SMS/Messages/s1", ACME)],
        "auth key or token missing" => {
            vec![(sms, None), (sms, Some(("key1", ""))), (sms, Some(("", "token1")))]
        }
        "invalid auth key or token" => vec![
            (sms, Some(("key1", "token2"))),
            (sms, Some(("key2", "token1"))),
            (sms, Some(("KEY1", "token1"))),
            (sms, Some(("nobody", "token1"))),
            ("/v1/Accounts/unread/SMS/Messages/s1", Some(("unread", "unread"))),
        ],
        "invalid account sid or a resource or action missing or invalid" => vec![
            ("/v1/Accounts/nobody/SMS/Messages/s1", ACME),
            ("/v1/Accounts/acme1m/SMS/Messages/s1", BERLIN),
            ("/v1/Accounts/acme/SMS/Messages/s1", ACME),
            ("/v1/Accounts/acme1m/Calls/c1", ACME),
            ("/v1/Accounts/acme1m", ACME),
        ],
        "non alpha-numeric auth key or token" => {
            vec![(sms, Some(("key-1", "token1"))), (sms, Some(("key1", "tökén")))]
        }
        other => panic!("the table has a row that is not tested: {other}"),
    }
}

/// The same of the second version, where the row is about all of them.
fn campaign_questions(scenario: &str) -> Vec<Question> {
    let sms = "/v2/accounts/acme1m/sms-campaigns/c1/sms-details";
    match scenario {
        "account inactive" => vec![("/v2/accounts/gone/sms-campaigns/c1/sms-details", GONE)],
        "too many GET requests for the account" => {
            vec![("/v2/accounts/busy/sms-campaigns/c1/sms-details", BUSY)]
        }
        "/Accounts/ missing from URL" => vec![("/v2/acme1m/sms-campaigns/c1/sms-details", ACME)],
        "account sid missing from URL" => vec![("/v2/accounts", ACME)],
        "auth key or token missing" => vec![(sms, None)],
        "invalid auth key or token" => vec![(sms, Some(("key1", "token2")))],
        "invalid account sid or a resource or action missing or invalid" => vec![
            ("/v2/accounts/nobody/sms-campaigns/c1/sms-details", ACME),
            ("/v2/accounts/acme1m/sms-campaigns/sms-details", ACME),
            ("/v2/accounts/acme1m/sms-campaigns//sms-details", ACME),
            ("/v2/accounts/acme1m/sms-campaigns/c1/message-details", ACME),
            ("/v2/accounts/acme1m/SMS/Messages/s1", ACME),
        ],
        "non alpha-numeric auth key or token" => vec![(sms, Some(("key1", "token 1")))],
        // They are about the first version's URLs, or about no version that there is.
        _ => Vec::new(),
    }
}

/// Spends what an account may ask in a minute.
async fn spend(app: &TestApp) {
    for _ in 0..2 {
        let answer = ask(app, "/v1/Accounts/busy/SMS/Messages/s1.json", BUSY).await;
        assert_eq!(answer.json["RestException"]["Message"], "No matching results");
    }
}

/// What the row says, with the version of the URL.
fn message(row: &Row) -> String {
    row[4].replace("$version", "v3")
}

fn check(row: &Row, question: &Question, answer: &Answer, content_type: &str) {
    let expected = (row[2].parse().unwrap(), content_type);
    assert_eq!((answer.status, answer.content_type.as_str()), expected, "{question:?}: {answer:?}");
    assert_eq!(answer.headers.contains_key("www-authenticate"), answer.status == 401, "{question:?}");
    assert_eq!(answer.headers.contains_key("retry-after"), answer.status == 429, "{question:?}");
}

on_each! {
    async fn every_row_is_answered_in_json(app) {
        spend(&app).await;
        for row in table() {
            for question in questions(row[1]) {
                let answer = ask(&app, &format!("{}.json", question.0), question.1).await;
                check(&row, &question, &answer, "application/json");
                let mut exception = json!({"Status": answer.status, "Message": message(&row)});
                if let Ok(code) = row[3].parse::<u32>() {
                    exception["Code"] = json!(code);
                }
                assert_eq!(answer.json, json!({"RestException": exception}), "{question:?}");
            }
        }
    }

    async fn every_row_is_answered_in_xml(app) {
        spend(&app).await;
        for row in table() {
            for question in questions(row[1]) {
                let answer = ask(&app, question.0, question.1).await;
                check(&row, &question, &answer, "application/xml");
                let code = if row[3].is_empty() { String::new() } else { format!("<Code>{}</Code>", row[3]) };
                let expected = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><TwilioResponse><RestException><Status>{}</Status>\
                     <Message>{}</Message>{code}</RestException></TwilioResponse>",
                    row[2], message(&row)
                );
                assert_eq!(answer.json, expected, "{question:?}");
            }
        }
    }

    async fn every_row_that_fits_is_answered_by_the_second_version(app) {
        spend(&app).await;
        let mut asked = 0;
        for row in table() {
            for question in campaign_questions(row[1]) {
                asked += 1;
                let answer = ask(&app, question.0, question.1).await;
                check(&row, &question, &answer, "application/json");
                let code = row[3].parse::<u32>().map_or(Value::Null, Value::from);
                let expected = json!({
                    "code": answer.status,
                    "error_data": {"code": code, "description": message(&row)},
                    "status": "failure",
                    "data": null,
                });
                assert_eq!(answer.json["response"], expected, "{question:?}");
                assert_eq!(answer.json["http_code"], answer.status);
            }
        }
        assert_eq!(asked, 12);
    }
}

on_each! {
    async fn the_first_of_several_errors_is_told(app) {
        let told = async |path: &str, credentials| {
            let answer = ask(&app, path, credentials).await.json;
            answer["RestException"]["Message"].as_str().unwrap().to_owned()
        };
        let wrong = Some(("key1", "wrong"));
        let odd = Some(("key-1", "wrong"));
        for (path, credentials, first) in [
            ("/v9/nothing.json", odd, "Exotel API Version v9 not supported. Contact Exotel for details."),
            ("/v1/nothing.json", odd, "/Accounts/ missing from URL"),
            ("/v1/Accounts/.json", odd, "Action forbidden on given resource;"),
            ("/v1/Accounts/nobody/Sms.json", None, "Authentication is required to view this page."),
            ("/v1/Accounts/nobody/Sms.json", odd, "Bad or missing parameters in request.;"),
            ("/v1/Accounts/nobody/Sms.json", wrong, "Unauthorized;"),
            ("/v1/Accounts/gone/Sms.json", ACME, "Action forbidden on given resource;"),
            ("/v1/Accounts/gone/Sms.json", GONE, "Account inactive."),
        ] {
            assert_eq!(told(path, credentials).await, first, "{path} {credentials:?}");
        }
        // Resource errors do not count; what is not found does.
        for _ in 0..5 {
            assert_eq!(told("/v1/Accounts/busy/Sms.json", BUSY).await, "Invalid Parameters");
        }
        spend(&app).await;
        assert_eq!(told("/v1/Accounts/busy/Sms.json", BUSY).await, "Invalid Parameters");
        assert_eq!(told("/v1/Accounts/busy/SMS/Messages/s1.json", BUSY).await, "Too many GET requests.");
        assert_eq!(told("/v1/Accounts/acme1m/SMS/Messages/s1.json", ACME).await, "No matching results", "each account has its own limit");
        let answer = ask(&app, "/v1/Accounts/busy/SMS/Messages/s1", BUSY).await;
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=30).contains(&wait), "one of two a minute: {wait}");
    }
}
