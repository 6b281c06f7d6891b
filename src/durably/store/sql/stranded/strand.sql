-- PENDING -> DELAYED for ever: sets a workflow aside that this token owns and whose record its code does not fit.
-- DBOS executors leave such a row alone; it holds no place on its queue. The attempt does not count as one.
-- Locks: the workflow's row. Index: primary keys. No row: the token owned nothing any more.
WITH stranded AS (
    UPDATE {schema}.workflow_status s
    SET status = 'DELAYED', delay_until_epoch_ms = %(until)s::bigint, owner_xid = NULL,
        started_at_epoch_ms = NULL, queue_name = COALESCE(s.queue_name, '_dbos_internal_queue'),
        recovery_attempts = GREATEST(s.recovery_attempts - 1, 0),
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    WHERE s.workflow_uuid = %(workflow_id)s::text AND s.owner_xid = %(owner)s::text
      AND (s.status = 'PENDING') IS TRUE
    RETURNING s.workflow_uuid, s.created_at
), began AS (
    SELECT to_timestamp(COALESCE(
        (SELECT min(p.started_at_epoch_ms) FROM {schema}.operation_outputs p
         WHERE p.workflow_uuid = %(workflow_id)s::text),
        (SELECT created_at FROM stranded)) / 1000.0) AS at
), change AS (
    SELECT NOT EXISTS (
            SELECT FROM {extension}.application_code c, began
            WHERE c.application_name = %(application_name)s::text AND c.code = %(code)s::text
              AND c.first_seen_at <= began.at)
        OR EXISTS (
            SELECT FROM {extension}.application_code c, began
            WHERE c.application_name = %(application_name)s::text AND c.code <> %(code)s::text
              AND c.last_seen_at >= began.at) AS code_changed
)
INSERT INTO {extension}.stranded_workflows AS t (
    workflow_uuid, application_name, function_id, asked, recorded, difference, code, code_changed, met, executor_id)
SELECT workflow_uuid, %(application_name)s::text, %(function_id)s::int, %(asked)s::text, %(recorded)s::text,
       %(difference)s::text, %(code)s::text, code_changed, ARRAY[%(code)s::text], %(executor_id)s::text
FROM stranded, change
ON CONFLICT (workflow_uuid) DO UPDATE
    SET application_name = EXCLUDED.application_name, function_id = EXCLUDED.function_id, asked = EXCLUDED.asked,
        recorded = EXCLUDED.recorded, difference = EXCLUDED.difference, code = EXCLUDED.code,
        code_changed = EXCLUDED.code_changed, executor_id = EXCLUDED.executor_id, stranded_at = now(),
        released_at = NULL, met = array_remove(t.met, EXCLUDED.code) || EXCLUDED.code
RETURNING workflow_uuid AS workflow_id
