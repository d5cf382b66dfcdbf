//! Liveness and readiness, and what happens while the store is out of reach.

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::support::{Answer, Backend, Database, TestApp, each_backend};

each_backend! {
    async fn a_service_with_a_store_is_ready(app) {
        assert_eq!(app.ask("/livez").await.json["status"], "alive");
        let ready = app.ask("/readyz").await;
        assert_eq!((ready.status, &ready.json["status"]), (200, &"ready".into()));
    }
}

/// A proxy before Postgres whose connections can be cut.
pub struct Breaker {
    broken: watch::Sender<bool>,
}

impl Breaker {
    /// Puts one before the database.
    pub async fn before(database: &mut Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (head, tail) = database.url.rsplit_once('@').unwrap();
        let (server, name) = tail.split_once('/').unwrap();
        let server = server.to_owned();
        database.url = format!("{head}@{}/{name}", listener.local_addr().unwrap());
        let (broken, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (server, mut cut) = (server.clone(), cut.clone());
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.wait_for(|broken| *broken) => {}
                    }
                });
            }
        });
        Self { broken }
    }

    /// Cuts every connection and refuses new ones, or lets them through again. The test's runtime
    /// has one thread, so yielding lets every connection's task see it.
    pub async fn set(&self, broken: bool) {
        self.broken.send_replace(broken);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn without_store_and_spool_the_service_lives_says_so_and_acknowledges_nothing() {
    let mut database = Database::create(Backend::Postgres).await;
    let breaker = Breaker::before(&mut database).await;
    let app = TestApp::on_database(database, &[("DATABASE__TIMEOUT_MS", "1000")]).await;
    app.record(&[("SmsSid", "s1"), ("Status", "sent")]).await;

    breaker.set(true).await;
    let ready = app.ask("/readyz").await;
    assert_eq!((ready.status, ready.problem()), (503, "store_unavailable"));
    assert_eq!(ready.json["store"], "postgres");
    assert_eq!(app.ask("/livez").await.status, 200, "liveness never depends on the database");
    for fields in [vec![("SmsSid", "s2"), ("Status", "sent")], vec![("SmsSid", "s2")]] {
        let answer = Answer::of(app.callback(&fields).await).await;
        assert_eq!((answer.status, answer.problem()), (503, "store_unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert_eq!(app.ask("/messages/s1").await.status, 503);

    breaker.set(false).await;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while app.ask("/readyz").await.status != 200 {
        assert!(std::time::Instant::now() < end, "it does not come back");
    }
    app.record(&[("SmsSid", "s2"), ("Status", "sent")]).await;
    assert_eq!(app.message("s1").await["callbacks"], 1);
}
