//! Statements that Postgres and SQLite share, and parts of those that differ. Both databases take `$1`.
//!
//! The parts are macros, since a `const` that is put together of several parts needs `concat!`, which takes literals only.

/// The columns of a message without its id, in the order in which they are bound. The caller spells the labels, whose type
/// differs.
macro_rules! message_columns {
    () => {
        crate::storage::sql::message_columns!("labels")
    };
    ($labels:literal) => {
        concat!("sid, account, ", crate::storage::sql::merged_columns!($labels))
    };
}

/// The columns of a message without its key and its id.
macro_rules! merged_columns {
    ($labels:literal) => {
        concat!(
            "first_received_at, last_received_at, decided_at, callbacks, sent_at, \
             detailed_status_code, sms_units, anomalies, evidence, specific, status, detailed_status, outcome, category, retry, \
             confirmed_by, recipient, recipient_raw, custom_field, signed_for, ",
            $labels
        )
    };
}

/// Whether the new verdict is greater than the stored one, in the order of `domain::Verdict`; a missing value is the least.
macro_rules! believed {
    ($no_time:literal) => {
        concat!(
            "(excluded.evidence, COALESCE(excluded.sent_at, ",
            $no_time,
            "), excluded.specific, \
              COALESCE(excluded.detailed_status_code, 0), COALESCE(excluded.detailed_status, ''), \
              COALESCE(excluded.status, ''), excluded.outcome, excluded.category, excluded.retry, \
              excluded.confirmed_by) \
             > (messages.evidence, COALESCE(messages.sent_at, ",
            $no_time,
            "), messages.specific, \
              COALESCE(messages.detailed_status_code, 0), COALESCE(messages.detailed_status, ''), \
              COALESCE(messages.status, ''), messages.outcome, messages.category, messages.retry, \
              messages.confirmed_by)"
        )
    };
}

/// Takes all columns of the verdict from the greater one.
macro_rules! believe {
    ($no_time:literal: $($column:literal)*) => {
        concat!($(
            $column, " = CASE WHEN ", believed!($no_time),
            " THEN excluded.", $column, " ELSE messages.", $column, " END, ",
        )*)
    };
}

/// Keeps the greater value. A missing one is less than any.
macro_rules! keep_greater {
    ($($column:literal)*) => {
        concat!($(
            $column, " = CASE WHEN messages.", $column, " IS NULL OR excluded.", $column,
            " > messages.", $column, " THEN excluded.", $column, " ELSE messages.", $column, " END, ",
        )*)
    };
}

/// The join of a stored message with what a batch says about it: `DeliveryOutcome::merge` in SQL.
/// The bits of the anomalies are `Anomaly`'s. How labels are joined comes as the caller writes it.
///
/// What the last words rule out is `Standing::agrees_with` in SQL: where a signature limits who may speak for the
/// message, the row is left as it is, and `settle` looks at all receipts.
macro_rules! on_conflict_merge {
    ($no_time:literal, $($joined_labels:tt)+) => {
        concat!(
            " ON CONFLICT (sid, account) DO UPDATE SET ",
            believe!($no_time: "evidence" "sent_at" "specific" "detailed_status_code"
                "detailed_status" "status" "outcome" "category" "retry" "confirmed_by"),
            keep_greater!("sms_units" "custom_field" "recipient" "recipient_raw" "last_received_at"),
            "first_received_at = CASE WHEN excluded.first_received_at < messages.first_received_at \
                THEN excluded.first_received_at ELSE messages.first_received_at END, \
             decided_at = CASE WHEN (excluded.evidence, COALESCE(excluded.sent_at, ", $no_time, "), \
                    messages.decided_at) \
                > (messages.evidence, COALESCE(messages.sent_at, ", $no_time, "), excluded.decided_at) \
                THEN excluded.decided_at ELSE messages.decided_at END, \
             callbacks = messages.callbacks + excluded.callbacks, \
             labels = CASE WHEN excluded.labels = messages.labels OR excluded.labels = '{}' \
                THEN messages.labels \
                ELSE ", $($joined_labels)+, " END, \
             anomalies = messages.anomalies | excluded.anomalies \
                | CASE WHEN messages.outcome = 'delivered' AND excluded.outcome = 'failed' \
                    OR messages.outcome = 'failed' AND excluded.outcome = 'delivered' \
                    THEN 16 ELSE 0 END \
                | CASE WHEN messages.recipient <> excluded.recipient THEN 32 ELSE 0 END, \
             signed_for = CASE WHEN excluded.signed_for IS NULL THEN NULL ELSE messages.signed_for END \
             WHERE messages.anomalies & 1024 = 0 \
                AND (messages.signed_for IS NULL AND excluded.signed_for IS NULL \
                    OR COALESCE(messages.signed_for, messages.recipient) \
                        = COALESCE(excluded.signed_for, excluded.recipient))"
        )
    };
}

