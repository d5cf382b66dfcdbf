//! Details of a campaign.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{ACME, BERLIN, ask, on_each, record};
use crate::support::TestApp;

const PATH: &str = "/v2/accounts/acme1m/sms-campaigns/diwali/sms-details";

/// Five messages of a campaign, a minute apart.
async fn campaign(app: &TestApp) {
    let statuses = [
        ("sent", "DELIVERED_TO_OPERATOR"),
        ("failed", "FAILED_SPAM_DETECTED"),
        ("failed-dnd", "FAILED_REJECTED_DND"),
        ("submitted", "PENDING_ON_OPERATOR"),
        ("Lost In Space", ""),
    ];
    for (n, (status, name)) in (1..).zip(statuses) {
        let (sid, to) = (format!("s{n}"), format!("0981234567{n}"));
        let fields = [("SmsSid", sid.as_str()), ("To", &to), ("Status", status), ("DetailedStatus", name)];
        record(app, "acme?campaign_id=diwali", &fields).await;
        app.clock.fetch_add(60_000_000, Ordering::Relaxed);
    }
    let masked = [("SmsSid", "s6"), ("To", "0XXXXX30240"), ("Status", "sent"), ("CampaignSid", "eid")];
    record(app, "acme", &masked).await;
    record(app, "berlin?campaign_id=diwali", &[("SmsSid", "s7"), ("Status", "sent")]).await;
}

async fn envelope(app: &TestApp, path: &str) -> Value {
    let answer = ask(app, path, ACME).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"), "{answer:?}");
    answer.json
}

fn sids(envelope: &Value) -> Vec<&str> {
    let rows = envelope["response"].as_array().unwrap();
    assert_eq!(envelope["metadata"]["count"], rows.len());
    rows.iter().map(|row| row["data"]["sid"].as_str().unwrap()).collect()
}

