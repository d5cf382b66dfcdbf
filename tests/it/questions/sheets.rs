//! A sheet holds 1,048,576 rows: what does not fit is refused before the answer begins.

use super::*;

/// The first of them is not a copy.
const ONE_TOO_MANY: u32 = 1_048_575;

on_each! {
    async fn more_messages_than_a_sheet_holds_are_refused_and_told_how_to_ask(backend) {
        let target = with_messages(backend, ONE_TOO_MANY, &[("DATABASE__TIMEOUT_MS", "20000")]).await;
        for accept in ["*/*", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"] {
            let format = if accept == "*/*" { "?format=xlsx" } else { "" };
            let url = format!("{}/messages/export{format}", target.service.url);
            let refused = Answer::of(target.http.get(url).header("accept", accept).send().await.unwrap()).await;
            assert_eq!((refused.status, refused.problem()), (400, "invalid_parameter"), "{refused:?}");
            assert_eq!((&refused.json["parameter"], &refused.json["max_messages"]), (&"format".into(), &1_048_575.into()));
            let detail = refused.json["detail"].as_str().unwrap();
            assert!(detail.contains("narrow the question") && detail.contains("csv"), "{detail}");
        }
        for format in ["csv", "xlsx&received_to=1970-01-02"] {
            let begun = begin(("GET", &format!("/messages/export?format={format}"), ""), &target).await;
            assert_eq!(begun.status(), 200, "{format}");
        }
        the_store_is_well(&target).await;
    }
}
