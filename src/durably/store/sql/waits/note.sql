-- Tells what runs of an executor wait for by now, and forgets what is over. Nothing is told by an executor without a
-- lease: nobody would forget it. Repeating it changes nothing. Index: the primary keys.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(waits)s::json) AS r(
        place bigint, nth int, workflow_id text, owner text, function_id int, kind text, id text, key text, until float8,
        lasted float8)
), over AS (
    DELETE FROM {extension}.waits
    WHERE executor_id = %(executor_id)s AND place = ANY (%(over)s::bigint[])
)
INSERT INTO {extension}.waits (
    executor_id, place, nth, workflow_uuid, owner_xid, function_id, kind, id, key, until_epoch_ms, since)
SELECT %(executor_id)s, a.place, a.nth, a.workflow_id, a.owner, a.function_id, a.kind, a.id, a.key,
       (a.until * 1000)::bigint, clock_timestamp() - make_interval(secs => a.lasted)
FROM asked a
WHERE EXISTS (SELECT FROM {extension}.executors e WHERE e.executor_id = %(executor_id)s AND e.stopped_at IS NULL)
ON CONFLICT DO NOTHING
