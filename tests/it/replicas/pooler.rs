//! pgbouncer between two services and their Postgres, lending its few sessions for a transaction at a time.

use std::{fs, path::Path};

use serde_json::Value;
use sqlx::{ConnectOptions, Row, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::{
    crash::{Spool, tell},
    support::{
        Answer, Cluster, Database, Load, Pace, Service, Settings, binary,
        load::FINAL,
        program::{Program, as_owner, free_port, lend, server_program},
    },
};

/// Fewer sessions than one service has connections.
const SESSIONS: u8 = 3;

async fn pgbouncer(cluster: &Cluster) -> Program {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let settings = format!(
        "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         auth_type = trust\nauth_file = users\npool_mode = transaction\ndefault_pool_size = {SESSIONS}\n\
         max_client_conn = 100\nunix_socket_dir =\n",
        cluster.port
    );
    fs::write(folder.path().join("pgbouncer.ini"), settings).unwrap();
    fs::write(folder.path().join("users"), "\"dlr\" \"\"\n").unwrap();
    lend(folder.path());
    start(folder, port).await
}

async fn start(folder: TempDir, port: u16) -> Program {
    let mut command = as_owner(folder.path(), &server_program("pgbouncer"));
    command.arg("pgbouncer.ini");
    Program::start(command, folder, port).await
}

const POOLED: Settings<'_> = &[("DATABASE__POOLER", "transaction"), ("DATABASE__MIGRATE", "false")];

/// Every kind of question, and something to refuse.
async fn asks_everything(service: &Service, sid: &str) {
    let http = reqwest::Client::new();
    let refused = http.post(format!("{}/callbacks/exotel/default", service.url)).body("SmsSid=x&Body=hi");
    assert_eq!(Answer::of(refused.send().await.unwrap()).await.status, 422);
    for path in [
        "/readyz".to_owned(),
        format!("/messages/{sid}"),
        format!("/messages/{sid}/callbacks"),
        format!("/messages?label=about:{sid}"),
        "/messages?outcome=delivered&outcome=failed&limit=500".to_owned(),
        "/messages/export?format=csv".to_owned(),
        "/stats?group_by=outcome,hour,label:about".to_owned(),
        "/stats?group_by=label:about".to_owned(),
        "/rejected".to_owned(),
    ] {
        let answer = Answer::of(http.get(format!("{}{path}", service.url)).send().await.unwrap()).await;
        assert!([200, 422].contains(&answer.status), "{path}: {}", answer.json);
    }
    let lookup =
        http.post(format!("{}/messages/lookup", service.url)).json(&serde_json::json!({"sids": [sid]}));
    let found = Answer::of(lookup.send().await.unwrap()).await;
    assert_eq!(found.json["found"][0]["sid"], *sid, "{}", found.json);
}

/// What one of the pooler's sessions is set to, and which locks and names it keeps.
async fn is_left_as_it_was(lent: &Database) {
    let options: PgConnectOptions = lent.url.parse().unwrap();
    let mut connection = options.extra_float_digits(None).connect().await.unwrap();
    let kept = "SELECT current_setting('statement_timeout'), current_setting('work_mem'), \
        (SELECT count(*)::text FROM pg_prepared_statements), (SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory')";
    for _ in 0..10 {
        let row = sqlx::raw_sql(kept).fetch_one(&mut connection).await.unwrap();
        let kept: Vec<String> = (0..4).map(|column| row.get(column)).collect();
        assert_eq!(kept, ["0", "4MB", "0", "0"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_pgbouncer_nothing_is_refused_or_lost_also_when_it_restarts() {
    let cluster = Cluster::start_new().await;
    let direct = cluster.database().await;
    let pooler = pgbouncer(&cluster).await;
    let (_, name) = direct.url.rsplit_once('/').unwrap();
    let lent = Database::at(&format!("postgres://dlr@127.0.0.1:{}/{name}", pooler.port));
    // Migrated past the pooler, as the key's comment says.
    let migrated = binary(Path::new("/")).env("DATABASE_URL", &direct.url).arg("migrate").output().unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let spools = [Spool::new(), Spool::new()];
    let services = [spools[0].serve(&lent, POOLED).await, spools[1].serve(&lent, POOLED).await];
    let loads =
        [0, 1].map(|number: usize| Load::start(&services[number].url, Pace { senders: 6, ..Pace::STEADY }));
    for load in &loads {
        load.acknowledges(100).await;
    }
    let known =
        reqwest::get(format!("{}/messages?code={}&limit=1", services[0].url, FINAL[0])).await.unwrap();
    let known: Value = known.json().await.unwrap();
    let sid = known["items"][0]["sid"].as_str().unwrap();
    tokio::join!(asks_everything(&services[0], sid), asks_everything(&services[1], sid));
    let port = pooler.port;
    let pooler = start(pooler.end("TERM"), port).await;
    for load in &loads {
        load.acknowledges(100).await;
    }
    tokio::join!(asks_everything(&services[0], sid), asks_everything(&services[1], sid));
    for (load, service) in loads.into_iter().zip(&services) {
        let traffic = load.stop().await;
        tell(&format!("behind pgbouncer: {:?}", traffic.answers()));
        traffic.was_all_acknowledged();
        traffic.is_stored(&service.url).await;
        let log = service.log_text();
        assert!(!log.contains("prepared statement"), "{log}");
    }
    is_left_as_it_was(&lent).await;
    drop(pooler);
}
