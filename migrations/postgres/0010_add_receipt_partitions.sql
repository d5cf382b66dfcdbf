-- Partitions that retention drops whole. What is stored so far, and what comes until the end of the month,
-- stays together in a first one; those behind it are made by the service, ahead of time. The default
-- partition is left with what belongs nowhere: it stays small, since making a partition looks through it.
ALTER TABLE receipts DETACH PARTITION receipts_default;
ALTER TABLE receipts_default RENAME TO receipts_first;
CREATE TABLE receipts_default (LIKE receipts);

DO $$
DECLARE
    month_ends timestamptz := (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    -- A clock that ran ahead must not stop this.
    WITH ahead AS (DELETE FROM receipts_first WHERE received_at >= month_ends RETURNING *)
    INSERT INTO receipts_default SELECT * FROM ahead;
    EXECUTE format('ALTER TABLE receipts ATTACH PARTITION receipts_first FOR VALUES FROM (MINVALUE) TO (%L)', month_ends);
END
$$;

ALTER TABLE receipts ATTACH PARTITION receipts_default DEFAULT;
