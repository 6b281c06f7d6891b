-- The one fallback query of a process: which of its waits are over.
-- Index: primary keys of workflow_status, workflow_output and workflow_events; idx_workflow_topic.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(waits)s::json) AS r(kind text, id text, key text)
)
SELECT 'result' AS kind, s.workflow_uuid AS id, s.status AS key, COALESCE(o.output, s.output) AS value,
       COALESCE(o.error, s.error) AS error, s.serialization
FROM asked w
JOIN {schema}.workflow_status s ON s.workflow_uuid = w.id
LEFT JOIN {schema}.workflow_output o ON o.workflow_uuid = s.workflow_uuid
WHERE w.kind = 'result' AND s.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING')
UNION ALL
SELECT 'event', e.workflow_uuid, e.key, e.value, NULL, e.serialization
FROM asked w JOIN {schema}.workflow_events e ON e.workflow_uuid = w.id AND e.key = w.key
WHERE w.kind = 'event'
UNION ALL
SELECT 'message', w.id, w.key, NULL, NULL, NULL
FROM asked w
WHERE w.kind = 'message' AND EXISTS (
    SELECT FROM {schema}.notifications n
    WHERE n.destination_uuid = w.id AND n.topic = w.key AND NOT n.consumed)
