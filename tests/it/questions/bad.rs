//! Bad questions are the caller's: whatever is written into a URL or a body, the store is not said to fail.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::*;

const MOST_VALUES: usize = 100;

/// A good value of each filter that may be repeated; `#` is a number.
const REPEATED: [(&str, &str); 10] = [
    ("account", "account-#"),
    ("to", "0XXXXX1234#"),
    ("outcome", "failed"),
    ("status", "failed-dnd"),
    ("code", "#"),
    ("category", "network"),
    ("retry", "wait"),
    ("label", "key-#:value"),
    ("anomaly", "bad_time"),
    ("custom_field", "text-#"),
];

fn repeated(name: &str, value: &str, times: usize) -> String {
    let pairs: Vec<_> =
        (0..times).map(|n| format!("{name}={}", value.replace('#', &n.to_string()))).collect();
    pairs.join("&")
}

/// A cursor as the service seals it.
fn forged(list: &str, micros: i64, id: i64) -> String {
    let place = [micros.to_be_bytes(), id.to_be_bytes()].concat();
    let seal = Sha256::new().chain_update(list).chain_update(&place).finalize();
    BASE64_URL_SAFE_NO_PAD.encode([&place, &seal[..8]].concat())
}

async fn get(target: &Target, path: &str) -> Answer {
    ask(("GET", path, ""), target).await.0
}

/// Values that are too large, too long, of no kind, or near an edge of what the databases hold.
fn nasty() -> Vec<String> {
    let words = [
        "0",
        "-1",
        "1",
        "%2B5",
        "65536",
        "2147483647",
        "2147483648",
        "-2147483649",
        "9223372036854775807",
        "9223372036854775808",
        "1e400",
        "NaN",
        "%20",
        "%00",
        "%FF",
        "a%00b",
        "'",
        "%22",
        "%25",
        "%5C",
        "\u{fe00}",
        ",",
        ":",
        "a:",
        ":a",
        "a:b",
        "a:%00",
        "a:%22%5C%5Cu0000",
        "label:",
        "label:a",
        "label:%22",
        "label:$.a[0]",
        "hour,day",
        "day,hour,label:x",
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59.999999Z",
        "%2B262142-01-01T00:00:00Z",
        "-4713-01-01T00:00:00Z",
        "294277-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "2026-11-21T18:30:00%2B23:59",
        "2026-11-21T18:30:00-23:59",
        "0000-01-01T00:00:00Z",
        "1s",
        "1ns",
        "1000years",
        "6000years",
        "200000years",
        "290000years",
        "584542046090years",
        "18446744073709551615s",
        "9223372036854775807ms",
        "csv",
        "ndjson",
        "{}",
        "{1,2}",
        "null",
        "true",
    ];
    let mut values: Vec<String> = words.map(str::to_owned).into();
    values.extend(["a", "9", "%2B", "%F0%9F%98%80"].map(|part| part.repeat(10_000 / part.len())));
    values.extend(
        ["a", "é"].map(|part| format!("{}:{}", part.repeat(64 / part.len()), part.repeat(256 / part.len()))),
    );
    let cursors =
        [(0, 0), (0, i64::MAX), (i64::MAX, 1), (i64::MIN, 1), (1, i64::MIN), (253_402_300_799_999_999, 1)];
    for list in ["messages", "callbacks", "rejected"] {
        values.extend(cursors.map(|(micros, id)| forged(list, micros, id)));
    }
    values
}

const PARAMETERS: [&str; 21] = [
    "account",
    "to",
    "outcome",
    "status",
    "code",
    "category",
    "retry",
    "label",
    "anomaly",
    "custom_field",
    "received_from",
    "received_to",
    "sent_from",
    "sent_to",
    "older_than",
    "limit",
    "cursor",
    "group_by",
    "format",
    "offset",
    "sort_by",
];