pub(super) use {believe, believed, keep_greater, merged_columns, message_columns, on_conflict_merge};

/// A sign of life, and of a migrated schema.
pub const PING: &str = "SELECT 1 FROM messages LIMIT 1";

/// The messages of a list, to be followed by a condition.
pub const MESSAGES: &str =
    concat!("SELECT id, ", message_columns!("CAST(labels AS TEXT) AS labels"), " FROM messages");

/// The messages of the sids in a JSON array.
macro_rules! lookup {
    ($each:literal) => {
        concat!(
            "SELECT ",
            crate::storage::sql::message_columns!("CAST(labels AS TEXT) AS labels"),
            " FROM messages WHERE sid IN (SELECT ",
            $each,
            ") ORDER BY sid, account"
        )
    };
}

pub(super) use lookup;

/// The messages of a sid, one per account that has it.
pub const MESSAGES_BY_SID: &str = concat!(
    "SELECT ",
    message_columns!("CAST(labels AS TEXT) AS labels"),
    " FROM messages WHERE sid = $1 ORDER BY account"
);

/// A message's receipts after a place in the log, oldest first. The message says between which times they
/// came, so that most partitions need not be looked into.
pub const RECEIPTS_AFTER: &str = "SELECT id, received_at, anomalies, source, signed_for, \
        CAST(labels AS TEXT) AS labels, CAST(fields AS TEXT) AS fields \
     FROM receipts WHERE message_id = (SELECT id FROM messages WHERE sid = $1 AND account = $2) \
        AND received_at >= (SELECT first_received_at FROM messages WHERE sid = $1 AND account = $2) \
        AND received_at <= (SELECT last_received_at FROM messages WHERE sid = $1 AND account = $2) \
        AND (received_at, id) > ($3, $4) \
     ORDER BY received_at, id LIMIT $5";

/// Keeps a refused body.
pub const INSERT_REJECTED: &str = "INSERT INTO rejected (received_at, account, content_type, reason, body) \
     VALUES ($1, $2, $3, $4, $5) RETURNING id";

/// Forgets refused bodies that are too many or too old.
pub const PRUNE_REJECTED: &str = "DELETE FROM rejected WHERE id <= $1 OR received_at < $2";

/// The last refused body.
pub const NEWEST_REJECTED: &str = "SELECT max(id) FROM rejected";

/// Forgets some of those that are too many or too old.
pub const PURGE_REJECTED: &str = "DELETE FROM rejected WHERE id IN \
     (SELECT id FROM rejected WHERE id <= $1 OR received_at < $2 ORDER BY id LIMIT 500)";

/// How many they are, and from when.
pub const OLD_REJECTED: &str = "SELECT count(*), min(received_at), max(received_at) FROM rejected \
     WHERE id <= (SELECT max(id) FROM rejected) - $1 OR received_at < $2";

/// Some refused bodies, the oldest first.
pub const REJECTED_AFTER: &str = "SELECT id, reason, body FROM rejected \
     WHERE id > $1 AND (CAST($2 AS TEXT) IS NULL OR account = $2) ORDER BY id LIMIT 50";

/// The last refused body.
pub const LAST_REJECTED: &str = "SELECT COALESCE(max(id), 0) FROM rejected";

/// Forgets one.
pub const DELETE_REJECTED: &str = "DELETE FROM rejected WHERE id = $1";

/// Refused bodies before a place in the log, newest first.
pub const REJECTED_BEFORE: &str = "SELECT id, received_at, account, content_type, reason, body FROM rejected \
     WHERE id < $1 AND received_at >= $2 ORDER BY id DESC LIMIT $3";

/// Takes a lease that is free, has run out, or is the holder's own already.
macro_rules! take_lease {
    ($now:literal, $until:literal) => {
        concat!(
            "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, ",
            $until,
            ") ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at \
             WHERE leases.holder = excluded.holder OR leases.expires_at < ",
            $now
        )
    };
}
pub(super) use take_lease;
