-- Deletes a queue's row, and its pauses; work that is queued there stays, and waits until it is registered again.
WITH deleted AS (
    DELETE FROM {schema}.queues WHERE name = %(name)s RETURNING name
), unpaused AS (
    DELETE FROM {extension}.queue_controls WHERE queue_name = %(name)s
)
SELECT name, CASE WHEN octet_length(name) < 7900 THEN pg_notify('durably', 'k::' || name) END FROM deleted
