//! Who may call, beyond tokens: signed URLs, networks, and how often one may be refused or ask.

use dlr_receiver::{
    access::Permit,
    http::{Exposure, KeyDigest},
};
use serde_json::json;

use crate::support::{Answer, Backend, Database, NOW_MICROS, Service, Settings, TestApp, config};

const SECRET: &str = "a signing secret";
const SIGNED: (&str, &str) = ("ACCOUNTS__ACME__SIGNING_SECRETS", "the one that signs now,a signing secret");

/// The query string of a URL that is good at the time of tests, and for a minute more.
fn query(to: &str) -> String {
    let exp = (NOW_MICROS / 1_000_000 + 60).to_string();
    let sig = Permit { account: "acme", to, exp: &exp }.sign(&SECRET.into());
    format!("to={}&exp={exp}&sig={sig}", to.replace('+', "%2B"))
}

async fn app(settings: Settings<'_>) -> TestApp {
    TestApp::with(Backend::Sqlite, settings).await
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_signed_url_opens_for_its_recipient_in_any_spelling_and_shape() {
    let app = app(&[SIGNED]).await;
    let path = format!("/callbacks/exotel/acme?campaign_id=c&{}", query("+919812345670"));
    for (sid, to) in
        [("a", "09812345670"), ("b", "919812345670"), ("c", "0XXXXX45670"), ("d", "+919812345670")]
    {
        let form = app.request("POST", &path).form(&[("SmsSid", sid), ("Status", "sent"), ("To", to)]);
        assert_eq!(answer(form).await.status, 200, "{to}");
    }
    let body = json!({"SmsSid": "e", "Status": "sent", "To": "09812345670"});
    assert_eq!(answer(app.request("POST", &path).json(&body)).await.status, 200);
    let get = app.request("GET", &format!("{path}&SmsSid=f&Status=sent&To=09812345670"));
    assert_eq!(answer(get).await.status, 200);
    for sid in ["a", "b", "c", "d", "e", "f"] {
        let message = app.message(sid).await;
        assert_eq!(message["labels"], json!({"campaign_id": "c"}), "what signs is no label");
        assert_eq!(message["anomalies"], json!([]));
    }
    let other =
        app.request("POST", &path).form(&[("SmsSid", "g"), ("Status", "sent"), ("To", "09812345671")]);
    let other = answer(other).await;
    assert_eq!((other.status, other.problem()), (401, "unauthorized"));
    let get = app.request("GET", &format!("{path}&SmsSid=g&Status=sent&To=09812345671"));
    assert_eq!(answer(get).await.status, 401);
    assert_eq!(app.ask("/messages/g").await.status, 404);
    assert_eq!(app.ask("/rejected").await.json["items"], json!([]), "nothing of it is kept");
}

#[tokio::test]
async fn a_signed_url_is_over_at_its_time() {
    let app = app(&[SIGNED]).await;
    let path = format!("/callbacks/exotel/acme?{}", query("09812345670"));
    let call =
        || app.request("POST", &path).form(&[("SmsSid", "s"), ("Status", "sent"), ("To", "9812345670")]);
    let at =
        |second: i64| app.clock.store(NOW_MICROS + second * 1_000_000, std::sync::atomic::Ordering::Relaxed);
    for (second, status) in [(0, 200), (60, 200), (61, 401), (100_000, 401)] {
        at(second);
        assert_eq!(answer(call()).await.status, status, "{second}");
    }
    assert_eq!(app.message("s").await["callbacks"], 2);
}

#[tokio::test]
async fn what_a_signed_url_brings_is_refused_and_kept_without_its_signature() {
    let app = app(&[SIGNED]).await;
    let path = format!("/callbacks/exotel/acme?{}", query("09812345670"));
    let post = app.request("POST", &path).form(&[("CallSid", "voice"), ("To", "09812345670")]);
    assert_eq!(answer(post).await.status, 422);
    assert_eq!(answer(app.request("GET", &format!("{path}&Status=sent&To=09812345670"))).await.status, 422);
    let kept = app.ask("/rejected").await.json;
    assert_eq!(kept["items"].as_array().unwrap().len(), 2);
    assert!(!kept.to_string().contains("sig"), "{kept}");
}

#[tokio::test]
async fn a_token_opens_beside_a_signature_and_neither_is_nothing() {
    let app =
        app(&[SIGNED, ("ACCOUNTS__ACME__CALLBACK_TOKENS", "t0ken"), ("ACCOUNTS__OPEN__COUNTRY", "IN")]).await;
    let fields = [("SmsSid", "s"), ("Status", "sent"), ("To", "09812345670")];
    let other = query("+919812345671");
    for (path, status) in [
        ("acme/t0ken".to_owned(), 200),
        (format!("acme?token=t0ken&{other}"), 200),
        (format!("acme?{}", query("+919812345670")), 200),
        (format!("acme?{other}"), 401),
        ("acme".to_owned(), 401),
        ("acme?sig=".to_owned(), 401),
        ("open".to_owned(), 200),
        (format!("open?{other}"), 200),
    ] {
        let answer = answer(app.request("POST", &format!("/callbacks/exotel/{path}")).form(&fields)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.json);
    }
}

#[tokio::test]
async fn a_token_is_read_from_a_query_string_as_everything_else_there() {
    let app = app(&[("ACCOUNTS__ACME__CALLBACK_TOKENS", "a b,c+d")]).await;
    let fields = [("SmsSid", "s"), ("Status", "sent")];
    for (token, status) in [
        ("a+b", 200),
        ("a%20b", 200),
        ("c%2Bd", 200),
        ("c+d", 200),
        ("a%2Bb", 401),
        ("c%20d", 401),
        ("ab", 401),
    ] {
        let path = format!("/callbacks/exotel/acme?token={token}&team=a+b");
        assert_eq!(answer(app.request("POST", &path).form(&fields)).await.status, status, "{token}");
    }
    assert_eq!(app.message("s").await["labels"], serde_json::json!({"team": "a b"}));
}

async fn reporting(settings: Settings<'_>, calls: &[(&str, u16)]) -> String {
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, settings).await;
    for (path, status) in calls {
        let request = reqwest::Client::new().post(format!("{}/callbacks/exotel/{path}", service.url));
        let answer =
            answer(request.form(&[("SmsSid", "s"), ("Status", "sent"), ("To", "09812345670")])).await;
        assert_eq!(answer.status, *status, "{path}: {}", answer.json);
    }
    let log = service.log_text();
    for secret in ["t0ken", "9812345670", SECRET] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let reports = log.lines().filter(|line| line.contains("only reported"));
    reports.map(|line| line.split_once("only reported").unwrap().1.to_owned() + "\n").collect()
}

