-- What lists go by. Indexes of account, sender's text and time of sending, which Postgres has as well, would
-- take a third of the callbacks here: on one machine such lists go along the time.
-- Newest first, within a window of time:
CREATE INDEX messages_received ON messages (first_received_at, id);
-- by recipient; numbers that were not understood by their text,
CREATE INDEX messages_recipient ON messages (recipient, first_received_at, id) WHERE recipient IS NOT NULL;
CREATE INDEX messages_recipient_raw ON messages (recipient_raw, first_received_at, id) WHERE recipient IS NULL;
-- by campaign: callbacks without labels do not pay for it,
CREATE INDEX messages_campaign ON messages (json_extract(labels, '$.campaign_id'), first_received_at, id)
    WHERE json_extract(labels, '$.campaign_id') IS NOT NULL;
-- and what is rare: nearly all messages are delivered, so those that are not are found without them.
CREATE INDEX messages_outcome ON messages (outcome, first_received_at, id) WHERE outcome <> 'delivered';
CREATE INDEX messages_status ON messages (status, first_received_at, id) WHERE status <> 'sent';
CREATE INDEX messages_code ON messages (detailed_status_code, first_received_at, id)
    WHERE detailed_status_code NOT IN (20005, 20006);
CREATE INDEX messages_category ON messages (category, first_received_at, id)
    WHERE category NOT IN ('handset', 'operator');
CREATE INDEX messages_retry ON messages (retry, first_received_at, id) WHERE retry <> 'none';
CREATE INDEX messages_flagged ON messages (first_received_at, id) WHERE anomalies <> 0;
