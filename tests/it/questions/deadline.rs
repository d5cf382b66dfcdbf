//! Every request ends: by the deadline of the request, of the question, or of what a callback waits for.

use super::*;
use crate::{
    crash::{Hold, Spool},
    support::DEADLINE,
};

/// What a machine that does other things may add to a deadline.
const SLACK: Duration = Duration::from_secs(3);
const TIMEOUT: (&str, &str) = ("HTTP__REQUEST_TIMEOUT_MS", "500");
const ERASE: (&str, &str, &str) = ("POST", "/recipients/erase", "{\"recipient\": \"+919812345671\"}");

/// The word of Exotel's way, or the problem.
fn is_about_time(answer: &Answer) -> bool {
    let text = answer.json.to_string();
    answer.status == 503 && answer.headers["retry-after"] == "5" && text.contains("took too long")
}

#[tokio::test]
async fn whatever_waits_for_the_database_ends_by_the_requests_deadline() {
    let target = with_messages(Backend::Postgres, 10, &[TIMEOUT]).await;
    let hold = Hold::on(&target.database.url).await;
    let all: Vec<_> = QUESTIONS.into_iter().chain([ERASE]).collect();
    for question in &all {
        let (answer, took) = ask(*question, &target).await;
        assert!(is_about_time(&answer), "{question:?}: {answer:?}");
        assert!((Duration::from_millis(500)..SLACK).contains(&took), "{question:?}: {took:?}");
    }
    assert_eq!(metric(&target, "dlr_question_failures_total{reason=\"took_too_long\"}").await, 10);
    hold.release().await;
    for question in all {
        let end = Instant::now() + DEADLINE;
        while ask(question, &target).await.0.status != 200 {
            assert!(Instant::now() < end, "{question:?} is not answered again");
        }
    }
    the_store_is_well(&target).await;
}

#[tokio::test]
async fn a_question_that_takes_the_database_too_long_is_no_outage() {
    let target = with_messages(Backend::Postgres, 10, &[("DATABASE__TIMEOUT_MS", "1000")]).await;
    let hold = Hold::on(&target.database.url).await;
    for question in [QUESTIONS[0], QUESTIONS[5], QUESTIONS[6], QUESTIONS[7], QUESTIONS[8]] {
        let (answer, took) = ask(question, &target).await;
        assert!(is_about_time(&answer), "{question:?}: {answer:?}");
        assert!(took < Duration::from_secs(1) + SLACK, "{question:?}: {took:?}");
    }
    hold.release().await;
    the_store_is_well(&target).await;
}

#[tokio::test]
async fn sqlite_gives_up_what_takes_too_long_and_is_free_for_others_at_once() {
    let settings = [("DATABASE__TIMEOUT_MS", "1000"), ("DATABASE__MAX_CONNECTIONS", "2")];
    let target = with_messages(Backend::Sqlite, 100_000, &settings).await;
    // Labels that take long to look through.
    let labels = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300) \
                  SELECT json_group_object('key' || n, 'value' || n) FROM numbers";
    run_sql(&target.database.url, format!("UPDATE messages SET labels = ({labels}) WHERE sid LIKE 'copy-%'"))
        .await;
    for _ in 0..3 {
        let slow = ask(("GET", "/stats?group_by=label:key300,label:key299,label:key298", ""), &target);
        let (slow, took) = slow.await;
        assert!(is_about_time(&slow), "{slow:?}");
        assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
        // Both connections would still be taken.
        for _ in 0..2 {
            let (answer, took) = ask(QUESTIONS[0], &target).await;
            assert!(answer.status == 200 && took < SLACK, "{took:?}: {answer:?}");
        }
    }
    the_store_is_well(&target).await;
}

#[tokio::test]
async fn an_export_that_does_not_go_on_is_broken_off() {
    let target = with_messages(Backend::Postgres, 60_000, &[TIMEOUT]).await;
    let mut export = begin(("GET", "/messages/export", ""), &target).await;
    assert_eq!(export.status(), 200);
    assert!(export.chunk().await.unwrap().is_some());
    // Nothing is read meanwhile, so that the export has to wait for its reader.
    let hold = Hold::on(&target.database.url).await;
    let begun = Instant::now();
    let broken = loop {
        match export.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a part looks like the whole"),
            Err(error) => break error,
        }
    };
    assert!(begun.elapsed() < SLACK + SLACK, "{:?}: {broken}", begun.elapsed());
    target.service.has_logged("an export ends early").await;
    assert_eq!(metric(&target, "dlr_question_failures_total{reason=\"took_too_long\"}").await, 1);
    hold.release().await;
}

#[tokio::test]
async fn a_callback_ends_by_a_deadline_while_the_spools_disk_hangs_too() {
    let (database, spool) = (Database::create(Backend::Postgres).await, Spool::new());
    let service = spool.serve(&database, &[("INGEST__COMMIT_TIMEOUT_MS", "500")]).await;
    let target = Target { service, database, http: Client::new() };
    let callback = async |sid: String| {
        let begun = Instant::now();
        let url = format!("{}/callbacks/exotel/default", target.service.url);
        let answer =
            target.http.post(url).form(&[("SmsSid", &*sid), ("Status", "sent")]).send().await.unwrap();
        (Answer::of(answer).await, begun.elapsed())
    };
    let (store, disk) =
        (Hold::on(&target.database.url).await, Hold::on(&format!("sqlite://{}", spool.path())).await);
    for round in 0..2 {
        let crowd =
            futures_util::future::join_all((0..40).map(|number| callback(format!("hangs-{round}-{number}"))));
        for (answer, took) in crowd.await {
            assert_eq!((answer.status, answer.problem()), (503, "store_unavailable"));
            assert_eq!(answer.headers["retry-after"], "5");
            // A commit's deadline, then that of the spool.
            assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
        }
    }
    disk.release().await;
    let end = Instant::now() + DEADLINE;
    while callback("spooled".into()).await.0.status != 200 {
        assert!(Instant::now() < end, "the spool does not come back");
    }
    store.release().await;
    spool.is_drained().await;
    while ask(("GET", "/messages/spooled", ""), &target).await.0.status != 200 {
        assert!(Instant::now() < end, "what was acknowledged is lost");
    }
}
