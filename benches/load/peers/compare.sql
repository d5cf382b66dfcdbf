-- What the one callback of a database has become, but for what differs from run to run.
SELECT jsonb_build_object(
    'message', to_jsonb(messages) - '{id, first_received_at, last_received_at, decided_at}'::text[],
    'receipt', to_jsonb(receipts) - '{id, message_id, received_at}'::text[]
)
FROM messages, receipts;
