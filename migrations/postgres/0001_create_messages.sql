-- One row per message: the outcome that all its receipts add up to. Never partitioned by time, since
-- a unique key that has to contain the partition column no longer tells duplicates apart.
-- Texts compare by bytes (COLLATE "C"), as the service itself compares them when it merges.
-- Wide columns stand first, which keeps the rows free of padding.
CREATE TABLE messages (
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
