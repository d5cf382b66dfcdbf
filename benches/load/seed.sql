-- Stored messages number :from to :to, each with its receipt: what a database holds after a while.
-- Each sid is the digest of its number, so that questions can name them.
WITH seeded AS (
    SELECT
        md5(n::text) AS sid, '0981' || lpad((n % 10000000)::text, 7, '0') AS recipient,
        'order-' || lpad(n::text, 8, '0') AS custom_field,
        timestamptz '2026-11-01 00:00:00+05:30' + n * interval '50 milliseconds' AS sent_at
    FROM generate_series(:from::bigint, :to::bigint) AS n
), message AS (
    INSERT INTO messages (
        sid, account, first_received_at, last_received_at, callbacks, sent_at, detailed_status_code, sms_units,
        anomalies, evidence, specific, status, detailed_status, outcome, category, retry, confirmed_by,
        recipient, recipient_raw, custom_field, labels
    )
    SELECT
        sid, 'default', sent_at + interval '3 seconds', sent_at + interval '3 seconds', 1, sent_at, 20005, 1,
        0, 70, true, 'sent', 'DELIVERED_TO_HANDSET', 'delivered', 'handset', 'none', 'handset',
        '+91' || substr(recipient, 2), recipient, custom_field, '{}'
    FROM seeded
    ORDER BY sid
    RETURNING id, sid, recipient_raw AS recipient, custom_field, first_received_at
)
INSERT INTO receipts (message_id, received_at, anomalies, source, labels, fields)
SELECT
    id, first_received_at, 0, 'callback', '{}',
    ('{"SmsSid":"' || sid || '","To":"' || recipient || '","Status":"sent","DetailedStatusCode":"20005",'
        '"DetailedStatus":"DELIVERED_TO_HANDSET","SmsUnits":"1","DateSent":"2026-11-21 18:29:33",'
        '"CustomField":"' || custom_field || '"}')::json
FROM message;
