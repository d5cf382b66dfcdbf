//! The statements that forget a recipient, put together as each database spells them.

/// The statements of one database.
pub(super) struct EraseSql {
    /// Messages to a number.
    pub to_number: FindSql,
    /// Messages that were reported for several recipients (the bits of `recipient_mismatch` and `signed_for_another`),
    /// and whether a receipt of theirs names a number, or its URL was signed for it.
    pub to_several: FindSql,
    /// A message, kept from changing.
    pub lock_message: &'static str,
    pub update_message: &'static str,
    pub update_receipt: &'static str,
}

/// How messages are found: `$1` is what they are found by, and `$2` the account, if any.
pub(super) struct FindSql {
    /// The last one.
    pub last: &'static str,
    /// Those after a place, up to an end.
    pub page: &'static str,
    /// The most messages of a page.
    pub page_length: usize,
}

/// The statements; what stands behind a parameter that is JSON comes as the caller writes it, and so does the
/// lock on what is found.
macro_rules! erase_sql {
    ($lock:literal, $jsonb:literal, $json:literal) => {
        crate::storage::erase_sql::EraseSql {
            to_number: crate::storage::erase_sql::FindSql {
                last: concat!(erase_sql!(@last), "recipient = $1", erase_sql!(@newest_first)),
                page: concat!(
                    "SELECT sid, account, first_received_at, id, TRUE AS named FROM messages WHERE recipient = $1",
                    erase_sql!(@within),
                    "50"
                ),
                page_length: 50,
            },
            to_several: crate::storage::erase_sql::FindSql {
                last: concat!(
                    erase_sql!(@last),
                    erase_sql!(@several),
                    " AND CAST($1 AS TEXT) <> ''",
                    erase_sql!(@newest_first)
                ),
                page: concat!(
                    "SELECT sid, account, first_received_at, id, EXISTS (SELECT 1 FROM receipts \
                        WHERE message_id = candidate.id AND received_at >= candidate.first_received_at \
                        AND received_at <= candidate.last_received_at \
                        AND (CAST(fields AS TEXT) LIKE $1 OR signed_for LIKE $1)) AS named \
                     FROM (SELECT sid, account, first_received_at, last_received_at, id FROM messages WHERE ",
                    erase_sql!(@several),
                    erase_sql!(@within),
                    "200) AS candidate ORDER BY first_received_at, id"
                ),
                page_length: 200,
            },
            lock_message: concat!(
                "SELECT id, first_received_at, last_received_at, CAST(labels AS TEXT) AS labels FROM messages \
                 WHERE sid = $1 AND account = $2",
                $lock
            ),
            update_message: concat!(
                "UPDATE messages SET recipient = NULL, recipient_raw = NULL, custom_field = NULL, signed_for = NULL, \
                    labels = $1",
                $jsonb,
                " WHERE sid = $2 AND account = $3"
            ),
            update_receipt: concat!(
                "UPDATE receipts SET signed_for = CASE WHEN signed_for IS NULL THEN NULL ELSE '' END, labels = $1", $json,
                ", fields = $2", $json,
                " WHERE message_id = $3 AND received_at = $4 AND id = $5"
            ),
        }
    };
    (@several) => {
        "anomalies <> 0 AND anomalies & 1056 <> 0"
    };
    (@last) => {
        "SELECT first_received_at, id FROM messages WHERE "
    };
    (@newest_first) => {
        " AND (CAST($2 AS TEXT) IS NULL OR account = $2) ORDER BY first_received_at DESC, id DESC LIMIT 1"
    };
    (@within) => {
        " AND (CAST($2 AS TEXT) IS NULL OR account = $2) AND (first_received_at, id) > ($3, $4) \
         AND (first_received_at, id) <= ($5, $6) ORDER BY first_received_at, id LIMIT "
    };
}
pub(super) use erase_sql;

/// The receipts of a message after a place, the oldest first.
pub(super) const RECEIPTS_OF: &str = "SELECT id, received_at, CAST(labels AS TEXT) AS labels, \
        CAST(fields AS TEXT) AS fields \
     FROM receipts WHERE message_id = $1 AND received_at >= $2 AND (received_at, id) > ($2, $3) \
        AND received_at <= $4 ORDER BY received_at, id LIMIT $5";

impl EraseSql {
    /// Every statement.
    pub fn all(&self) -> [&'static str; 7] {
        [
            self.to_number.last,
            self.to_number.page,
            self.to_several.last,
            self.to_several.page,
            self.lock_message,
            self.update_message,
            self.update_receipt,
        ]
    }
}