on_each! {
    async fn a_campaign_is_told_as_exotel_tells_it(app) {
        campaign(&app).await;
        let told = [("SmsSid", "s3"), ("Status", "sending"), ("From", "08047101010/EXOTEL"), ("Body", "your account is activated"), ("Direction", "outgoing-api")];
        record(&app, "acme", &told).await;
        let told = envelope(&app, PATH).await;
        let id = told["request_id"].as_str().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        assert_ne!(envelope(&app, PATH).await["request_id"], told["request_id"]);
        insta::assert_json_snapshot!("compat_campaign", told, {".request_id" => "[request_id]"});
    }

    async fn every_spelling_of_the_path_is_the_path(app) {
        campaign(&app).await;
        for path in [
            "/v2/accounts/acme1m/sms-campaign/diwali/sms-details",
            "/v2/accounts/acme1m/message-campaigns/diwali/message-details",
            "/V2/Accounts/ACME1M/SMS-Campaigns/diwali/SMS-Details?unknown=1",
        ] {
            assert_eq!(sids(&envelope(&app, path).await), ["s5", "s4", "s3", "s2", "s1"], "{path}");
        }
        let fed = envelope(&app, "/v2/accounts/acme1m/sms-campaigns/eid/sms-details").await;
        assert_eq!(sids(&fed), ["s6"], "a CampaignSid names a campaign too");
        for nobody in ["nobody", "Diwali", "%00"] {
            let path = format!("/v2/accounts/acme1m/sms-campaigns/{nobody}/sms-details");
            let metadata = json!({"count": 0, "offset": 0, "total": 0, "limit": 20});
            assert_eq!(envelope(&app, &path).await["metadata"], metadata);
        }
        let other = ask(&app, "/v2/accounts/berlin/sms-campaigns/diwali/sms-details", BERLIN).await;
        assert_eq!(sids(&other.json), ["s7"], "each account has campaigns of its own");
    }

    async fn a_campaign_comes_in_parts_and_orders(app) {
        campaign(&app).await;
        record(&app, "acme", &[("SmsSid", "s2"), ("Status", "failed")]).await;
        for (query, expected) in [
            ("limit=2", &["s5", "s4"][..]),
            ("limit=2&offset=2", &["s3", "s2"]),
            ("limit=500&offset=4", &["s1"]),
            ("offset=5", &[]),
            ("offset=4294967295", &[]),
            ("sort_by=date_created:asc&limit=2", &["s1", "s2"]),
            ("sort_by=date_created:desc&limit=2", &["s5", "s4"]),
            ("sort_by=date_updated:desc&limit=3", &["s2", "s5", "s4"]),
            ("sort_by=date_updated%3Aasc&limit=5", &["s1", "s3", "s4", "s5", "s2"]),
            ("sort_by=schedule_time:asc&limit=2", &["s1", "s2"]),
            ("sort_by=schedule_time:desc&limit=2", &["s5", "s4"]),
            ("limit=&offset=&sort_by=&number=", &["s5", "s4", "s3", "s2", "s1"]),
        ] {
            let told = envelope(&app, &format!("{PATH}?{query}")).await;
            assert_eq!(sids(&told), expected, "{query}");
            assert_eq!(told["metadata"]["total"], 5, "{query}");
        }
        let metadata = &envelope(&app, &format!("{PATH}?limit=2&offset=4")).await["metadata"];
        assert_eq!(metadata, &json!({"count": 1, "offset": 4, "total": 5, "limit": 2}));
    }

    async fn a_message_with_many_callbacks_hides_no_other(app) {
        campaign(&app).await;
        for _ in 0..40 {
            record(&app, "acme", &[("SmsSid", "s1"), ("Status", "sent"), ("From", "0114/FIRST")]).await;
        }
        record(&app, "acme", &[("SmsSid", "s2"), ("Status", "failed"), ("From", "0114/SECOND")]).await;
        let told = envelope(&app, &format!("{PATH}?sort_by=date_created:asc&limit=2")).await;
        let senders = [0, 1].map(|n| told["response"][n]["data"]["sender_id"].as_str().unwrap());
        assert_eq!(senders, ["FIRST", "SECOND"]);
    }

    async fn twenty_rows_come_unless_said_otherwise(app) {
        for n in 10..31 {
            record(&app, "acme?campaign_id=diwali", &[("SmsSid", &format!("s{n}")), ("Status", "sent")]).await;
        }
        let told = envelope(&app, PATH).await;
        assert_eq!(told["metadata"], json!({"count": 20, "offset": 0, "total": 21, "limit": 20}));
        assert_eq!(sids(&told)[..2], ["s30", "s29"], "of one instant, the later ones first");
    }

    async fn a_number_is_found_in_any_spelling(app) {
        campaign(&app).await;
        for spelling in ["09812345673", "%2B919812345673", "+919812345673", "919812345673", "9812345673", "0091%2098123-45673"] {
            let told = envelope(&app, &format!("{PATH}?number={spelling}")).await;
            assert_eq!((sids(&told), &told["metadata"]["total"]), (vec!["s3"], &json!(1)), "{spelling}");
        }
        let masked = "/v2/accounts/acme1m/sms-campaigns/eid/sms-details?number=0XXXXX30240";
        assert_eq!(sids(&envelope(&app, masked).await), ["s6"]);
        for nobody in ["09812345679", "XXXXX30240", "%00", "'"] {
            let told = envelope(&app, &format!("{PATH}?number={nobody}")).await;
            assert_eq!((sids(&told), &told["metadata"]["total"]), (vec![], &json!(0)), "{nobody}");
        }
    }

    async fn bad_parameters_are_named(app) {
        for (query, fault) in [
            ("limit=0", "`limit`: must be a whole number from 1 to 500"),
            ("limit=501", "`limit`: must be a whole number from 1 to 500"),
            ("limit=many", "`limit`: must be a whole number from 1 to 500"),
            ("offset=-1", "`offset`: must be a whole number from 0 to 4294967295"),
            ("offset=4294967296", "`offset`: must be a whole number from 0 to 4294967295"),
            ("sort_by=price:asc", "`sort_by`: the field `price` is none of date_created, date_updated and schedule_time"),
            ("sort_by=date_created:up", "`sort_by`: the direction `up` is neither asc nor desc"),
        ] {
            let answer = ask(&app, &format!("{PATH}?{query}"), ACME).await;
            assert_eq!(answer.status, 400, "{query}");
            assert_eq!(answer.json["response"]["error_data"]["description"], fault);
        }
        let answer = ask(&app, &format!("{PATH}?limit=0"), ACME).await.json;
        insta::assert_json_snapshot!("compat_campaign_error", answer, {".request_id" => "[request_id]"});
    }
}
