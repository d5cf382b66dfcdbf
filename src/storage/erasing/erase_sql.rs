//! The statements of an erasure. The databases spell parts of them differently, so a macro takes these parts: a `const` of
//! several parts needs `concat!`, which takes literals only.

/// The statements of one database. Those that change several rows take them as one JSON array.
pub(in crate::storage) struct EraseSql {
    /// Messages to a number.
    pub to_number: FindSql,
    /// Messages whose receipts may name another recipient than the message does: those flagged `recipient_mismatch`,
    /// `signed_for_another` or `bad_recipient`. With the fields of their receipts, and whether these match a number.
    pub to_several: FindSql,
    /// Messages without a number, by the beginning of the recipient's text, with the whole text.
    pub to_text: FindSql,
    /// The distinct beginnings of recipient texts without a number, behind a given one.
    pub texts: &'static str,
    /// Locks the messages of `[[sid, account], …]`.
    pub lock_messages: &'static str,
    /// The receipts of `[{place, message, after, id, last}, …]` behind the given position in each message's log, by message
    /// and then oldest first.
    pub receipts_of: &'static str,
    /// Changes the receipts of `[{message, at, id, labels, fields}, …]`.
    pub update_receipts: &'static str,
    /// Changes the messages of `[{sid, account, labels}, …]`.
    pub update_messages: &'static str,
}

/// A paged search for messages between two positions. `$1` is the value to search for, `$2` the account or null. Each row says
/// whether the message names the recipient, or has texts that may.
pub(in crate::storage) struct FindSql {
    pub page: &'static str,
    /// The most messages of a page.
    pub page_length: usize,
}

/// The statements, with the parts that each database spells in its own way.
macro_rules! erase_sql {
    (beginning: $beginning:literal, start: $start:literal, concatenated: $concatenated:literal, $($own:tt)*) => {
        crate::storage::erasing::erase_sql::EraseSql {
            to_number: crate::storage::erasing::erase_sql::FindSql {
                page: concat!(
                    "SELECT sid, account, first_received_at, id, TRUE AS named, NULL AS texts \
                     FROM messages WHERE recipient = $1",
                    erase_sql!(@within),
                    "50"
                ),
                page_length: 50,
            },
            to_several: crate::storage::erasing::erase_sql::FindSql {
                page: concat!(
                    "SELECT sid, account, first_received_at, id, EXISTS (SELECT 1 FROM receipts \
                        WHERE message_id = candidate.id AND received_at >= candidate.first_received_at \
                        AND received_at <= candidate.last_received_at \
                        AND (CAST(fields AS TEXT) LIKE $1 OR signed_for LIKE $1)) AS named, ",
                    erase_sql!(@said $concatenated),
                    " AS texts \
                     FROM (SELECT sid, account, first_received_at, last_received_at, id FROM messages \
                        WHERE anomalies <> 0 AND anomalies & 3104 <> 0",
                    erase_sql!(@within),
                    "200) AS candidate ORDER BY first_received_at, id"
                ),
                page_length: 200,
            },
            to_text: crate::storage::erasing::erase_sql::FindSql {
                page: concat!(
                    "SELECT sid, account, first_received_at, id, FALSE AS named, recipient_raw || '\n' \
                        || COALESCE(signed_for, '') || CASE WHEN callbacks > 1 THEN '\n' || COALESCE(",
                    erase_sql!(@said $concatenated),
                    ", '') ELSE '' END AS texts \
                     FROM (SELECT sid, account, first_received_at, last_received_at, id, callbacks, recipient_raw, \
                            signed_for FROM messages \
                        WHERE recipient IS NULL AND recipient_raw IS NOT NULL AND ",
                    $beginning,
                    " = $1",
                    erase_sql!(@within),
                    "100) AS candidate ORDER BY first_received_at, id"
                ),
                page_length: 100,
            },
            texts: concat!(
                "WITH RECURSIVE each_text (beginning) AS (SELECT ", $start, " UNION ALL \
                    SELECT (SELECT ", $beginning, " FROM messages WHERE recipient IS NULL AND ", $beginning,
                        " > each_text.beginning ORDER BY ", $beginning, " LIMIT 1) \
                    FROM each_text WHERE each_text.beginning IS NOT NULL) \
                 SELECT beginning FROM each_text WHERE beginning > $1 LIMIT 1000"
            ),
            $($own)*
        }
    };
    // Bounded, as a flooded message may have very many receipts, which repeat each other.
    (@said $concatenated:literal) => {
        concat!(
            "(SELECT ", $concatenated, " FROM (SELECT CAST(fields AS TEXT) || '\n' || COALESCE(signed_for, '') AS said \
                FROM receipts WHERE message_id = candidate.id AND received_at >= candidate.first_received_at \
                AND received_at <= candidate.last_received_at LIMIT 100) AS receipt)"
        )
    };
    (@within) => {
        " AND (CAST($2 AS TEXT) IS NULL OR account = $2) AND (first_received_at, id) > ($3, $4) \
         AND (first_received_at, id) <= ($5, $6) ORDER BY first_received_at, id LIMIT "
    };
}
pub(in crate::storage) use erase_sql;

/// The last message.
pub(in crate::storage) const NEWEST_MESSAGE: &str =
    "SELECT first_received_at, id FROM messages ORDER BY first_received_at DESC, id DESC LIMIT 1";

impl EraseSql {
    /// Every statement.
    pub fn all(&self) -> [&'static str; 8] {
        [
            self.to_number.page,
            self.to_several.page,
            self.to_text.page,
            self.texts,
            self.lock_messages,
            self.receipts_of,
            self.update_receipts,
            self.update_messages,
        ]
    }
}
