//! Recipients in every spelling, on both databases: what callbacks say, what is asked for, and what is erased.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp, each_backend};

/// Spellings of one Indian number.
const SPELLINGS: [&str; 24] = [
    "09812345670",
    "+919812345670",
    "919812345670",
    "9812345670",
    "+09812345670",
    "+009812345670",
    "+0 91 98123 45670",
    "+91 0 98123 45670",
    "+91 (0) 98123-45670",
    "0091 0 98123 45670",
    "00919812345670",
    "+91\u{a0}98123\u{a0}45670",
    "+91\u{2009}98123\u{2011}45670",
    "98123\u{2013}45670",
    "98123\u{2212}45670",
    "\u{202a}+91 98123 45670\u{202c}",
    "98\u{200b}123\u{feff}45670",
    "９８１２３４５６７０",
    "＋９１９８１２３４５６７０",
    "९८१२३४५६७०",
    "٩٨١٢٣٤٥٦٧٠",
    "tel:+91-98123-45670",
    "'+919812345670",
    "=\"09812345670\"",
];

/// What stands in place of a number, and is none.
const NO_NUMBERS: [&str; 6] = ["EXOTEL", "123", "not a number", "98123,45670", "9812345670 ext 5", "+"];

/// What Exotel writes for accounts that mask numbers, and short codes.
const OTHER_FORMS: [&str; 3] = ["0XXXXX30240", "+911140XXXXXX", "98123*****"];

async fn erase(app: &TestApp, recipient: &str) -> Answer {
    let request = app.request("POST", "/recipients/erase").json(&json!({"recipient": recipient}));
    Answer::of(request.send().await.unwrap()).await
}

async fn found(app: &TestApp, to: &str) -> Answer {
    let answer = app.request("GET", "/messages").query(&[("to", to)]).send().await.unwrap();
    Answer::of(answer).await
}

