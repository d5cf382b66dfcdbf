-- Every receipt as it came, and what was made of it. Append-only, and partitioned by time so that
-- retention can drop whole partitions; until there are any, all rows are in the default partition.
-- The one index answers "every receipt of this message, oldest first".
CREATE TABLE receipts (
    id                   bigint GENERATED ALWAYS AS IDENTITY,
    received_at          timestamptz      NOT NULL,
    sent_at              timestamptz,
    delivered_at         timestamptz,
    updated_at           timestamptz,
    detailed_status_code integer,
    sms_units            integer,
    anomalies            integer          NOT NULL,
    evidence             smallint         NOT NULL,
    specific             boolean          NOT NULL,
    sid                  text COLLATE "C" NOT NULL,
    account              text COLLATE "C" NOT NULL,
    source               text COLLATE "C" NOT NULL,
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
    fields               json             NOT NULL,
    PRIMARY KEY (sid, received_at, id)
) PARTITION BY RANGE (received_at);

CREATE TABLE receipts_default PARTITION OF receipts DEFAULT;
