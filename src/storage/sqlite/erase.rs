//! The statements that forget a recipient, as SQLite spells them.

use crate::storage::erasing::erase_sql::{EraseSql, erase_sql};

pub(super) const ERASE: EraseSql = erase_sql! {
    beginning: "recipient_raw",
    start: "CAST($1 AS TEXT)",
    concatenated: "group_concat(said, '\n')",
    lock_messages: "SELECT messages.sid, messages.account, messages.id, first_received_at, last_received_at, labels \
         FROM json_each($1) AS wanted \
         CROSS JOIN messages ON messages.sid = wanted.value->>0 AND messages.account = wanted.value->>1 \
         ORDER BY messages.sid, messages.account",
    receipts_of: "SELECT wanted.value->>'place' AS place, receipts.id, received_at, labels, fields \
         FROM json_each($1) AS wanted \
         CROSS JOIN receipts ON message_id = wanted.value->>'message' AND received_at >= wanted.value->>'after' \
            AND received_at <= wanted.value->>'last' \
            AND (received_at, receipts.id) > (wanted.value->>'after', wanted.value->>'id') \
         ORDER BY place, received_at, receipts.id LIMIT $2",
    update_receipts: "UPDATE receipts SET signed_for = CASE WHEN signed_for IS NULL THEN NULL ELSE '' END, \
            labels = wanted.labels, fields = wanted.fields \
         FROM (SELECT value->>'message' AS message, value->>'at' AS at, value->>'id' AS id, \
                value->>'labels' AS labels, value->>'fields' AS fields FROM json_each($1)) AS wanted \
         WHERE receipts.message_id = wanted.message AND receipts.received_at = wanted.at \
            AND receipts.id = wanted.id",
    update_messages: "UPDATE messages SET recipient = NULL, recipient_raw = NULL, custom_field = NULL, \
            signed_for = NULL, labels = wanted.labels \
         FROM (SELECT value->>'sid' AS sid, value->>'account' AS account, value->>'labels' AS labels \
            FROM json_each($1)) AS wanted \
         WHERE messages.sid = wanted.sid AND messages.account = wanted.account",
};
