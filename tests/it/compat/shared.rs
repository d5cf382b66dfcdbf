//! Two accounts whose callbacks name the same sid, each with a read key: each reads its own message only,
//! and whoever asks in our own way is shown both.

use serde_json::{Value, json};

use super::{ACME, BERLIN, ask, on_each, record};
use crate::support::{Answer, TestApp};

const SID: &str = "5f477d60517e6e6a0f6d9a7e9af8630e";

/// `acme` delivered its message, `berlin` failed to; both belong to the campaign `both`.
async fn callbacks(app: &TestApp) {
    let acme =
        [("SmsSid", SID), ("To", "09812345670"), ("DetailedStatusCode", "20005"), ("Body", "from acme")];
    record(app, "acme?campaign_id=both", &acme).await;
    let berlin = [("SmsSid", SID), ("To", "030 901820"), ("Status", "failed"), ("Body", "from berlin")];
    record(app, "berlin?campaign_id=both", &berlin).await;
    record(app, "berlin?campaign_id=both", &berlin).await;
}

/// The accounts of some messages, in order.
fn accounts(items: &Value) -> Vec<&str> {
    let mut accounts: Vec<&str> =
        items.as_array().unwrap().iter().map(|item| item["account"].as_str().unwrap()).collect();
    accounts.sort_unstable();
    accounts
}

on_each! {
    async fn each_read_key_sees_its_own_accounts_message(app) {
        callbacks(&app).await;
        for (account, own, other, to, status) in [
            ("acme1m", ACME, BERLIN, "09812345670", "sent"),
            ("berlin", BERLIN, ACME, "030 901820", "failed"),
        ] {
            let path = format!("/v1/Accounts/{account}/SMS/Messages/{SID}.json");
            let told = &ask(&app, &path, own).await.json["SMSMessage"];
            assert_eq!((&told["To"], &told["Status"]), (&json!(to), &json!(status)), "{told}");
            assert_eq!(told["AccountSid"], account);
            assert_eq!(ask(&app, &path, other).await.status, 403, "the key of the other account");
            let path = format!("/v2/accounts/{account}/sms-campaigns/both/sms-details");
            let told = ask(&app, &path, own).await.json;
            assert_eq!(told["metadata"]["total"], 1, "{told}");
            let text = told["response"][0]["data"].to_string();
            assert!(text.contains(SID) && text.contains(if account == "berlin" { "from berlin" } else { "from acme" }), "{text}");
            assert_eq!(ask(&app, &path, other).await.status, 403);
        }
    }

    async fn a_question_that_does_not_say_which_account_is_told_so(app) {
        callbacks(&app).await;
        for path in [format!("/messages/{SID}"), format!("/messages/{SID}/callbacks")] {
            let unsaid = app.ask(&path).await;
            assert_eq!((unsaid.status, unsaid.problem()), (409, "ambiguous_sid"));
            assert_eq!(unsaid.json["accounts"], json!(["acme", "berlin"]));
        }
        for (account, outcome, callbacks) in [("acme", "delivered", 1), ("berlin", "failed", 2)] {
            let known = app.ask(&format!("/messages/{SID}?account={account}")).await.json;
            assert_eq!(known["account"], account);
            assert_eq!((&known["outcome"], &known["callbacks"]), (&json!(outcome), &json!(callbacks)), "{known}");
            let receipts = app.ask(&format!("/messages/{SID}/callbacks?account={account}")).await.json;
            let receipts = receipts["items"].as_array().unwrap().clone();
            assert_eq!(receipts.len(), callbacks);
            let own = format!("from {account}");
            assert!(receipts.iter().all(|receipt| receipt.to_string().contains(&own)), "{receipts:?}");
        }
        assert_eq!(app.ask(&format!("/messages/{SID}?account=gone")).await.status, 404);
    }

    async fn lists_lookups_exports_and_statistics_show_both(app) {
        callbacks(&app).await;
        let listed = app.ask("/messages?label=campaign_id:both").await.json;
        assert_eq!(accounts(&listed["items"]), ["acme", "berlin"], "{listed}");
        let found = app.request("POST", "/messages/lookup").json(&json!({"sids": [SID]})).send().await.unwrap();
        let found = Answer::of(found).await.json;
        assert_eq!(accounts(&found["found"]), ["acme", "berlin"], "{found}");
        assert_eq!(found["unknown"].as_array().map_or(0, Vec::len), 0, "{found}");
        let exported = app.request("GET", "/messages/export").send().await.unwrap().text().await.unwrap();
        let lines: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(accounts(&json!(lines)), ["acme", "berlin"], "{exported}");
        let stats = app.ask("/stats?group_by=account,outcome").await.json;
        let text = stats.to_string();
        assert!(text.contains("acme") && text.contains("berlin"), "{text}");
        assert_eq!(stats["groups"].as_array().map(Vec::len), Some(2), "{text}");
        for account in ["acme", "berlin"] {
            let listed = app.ask(&format!("/messages?account={account}")).await.json;
            assert_eq!(accounts(&listed["items"]), [account]);
        }
    }
}
