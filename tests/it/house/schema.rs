//! Two databases, one schema: equal migrations, tables and columns, and statements that prepare.

use std::{collections::BTreeMap, fs, num::NonZeroU64, path::Path};

use dlr_receiver::storage::{SpoolFile, Store, statements};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection, migrate::Migrator,
};

use crate::support::{Backend, Database, TestApp, config, migrated};

fn migrations(backend: &str) -> Vec<String> {
    let folder = fs::read_dir(format!("migrations/{backend}")).unwrap();
    let mut names: Vec<_> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn both_folders_hold_the_same_migrations_each_with_a_verb_and_a_reason() {
    let names = migrations("postgres");
    assert_eq!(names, migrations("sqlite"));
    for (number, name) in (1..).zip(&names) {
        assert!(name.starts_with(&format!("{number:04}_")), "{name}");
        let verb = name[5..].split('_').next().unwrap();
        assert!(
            ["create", "add", "drop", "widen", "rename", "index"].contains(&verb),
            "{name} begins with no verb"
        );
        for backend in ["postgres", "sqlite"] {
            let text = fs::read_to_string(format!("migrations/{backend}/{name}")).unwrap();
            assert!(text.starts_with("-- "), "{backend}/{name} does not say why");
        }
    }
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let postgres = migrated(Backend::Postgres).await;
    let mut connection = PgConnection::connect(&postgres.url).await.unwrap();
    let of_postgres: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.table_name::text, c.column_name::text FROM information_schema.columns c \
         JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = 'public'::regnamespace \
         WHERE c.table_schema = 'public' AND NOT t.relispartition ORDER BY c.table_name, c.ordinal_position",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let sqlite = migrated(Backend::Sqlite).await;
    let mut connection = SqliteConnection::connect(&sqlite.url).await.unwrap();
    let of_sqlite: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let by_table = |columns: Vec<(String, String)>| {
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (table, column) in columns.into_iter().filter(|(table, _)| table != "_sqlx_migrations") {
            tables.entry(table).or_default().push(column);
        }
        tables
    };
    let (of_postgres, of_sqlite) = (by_table(of_postgres), by_table(of_sqlite));
    assert_eq!(
        of_postgres.keys().collect::<Vec<_>>(),
        ["clock", "leases", "messages", "receipts", "rejected"]
    );
    assert_eq!(of_postgres, of_sqlite);
}

#[tokio::test]
async fn every_statement_prepares_on_postgres() {
    let database = migrated(Backend::Postgres).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    for statement in statements("postgres") {
        let prepared = connection.prepare(AssertSqlSafe(statement).into_sql_str()).await;
        assert!(prepared.is_ok(), "{:?}: {statement}", prepared.err());
    }
}

#[tokio::test]
async fn every_statement_of_the_spool_prepares() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.db");
    let spool = SpoolFile::open(&path, NonZeroU64::MAX).await.unwrap();
    spool.close().await;
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for statement in statements("spool") {
        let prepared = connection.prepare(AssertSqlSafe(statement).into_sql_str()).await;
        assert!(prepared.is_ok(), "{:?}: {statement}", prepared.err());
    }
}

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    let database = migrated(Backend::Sqlite).await;
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    for statement in statements("sqlite") {
        let prepared = connection.prepare(AssertSqlSafe(statement).into_sql_str()).await;
        assert!(prepared.is_ok(), "{:?}: {statement}", prepared.err());
    }
}

