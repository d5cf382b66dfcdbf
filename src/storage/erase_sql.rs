//! The statements that forget a recipient, put together as each database spells them.

/// The statements of one database.
pub(super) struct EraseSql {
    /// Messages to a number.
    pub to_number: &'static str,
    /// Messages that were reported for several recipients, with a receipt that names a number.
    pub to_several: &'static str,
    pub update_message: &'static str,
    pub update_receipt: &'static str,
}

/// The statements; what stands behind a parameter that is JSON comes as the caller writes it, and so does the
/// lock on what is found.
macro_rules! erase_sql {
    ($lock:literal, $jsonb:literal, $json:literal) => {
        crate::storage::erase_sql::EraseSql {
            to_number: concat!(erase_sql!(@messages), "recipient = $1", erase_sql!(@first), $lock),
            to_several: concat!(
                erase_sql!(@messages),
                "anomalies <> 0 AND anomalies & 32 <> 0 AND EXISTS (SELECT 1 FROM receipts \
                    WHERE message_id = messages.id AND received_at >= first_received_at \
                    AND received_at <= last_received_at AND CAST(fields AS TEXT) LIKE $1)",
                erase_sql!(@first),
                $lock
            ),
            update_message: concat!(
                "UPDATE messages SET recipient = NULL, recipient_raw = NULL, custom_field = NULL, labels = $1",
                $jsonb,
                " WHERE sid = $2 AND account = $3"
            ),
            update_receipt: concat!(
                "UPDATE receipts SET labels = $1", $json, ", fields = $2", $json,
                " WHERE message_id = $3 AND received_at = $4 AND id = $5"
            ),
        }
    };
    (@messages) => {
        "SELECT id, sid, account, first_received_at, last_received_at, CAST(labels AS TEXT) AS labels \
         FROM messages WHERE "
    };
    (@first) => {
        " AND (CAST($2 AS TEXT) IS NULL OR account = $2) ORDER BY first_received_at, id LIMIT 50"
    };
}
pub(super) use erase_sql;

/// All receipts of a message.
pub(super) const RECEIPTS_OF: &str = "SELECT id, received_at, CAST(labels AS TEXT) AS labels, \
        CAST(fields AS TEXT) AS fields \
     FROM receipts WHERE message_id = $1 AND received_at >= $2 AND received_at <= $3";

impl EraseSql {
    /// Every statement.
    pub fn all(&self) -> [&'static str; 4] {
        [self.to_number, self.to_several, self.update_message, self.update_receipt]
    }
}
