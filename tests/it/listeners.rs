//! One listener or two, and what each of them answers.

use crate::support::{Answer, Backend, TestApp};

#[tokio::test]
async fn a_public_listener_answers_callbacks_and_liveness_only() {
    let app = TestApp::with(Backend::Sqlite, &[("HTTP__INTERNAL_BIND", "127.0.0.1:0")]).await;
    assert_ne!(app.url, app.internal_url);
    app.record(&[("SmsSid", "s1"), ("Status", "sent")]).await;
    assert_eq!(app.message("s1").await["outcome"], "delivered");
    for path in
        ["/messages/s1", "/messages/s1/callbacks", "/status-codes", "/rejected", "/readyz", "/metrics"]
    {
        let public = Answer::of(app.request("GET", path).send().await.unwrap()).await;
        assert_eq!(public.problem(), "unknown_route", "{path}");
        assert_eq!(app.ask(path).await.status, 200, "{path}");
    }
    assert_eq!(app.request("GET", "/livez").send().await.unwrap().status(), 200);
    assert_eq!(app.ask("/livez").await.status, 200);
    let inside = app.ask("/callbacks/exotel/default?SmsSid=s2&Status=sent").await;
    assert_eq!(inside.problem(), "unknown_route", "callbacks come in at the public listener only");
}
