//! Each state of a Postgres that a running service outlives, and its mending.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{Started, complaint};
use crate::support::{Cluster, Database};

/// A server that asks for passwords, with a user and a database of one name for each state.
pub(super) struct Ground {
    pub cluster: Cluster,
    admin: PgConnection,
}

/// Our user `dlr` may do everything; whoever else comes has a password.
pub(super) const PASSWORDS: &str = "host all dlr all trust\nhost all all all scram-sha-256";

impl Ground {
    pub async fn new() -> Self {
        let cluster = Cluster::start_new().await;
        cluster.admits(PASSWORDS);
        let admin = PgConnection::connect(&cluster.url()).await.unwrap();
        Self { cluster, admin }
    }

    pub async fn run(&mut self, statements: &str) {
        for statement in statements.split("; ") {
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut self.admin).await.unwrap();
        }
    }

    /// A session of the administrator's in a database.
    pub async fn inside(&self, name: &str) -> PgConnection {
        let url = format!("postgres://dlr@127.0.0.1:{}/{name}", self.cluster.port);
        PgConnection::connect(&url).await.unwrap()
    }

    /// An empty database of a user's own, both of this name.
    pub async fn database(&mut self, name: &str) -> Database {
        self.run(&format!("CREATE ROLE {name} LOGIN PASSWORD 'right'; CREATE DATABASE {name} OWNER {name}"))
            .await;
        Database::at(&format!("postgres://{name}:right@127.0.0.1:{}/{name}", self.cluster.port))
    }

    /// The same with the schema.
    pub async fn migrated(&mut self, name: &str) -> Database {
        let database = self.database(name).await;
        migrate(&database);
        database
    }
}

pub(super) fn migrate(database: &Database) {
    let mut command = crate::support::binary(std::path::Path::new("/"));
    let migrated = command.env("DATABASE_URL", &database.url).arg("migrate").output().unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
}

/// What is wrong with a database, and what is done about it; `$` stands for its name. Statements that begin
/// with `@` are run inside of it.
struct State {
    name: &'static str,
    migrated: bool,
    broken_by: &'static str,
    mended_by: &'static str,
    /// What is said of it.
    trouble: &'static str,
    level: &'static str,
}

const STATES: &[State] = &[
    State {
        name: "reads",
        migrated: true,
        broken_by: "ALTER DATABASE $ SET default_transaction_read_only = on",
        mended_by: "ALTER DATABASE $ RESET default_transaction_read_only",
        trouble: "is read-only now",
        level: "WARN",
    },
    State {
        name: "reads_and_is_empty",
        migrated: false,
        broken_by: "ALTER ROLE $ SET default_transaction_read_only = on",
        mended_by: "ALTER ROLE $ RESET default_transaction_read_only",
        trouble: "is read-only now",
        level: "WARN",
    },
    State {
        name: "role_has_no_connections",
        migrated: true,
        broken_by: "ALTER ROLE $ CONNECTION LIMIT 0",
        mended_by: "ALTER ROLE $ CONNECTION LIMIT -1",
        trouble: "has no free connection",
        level: "WARN",
    },
    State {
        name: "database_has_no_connections",
        migrated: false,
        broken_by: "ALTER DATABASE $ CONNECTION LIMIT 0",
        mended_by: "ALTER DATABASE $ CONNECTION LIMIT -1",
        trouble: "has no free connection",
        level: "WARN",
    },
    State {
        name: "password_was_rotated",
        migrated: true,
        broken_by: "ALTER ROLE $ PASSWORD 'rotated'",
        mended_by: "ALTER ROLE $ PASSWORD 'right'",
        trouble: "refuses the user name or the password",
        level: "ERROR",
    },
    State {
        name: "role_may_not_log_in",
        migrated: true,
        broken_by: "ALTER ROLE $ NOLOGIN",
        mended_by: "ALTER ROLE $ LOGIN",
        trouble: "refuses the user name or the password",
        level: "ERROR",
    },
    State {
        name: "role_is_missing",
        migrated: true,
        broken_by: "ALTER ROLE $ RENAME TO $_away",
        mended_by: "ALTER ROLE $_away RENAME TO $",
        trouble: "refuses the user name or the password",
        level: "ERROR",
    },
    State {
        name: "database_is_missing",
        migrated: true,
        broken_by: "ALTER DATABASE $ RENAME TO $_away",
        mended_by: "ALTER DATABASE $_away RENAME TO $",
        trouble: "does not exist under the configured name",
        level: "ERROR",
    },
    State {
        name: "no_right_to_create",
        migrated: false,
        broken_by: "@ALTER SCHEMA public OWNER TO dlr",
        mended_by: "@GRANT CREATE ON SCHEMA public TO $",
        trouble: "denies the user a right that is needed",
        level: "ERROR",
    },
    State {
        name: "no_right_to_write",
        migrated: true,
        broken_by: "@ALTER TABLE messages OWNER TO dlr; @GRANT SELECT ON messages TO $",
        mended_by: "@ALTER TABLE messages OWNER TO $",
        trouble: "denies the user a right that is needed",
        level: "ERROR",
    },
    State {
        name: "no_right_to_see_migrations",
        migrated: true,
        broken_by: "@ALTER TABLE _sqlx_migrations OWNER TO dlr",
        mended_by: "@GRANT SELECT ON _sqlx_migrations TO $",
        trouble: "denies the user a right that is needed",
        level: "ERROR",
    },
    State {
        name: "migration_fails",
        migrated: false,
        broken_by: "@CREATE TABLE messages (id int)",
        mended_by: "@DROP TABLE messages",
        trouble: "cannot be migrated",
        level: "ERROR",
    },
];

async fn apply(ground: &mut Ground, name: &str, statements: &str) {
    for statement in statements.replace('$', name).split("; ") {
        match statement.strip_prefix('@') {
            None => ground.run(statement).await,
            Some(statement) => {
                let mut inside = ground.inside(name).await;
                sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut inside).await.unwrap();
            }
        }
    }
}

/// Every state, from a start with a spool to the last drained callback.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_a_spool_outlives_what_a_running_service_outlives() {
    let mut ground = Ground::new().await;
    for State { name, migrated, broken_by, mended_by, trouble, level } in STATES {
        let database = if *migrated { ground.migrated(name).await } else { ground.database(name).await };
        apply(&mut ground, name, broken_by).await;
        let started = Started::on(&database, &[]).await;
        started.outlives(trouble, level).await;
        let log = started.service.log_text();
        assert!(!log.contains("right@") && !log.contains(":right"), "no password: {log}");
        let printed = std::fs::read_to_string(started.service.log.with_file_name("out")).unwrap();
        assert!(printed.contains(&format!("ATTENTION: the database {trouble}")), "{printed}");
        apply(&mut ground, name, mended_by).await;
        started.recovers().await;
    }
}

/// Without a spool, and for `migrate`, it is an error that names the key and the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_spool_each_of_these_states_ends_the_start_with_a_reason() {
    let mut ground = Ground::new().await;
    for State { name, migrated, broken_by, trouble, .. } in STATES {
        let database = if *migrated { ground.migrated(name).await } else { ground.database(name).await };
        apply(&mut ground, name, broken_by).await;
        for command in ["serve", "migrate"] {
            let told = complaint(command, &database).await;
            let wanted = ["look at database.url (DATABASE_URL)", &format!("the postgres database {trouble}")];
            assert!(wanted.iter().all(|text| told.contains(text)), "{name}, {command}: {told}");
            assert!(!told.contains("right@"), "no password: {told}");
        }
    }
}
