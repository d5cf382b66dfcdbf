//! More callbacks than the service can take, callbacks that the database refuses, and clients that hang
//! up, on both backends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::{task::JoinSet, time::sleep};

use super::{Spool, hold::Hold, in_soak, slowest, tell};
use crate::support::{Answer, Backend, DEADLINE, Database, Load, Pace, TestApp};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

/// An app whose queue is short, and its database's URL.
async fn with_a_short_queue(backend: Backend) -> (Arc<TestApp>, String) {
    let database = Database::create(backend).await;
    let url = database.url.clone();
    (Arc::new(TestApp::on_database(database, &[("INGEST__QUEUE", "8")]).await), url)
}

async fn deliver(app: &TestApp, sid: &str) -> Answer {
    Answer::of(app.callback(&[("SmsSid", sid), ("DetailedStatusCode", "20005")]).await).await
}

/// Waits until `count` is not zero.
async fn happens(count: &AtomicUsize) {
    let end = Instant::now() + DEADLINE;
    while count.load(Ordering::Relaxed) == 0 {
        assert!(Instant::now() < end, "it does not happen");
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_full_queue_is_told_at_once() {
    for backend in BACKENDS {
        let (app, url) = with_a_short_queue(backend).await;
        let hold = Hold::on(&url).await;
        let mut callbacks = JoinSet::new();
        for number in 0..32 {
            let app = Arc::clone(&app);
            callbacks.spawn(async move {
                (Instant::now(), deliver(&app, &format!("s{number}")).await, Instant::now())
            });
        }
        // One batch is in the commit, another one in the queue; nobody else is let wait.
        for _ in 0..16 {
            let (sent, answer, answered) = callbacks.join_next().await.unwrap().unwrap();
            assert_eq!((answer.status, answer.problem()), (503, "overloaded"), "{backend:?}");
            assert_eq!(answer.headers["retry-after"], "1");
            assert!(answered - sent < slowest(), "{backend:?}: {:?}", answered - sent);
        }
        hold.release().await;
        let rest = callbacks.join_all().await;
        let recorded = rest.iter().filter(|(_, answer, _)| answer.status == 200).count();
        assert!(recorded >= 8, "{backend:?}: {recorded}");
    }
}

/// Makes the database refuse the sid `poison`.
async fn poison(url: &str) {
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        let trigger = "CREATE TRIGGER poisoned BEFORE INSERT ON messages WHEN NEW.sid = 'poison' \
                       BEGIN SELECT RAISE(ABORT, 'this sid is poison'); END";
        sqlx::raw_sql(trigger).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let check = "ALTER TABLE messages ADD CONSTRAINT poisoned CHECK (sid <> 'poison')";
        sqlx::raw_sql(check).execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn a_callback_that_the_database_refuses_is_isolated_from_those_beside_it() {
    for backend in BACKENDS {
        let (app, url) = with_a_short_queue(backend).await;
        poison(&url).await;
        let hold = Hold::on(&url).await;
        let (mut callbacks, overloaded) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        for number in 0..32 {
            let (app, overloaded) = (Arc::clone(&app), Arc::clone(&overloaded));
            let sid = if number == 3 { "poison".to_owned() } else { format!("beside-{number}") };
            callbacks.spawn(async move {
                loop {
                    let answer = deliver(&app, &sid).await;
                    if answer.status != 503 {
                        return (sid, answer);
                    }
                    overloaded.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(10)).await;
                }
            });
        }
        // Once the queue is full, the poison waits among others.
        happens(&overloaded).await;
        hold.release().await;
        for (sid, answer) in callbacks.join_all().await {
            if sid == "poison" {
                assert_eq!((answer.status, answer.problem()), (422, "cannot_be_stored"), "{backend:?}");
            } else {
                assert_eq!(
                    (answer.status, &answer.json["status"]),
                    (200, &"recorded".into()),
                    "{backend:?}: {sid}"
                );
                let message = app.message(&sid).await;
                assert_eq!((&message["outcome"], &message["callbacks"]), (&"delivered".into(), &1.into()));
            }
        }
        assert_eq!(app.ask("/messages/poison").await.status, 404);
        let rejected: Value = app.ask("/rejected").await.json;
        let items = rejected["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{backend:?}: {rejected}");
        assert_eq!(items[0]["body"], "SmsSid=poison&DetailedStatusCode=20005");
        let reason = items[0]["reason"].as_str().unwrap();
        assert!(reason.starts_with("the store refuses it: ") && reason.contains("poison"), "{reason}");
    }
}

#[tokio::test]
async fn callbacks_whose_clients_hang_up_while_they_wait_are_stored() {
    for backend in BACKENDS {
        let (app, url) = with_a_short_queue(backend).await;
        let hold = Hold::on(&url).await;
        let (mut callbacks, overloaded) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        for number in 0..32 {
            let (app, overloaded) = (Arc::clone(&app), Arc::clone(&overloaded));
            callbacks.spawn(async move {
                let answer = deliver(&app, &format!("gone-{number}")).await;
                overloaded.fetch_add(usize::from(answer.status == 503), Ordering::Relaxed);
            });
        }
        happens(&overloaded).await;
        callbacks.shutdown().await;
        hold.release().await;
        assert_eq!(deliver(&app, "stayed").await.status, 200, "{backend:?}");
        let mut stored = 0;
        for number in 0..32 {
            let answer = app.ask(&format!("/messages/gone-{number}")).await;
            if answer.status == 200 {
                assert_eq!(
                    (&answer.json["outcome"], &answer.json["callbacks"]),
                    (&"delivered".into(), &1.into())
                );
                stored += 1;
            }
        }
        assert!(stored >= 8, "{backend:?}: {stored} of those that waited in the full queue");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impatient_clients_under_load_lose_and_corrupt_nothing() {
    let (database, spool) = (Database::create(Backend::Postgres).await, Spool::new());
    let service = spool.serve(&database, &[]).await;
    let impatient = Pace { patience: Duration::from_millis(2), ..Pace::FULL };
    let load = Load::start(&service.url, impatient);
    load.is_refused(in_soak(5000, 300)).await;
    load.acknowledges(100).await;
    let traffic = load.stop().await;
    tell(&format!("impatient: {:?}", traffic.answers()));
    traffic.is_stored(&service.url).await;
}
