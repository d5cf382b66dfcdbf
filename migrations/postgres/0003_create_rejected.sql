-- Bodies that were refused, byte for byte, and why: what a sender got wrong can be looked at, and
-- nothing that Exotel says is lost. Bounded by count and age, so both are indexed.
CREATE TABLE rejected (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at  timestamptz      NOT NULL,
    account      text COLLATE "C" NOT NULL,
    content_type text COLLATE "C",
    reason       text COLLATE "C" NOT NULL,
    body         bytea            NOT NULL
);

CREATE INDEX rejected_received_at ON rejected (received_at);
