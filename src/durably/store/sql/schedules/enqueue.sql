-- Enqueues runs of a schedule out of turn; ids that exist are left alone. The rows are those that DBOS's own scheduler
-- writes: no format named but TypeScript's, of the owner's latest version. No row at all: there is no such schedule.
-- Index: the unique name; application_versions by owner and timestamp. The notice wakes the queue's workers.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(workflow_id text, inputs text, serialization text)
), schedule AS MATERIALIZED (
    SELECT s.schedule_name, s.workflow_name, NULLIF(s.workflow_class_name, '') AS class_name, owner.name AS owner,
           COALESCE(s.queue_name, '_dbos_internal_queue') AS queue_name,
           (SELECT v.version_name FROM {schema}.application_versions v
            WHERE v.application_name = owner.name OR v.application_name IS NULL
            ORDER BY v.version_timestamp DESC LIMIT 1) AS version
    FROM {schema}.workflow_schedules s,
         LATERAL (SELECT COALESCE(s.application_name, %(application_name)s) AS name) owner
    WHERE s.schedule_name = %(schedule_name)s
), made AS (
    INSERT INTO {schema}.workflow_status (
        workflow_uuid, status, name, class_name, queue_name, application_version, application_name, schedule_name,
        serialization, priority, recovery_attempts)
    SELECT a.workflow_id, 'ENQUEUED', s.workflow_name, s.class_name, s.queue_name, s.version, s.owner, s.schedule_name,
           a.serialization, 0, 0
    FROM asked a, schedule s
    ON CONFLICT (workflow_uuid) DO NOTHING
    RETURNING workflow_uuid
), given AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT a.workflow_id, a.inputs FROM asked a JOIN made m ON m.workflow_uuid = a.workflow_id
    ON CONFLICT (workflow_uuid) DO NOTHING
)
SELECT s.schedule_name, (SELECT count(*) FROM made) AS made,
       CASE WHEN octet_length(s.queue_name) < 7900 THEN pg_notify('durably', 'q::' || s.queue_name) END AS told
FROM schedule s
