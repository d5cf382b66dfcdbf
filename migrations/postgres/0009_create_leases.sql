-- Who does what only one replica does at a time, and until when, by the database's clock. A row, and no
-- advisory lock of a session: behind a pooler of transactions a session is nobody's own.
CREATE TABLE leases (
    name       text COLLATE "C" PRIMARY KEY,
    holder     text COLLATE "C" NOT NULL,
    expires_at timestamptz      NOT NULL
);
