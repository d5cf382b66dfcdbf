-- What lists go by. Newest first, within a window of time:
CREATE INDEX messages_received ON messages (first_received_at, id);
-- of one account, which may be a small one among large ones,
CREATE INDEX messages_account ON messages (account, first_received_at, id);
-- by recipient; numbers that were not understood by the beginning of their text, and
CREATE INDEX messages_recipient ON messages (recipient, first_received_at, id);
CREATE INDEX messages_recipient_raw ON messages (left(recipient_raw, 64), first_received_at, id)
    WHERE recipient IS NULL;
-- by that of the sender's own text: texts may be longer than a tree's entries may be, and a hash would
-- grow slow where many messages have the same one,
CREATE INDEX messages_custom_field ON messages (left(custom_field, 64), first_received_at, id)
    WHERE custom_field IS NOT NULL;
-- by campaign, and by any label: callbacks without labels pay for neither,
CREATE INDEX messages_campaign ON messages ((labels->>'campaign_id'), first_received_at, id)
    WHERE labels->>'campaign_id' IS NOT NULL;
CREATE INDEX messages_labels ON messages USING gin (labels jsonb_path_ops) WITH (fastupdate = off)
    WHERE labels <> '{}';
-- by time of sending,
CREATE INDEX messages_sent ON messages (sent_at);
-- and what is rare: nearly all messages are delivered, so those that are not are found without them.
CREATE INDEX messages_outcome ON messages (outcome, first_received_at, id) WHERE outcome <> 'delivered';
CREATE INDEX messages_status ON messages (status, first_received_at, id) WHERE status <> 'sent';
CREATE INDEX messages_code ON messages (detailed_status_code, first_received_at, id)
    WHERE detailed_status_code NOT IN (20005, 20006);
CREATE INDEX messages_category ON messages (category, first_received_at, id)
    WHERE category NOT IN ('handset', 'operator');
CREATE INDEX messages_retry ON messages (retry, first_received_at, id) WHERE retry <> 'none';
CREATE INDEX messages_flagged ON messages (first_received_at, id) WHERE anomalies <> 0;
