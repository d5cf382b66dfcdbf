-- The latest time by the database's clock at which the service has seen it. Retention goes by that clock: one that
-- is suddenly far ahead of this is not trusted with deleting. One row.
CREATE TABLE clock (
    id      smallint    PRIMARY KEY CHECK (id = 1),
    seen_at timestamptz NOT NULL
);

INSERT INTO clock (id, seen_at) VALUES (1, clock_timestamp());
