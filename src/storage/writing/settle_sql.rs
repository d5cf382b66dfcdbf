//! The statements that settle a dispute about a message, put together as each database spells them.

/// The statements of one database.
pub(in crate::storage) struct SettleSql {
    /// On whose word the messages of some sids stand.
    pub standings: &'static str,
    /// Stores a message that is new.
    pub insert_message: &'static str,
    /// Reads a message, and locks it for the transaction.
    pub lock_message: &'static str,
    /// Its receipts.
    pub history: &'static str,
    pub append_receipt: &'static str,
    /// Writes all columns of a message anew.
    pub replace_message: &'static str,
}

/// The statements; the texts of a JSON array in `$1` come as the caller writes them, as do the lock and what stands
/// behind a parameter that is JSON.
macro_rules! settle_sql {
    ($sids:literal, $lock:literal, $jsonb:literal, $json:literal) => {
        crate::storage::writing::settle_sql::SettleSql {
            standings: concat!(
                "SELECT sid, account, recipient, signed_for, anomalies FROM messages WHERE sid IN (SELECT ",
                $sids,
                ")"
            ),
            insert_message: concat!(
                "INSERT INTO messages (",
                crate::storage::sql::message_columns!(),
                ") VALUES ($1, $2, ",
                crate::storage::writing::settle_sql::merged_values!($jsonb),
                ") ON CONFLICT (sid, account) DO NOTHING"
            ),
            lock_message: concat!(
                "SELECT id, ",
                crate::storage::sql::message_columns!("CAST(labels AS TEXT) AS labels"),
                " FROM messages WHERE sid = $1 AND account = $2",
                $lock
            ),
            history: "SELECT id, received_at, anomalies, source, signed_for, CAST(labels AS TEXT) AS labels, \
                    CAST(fields AS TEXT) AS fields \
                 FROM receipts WHERE message_id = $1 AND received_at >= $2 AND received_at <= $3 \
                 ORDER BY received_at, id LIMIT $4",
            append_receipt: concat!(
                "INSERT INTO receipts (message_id, received_at, anomalies, source, signed_for, labels, fields) \
                 VALUES ($1, $2, $3, $4, $5, $6",
                $json,
                ", $7",
                $json,
                ")"
            ),
            replace_message: concat!(
                "UPDATE messages SET (",
                crate::storage::sql::merged_columns!("labels"),
                ") = (",
                crate::storage::writing::settle_sql::merged_values!($jsonb),
                ") WHERE sid = $1 AND account = $2"
            ),
        }
    };
}

/// The parameters of `merged_columns!`.
macro_rules! merged_values {
    ($jsonb:literal) => {
        concat!(
            "$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23",
            $jsonb
        )
    };
}
pub(in crate::storage) use {merged_values, settle_sql};

impl SettleSql {
    /// Every statement.
    pub fn all(&self) -> [&'static str; 6] {
        let Self { standings, insert_message, lock_message, history, append_receipt, replace_message } = self;
        [standings, insert_message, lock_message, history, append_receipt, replace_message]
    }
}
