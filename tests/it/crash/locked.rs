//! A commit that hangs, since somebody else holds the table: nobody waits for it longer than its deadline.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::{Spool, hold::Hold, in_soak, slowest, tell};
use crate::support::{
    Answer, Backend, Database, Load, Pace, TestApp, Traffic,
    load::{Sent, send},
};

const DEADLINE_OF_COMMITS: Duration = Duration::from_millis(500);

fn kept(sent: &Sent) -> &str {
    sent.answer.as_ref().map_or("no answer", |(_, kept)| kept)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_spool_all_are_acknowledged_and_those_behind_do_not_wait_for_the_deadline() {
    let (database, spool) = (Database::create(Backend::Postgres).await, Spool::new());
    let service = spool.serve(&database, &[("INGEST__COMMIT_TIMEOUT_MS", "500")]).await;
    let (http, url) = (reqwest::Client::new(), service.url.clone());
    let mut hold = Hold::on(&database.url).await;
    let first = tokio::spawn({
        let (http, url) = (http.clone(), url.clone());
        async move { send(&http, &url, ("first".into(), "20005")).await }
    });
    hold.holds().await;
    let behind = (0..20).map(|number| send(&http, &url, (format!("behind-{number}"), "20005")));
    let mut sent = join_all(behind).await;
    let slowest_behind = sent.iter().map(|sent| sent.latency).max().unwrap();
    sent.push(first.await.unwrap());
    let first = &sent[20];
    tell(&format!("locked: in the commit {:?}, behind it {slowest_behind:?}", first.latency));
    assert!(sent.iter().all(|sent| kept(sent) == "spooled"), "{sent:?}");
    assert!(first.latency >= DEADLINE_OF_COMMITS, "it was in the commit: {first:?}");
    assert!(slowest_behind < slowest(), "{slowest_behind:?}");
    hold.release().await;
    Traffic::new(sent).is_stored(&service.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_were_given_up_do_not_pile_up_in_the_database() {
    let (database, spool) = (Database::create(Backend::Postgres).await, Spool::new());
    let service = spool.serve(&database, &[("INGEST__COMMIT_TIMEOUT_MS", "100")]).await;
    let mut hold = Hold::on(&database.url).await;
    let load = Load::start(&service.url, Pace::STEADY);
    let (end, mut most) = (Instant::now() + Duration::from_secs(in_soak(30, 4)), 0);
    while Instant::now() < end {
        most = most.max(hold.waiting().await);
        sleep(Duration::from_millis(20)).await;
    }
    hold.release().await;
    let traffic = load.stop().await;
    tell(&format!("given up: {most} sessions at most, {:?}", traffic.answers()));
    traffic.was_all_acknowledged();
    traffic.is_stored(&service.url).await;
    assert!(most <= 3, "{most} sessions waited for the lock");
}

#[tokio::test]
async fn without_a_spool_nothing_is_acknowledged_meanwhile() {
    let database = Database::create(Backend::Postgres).await;
    let url = database.url.clone();
    let app = TestApp::on_database(database, &[("INGEST__COMMIT_TIMEOUT_MS", "500")]).await;
    let mut hold = Hold::on(&url).await;
    let began = Instant::now();
    let fields = [("SmsSid", "locked"), ("DetailedStatusCode", "20005")];
    let first = app.callback(&fields);
    let behind = async {
        hold.holds().await;
        join_all((0..5).map(|_| app.callback(&fields))).await
    };
    let (first, behind) = tokio::join!(first, behind);
    assert!(began.elapsed() < DEADLINE_OF_COMMITS + slowest(), "{:?}", began.elapsed());
    for answer in behind.into_iter().chain([first]) {
        let answer = Answer::of(answer).await;
        assert_eq!((answer.status, answer.problem()), (503, "store_unavailable"));
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    hold.release().await;
    let end = Instant::now() + crate::support::DEADLINE;
    while app.callback(&fields).await.status() != 200 {
        assert!(Instant::now() < end, "it does not come back");
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(app.message("locked").await["outcome"], "delivered");
}