#[tokio::test]
async fn a_network_can_be_tried_before_it_is_enforced() {
    let settings = [
        ("ACCOUNTS__ACME__CALLBACK_TOKENS", "t0ken"),
        ("ACCOUNTS__ACME__ALLOW_FROM", "203.0.113.0/24"),
        ("ACCOUNTS__ACME__REPORT_ONLY", "true"),
    ];
    let calls = [("acme/t0ken", 200), ("acme/t0ken", 200), ("acme/wrong", 401), ("acme", 401)];
    let reports = reporting(&settings, &calls).await;
    assert_eq!(reports.lines().count(), 1, "one an hour: {reports}");
    for word in ["allow_from", "127.0.0.1", "acme"] {
        assert!(reports.contains(word), "{word}: {reports}");
    }
}

#[tokio::test]
async fn signatures_can_be_tried_before_they_are_enforced_but_open_nothing_that_a_token_closes() {
    let now = dlr_receiver::domain::Clock::System.now().timestamp();
    let signed = |to: &str, exp: i64| {
        let exp = exp.to_string();
        let sig = Permit { account: "acme", to, exp: &exp }.sign(&SECRET.into());
        format!("acme?to={to}&exp={exp}&sig={sig}")
    };
    let (other, expired) = (signed("09812345671", now + 600), signed("09812345670", now - 600));
    let trying = [SIGNED, ("ACCOUNTS__ACME__REPORT_ONLY", "true")];
    let calls = [("acme", 200), ("acme?to=x&exp=1&sig=00", 200), (&*other, 200), (&*expired, 200)];
    let reports = reporting(&trying, &calls).await;
    for reason in ["unsigned", "forged", "other_recipient", "expired"] {
        assert_eq!(reports.matches(reason).count(), 1, "{reason}: {reports}");
    }
    let guarded = [&trying[..], &[("ACCOUNTS__ACME__CALLBACK_TOKENS", "t0ken")]].concat();
    let calls = [
        ("acme", 401),
        ("acme?to=x&exp=1&sig=00", 401),
        (&*other, 200),
        (&*expired, 200),
        ("acme/t0ken?sig=00", 200),
    ];
    let reports = reporting(&guarded, &calls).await;
    assert_eq!(reports.lines().count(), 2, "{reports}");
}

fn keys() -> String {
    let key = |name: &str| {
        let digest = KeyDigest::of(&format!("dlr_{name}"));
        format!("{{name = \"{name}\", sha256 = \"{digest}\", scopes = [\"read\"]}}")
    };
    format!("[{}, {}]", key("one"), key("two"))
}

