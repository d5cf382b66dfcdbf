-- Receipts as they came, and no longer what was made of them: that follows from the fields and the
-- codes in force. They name their message by its number.
-- The one index answers "every receipt of this message, oldest first".
CREATE TABLE received (
    message_id  bigint           NOT NULL,
    received_at timestamptz      NOT NULL,
    id          bigint           GENERATED ALWAYS AS IDENTITY,
    anomalies   integer          NOT NULL,
    source      text COLLATE "C" NOT NULL,
    labels      json             NOT NULL,
    fields      json             NOT NULL
) PARTITION BY RANGE (received_at);

CREATE TABLE received_default PARTITION OF received DEFAULT;

-- 768: bad_text and bad_label, which alone do not follow from the fields.
INSERT INTO received (message_id, received_at, anomalies, source, labels, fields)
SELECT messages.id, receipts.received_at, receipts.anomalies & 768, receipts.source,
       receipts.labels::json, receipts.fields
FROM receipts JOIN messages USING (sid, account)
ORDER BY receipts.id;

DROP TABLE receipts;
ALTER TABLE received RENAME TO receipts;
ALTER TABLE received_default RENAME TO receipts_default;
ALTER SEQUENCE received_id_seq RENAME TO receipts_id_seq;

CREATE INDEX receipts_message ON receipts (message_id, received_at, id);
