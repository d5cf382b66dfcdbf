-- The latest time by the database's clock at which the service has seen it, in microseconds since the Unix epoch.
-- Retention goes by that clock: one that is suddenly far ahead of this is not trusted with deleting. One row.
CREATE TABLE clock (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    seen_at INTEGER NOT NULL
);

INSERT INTO clock (id, seen_at) VALUES (1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));