on_each! {
    async fn a_thousand_labels_are_too_many_and_said_to_be(backend) {
        let target = with_messages(backend, 10, &[("HTTP__MAX_HEADER_BYTES", "1048576")]).await;
        for route in ["/messages", "/stats", "/messages/export"] {
            for (name, value) in REPEATED {
                for times in [MOST_VALUES + 1, 1000] {
                    let answer = get(&target, &format!("{route}?{}", repeated(name, value, times))).await;
                    assert_eq!((answer.status, answer.problem()), (400, "invalid_parameter"), "{route} {name}");
                    assert_eq!((&answer.json["parameter"], &answer.json["max_values"]), (&name.into(), &MOST_VALUES.into()));
                    assert!(answer.json["detail"].as_str().unwrap().contains("100"), "{}", answer.json);
                }
                let answer = get(&target, &format!("{route}?{}", repeated(name, value, MOST_VALUES))).await;
                assert_eq!(answer.status, 200, "{route} {name}: {answer:?}");
            }
            // All of them at once, with values as long as they may be; of one label, too, whose alternatives nest.
            let value = format!("{}-#:{}", "k".repeat(60), "v".repeat(256));
            let one_label = format!("{}:{}-#", "k".repeat(64), "v".repeat(250));
            for label in [value, one_label] {
                let all = REPEATED.map(|(name, value)| {
                    repeated(name, if name == "label" { &label } else { value }, MOST_VALUES)
                });
                let answer = get(&target, &format!("{route}?{}", all.join("&"))).await;
                assert_eq!(answer.status, 200, "{route}: {answer:?}");
            }
        }
        the_store_is_well(&target).await;
    }

    async fn a_forged_cursor_is_refused_or_finds_a_place(backend) {
        let target = with_messages(backend, 10, &[]).await;
        for (list, route) in [("messages", "/messages"), ("callbacks", "/messages/first/callbacks"), ("rejected", "/rejected")] {
            let status = async |micros, id| {
                let answer = get(&target, &format!("{route}?cursor={}", forged(list, micros, id))).await;
                if answer.status != 200 {
                    assert_eq!((answer.problem(), &answer.json["parameter"]), ("invalid_parameter", &"cursor".into()));
                }
                answer.status
            };
            // Beyond Postgres' years, beyond chrono's, before all of them.
            for micros in [9_223_371_331_200_000_000, i64::MAX, i64::MIN, -210_866_803_200_000_001, 253_402_300_800_000_000, -1] {
                assert_eq!(status(micros, 1).await, 400, "{list} {micros}");
            }
            for id in [-1, i64::MIN] {
                assert_eq!(status(0, id).await, 400, "{list} {id}");
            }
            for (micros, id) in [(0, 0), (0, i64::MAX), (1_736_917_200_000_000, 5), (253_402_300_799_999_999, i64::MAX)] {
                assert_eq!(status(micros, id).await, 200, "{list} {micros} {id}");
            }
        }
        the_store_is_well(&target).await;
    }

    async fn no_parameter_makes_a_failure_of_the_store(backend) {
        let target = with_messages(backend, 3, &[("HTTP__MAX_HEADER_BYTES", "1048576")]).await;
        let routes = [
            "/messages", "/messages/first", "/messages/first/callbacks", "/messages/export", "/stats", "/rejected",
            "/status-codes", "/v1/Accounts/default/SMS/Messages/first", "/v2/accounts/default/sms-campaigns/c1/sms-details",
        ];
        let values = nasty();
        for route in routes {
            for parameter in PARAMETERS {
                for value in &values {
                    // A window and groups of time beside it: they are what a time and an age end up in.
                    let more = if route == "/stats" { "&group_by=hour" } else { "" };
                    let answer = get(&target, &format!("{route}?{parameter}={value}{more}")).await;
                    // One question after the other is never one too many.
                    assert!(answer.status < 500, "{route}?{parameter}={value:.200}: {answer:?}");
                }
            }
        }
        the_store_is_well(&target).await;
    }

    async fn no_path_and_no_body_makes_a_failure_of_the_store(backend) {
        let target = with_messages(backend, 3, &[("HTTP__MAX_HEADER_BYTES", "1048576")]).await;
        for value in nasty() {
            for path in [
                format!("/messages/{value}"),
                format!("/messages/{value}/callbacks"),
                format!("/status-codes/{value}"),
                format!("/v1/Accounts/default/SMS/Messages/{value}"),
                format!("/v2/accounts/default/sms-campaigns/{value}/sms-details"),
                format!("/v2/accounts/default/sms-campaigns/c1/sms-details?number={value}"),
            ] {
                let answer = get(&target, &path).await;
                assert!(answer.status < 500, "{path:.200}: {answer:?}");
            }
        }
        let long = "x".repeat(1900);
        let sids: Vec<_> = (0..1000).map(|n| format!("\"{n}{long}\"")).collect();
        let strange = r#""\u0000", "", "'", "\"", "\\", "\ud83d\ude00", "$[0]""#;
        for body in [format!("[{}]", sids.join(",")), format!("[{strange}]"), "[\"\\ud800\"]".into(), "[1e999]".into()] {
            let url = format!("{}/messages/lookup", target.service.url);
            let answer = target.http.post(url).body(format!("{{\"sids\": {body}}}")).send().await.unwrap();
            assert!([200, 422].contains(&answer.status().as_u16()), "{:?}", answer.status());
        }
        the_store_is_well(&target).await;
    }
}
