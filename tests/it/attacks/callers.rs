//! Callers who are not who they say: forged tokens, addresses and signatures, and replays.

use std::time::{Duration, Instant};

use dlr_receiver::access::Permit;
use reqwest::{Client, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{TO, still_well};
use crate::support::{Answer, Backend, DEADLINE, Database, Service, Settings};

const TOKEN: &str = "t0k-3cr3t-f1rst";
const SECRET: &str = "s1gn1ng-3cr3t-0f-acme";
const TOKENS: (&str, &str) = ("ACCOUNTS__ACME__CALLBACK_TOKENS", TOKEN);
const SIGNED: (&str, &str) = ("ACCOUNTS__ACME__SIGNING_SECRETS", SECRET);

/// The service, and its database, whose folder goes with it.
async fn service(settings: Settings<'_>) -> (Service, Database) {
    let database = Database::create(Backend::Sqlite).await;
    (Service::start(&database, &[&[TOKENS], settings].concat()).await, database)
}

fn callback(service: &Service, path: &str, sid: &str) -> RequestBuilder {
    let fields = [("SmsSid", sid), ("Status", "sent"), ("To", "09812345670")];
    Client::new().post(format!("{}/callbacks/exotel/{path}", service.url)).form(&fields)
}

async fn answer(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

async fn status(request: RequestBuilder) -> u16 {
    answer(request).await.status
}

async fn message(service: &Service, sid: &str) -> Answer {
    answer(Client::new().get(format!("{}/messages/{sid}", service.url))).await
}

#[tokio::test]
async fn a_forged_token_opens_nothing() {
    let (service, _database) = service(&[("ACCOUNTS__OTHER__CALLBACK_TOKENS", "0th3r-3cr3t")]).await;
    for path in [
        "acme/t0k-3cr3t-f1rs",
        "acme/t0k-3cr3t-f1rst0",
        "acme/T0K-3CR3T-F1RST",
        "acme/t0k-3cr3t-f1rst%00",
        "acme/0th3r-3cr3t",
        "acme?token=0th3r-3cr3t",
        "acme?token=t0k-3cr3t-f1rst%20",
        "acme?token[]=t0k-3cr3t-f1rst",
        "acme?tok%65n=t0k-3cr3t-f1rst",
        "acme?exp=9999999999&sig=00",
    ] {
        let answer = answer(callback(&service, path, "forged")).await;
        assert_eq!((answer.status, answer.problem()), (401, "unauthorized"), "{path}");
    }
    for password in ["", "0th3r-3cr3t", "t0k-3cr3t-f1rst:"] {
        let request = callback(&service, "acme", "forged").basic_auth(TOKEN, Some(password));
        assert_eq!(status(request).await, 401, "{password}");
    }
    let key = callback(&service, "acme", "forged").bearer_auth(TOKEN);
    assert_eq!(status(key).await, 401, "a token is no API key");
    let body = Client::new().post(format!("{}/callbacks/exotel/acme", service.url));
    let body = body.form(&[("SmsSid", "forged"), ("Status", "sent"), ("token", TOKEN)]);
    assert_eq!(status(body).await, 401, "a body opens nothing");
    assert_eq!(message(&service, "forged").await.status, 404);
    still_well(&service, TOKEN).await;
}

/// How long each of `kinds` takes in the middle, asked in turn, so that what else the machine does slows all.
async fn medians<const N: usize>(client: &Client, urls: &[String; N]) -> [Duration; N] {
    const ROUNDS: usize = 300;
    let mut times = [(); N].map(|()| Vec::with_capacity(ROUNDS));
    for round in 0..ROUNDS + 20 {
        for (url, times) in urls.iter().zip(&mut times) {
            let begun = Instant::now();
            let refused = client.post(url).body("SmsSid=t&Status=sent").send().await.unwrap();
            assert!([401, 404].contains(&refused.status().as_u16()));
            refused.bytes().await.unwrap();
            if round >= 20 {
                times.push(begun.elapsed());
            }
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    })
}

#[tokio::test]
async fn a_near_miss_takes_as_long_as_a_wild_guess_or_no_account() {
    let (service, _database) = service(&[("LIMITS__REFUSALS_PER_MINUTE_PER_ADDRESS", "0"), SIGNED]).await;
    let urls = ["acme/t0k-3cr3t-f1rsT", "acme/X0k-3cr3t-f1rst", "nobody/t0k-3cr3t-f1rst"]
        .map(|path| format!("{}/callbacks/exotel/{path}", service.url));
    let client = Client::new();
    let mut tries = Vec::new();
    for _ in 0..4 {
        let medians = medians(&client, &urls).await;
        let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
        if *most < *least * 13 / 10 {
            return still_well(&service, TOKEN).await;
        }
        tries.push(medians);
    }
    panic!("one of near miss, wild guess and no account is told by its time: {tries:?}");
}

/// Asks with these lines of `X-Forwarded-For`.
async fn forwarded(service: &Service, lines: &[&str]) -> u16 {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("x-forwarded-for", line.parse().unwrap());
    }
    let path = format!("acme/{TOKEN}");
    status(callback(service, &path, "forwarded").headers(headers)).await
}

#[tokio::test]
async fn a_spoofed_address_changes_nothing_where_no_proxy_is_trusted() {
    let (elsewhere, _database) = service(&[("ACCOUNTS__ACME__ALLOW_FROM", "203.0.113.0/24")]).await;
    let (here, _other) = service(&[("ACCOUNTS__ACME__ALLOW_FROM", "127.0.0.1")]).await;
    for lines in [&[][..], &["203.0.113.9"], &["203.0.113.9", "203.0.113.9"], &["127.0.0.1, 203.0.113.9"]] {
        assert_eq!(forwarded(&elsewhere, lines).await, 401, "{lines:?}");
        assert_eq!(forwarded(&here, lines).await, 200, "{lines:?}");
    }
    let refused = answer(callback(&elsewhere, &format!("acme/{TOKEN}"), "x")).await;
    assert_eq!(refused.problem(), "address_not_allowed");
    assert_eq!(message(&elsewhere, "forwarded").await.status, 404);
    still_well(&here, TOKEN).await;
}

#[tokio::test]
async fn a_spoofed_address_changes_nothing_behind_a_trusted_proxy() {
    let allowed = "203.0.113.0/24,127.0.0.1";
    let settings =
        [("HTTP__TRUSTED_PROXIES", "127.0.0.0/8,10.0.0.0/8"), ("ACCOUNTS__ACME__ALLOW_FROM", allowed)];
    let (service, _database) = service(&settings).await;
    for (lines, expected) in [
        (&["203.0.113.9"][..], 200),
        (&["198.51.100.1, 203.0.113.9"], 200),
        (&["198.51.100.1", "203.0.113.9, 10.0.0.7", "10.1.2.3"], 200),
        (&["::ffff:203.0.113.9"], 200),
        (&["203.0.113.9:4711, 10.0.0.7:80"], 200),
        (&["198.51.100.1"], 401),
        (&["203.0.113.9, 198.51.100.1"], 401),
        (&["203.0.113.9", "198.51.100.1"], 401),
        (&["203.0.113.9", "198.51.100.1", "10.0.0.7"], 401),
        (&["203.0.113.9, 203.0.113.9, 198.51.100.1, 10.0.0.7"], 401),
        (&["203.0.113.9, unknown"], 401),
        (&["203.0.113.9, "], 401),
        (&["203.0.113.9", "nonsense, 10.0.0.7"], 401),
        (&["203.0.113.9;198.51.100.1"], 401),
        (&["203.0.113.9 198.51.100.1"], 401),
        (&["203.0.113.0/24"], 401),
        (&["\t203.0.113.9\t"], 200),
    ] {
        assert_eq!(forwarded(&service, lines).await, expected, "{lines:?}");
    }
    for name in ["forwarded", "x-real-ip", "true-client-ip", "x-forwarded"] {
        let path = format!("acme/{TOKEN}");
        let request = callback(&service, &path, "x").header("x-forwarded-for", "198.51.100.1");
        assert_eq!(status(request.header(name, "for=203.0.113.9")).await, 401, "{name} is not read");
    }
    still_well(&service, TOKEN).await;
}

/// Without what the log alone says.
fn outcome(mut message: Value) -> Value {
    for key in ["callbacks", "first_received_at", "last_received_at"] {
        assert!(!message[key].take().is_null(), "{message}");
    }
    message
}

#[tokio::test]
async fn a_replayed_callback_changes_no_outcome() {
    let (service, _database) = service(&[SIGNED]).await;
    for (sid, path) in [("replayed", format!("acme/{TOKEN}")), ("signed", signed("acme", TO, 3600))] {
        assert_eq!(status(callback(&service, &path, sid)).await, 200);
        let before = message(&service, sid).await.json;
        assert_eq!(before["callbacks"], 1);
        for _ in 0..3 {
            assert_eq!(status(callback(&service, &path, sid)).await, 200);
        }
        let after = message(&service, sid).await.json;
        assert_eq!(after["callbacks"], 4);
        assert_eq!(outcome(after), outcome(before));
    }
    still_well(&service, TOKEN).await;
}

/// The path of a URL that is good for so many seconds, or was.
fn signed(account: &str, to: &str, seconds: i64) -> String {
    let exp = (dlr_receiver::domain::Clock::System.now().timestamp() + seconds).to_string();
    let sig = Permit { account, to, exp: &exp }.sign(&SECRET.into());
    format!("{account}?to={}&exp={exp}&sig={sig}", to.replace('+', "%2B"))
}

#[tokio::test]
async fn an_expired_altered_or_retargeted_signature_opens_nothing() {
    let (service, _database) =
        service(&[SIGNED, ("ACCOUNTS__OTHER__SIGNING_SECRETS", "0th3r-3cr3t-0f-another")]).await;
    let good = signed("acme", TO, 3600);
    assert_eq!(status(callback(&service, &good, "good")).await, 200);
    assert_eq!(status(callback(&service, &good.replacen("acme", "ACME", 1), "good")).await, 200);
    let last = good.chars().last().unwrap();
    let exp = good.split("exp=").nth(1).unwrap().split('&').next().unwrap();
    let later = (exp.parse::<i64>().unwrap() + 1).to_string();
    for (what, path) in [
        ("expired", signed("acme", TO, -2)),
        ("for another number", signed("acme", "+919812345671", 3600)),
        ("given to another number", good.replace("12345670", "12345671")),
        ("prolonged", good.replace(exp, &later)),
        ("of another account", good.replacen("acme", "other", 1)),
        ("altered", format!("{}{}", &good[..good.len() - 1], if last == '0' { '1' } else { '0' })),
        ("cut off", good[..good.len() - 2].to_owned()),
        ("none", good.split("&sig").next().unwrap().to_owned()),
        ("empty", format!("{}&sig=", good.split("&sig").next().unwrap())),
        ("with a second number", format!("{good}&to=%2B919812345671")),
        ("with a second end", format!("{good}&exp=9999999999")),
        ("with another case", good.replace("sig=", "SIG=")),
    ] {
        let answer = answer(callback(&service, &path, "forged")).await;
        assert_eq!((answer.status, answer.problem()), (401, "unauthorized"), "{what}");
    }
    for to in ["09812345671", "", "XXXXXXXXXX", "XXXXXXXXX1"] {
        let request = Client::new().post(format!("{}/callbacks/exotel/{good}", service.url));
        let request = request.form(&[("SmsSid", "forged"), ("Status", "sent"), ("To", to)]);
        assert_eq!(status(request).await, 401, "about {to:?}");
    }
    assert_eq!(message(&service, "forged").await.status, 404);
    let good = message(&service, "good").await.json;
    assert_eq!((&good["callbacks"], &good["labels"]), (&2.into(), &serde_json::json!({})));
    still_well(&service, TOKEN).await;
}

/// What a request without its body is answered, as it comes over the wire.
async fn answer_to_head(service: &Service, path: &str, headers: &str) -> String {
    let address = service.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /callbacks/exotel/{path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let complete = async {
        while !String::from_utf8_lossy(&answer).contains("\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "it hung up");
        }
    };
    timeout(DEADLINE, complete).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn without_a_token_no_body_is_waited_for() {
    let (service, _database) = service(&[]).await;
    for path in ["acme", "acme/", "acme?token=", "acme/wr0ng-3cr3t", "nobody"] {
        for headers in [
            "Content-Length: 60000\r\n",
            "Content-Length: 99999999999\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 60000\r\nExpect: 100-continue\r\n",
        ] {
            let begun = Instant::now();
            let answer = answer_to_head(&service, path, headers).await;
            let status = if path == "nobody" { "404 " } else { "401 " };
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path} {headers}: {answer}");
            // The body would be waited for five seconds, at the least.
            assert!(begun.elapsed() < Duration::from_secs(4), "{path} {headers}: {:?}", begun.elapsed());
        }
    }
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn while_the_database_is_away_refusals_are_as_quick() {
    let away = Database::at("postgres://dlr@127.0.0.1:1/dlr");
    let service = Service::start(&away, &[TOKENS, SIGNED]).await;
    let begun = Instant::now();
    for (path, expected) in
        [("acme/wr0ng-3cr3t", 401), ("acme", 401), ("nobody", 404), (&*signed("acme", TO, -2), 401)]
    {
        assert_eq!(status(callback(&service, path, "forged")).await, expected, "{path}");
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "the database was asked: {:?}", begun.elapsed());
    let kept = answer(callback(&service, &signed("acme", TO, 60), "spooled")).await;
    assert_eq!((kept.status, &kept.json["status"]), (200, &"spooled".into()));
    still_well(&service, TOKEN).await;
}

#[tokio::test]
async fn who_tries_many_tokens_is_told_to_wait_and_keeps_nobody_else_out() {
    let settings =
        [("LIMITS__REFUSALS_PER_MINUTE_PER_ADDRESS", "20"), ("HTTP__TRUSTED_PROXIES", "127.0.0.1"), SIGNED];
    let (service, _database) = service(&settings).await;
    let from =
        |path: &str, address: &str| callback(&service, path, "forced").header("x-forwarded-for", address);
    let mut statuses = Vec::new();
    for guess in 0..40 {
        let path =
            if guess % 2 == 0 { format!("acme/gu3ss-3cr3t-{guess}") } else { format!("gu3ss-3cr3t-{guess}") };
        let answer = answer(from(&path, &format!("192.0.2.{guess}, 203.0.113.9"))).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.problem(), "too_many_requests");
            let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
        }
    }
    assert_eq!(statuses[..20], [401, 404].repeat(10), "the first ones are told what is wrong");
    let limited = statuses[20..].iter().filter(|&&status| status == 429).count();
    // A few are forgiven meanwhile, one in three seconds.
    assert!(limited >= 10, "{statuses:?}");
    let own = status(from(&format!("acme/{TOKEN}"), "203.0.113.9")).await;
    let signed = status(from(&signed("acme", TO, 60), "203.0.113.9")).await;
    assert_eq!((own, signed), (200, 200), "a good callback of that address is taken all the same");
    assert_eq!(
        status(from("acme/wr0ng-3cr3t", "203.0.113.10")).await,
        401,
        "others are counted for themselves"
    );
    still_well(&service, TOKEN).await;
}