#[tokio::test]
async fn receipts_are_partitioned_by_time_and_messages_are_not() {
    let database = migrated(Backend::Postgres).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let kinds: Vec<(String, String, bool)> = sqlx::query_as(
        "SELECT relname::text, relkind::text, relispartition FROM pg_class \
         WHERE relname IN ('messages', 'receipts', 'receipts_first', 'receipts_default') ORDER BY relname",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let kind = |name: &str, kind: &str, partition| (name.to_owned(), kind.to_owned(), partition);
    let expected = [
        kind("messages", "r", false),
        kind("receipts", "p", false),
        kind("receipts_default", "r", true),
        kind("receipts_first", "r", true),
    ];
    assert_eq!(kinds, expected);
}

/// A database as migration `last` left it.
async fn migrated_up_to(last: i64, backend: Backend) -> Database {
    let database = Database::create(backend).await;
    let folder = if backend == Backend::Postgres { "migrations/postgres" } else { "migrations/sqlite" };
    let mut migrator = Migrator::new(Path::new(folder)).await.unwrap();
    migrator.migrations.to_mut().retain(|migration| migration.version <= last);
    // Makes the file and its folder.
    Store::open(&config(&database, &[]).database).unwrap().check().await.unwrap();
    match backend {
        Backend::Postgres => {
            migrator.run(&mut PgConnection::connect(&database.url).await.unwrap()).await.unwrap();
        }
        Backend::Sqlite => {
            migrator.run(&mut SqliteConnection::connect(&database.url).await.unwrap()).await.unwrap();
        }
    }
    database
}

/// Two messages of the same sid, one of them with two receipts, as version 3 of the schema kept them.
fn as_version_3_kept_them(backend: Backend) -> String {
    let time = |second: u8| match backend {
        Backend::Postgres => format!("'2026-11-01T00:00:0{second}Z'"),
        Backend::Sqlite => format!("{}", 1_793_491_200_000_000_i64 + i64::from(second) * 1_000_000),
    };
    let verdict =
        "20005, 70, TRUE, 'sent', 'DELIVERED_TO_HANDSET', 'delivered', 'handset', 'none', 'handset'";
    let columns = "detailed_status_code, evidence, specific, status, detailed_status, outcome, category, retry, \
                   confirmed_by, recipient, labels, anomalies, sid, account";
    let of = |account| format!("{verdict}, '+919812345670', '{{\"team\":\"a\"}}', 272, 's1', '{account}'");
    let fields = "{\"SmsSid\":\"s1\",\"To\":\"09812345670\",\"DetailedStatusCode\":\"20005\"}";
    let message = |account, first, last, callbacks| {
        let (first, last) = (time(first), time(last));
        let values = format!("{first}, {last}, {callbacks}, {}", of(account));
        format!(
            "INSERT INTO messages (first_received_at, last_received_at, callbacks, {columns}) VALUES ({values});"
        )
    };
    let receipt = |account, second| {
        let values = format!("{}, 'callback', '{fields}', {}", time(second), of(account));
        format!("INSERT INTO receipts (received_at, source, fields, {columns}) VALUES ({values});")
    };
    [message("a", 1, 2, 2), message("b", 3, 3, 1), receipt("a", 1), receipt("b", 3), receipt("a", 2)].concat()
}

#[tokio::test]
async fn what_an_earlier_schema_kept_is_still_there() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated_up_to(3, backend).await;
        let rows = AssertSqlSafe(as_version_3_kept_them(backend));
        match backend {
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&database.url).await.unwrap();
                sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
            }
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
                sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
            }
        }
        let app = TestApp::on_database(database, &[]).await;
        let message = app.ask("/messages/s1?account=a").await.json;
        assert_eq!((&message["outcome"], &message["callbacks"]), (&json!("delivered"), &json!(2)));
        for (account, seconds) in [("a", &[1, 2][..]), ("b", &[3])] {
            let receipts = app.ask(&format!("/messages/s1/callbacks?account={account}")).await.json;
            let items = receipts["items"].as_array().unwrap();
            let at = |receipt: &Value| receipt["received_at"].as_str().unwrap().to_owned();
            let expected = seconds.iter().map(|second| format!("2026-11-01T00:00:0{second}Z"));
            assert_eq!(items.iter().map(at).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            let normalised = &items[0]["normalised"];
            assert_eq!(
                (&normalised["to"], &normalised["labels"]["team"]),
                (&json!("+919812345670"), &json!("a"))
            );
            assert_eq!(
                normalised["anomalies"],
                json!(["bad_text"]),
                "of the message alone: conflicting_finals"
            );
        }
        app.record(&[("SmsSid", "s1"), ("Status", "sent")]).await;
    }
}

#[tokio::test]
async fn a_version_still_starts_on_the_schema_of_the_next() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let database = migrated(backend).await;
        let next = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    VALUES (9999, 'add something', TRUE, 'abc', 0)";
        match backend {
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
                connection.execute(next).await.unwrap();
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&database.url).await.unwrap();
                connection.execute(next).await.unwrap();
            }
        }
        let store = Store::open(&config(&database, &[]).database).unwrap();
        store.migrate().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let database = Database::create(Backend::Postgres).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let name = format!("{}_latin1", database.url.rsplit_once('/').unwrap().1);
    let create = format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    connection.execute(AssertSqlSafe(create)).await.unwrap();
    let (server, _) = database.url.rsplit_once('/').unwrap();
    let mut config = config(&database, &[]).database;
    config.url = format!("{server}/{name}").into();
    let store = Store::open(&config).unwrap();
    let error = store.check().await.unwrap_err().to_string();
    assert!(error.contains("encoding is LATIN1"), "{error}");
}
