-- Stored messages number :from to :to, each with its receipt: what a database holds after a while.
-- Each sid is the digest of its number, so that questions can name them. Five a second, of which every
-- eleventh or so is not delivered; half of them have labels, of campaigns of 10,000 messages.
WITH kind (number, code, status, name, outcome, category, retry, confirmed_by, evidence) AS (
    VALUES
        (0, 21020, 'submitted', 'PENDING_ON_OPERATOR', 'pending', 'in_transit', 'wait', 'none', 30),
        (1, 23005, 'failed-dnd', 'FAILED_REJECTED_DND', 'failed', 'recipient', 'never', 'none', 60),
        (2, 23082, 'failed', 'TEMPLATE_BLOCKED_BY_DLT', 'failed', 'compliance', 'after_fix', 'none', 60),
        (3, 23035, 'failed', 'FAILED_SUBSCRIBER_UNAVAILABLE', 'failed', 'recipient', 'later', 'none', 60),
        (4, 23050, 'failed', 'FAILED_EXPIRED', 'failed', 'recipient', 'later', 'none', 60),
        (5, 20006, 'sent', 'DELIVERED_TO_OPERATOR', 'delivered', 'operator', 'none', 'operator', 50),
        (6, 20005, 'sent', 'DELIVERED_TO_HANDSET', 'delivered', 'handset', 'none', 'handset', 70)
), seeded AS (
    SELECT
        n, md5(n::text) AS sid, '0981' || lpad((n * 7919 % 10000000)::text, 7, '0') AS recipient,
        'order-' || lpad(n::text, 8, '0') AS custom_field,
        CASE WHEN n % 2 = 0 THEN '{}'::jsonb ELSE jsonb_build_object('campaign_id', 'c' || n / 20000, 'team', 't' || n % 10) END
            AS labels,
        timestamptz '2026-11-01 00:00:00+05:30' + n * interval '200 milliseconds' AS sent_at,
        interval '100 milliseconds' * (10 + n * 7919 % 600) AS latency
    FROM generate_series(:from::bigint, :to::bigint) AS n
), message AS (
    INSERT INTO messages (
        sid, account, first_received_at, last_received_at, decided_at, callbacks, sent_at, detailed_status_code,
        sms_units, anomalies, evidence, specific, status, detailed_status, outcome, category, retry, confirmed_by,
        recipient, recipient_raw, custom_field, labels
    )
    SELECT
        sid, 'default', sent_at + latency, sent_at + latency, sent_at + latency, 1, sent_at, code,
        1, CASE WHEN n % 5000 = 0 THEN 4 ELSE 0 END, evidence, true, status, name, outcome, category, retry, confirmed_by,
        '+91' || substr(recipient, 2), recipient, custom_field, labels
    FROM seeded JOIN kind ON number = least(n % 64, 6)
    ORDER BY n
    RETURNING id, sid, recipient_raw, status, detailed_status, detailed_status_code, custom_field, labels,
        first_received_at
)
INSERT INTO receipts (message_id, received_at, anomalies, source, labels, fields)
SELECT
    id, first_received_at, 0, 'callback', labels::json,
    json_build_object(
        'SmsSid', sid, 'To', recipient_raw, 'Status', status, 'DetailedStatusCode', detailed_status_code::text,
        'DetailedStatus', detailed_status, 'SmsUnits', '1', 'DateSent', '2026-11-21 18:29:33',
        'CustomField', custom_field)
FROM message;
