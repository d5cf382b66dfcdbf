-- The union of two sets of labels; where both name a label, the greatest of its values in byte order.
-- A function, so that a batch pays for it only where labels differ: written out in its statement, the
-- plan for it is set up for every batch.
CREATE FUNCTION join_labels(mine jsonb, theirs jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT jsonb_object_agg(key, value)
    FROM (
        SELECT key, max(value COLLATE "C") AS value
        FROM (SELECT * FROM jsonb_each_text(mine) UNION ALL SELECT * FROM jsonb_each_text(theirs)) AS both_sides
        GROUP BY key
    ) AS joined
);
