-- When the first receipt came that says what is believed: what the time from sending to receipt is
-- measured to. What was stored before has the last receipt's time at best.
ALTER TABLE messages ADD COLUMN decided_at INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET decided_at = last_received_at;
