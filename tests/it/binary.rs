//! The binary's commands, as an operator meets them.

use std::path::Path;

use crate::support::{Backend, Database, Service, binary};

/// What a command printed: its standard output, or its complaint.
fn run(folder: &Path, (arguments, variables): (&[&str], &[(&str, &str)])) -> Result<String, String> {
    let output = binary(folder).args(arguments).envs(variables.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn callback_url_prints_the_url_to_give_to_exotel() {
    let folder = folder();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| run(folder.path(), (arguments, variables));
    let url = run(&["callback-url"], &[]).unwrap();
    assert_eq!(url, "http://127.0.0.1:8080/callbacks/exotel/default\n");
    let two = [
        ("DLR__ACCOUNTS__ACME__CALLBACK_TOKENS", "n/w,old"),
        ("DLR__ACCOUNTS__B__CALLBACK_TOKENS", "b"),
        ("DLR__HTTP__PUBLIC_URL", "https://dlr.example.com/"),
    ];
    let labelled = ["callback-url", "--account", "acme", "--label", "campaign_id=diwali & co"];
    let url = run(&labelled, &two).unwrap();
    assert_eq!(url, "https://dlr.example.com/callbacks/exotel/acme/n%2Fw?campaign_id=diwali%20%26%20co\n");
    assert!(run(&["callback-url"], &two).unwrap_err().contains("say which account with --account: acme, b"));
    let nobody = run(&["callback-url", "--account", "nobody"], &two).unwrap_err();
    assert!(nobody.contains("there is no account `nobody`; configured: acme, b"), "{nobody}");
    assert!(run(&["callback-url", "--label", "token=x"], &[]).unwrap_err().contains("the service's own"));
}

#[test]
fn check_config_prints_what_is_in_force_without_secrets() {
    let folder = folder();
    let variables = [
        ("DATABASE_URL", "postgres://dlr:pa55word@db.example.com/dlr"),
        ("DLR__ACCOUNTS__ACME__CALLBACK_TOKENS", "t0ken"),
        ("DLR__HTTP__BIND", "127.0.0.1:9999"),
    ];
    let printed = run(folder.path(), (&["check-config"], &variables)).unwrap();
    assert!(printed.contains("bind = \"127.0.0.1:9999\""), "{printed}");
    assert!(printed.contains("postgres://dlr:redacted@db.example.com/dlr"), "{printed}");
    assert!(printed.contains("callback_tokens = [\"[redacted]\"]"), "{printed}");
    assert!(!printed.contains("pa55word") && !printed.contains("t0ken"), "{printed}");
}

/// Every key that is a URL, with a secret in each place that a URL has for one.
#[test]
fn no_url_shows_its_secrets() {
    let folder = folder();
    for (variable, value) in [
        ("DLR__HTTP__PUBLIC_URL", "https://exotel:s3cr3t@dlr.example.com"),
        ("DLR__HTTP__PUBLIC_URL", "https://s3cr3t@dlr.example.com/behind"),
        ("DLR__DATABASE__URL", "postgres://dlr:s3cr3t@db.example.com/dlr?password=s3cr3t"),
        ("DATABASE_URL", "postgres://dlr@db.example.com/dlr?pass%77ord=s3cr3t&sslmode=require"),
        ("DATABASE_URL", "postgres://db.example.com/dlr?sslpassword=s3cr3t"),
        ("DATABASE_URL", "postgres://db.example.com/dlr?sslkey=s3cr3t"),
        ("DATABASE_URL", "postgres:dlr:s3cr3t@db.example.com/dlr"),
    ] {
        let printed = run(folder.path(), (&["check-config"], &[(variable, value)])).unwrap();
        assert!(printed.contains("redacted") && !printed.contains("s3cr3t"), "{value}: {printed}");
    }
    // What cannot be used is not repeated either.
    for (variable, value) in [
        ("DLR__HTTP__PUBLIC_URL", "ftp://exotel:s3cr3t@dlr.example.com"),
        ("DLR__HTTP__PUBLIC_URL", "exotel:s3cr3t@dlr.example.com"),
        ("DLR__HTTP__PUBLIC_URL", "https://dlr.example.com/?token=s3cr3t"),
        ("DLR__TRACING__OTLP_ENDPOINT", "https://u:s3cr3t@collector:4318"),
        ("DLR__TRACING__OTLP_ENDPOINT", "https://s3cr3t@collector:4318"),
        ("DLR__TRACING__OTLP_ENDPOINT", "https://collector:4318/?api_key=s3cr3t"),
        ("DATABASE_URL", "mysql://dlr:s3cr3t@db.example.com/dlr"),
        ("DATABASE_URL", "postgres://dlr:s3cr3t@db.example.com:99999/dlr"),
        ("DATABASE_URL", "postgres://dlr:s3cr3t/@db.example.com/dlr"),
        ("DLR__DATABASE", "postgres://dlr:s3cr3t@db.example.com/dlr"),
        ("DLR__HTTP", "https://exotel:s3cr3t@dlr.example.com"),
        ("DLR__DATABASE__URL__X", "postgres://dlr:s3cr3t@db.example.com/dlr"),
    ] {
        let complaint = run(folder.path(), (&["check-config"], &[(variable, value)])).unwrap_err();
        assert!(!complaint.contains("s3cr3t"), "{variable}={value}: {complaint}");
    }
    // The URL that Exotel is given has to work.
    let url = [("DLR__HTTP__PUBLIC_URL", "https://exotel:s3cr3t@dlr.example.com/")];
    let printed = run(folder.path(), (&["callback-url"], &url)).unwrap();
    assert_eq!(printed, "https://exotel:s3cr3t@dlr.example.com/callbacks/exotel/default\n");
}

#[tokio::test]
async fn a_run_shows_no_secret_of_a_url() {
    let database = Database::create(Backend::Postgres).await;
    let mark = if database.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}sslpassword=s3cr3t&application_name=x", database.url);
    let database = Database::at(&url);
    let settings = [
        ("HTTP__PUBLIC_URL", "https://exotel:s3cr3t@dlr.example.com"),
        ("LOG__FILTER", "trace,sqlx=trace,sqlx_core=trace,sqlx_postgres=trace,hyper=trace"),
        ("SPOOL__PATH", ""),
    ];
    let mut service = Service::start(&database, &settings).await;
    assert_eq!(reqwest::get(format!("{}/readyz", service.url)).await.unwrap().status(), 200);
    service.signal("TERM");
    assert!(service.ended().await.success());
    let told = [service.out_text(), service.log_text()];
    assert!(told[0].contains("https://redacted:redacted@dlr.example.com/callbacks"), "{}", told[0]);
    assert!(told[1].contains("sslpassword"), "that it is ignored is told: {}", told[1]);
    for text in told {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn a_configuration_that_cannot_be_used_says_what_to_set() {
    let folder = folder();
    let complaint = |arguments: &[&str], variables: &[(&str, &str)]| {
        run(folder.path(), (arguments, variables)).unwrap_err()
    };
    let unknown = complaint(&["check-config"], &[("DLR__DATABASE__ULR", "x")]);
    assert!(
        unknown.contains("unknown key `database.ulr` (DLR__DATABASE__ULR); did you mean `database.url`?"),
        "{unknown}"
    );
    for arguments in [&["serve"][..], &[], &["check-config"]] {
        let open = complaint(arguments, &[("DLR__HTTP__BIND", "0.0.0.0:0")]);
        for hint in ["DLR__ACCOUNTS__DEFAULT__CALLBACK_TOKENS", "auth.keys", "DLR__AUTH__ALLOW_INSECURE=true"]
        {
            assert!(open.contains(hint), "{open}");
        }
    }
    let no_profile = complaint(&["--profile", "staging", "serve"], &[]);
    assert!(no_profile.contains("there is no profile `staging`"), "{no_profile}");
    let no_database = complaint(
        &["serve"],
        &[
            ("DATABASE_URL", "postgres://127.0.0.1:1/dlr"),
            ("DLR__DATABASE__TIMEOUT_MS", "500"),
            ("DLR__SPOOL__PATH", ""),
        ],
    );
    assert!(no_database.contains("look at database.url (DATABASE_URL)"), "{no_database}");
    assert_eq!(no_database.matches("Connection refused").count(), 1, "the cause, and once: {no_database}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let in_use = complaint(&["serve"], &[("DLR__HTTP__BIND", &address)]);
    assert!(in_use.contains(&format!("cannot listen on {address}; look at http.bind")), "{in_use}");
}

#[test]
fn files_profiles_and_variables_are_laid_over_each_other() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    std::fs::write(
        folder.path().join("config/staging.toml"),
        "[log]\nformat = \"json\"\nfilter = \"warn\"\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("own.toml"),
        "[log]\nfilter = \"debug\"\n[database]\nmax_connections = 2\n",
    )
    .unwrap();
    let arguments = ["check-config", "--profile", "staging", "--config", "own.toml"];
    let printed = run(folder.path(), (&arguments, &[("DLR__DATABASE__MAX_CONNECTIONS", "5")])).unwrap();
    for line in ["format = \"json\"", "filter = \"debug\"", "max_connections = 5"] {
        assert!(printed.contains(line), "{line} is not in {printed}");
    }
    assert!(
        run(folder.path(), (&["check-config", "--config", "missing.toml"], &[]))
            .unwrap_err()
            .contains("missing.toml")
    );
}

#[tokio::test]
async fn migrate_brings_the_schema_up_to_date_and_serve_can_leave_it_alone() {
    use dlr_receiver::storage::Store;
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (folder, database) = (folder(), Database::create(backend).await);
        let variables = [("DATABASE_URL", database.url.as_str())];
        for _ in 0..2 {
            let printed = run(folder.path(), (&["migrate"], &variables)).unwrap();
            assert!(printed.contains("database is up to date"), "{printed}");
        }
        let store = Store::open(&crate::support::config(&database, &[]).database).unwrap();
        assert!(store.messages("nobody").await.unwrap().is_empty());
    }
    let empty = Database::create(Backend::Sqlite).await;
    let app = crate::support::TestApp::on_database(empty, &[("DATABASE__MIGRATE", "false")]).await;
    assert_eq!(app.ask("/readyz").await.status, 503, "it did not migrate");
}

#[tokio::test]
async fn the_healthcheck_asks_the_running_service() {
    use crate::support::Service;
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, &[]).await;
    let address = service.url.strip_prefix("http://").unwrap().to_owned();
    let address = address.as_str();
    let folder = folder();
    run(folder.path(), (&["healthcheck"], &[("DLR__HTTP__BIND", address)])).unwrap();
    let (_, port) = address.rsplit_once(':').unwrap();
    run(folder.path(), (&["healthcheck"], &[("DLR__HTTP__BIND", &format!("0.0.0.0:{port}"))])).unwrap();
    drop(service);
    let complaint = run(folder.path(), (&["healthcheck"], &[("DLR__HTTP__BIND", address)])).unwrap_err();
    assert!(complaint.contains("is not well"), "{complaint}");
}

#[tokio::test]
async fn a_start_prints_the_url_and_what_to_try() {
    use crate::support::Service;
    let database = Database::create(Backend::Sqlite).await;
    let service = Service::start(&database, &[]).await;
    let printed = std::fs::read_to_string(service.log.with_file_name("out")).unwrap();
    let url = format!("{}/callbacks/exotel/default", service.url);
    assert!(printed.contains(&format!("Give this URL to Exotel as StatusCallback:\n  {url}\n")), "{printed}");
    let line = printed.lines().find(|line| line.trim().starts_with("curl") && line.contains(&url)).unwrap();
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let fields = words.iter().filter_map(|word| word.split_once('=')).collect::<Vec<_>>();
    let sent = reqwest::Client::new().post(words[0]).form(&fields).send().await.unwrap();
    assert_eq!(sent.status(), 200, "what it says to try works");
    let asked = printed.lines().rfind(|line| line.trim().starts_with("curl")).unwrap();
    let answer = reqwest::get(asked.split_whitespace().last().unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn configured_status_codes_are_in_force() {
    use crate::support::Service;
    let database = Database::create(Backend::Sqlite).await;
    let folder = folder();
    let file = folder.path().join("codes.toml");
    let codes = "[[status_codes]]\ncode = 23099\nstatus = \"failed\"\nname = \"FAILED_NEW\"\noutcome = \"failed\"\n\
                 category = \"compliance\"\nretry = \"after_fix\"\nmeaning = \"new\"\n\
                 [[status_codes]]\ncode = 23050\nretry = \"never\"\n";
    std::fs::write(&file, codes).unwrap();
    // The configuration's file goes by an environment variable here, as it does in a container.
    let service = Service::start_with(&database, &[("DLR_CONFIG", file.to_str().unwrap())]).await;
    let client = reqwest::Client::new();
    for (sid, code) in [("new", "23099"), ("old", "23050")] {
        let url = format!("{}/callbacks/exotel/default", service.url);
        client.post(url).form(&[("SmsSid", sid), ("DetailedStatusCode", code)]).send().await.unwrap();
    }
    let ask = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", service.url)).await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let new = ask("/messages/new").await;
    assert_eq!(
        (&new["outcome"], &new["category"], &new["meaning"]),
        (&"failed".into(), &"compliance".into(), &"new".into())
    );
    assert_eq!(new["anomalies"], serde_json::json!([]));
    assert_eq!(ask("/messages/old").await["retry"], "never");
    assert_eq!(ask("/status-codes/23099").await["name"], "FAILED_NEW");
    assert_eq!(ask("/status-codes").await["items"].as_array().unwrap().len(), 34);
}
