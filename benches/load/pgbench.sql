-- The ceiling of Postgres: what a batch of 256 callbacks costs when nothing but SQL takes part.
-- A script of pgbench; the same rows into the same schema, in one statement.
\set seed random(1, 9000000000000000000)
WITH callback AS (
    SELECT md5(:seed || '/' || n) AS sid, n, '0981' || (1000000 + n) AS recipient
    FROM generate_series(1, 256) AS n
), message AS (
    INSERT INTO messages (
        sid, account, first_received_at, last_received_at, decided_at, callbacks, sent_at, detailed_status_code,
        sms_units, anomalies, evidence, specific, status, detailed_status, outcome, category, retry, confirmed_by,
        recipient, recipient_raw, custom_field, labels
    )
    SELECT
        sid, 'default', now(), now(), now(), 1, '2026-11-21 18:29:33+05:30', 20005, 1,
        0, 70, true, 'sent', 'DELIVERED_TO_HANDSET', 'delivered', 'handset', 'none', 'handset',
        '+91' || substr(recipient, 2), recipient, 'order-12345678', '{}'
    FROM callback
    ORDER BY sid
    ON CONFLICT (sid, account) DO UPDATE SET
        evidence = greatest(messages.evidence, excluded.evidence),
        callbacks = messages.callbacks + 1
    RETURNING id, sid
)
INSERT INTO receipts (message_id, received_at, anomalies, source, labels, fields)
SELECT
    message.id, now(), 0, 'callback', '{}',
    ('{"SmsSid":"' || sid || '","To":"' || recipient || '","Status":"sent","DetailedStatusCode":"20005",'
        '"DetailedStatus":"DELIVERED_TO_HANDSET","SmsUnits":"1","DateSent":"2026-11-21 18:29:33",'
        '"CustomField":"order-12345678"}')::json
FROM callback JOIN message USING (sid);
