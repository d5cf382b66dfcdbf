//! The statements that forget a recipient, as Postgres spells them.

use crate::storage::erasing::erase_sql::{EraseSql, erase_sql};

/// A time that JSON gives in microseconds since the Unix epoch.
macro_rules! time {
    ($micros:literal) => {
        concat!("(timestamptz 'epoch' + ", $micros, " * interval '1 microsecond')")
    };
}

pub(super) const ERASE: EraseSql = erase_sql! {
    beginning: "left(recipient_raw, 64)",
    start: "CAST($1 AS TEXT) COLLATE \"C\"",
    concatenated: "string_agg(said, '\n')",
    lock_messages: "SELECT messages.sid, messages.account, id, first_received_at, last_received_at, \
            CAST(labels AS TEXT) AS labels \
         FROM json_array_elements($1::text::json) AS wanted (key) \
         JOIN messages ON messages.sid = wanted.key->>0 AND messages.account = wanted.key->>1 \
         ORDER BY messages.sid, messages.account FOR UPDATE OF messages",
    receipts_of: concat!(
        "SELECT place, receipt.* \
         FROM json_to_recordset($1::text::json) AS wanted \
            (place bigint, message bigint, after bigint, id bigint, last bigint) \
         CROSS JOIN LATERAL (SELECT receipts.id, received_at, CAST(labels AS TEXT) AS labels, \
                CAST(fields AS TEXT) AS fields \
            FROM receipts WHERE message_id = wanted.message AND received_at >= ", time!("wanted.after"),
        " AND received_at <= ", time!("wanted.last"),
        " AND (received_at, receipts.id) > (", time!("wanted.after"), ", wanted.id) \
            ORDER BY received_at, receipts.id LIMIT $2) AS receipt \
         ORDER BY place, received_at, receipt.id LIMIT $2"
    ),
    update_receipts: concat!(
        "UPDATE receipts SET signed_for = CASE WHEN signed_for IS NULL THEN NULL ELSE '' END, \
            labels = wanted.labels::json, fields = wanted.fields::json \
         FROM json_to_recordset($1::text::json) AS wanted \
            (message bigint, at bigint, id bigint, labels text, fields text) \
         WHERE receipts.message_id = wanted.message AND receipts.received_at = ", time!("wanted.at"),
        " AND receipts.id = wanted.id"
    ),
    update_messages: "UPDATE messages SET recipient = NULL, recipient_raw = NULL, custom_field = NULL, \
            signed_for = NULL, labels = wanted.labels::jsonb \
         FROM json_to_recordset($1::text::json) AS wanted (sid text, account text, labels text) \
         WHERE messages.sid = wanted.sid AND messages.account = wanted.account",
};
