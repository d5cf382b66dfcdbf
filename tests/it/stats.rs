//! Statistics: the same figures on both backends.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::support::{Backend, NOW_MICROS, TestApp, each_backend};

/// What is counted for a query.
async fn groups(app: &TestApp, query: &str) -> Value {
    let answer = app.ask(&format!("/stats?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.json);
    answer.json["groups"].clone()
}

/// A callback of `sid` that is received so many seconds after the clock's start.
async fn record_at(app: &TestApp, second: i64, fields: &[(&str, &str)]) {
    app.clock.store(NOW_MICROS + second * 1_000_000, Ordering::Relaxed);
    app.record(fields).await;
}

/// Five messages, from 10:30 to 12:00 in India; the first is delivered within five seconds, after it was
/// reported as pending, and again later.
async fn fill(app: &TestApp) {
    let delivered =
        |sid, sent| [("SmsSid", sid), ("DetailedStatusCode", "20005"), ("SmsUnits", "2"), ("DateSent", sent)];
    record_at(app, 0, &[("SmsSid", "a"), ("DetailedStatusCode", "21020")]).await;
    record_at(app, 65, &delivered("a", "2025-01-15 10:31:00")).await;
    record_at(app, 600, &delivered("a", "2025-01-15 10:31:00")).await;
    record_at(app, 120, &delivered("b", "2025-01-15 10:31:00")).await;
    record_at(app, 3600, &delivered("c", "2025-01-15 10:30:00")).await;
    record_at(
        app,
        1800,
        &[
            ("SmsSid", "d"),
            ("DetailedStatusCode", "23082"),
            ("SmsUnits", "1"),
            ("DateSent", "2025-01-15 10:59:59"),
        ],
    )
    .await;
    record_at(
        app,
        5400,
        &[
            ("SmsSid", "e"),
            ("Status", "queued"),
            ("CampaignSid", "diwali"),
            ("DateSent", "2025-01-15 13:00:00"),
        ],
    )
    .await;
}

each_backend! {
    async fn messages_are_counted_by_what_they_have_in_common(app) {
        assert_eq!(groups(&app, "").await, json!([]));
        fill(&app).await;
        let all = json!([{"messages": 5, "units": 7, "delivery_rate": 0.6,
            "latency_p50_s": 5.0, "latency_p95_s": 3600.0, "latency_p99_s": 3600.0}]);
        assert_eq!(groups(&app, "").await, all);
        let by_outcome = groups(&app, "group_by=outcome").await;
        assert_eq!(by_outcome[0], json!({"outcome": "delivered", "messages": 3, "units": 6, "delivery_rate": 1.0,
            "latency_p50_s": 60.0, "latency_p95_s": 3600.0, "latency_p99_s": 3600.0}));
        assert_eq!(by_outcome[2], json!({"outcome": "pending", "messages": 1, "units": 0, "delivery_rate": 0.0,
            "latency_p50_s": null, "latency_p95_s": null, "latency_p99_s": null}), "sent in the future");
        let by = async |query: &str, name: &str| -> Vec<(Value, i64)> {
            let groups = groups(&app, query).await;
            let of = |group: &Value| (group[name].clone(), group["messages"].as_i64().unwrap());
            groups.as_array().unwrap().iter().map(of).collect()
        };
        assert_eq!(by("group_by=code", "code").await, [(json!(null), 1), (json!(20005), 3), (json!(23082), 1)]);
        assert_eq!(by("group_by=status", "status").await, [(json!("failed"), 1), (json!("queued"), 1), (json!("sent"), 3)]);
        assert_eq!(by("group_by=category", "category").await[0], (json!("compliance"), 1));
        assert_eq!(by("group_by=account", "account").await, [(json!("default"), 5)]);
        assert_eq!(by("group_by=label:campaign_id", "label:campaign_id").await, [(json!(null), 4), (json!("diwali"), 1)]);
        assert_eq!(by("group_by=day", "day").await, [(json!("2025-01-15"), 5)]);
        assert_eq!(
            by("group_by=hour", "hour").await,
            [(json!("2025-01-15T10:00:00+05:30"), 2), (json!("2025-01-15T11:00:00+05:30"), 2), (json!("2025-01-15T12:00:00+05:30"), 1)]
        );
        assert_eq!(by("group_by=hour&outcome=delivered&received_from=2025-01-15T05:30:00Z", "hour").await.len(), 1);
        let three = groups(&app, "group_by=outcome,hour&group_by=code").await;
        assert_eq!(three[0]["hour"], "2025-01-15T10:00:00+05:30");
        assert_eq!((&three[0]["outcome"], &three[0]["code"], &three[0]["messages"]), (&json!("delivered"), &json!(20005), &json!(2)));
    }

    async fn what_cannot_be_grouped_by_is_named(app) {
        for (query, parameter, fault) in [
            ("group_by=recipient", "group_by", "label:NAME"),
            ("group_by=", "group_by", "label:NAME"),
            ("group_by=label:", "group_by", "label:NAME"),
            ("group_by=outcome,outcome", "group_by", "twice"),
            ("group_by=outcome,status,code,category", "group_by", "3 groups at most"),
            ("limit=5", "limit", "no parameter"),
            ("outcome=x", "outcome", "must be one of"),
        ] {
            let answer = app.ask(&format!("/stats?{query}")).await;
            assert_eq!((answer.status, answer.problem()), (400, "invalid_parameter"), "{query}");
            assert_eq!(answer.json["parameter"], parameter);
            assert!(answer.json["detail"].as_str().unwrap().contains(fault), "{query}: {}", answer.json);
        }
    }
}

/// Accounts in zones that count days and hours differently: one that is half an hour off, and one whose clock
/// goes back that night.
#[tokio::test]
async fn hours_and_days_are_those_of_the_accounts_clocks() {
    let settings =
        [("ACCOUNTS__INDIA__TIME_ZONE", "Asia/Kolkata"), ("ACCOUNTS__BERLIN__TIME_ZONE", "Europe/Berlin")];
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::with(backend, &settings).await;
        // From 2026-10-24T22:00Z on, every half hour for a day.
        for half_hour in 0..48_i64 {
            app.clock.store(1_792_879_200_000_000 + half_hour * 1_800_000_000, Ordering::Relaxed);
            for account in ["india", "berlin"] {
                let fields = [("SmsSid", format!("{account}{half_hour}")), ("Status", "sent".into())];
                let url = format!("/callbacks/exotel/{account}");
                app.request("POST", &url).form(&fields).send().await.unwrap().error_for_status().unwrap();
            }
        }
        let counts = async |query: &str, name: &str| -> Vec<String> {
            let groups = groups(&app, query).await;
            let of = |group: &Value| format!("{} {}", group[name].as_str().unwrap(), group["messages"]);
            groups.as_array().unwrap().iter().map(of).collect()
        };
        assert_eq!(counts("group_by=day&account=india", "day").await, ["2026-10-25 41", "2026-10-26 7"]);
        // That day has 25 hours, of which the log covers 24.
        assert_eq!(counts("group_by=day&account=berlin", "day").await, ["2026-10-25 48"]);
        let hours = counts("group_by=hour&account=berlin", "hour").await;
        assert_eq!(
            hours[..4],
            [
                "2026-10-25T00:00:00+02:00 2",
                "2026-10-25T01:00:00+02:00 2",
                "2026-10-25T02:00:00+01:00 2",
                "2026-10-25T02:00:00+02:00 2"
            ]
        );
        assert_eq!(counts("group_by=hour&account=india", "hour").await[0], "2026-10-25T03:00:00+05:30 1");
        let both = groups(&app, "group_by=day,account").await;
        assert_eq!(both.as_array().unwrap().len(), 3);
        assert_eq!((&both[0]["account"], &both[0]["messages"]), (&json!("berlin"), &json!(48)));
    }
}
