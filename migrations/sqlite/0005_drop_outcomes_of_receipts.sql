-- Receipts as they came, and no longer what was made of them: that follows from the fields and the
-- codes in force. They name their message by its number.
-- The one index answers "every receipt of this message, oldest first".
CREATE TABLE received (
    message_id  INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    id          INTEGER PRIMARY KEY,
    anomalies   INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    labels      TEXT    NOT NULL,
    fields      TEXT    NOT NULL
);

-- 768: bad_text and bad_label, which alone do not follow from the fields.
INSERT INTO received (id, message_id, received_at, anomalies, source, labels, fields)
SELECT receipts.id, messages.id, receipts.received_at, receipts.anomalies & 768, receipts.source,
       receipts.labels, receipts.fields
FROM receipts JOIN messages USING (sid, account);

DROP TABLE receipts;
ALTER TABLE received RENAME TO receipts;

CREATE INDEX receipts_message ON receipts (message_id, received_at, id);
