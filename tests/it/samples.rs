//! Every payload that Exotel is documented or known to send, and what is made of it.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp, each_backend};

async fn post(app: &TestApp, (sample, account): (&Value, &str)) -> Answer {
    let body = match &sample["body"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    let request = app.request("POST", &format!("/callbacks/exotel/{account}"));
    let content_type = sample["content_type"].as_str().unwrap();
    Answer::of(request.header("content-type", content_type).body(body).send().await.unwrap()).await
}

async fn check_recorded(app: &TestApp, (id, answer, expected): (&str, &Answer, &Value)) {
    let sid = answer.json["sid"].as_str().unwrap();
    let path = percent_encoding::utf8_percent_encode(sid, percent_encoding::NON_ALPHANUMERIC);
    let message = app.message(&path.to_string()).await;
    for (key, value) in expected.as_object().unwrap() {
        match key.as_str() {
            "status" => {}
            "status_word" => assert_eq!(&message["status"], value, "{id}"),
            "normalised" => {
                let receipts = app.ask(&format!("/messages/{path}/callbacks")).await.json;
                let found = &receipts["items"][0]["normalised"];
                assert_eq!(found["updated_at"], value["updated_at"], "{id}");
            }
            key => assert_eq!(&message[key], value, "{key} of {id}"),
        }
    }
}

each_backend! {
    async fn every_known_payload_is_understood_or_refused_with_a_reason(app) {
        let samples: Value = serde_json::from_str(include_str!("../fixtures/samples.json")).unwrap();
        let samples = samples.as_array().unwrap();
        assert_eq!(samples.len(), 20);
        let mut refused = 0;
        for sample in samples {
            let (id, expected) = (sample["id"].as_str().unwrap(), &sample["expect"]);
            let answer = post(&app, (sample, "default")).await;
            assert_eq!(answer.status, expected["status"], "{id}: {}", answer.json);
            if answer.status == 200 {
                check_recorded(&app, (id, &answer, expected)).await;
                continue;
            }
            refused += 1;
            answer.problem();
            assert_eq!(answer.json["resembles"], expected["resembles"], "{id}");
            let kept = &app.ask("/rejected?limit=1").await.json["items"][0];
            let body = kept["body"].as_str().unwrap();
            match &sample["body"] {
                Value::String(text) => assert_eq!(body, text, "{id}"),
                json => assert_eq!(body, json.to_string(), "{id}"),
            }
        }
        let kept = app.ask("/rejected").await.json;
        assert_eq!(kept["items"].as_array().unwrap().len(), refused);
    }

    async fn two_samples_of_one_message_make_one_outcome(app) {
        let samples: Value = serde_json::from_str(include_str!("../fixtures/samples.json")).unwrap();
        let sample = |id: &str| samples.as_array().unwrap().iter().find(|s| s["id"] == id).unwrap().clone();
        for id in ["api-details-exotel_ex", "api-send-exotel_ex"] {
            assert_eq!(post(&app, (&sample(id), "default")).await.status, 200);
        }
        let message = app.message("6dbfdc50133d0e51ec8d793356559868").await;
        assert_eq!((&message["outcome"], &message["callbacks"]), (&json!("delivered"), &json!(2)));
    }
}
