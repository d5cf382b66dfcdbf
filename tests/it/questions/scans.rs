//! Questions that read much: few beside each other, and nobody waits for them longer than a second.

use futures_util::future::join_all;

use super::*;
use crate::{
    crash::{Hold, tell},
    support::{DEADLINE, Load, Pace},
};

const CROWD: usize = 60;
const STATS: (&str, &str, &str) = ("GET", "/stats?group_by=outcome,hour,label:team", "");
/// A second is what anybody may be held back; the rest is for a machine that does other things too.
const PROMISED: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_secs(3);

fn is_turned_away(answer: &Answer) -> bool {
    answer.status == 503 && answer.problem() == "too_many_scans" && answer.headers["retry-after"] == "1"
}

on_each! {
    async fn a_crowd_of_statistics_keeps_nobody_waiting(backend) {
        let target = with_messages(backend, 30_000, &[]).await;
        let load = Load::start(&target.service.url, Pace::STEADY);
        load.acknowledges(50).await;
        for _ in 0..3 {
            let crowd = join_all((0..CROWD).map(|_| ask(STATS, &target))).await;
            let (turned_away, answered): (Vec<_>, Vec<_>) = crowd.iter().partition(|(answer, _)| is_turned_away(answer));
            assert!(answered.iter().all(|(answer, _)| answer.status == 200), "{answered:?}");
            assert!(!answered.is_empty() && !turned_away.is_empty(), "{} {}", answered.len(), turned_away.len());
            let slowest = |answers: &[&(Answer, Duration)]| answers.iter().map(|(_, took)| *took).max().unwrap();
            tell(&format!(
                "{backend:?}: {} answered within {:?}, {} turned away within {:?}",
                answered.len(), slowest(&answered), turned_away.len(), slowest(&turned_away)
            ));
            assert!(slowest(&turned_away) < SLACK, "{:?}", slowest(&turned_away));
            // Each waits for a second at most, and then reads: all of them together, some seconds on a busy machine.
            assert!(slowest(&answered) < 5 * SLACK, "{:?}", slowest(&answered));
            for small in &QUESTIONS[..5] {
                let (answer, took) = ask(*small, &target).await;
                tell(&format!("{small:?}: {took:?}"));
                assert_eq!(answer.status, 200, "{small:?}: {answer:?}");
                assert!(took < SLACK, "{small:?} waits for others' scans: {took:?}");
            }
        }
        load.stop().await.was_all_acknowledged();
        assert!(metric(&target, "dlr_question_failures_total{reason=\"too_many_scans\"}").await > 0);
        the_store_is_well(&target).await;
    }

    async fn a_crowd_of_pages_waits_for_a_second_at_most_and_none_is_refused(backend) {
        let target = with_messages(backend, 5000, &[]).await;
        let load = Load::start(&target.service.url, Pace::STEADY);
        load.acknowledges(50).await;
        for path in ["/messages?limit=60", "/messages?to=09812345670&limit=60", "/messages?limit=1"] {
            for _ in 0..2 {
                let crowd = join_all((0..CROWD).map(|_| ask(("GET", path, ""), &target))).await;
                let failed = crowd.iter().find(|(answer, _)| answer.status != 200);
                assert!(failed.is_none(), "{failed:?}");
            }
            let (answer, took) = ask(("GET", "/messages?limit=1", ""), &target).await;
            assert_eq!(answer.status, 200);
            assert!(took < PROMISED + SLACK, "after a crowd of {path}: {took:?}");
        }
        load.stop().await.was_all_acknowledged();
    }
}

/// A lock on the messages' table makes every scan last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_scan_too_many_is_turned_away_at_once_even_where_who_asked_before_has_gone() {
    let target = with_messages(Backend::Postgres, 10, &[("LIMITS__SCANS_AT_ONCE", "1")]).await;
    let hold = Hold::on(&target.database.url).await;
    let waiting = tokio::time::timeout(Duration::from_millis(300), begin(STATS, &target)).await;
    assert!(waiting.is_err(), "the statistics wait for the lock, and whoever asked hangs up");
    for scan in &QUESTIONS[5..] {
        let (answer, took) = ask(*scan, &target).await;
        assert!(took < SLACK, "{scan:?} is not refused at once: {took:?}");
        assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &"1".parse().unwrap()), "{scan:?}");
        if !scan.1.starts_with("/v2") {
            assert!(is_turned_away(&answer), "{scan:?}: {answer:?}");
        }
    }
    assert_eq!(metric(&target, "dlr_question_failures_total{reason=\"too_many_scans\"}").await, 4);
    hold.release().await;
    let end = Instant::now() + DEADLINE;
    while ask(STATS, &target).await.0.status != 200 {
        assert!(Instant::now() < end, "no scan is let in again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    the_store_is_well(&target).await;
}
