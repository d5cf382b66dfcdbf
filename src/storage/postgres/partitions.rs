//! Partitions of receipts: which there are, making one and dropping one, while callbacks come in.

use sqlx::AssertSqlSafe;

use super::{Postgres, Session};
use crate::{
    domain::Time,
    storage::{Strays, expiry::retention::Partition},
};

/// Bounds are shown by the session's own settings, and read by them again.
const PARTITIONS: &str = "SELECT inhrelid::regclass::text AS name, \
        substring(bound FROM 'FROM \\(''([^'']+)''\\)')::timestamptz AS \"from\", \
        substring(bound FROM 'TO \\(''([^'']+)''\\)')::timestamptz AS \"to\" \
     FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid \
     CROSS JOIN LATERAL pg_get_expr(relpartbound, pg_class.oid) AS bound \
     WHERE inhparent = 'receipts'::regclass AND NOT inhdetachpending ORDER BY 3 NULLS LAST";

/// A lock that is waited for stands in the way of all who come later, callbacks among them.
const HURRIED: &str = "SELECT set_config('lock_timeout', '100', true)";

/// Two locks are waited for, one after the other.
const HURRIED_TWICE: &str = "SELECT set_config('lock_timeout', '50', true)";

/// A name that no table has yet, nor one that was detached: `$1` itself, or with a number.
const FREE_NAME: &str = "SELECT name FROM generate_series(1, 10000) AS number \
     CROSS JOIN LATERAL (SELECT $1 || CASE number WHEN 1 THEN '' ELSE '_' || number END AS name) AS named \
     WHERE to_regclass(name) IS NULL ORDER BY number LIMIT 1";

/// How many receipts between two times are in the default partition, but no more than `$3`, and the bytes of all
/// that is in it. Read without a lock that others would wait for.
const STRAYS: &str = "SELECT (SELECT count(*) FROM (SELECT FROM receipts_default \
        WHERE received_at >= $1 AND received_at < $2 LIMIT $3) AS counted), \
     pg_relation_size('receipts_default'::regclass)";

/// When the last of them was received.
const LAST_STRAY: &str =
    "SELECT max(received_at) FROM receipts_default WHERE received_at >= $1 AND received_at < $2";

/// Every statement above.
pub(super) const STATEMENTS: [&str; 6] = [PARTITIONS, HURRIED, HURRIED_TWICE, FREE_NAME, STRAYS, LAST_STRAY];

impl Postgres {
    pub async fn partitions(&self) -> sqlx::Result<Vec<Partition>> {
        let rows: Vec<(String, Option<Time>, Option<Time>)> =
            sqlx::query_as(PARTITIONS).fetch_all(&mut *self.reading().await?).await?;
        Ok(rows.into_iter().map(|(name, from, to)| Partition { name, from, to }).collect())
    }

    /// Attached rather than made in its place: that would lock out callbacks, and this only those that go to
    /// the default partition.
    pub async fn make_partition(&self, partition: &Partition) -> sqlx::Result<String> {
        let mut session = self.begin(HURRIED).await?;
        let name = create(&mut session, partition).await?;
        run(&mut session, attach(&name, partition)).await?;
        session.commit().await?;
        Ok(name)
    }

    /// Receipts of its time, which the default partition holds, become its own in the same transaction: there is
    /// no moment at which a question does not find them. Callbacks wait for it, so there must be few of them. A
    /// callback that waited at the default partition alone would be refused by it afterwards, as its time belongs
    /// there no longer; one that waits at the door of the whole table finds the new partition.
    pub async fn make_partition_of_strays(&self, partition: &Partition) -> sqlx::Result<String> {
        let mut session = self.begin(HURRIED_TWICE).await?;
        let name = create(&mut session, partition).await?;
        run(&mut session, "LOCK TABLE ONLY receipts IN SHARE ROW EXCLUSIVE MODE".into()).await?;
        run(&mut session, "LOCK TABLE receipts_default IN ACCESS EXCLUSIVE MODE".into()).await?;
        let shift = format!(
            "WITH strays AS (DELETE FROM receipts_default WHERE received_at >= {} AND received_at < {} RETURNING *) \
             INSERT INTO {name} SELECT * FROM strays",
            bound(partition.from, "'-infinity'"),
            bound(partition.to, "'infinity'"),
        );
        run(&mut session, shift).await?;
        run(&mut session, attach(&name, partition)).await?;
        session.commit().await?;
        Ok(name)
    }

    /// The receipts in the default partition that are of another one's time; counted up to `most`.
    pub async fn strays(&self, partition: &Partition, most: i64) -> sqlx::Result<Strays> {
        let between = (partition.from.unwrap_or(Time::UNIX_EPOCH), partition.to.unwrap_or(LATEST));
        let mut session = self.reading().await?;
        let strays = sqlx::query_as(STRAYS).bind(between.0).bind(between.1).bind(most);
        let (rows, bytes): (i64, i64) = strays.fetch_one(&mut *session).await?;
        let mut last = None;
        if rows >= most {
            let query = sqlx::query_scalar(LAST_STRAY).bind(between.0).bind(between.1);
            last = query.fetch_one(&mut *session).await?;
        }
        Ok(Strays { rows: rows.unsigned_abs(), last, bytes_beside: bytes.unsigned_abs() })
    }

    pub async fn drop_partition(&self, partition: &Partition) -> sqlx::Result<()> {
        let mut session = self.begin(HURRIED).await?;
        run(&mut session, format!("DROP TABLE {}", partition.name)).await?;
        session.commit().await
    }
}

/// The last second of the year 9999.
const LATEST: Time = match Time::from_timestamp(253_402_300_799, 0) {
    Some(time) => time,
    None => Time::MAX_UTC,
};

/// Makes the table, with the index that the partition has to have: made beforehand, it need not be made under locks.
async fn create(session: &mut Session, partition: &Partition) -> sqlx::Result<String> {
    let free = sqlx::query_scalar(FREE_NAME).bind(&partition.name);
    let name: String = free.fetch_one(&mut **session).await?;
    run(session, format!("CREATE TABLE {name} (LIKE receipts INCLUDING INDEXES)")).await?;
    Ok(name)
}

fn attach(name: &str, Partition { from, to, .. }: &Partition) -> String {
    let (from, to) = (bound(*from, "MINVALUE"), bound(*to, "MAXVALUE"));
    format!("ALTER TABLE receipts ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to})")
}

fn bound(time: Option<Time>, open: &str) -> String {
    time.map_or_else(|| open.to_owned(), |time| format!("'{}'", time.to_rfc3339()))
}

async fn run(session: &mut Session, statement: String) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(statement)).persistent(false).execute(&mut **session).await.map(|_| ())
}
