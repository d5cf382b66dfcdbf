-- When the first receipt came that says what is believed: what the time from sending to receipt is
-- measured to. What was stored before has the last receipt's time at best.
ALTER TABLE messages ADD COLUMN decided_at timestamptz;
UPDATE messages SET decided_at = last_received_at;
ALTER TABLE messages ALTER COLUMN decided_at SET NOT NULL;
