-- What a handler of one INSERT per request does best: upsert the message by its evidence and
-- append the receipt, in one statement, hence in one round trip and one transaction. All peers run it,
-- prepared. $1 sid, $2 DateSent, $3 code, $4 units, $5 evidence, $6 status, $7 name, $8 outcome,
-- $9 category, $10 retry, $11 confirmed by, $12 number, $13 number as received, $14 custom field,
-- $15 all fields as JSON.
WITH message AS (
    INSERT INTO messages (
        sid, account, first_received_at, last_received_at, decided_at, callbacks, sent_at, detailed_status_code,
        sms_units, anomalies, evidence, specific, status, detailed_status, outcome, category, retry, confirmed_by,
        recipient, recipient_raw, custom_field, labels
    )
    VALUES (
        $1::text, 'default', now(), now(), now(), 1, $2::text::timestamp AT TIME ZONE 'Asia/Kolkata', $3::integer,
        $4::integer, 0, $5::smallint, true, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text,
        $12::text, $13::text, $14::text, '{}'
    )
    ON CONFLICT (sid, account) DO UPDATE SET (
        sent_at, detailed_status_code, evidence, specific, status, detailed_status, outcome, category, retry,
        confirmed_by
    ) = (
        SELECT
            believed.sent_at, believed.detailed_status_code, believed.evidence, believed.specific, believed.status,
            believed.detailed_status, believed.outcome, believed.category, believed.retry, believed.confirmed_by
        FROM (SELECT messages.* UNION ALL SELECT excluded.*) AS believed
        ORDER BY believed.evidence DESC, believed.sent_at DESC NULLS LAST
        LIMIT 1
    ),
        sms_units = greatest(messages.sms_units, excluded.sms_units),
        last_received_at = greatest(messages.last_received_at, excluded.last_received_at),
        callbacks = messages.callbacks + 1
    RETURNING id
)
INSERT INTO receipts (message_id, received_at, anomalies, source, labels, fields)
SELECT id, now(), 0, 'callback', '{}', $15::text::json FROM message;