fn sids(answer: &Answer) -> Vec<&str> {
    let items = answer.json["items"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    items.iter().filter_map(|item| item["sid"].as_str()).collect()
}

each_backend! {
    async fn every_spelling_of_a_number_is_one_recipient(app) {
        for (at, spelling) in SPELLINGS.iter().enumerate() {
            let sid = format!("s{at}");
            app.record(&[("SmsSid", &sid), ("To", spelling), ("Status", "sent")]).await;
            let message = app.message(&sid).await;
            assert_eq!((&message["to"], &message["to_raw"]), (&json!("+919812345670"), &json!(spelling.trim())), "{spelling}");
            assert_eq!(message["anomalies"], json!([]), "{spelling}");
        }
        for spelling in SPELLINGS {
            let answer = found(&app, spelling).await;
            assert_eq!(sids(&answer).len(), SPELLINGS.len(), "{spelling}");
        }
        // Of several in one message none contradicts another.
        for spelling in SPELLINGS {
            app.record(&[("SmsSid", "all"), ("To", spelling), ("Status", "sent")]).await;
        }
        assert_eq!(app.message("all").await["anomalies"], json!([]));
    }

    async fn a_recipient_that_is_no_number_is_flagged_and_found(app) {
        for (at, text) in NO_NUMBERS.iter().enumerate() {
            let sid = format!("s{at}");
            app.record(&[("SmsSid", &sid), ("To", text), ("Status", "sent")]).await;
            let message = app.message(&sid).await;
            assert_eq!((&message["to"], &message["to_raw"]), (&Value::Null, &json!(text)), "{text}");
            assert_eq!(message["anomalies"], json!(["bad_recipient"]), "{text}");
        }
        for (at, text) in OTHER_FORMS.iter().enumerate() {
            let sid = format!("masked{at}");
            app.record(&[("SmsSid", &sid), ("To", text), ("Status", "sent")]).await;
            let message = app.message(&sid).await;
            assert_eq!((&message["to"], &message["anomalies"]), (&Value::Null, &json!([])), "{text}");
            assert_eq!(sids(&found(&app, text).await), [sid], "{text}");
        }
        let flagged = app.ask("/messages?anomaly=bad_recipient&limit=50").await;
        assert_eq!(sids(&flagged).len(), NO_NUMBERS.len());
        assert_eq!(sids(&found(&app, "EXOTEL").await), ["s0"]);
    }

    async fn what_cannot_be_a_recipient_is_not_asked_for(app) {
        for text in ["", " ", "+", "--", "null", "12", "98123456701234567", "\u{200b}"] {
            let answer = found(&app, text).await;
            assert_eq!((answer.status, answer.problem()), (400, "invalid_parameter"), "{text:?}");
            assert_eq!(answer.json["parameter"], "to", "{text:?}");
        }
    }

    async fn erasing_reaches_a_number_in_every_form(app) {
        for (at, spelling) in SPELLINGS.iter().enumerate() {
            app.record(&[("SmsSid", &format!("s{at}")), ("To", spelling), ("Status", "sent")]).await;
        }
        // No numbers, which hold this one all the same.
        for (sid, text) in [("named", "Asha 9812345670"), ("extension", "9812345670 ext 5"), ("coded", "0091/9812345670")] {
            app.record(&[("SmsSid", sid), ("To", text), ("Status", "sent")]).await;
        }
        // Another recipient's first, then this one's: the number stands in the history only.
        for to in ["Reception", "09812345670"] {
            app.record(&[("SmsSid", "second"), ("To", to), ("Status", "sent")]).await;
        }
        // What an earlier version did not understand.
        for sid in ["before0", "before1"] {
            app.record(&[("SmsSid", sid), ("To", "09812345671"), ("Status", "sent")]).await;
        }
        app.database.execute("UPDATE messages SET recipient = NULL, recipient_raw = '+0 98123 45670' WHERE sid = 'before0'").await;
        app.database.execute("UPDATE messages SET recipient = NULL, recipient_raw = '٩٨١٢٣٤٥٦٧٠' WHERE sid = 'before1'").await;
        app.record(&[("SmsSid", "other"), ("To", "+19812345670"), ("Status", "sent")]).await;

        let erased = erase(&app, "+91 98123 45670").await;
        assert_eq!(erased.json["complete"], true, "{erased:?}");
        assert_eq!(erased.json["messages"], SPELLINGS.len() + 6, "{erased:?}");
        let mut sids: Vec<String> = (0..SPELLINGS.len()).map(|at| format!("s{at}")).collect();
        sids.extend(["named", "extension", "coded", "second", "before0", "before1"].map(str::to_owned));
        for sid in sids {
            let message = app.message(&sid).await;
            assert_eq!((&message["to"], &message["to_raw"]), (&Value::Null, &Value::Null), "{sid}");
            let callbacks = app.ask(&format!("/messages/{sid}/callbacks")).await;
            for receipt in callbacks.json["items"].as_array().unwrap() {
                assert!(receipt["fields"].get("To").is_none(), "{sid}: {receipt}");
            }
        }
        assert_eq!(app.message("other").await["to_raw"], "+19812345670", "digits in front make another number");
        assert_eq!(erase(&app, "9812345670").await.json["messages"], 0);
    }

    async fn erasing_takes_what_stands_in_place_of_a_number_as_it_is(app) {
        for (sid, to) in [("a", "0XXXXX30240"), ("b", "0XXXXX30240"), ("c", "0XXXXX30241"), ("d", "EXOTEL")] {
            app.record(&[("SmsSid", sid), ("To", to), ("Status", "sent")]).await;
        }
        assert_eq!(erase(&app, "0XXXXX30240").await.json["messages"], 2);
        assert_eq!(erase(&app, "EXOTEL").await.json["messages"], 1);
        assert_eq!(app.message("c").await["to_raw"], "0XXXXX30241");
        for sid in ["a", "b", "d"] {
            assert_eq!(app.message(sid).await["to_raw"], Value::Null, "{sid}");
        }
        for nothing in ["", " ", "+", "null"] {
            let answer = erase(&app, nothing).await;
            assert_eq!((answer.status, &answer.json["parameter"]), (400, &json!("recipient")), "{nothing:?}");
        }
    }
}
