-- An ascending number for each message, so that the log of receipts can name its message by something
-- that grows: an index by sid is written to at random places, which costs more than the rows do.
-- A table of its own, since the number stands before what it would otherwise be padded behind.
CREATE TABLE numbered (
    id                   bigint           GENERATED ALWAYS AS IDENTITY,
    sent_at              timestamptz,
    first_received_at    timestamptz      NOT NULL,
    last_received_at     timestamptz      NOT NULL,
    detailed_status_code integer,
    sms_units            integer,
    anomalies            integer          NOT NULL,
    callbacks            integer          NOT NULL,
    evidence             smallint         NOT NULL,
    specific             boolean          NOT NULL,
    sid                  text COLLATE "C" NOT NULL,
    account              text COLLATE "C" NOT NULL,
    status               text COLLATE "C",
    detailed_status      text COLLATE "C",
    outcome              text COLLATE "C" NOT NULL,
    category             text COLLATE "C" NOT NULL,
    retry                text COLLATE "C" NOT NULL,
    confirmed_by         text COLLATE "C" NOT NULL,
    recipient            text COLLATE "C",
    recipient_raw        text COLLATE "C",
    custom_field         text COLLATE "C",
    labels               jsonb            NOT NULL,
    PRIMARY KEY (sid, account)
);

INSERT INTO numbered (
    sent_at, first_received_at, last_received_at, detailed_status_code, sms_units, anomalies,
    callbacks, evidence, specific, sid, account, status, detailed_status, outcome, category, retry,
    confirmed_by, recipient, recipient_raw, custom_field, labels
)
SELECT
    sent_at, first_received_at, last_received_at, detailed_status_code, sms_units, anomalies,
    callbacks, evidence, specific, sid, account, status, detailed_status, outcome, category, retry,
    confirmed_by, recipient, recipient_raw, custom_field, labels
FROM messages ORDER BY first_received_at;

DROP TABLE messages;
ALTER TABLE numbered RENAME TO messages;
ALTER TABLE messages RENAME CONSTRAINT numbered_pkey TO messages_pkey;
ALTER SEQUENCE numbered_id_seq RENAME TO messages_id_seq;