/// The status of a question with a key, of an address.
async fn asked(app: &TestApp, key: &str, address: &str) -> u16 {
    let question = app.request("GET", "/status-codes").bearer_auth(key);
    let answer = answer(question.header("x-forwarded-for", address)).await;
    if answer.status == 429 {
        assert_eq!(answer.problem(), "too_many_requests");
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    answer.status
}

#[tokio::test]
async fn each_key_may_ask_as_often_as_it_may() {
    let app = app(&[("AUTH__KEYS", &keys()), ("LIMITS__QUESTIONS_PER_MINUTE_PER_KEY", "3")]).await;
    for expected in [200, 200, 200, 429, 429] {
        assert_eq!(asked(&app, "dlr_one", "203.0.113.1").await, expected);
    }
    assert_eq!(asked(&app, "dlr_two", "203.0.113.1").await, 200);
    assert_eq!(asked(&app, "dlr_nobody", "203.0.113.1").await, 401);
}

#[tokio::test]
async fn each_address_may_ask_and_be_refused_as_often_as_it_may() {
    let limits = [
        ("LIMITS__QUESTIONS_PER_MINUTE_PER_ADDRESS", "5"),
        ("LIMITS__REFUSALS_PER_MINUTE_PER_ADDRESS", "2"),
        ("HTTP__TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let keys = keys();
    let app = app(&[&limits[..], &[("AUTH__KEYS", &keys)]].concat()).await;
    for expected in [200, 200, 200, 200, 200, 429] {
        assert_eq!(asked(&app, "dlr_one", "203.0.113.1").await, expected);
    }
    assert_eq!(asked(&app, "dlr_one", "203.0.113.2").await, 200, "others are counted for themselves");
    for expected in [401, 401, 429] {
        assert_eq!(asked(&app, "dlr_wrong", "203.0.113.3").await, expected);
    }
    assert_eq!(asked(&app, "dlr_one", "203.0.113.3").await, 200, "a good key is not refused");
    for (address, expected) in [("2001:db8::1", 401), ("2001:db8::2", 401), ("2001:db8::3", 429)] {
        assert_eq!(asked(&app, "dlr_wrong", address).await, expected, "one network of IPv6 is one caller");
    }
    for path in ["/livez", "/readyz"] {
        for _ in 0..8 {
            assert_eq!(answer(app.request("GET", path)).await.status, 200, "{path} is never limited");
        }
    }
}

#[tokio::test]
async fn who_asks_in_exotels_way_is_limited_in_exotels_shape() {
    let settings = [
        ("ACCOUNTS__ACME__READ_KEY", "key1"),
        ("ACCOUNTS__ACME__READ_TOKEN", "token1"),
        ("LIMITS__REFUSALS_PER_MINUTE_PER_ADDRESS", "3"),
    ];
    let app = app(&settings).await;
    let ask = |key: Option<&str>| {
        let request = app.request("GET", "/v1/Accounts/acme/SMS/Messages/s1.json");
        let request = if let Some(key) = key { request.basic_auth(key, Some("token1")) } else { request };
        answer(request)
    };
    let mut statuses = Vec::new();
    for key in [Some("wrong"), None, Some("m-alformed"), Some("wrong"), None] {
        statuses.push(ask(key).await.status);
    }
    assert_eq!(statuses, [401, 401, 400, 429, 429]);
    let limited = ask(Some("wrong")).await;
    assert_eq!(limited.json["RestException"]["Code"], 40403);
    assert!(limited.headers.contains_key("retry-after"));
    assert_eq!(ask(Some("key1")).await.status, 200, "good credentials are not refused");
}

#[tokio::test]
async fn a_secret_that_signs_is_a_guard_beyond_loopback_unless_it_only_reports() {
    let database = Database::create(Backend::Sqlite).await;
    let exposed = |settings: Settings| {
        let beyond = [("HTTP__BIND", "0.0.0.0:80"), ("HTTP__INTERNAL_BIND", "127.0.0.1:81")];
        let config = config(&database, &[&beyond, settings].concat());
        assert_eq!(config.http.exposure(), Exposure { callbacks: true, questions: false });
        config.check_exposure().map_err(|error| error.to_string())
    };
    assert_eq!(exposed(&[SIGNED]), Ok(()));
    let open = exposed(&[SIGNED, ("ACCOUNTS__ACME__REPORT_ONLY", "true")]).unwrap_err();
    assert!(open.contains("set accounts.acme.callback_tokens"), "{open}");
    assert!(exposed(&[("ACCOUNTS__ACME__ALLOW_FROM", "10.0.0.0/8")]).is_err(), "addresses are no secrets");
}
