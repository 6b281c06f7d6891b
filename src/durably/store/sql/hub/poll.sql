-- The one fallback query of a process: which of its waits are over.
-- Index: primary keys of workflow_status, workflow_output and workflow_events; idx_workflow_topic.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(waits)s::json) AS r(kind text, id text, key text)
)
SELECT 'result' AS kind, s.workflow_uuid AS id, s.status AS key, COALESCE(o.output, s.output) AS value,
       COALESCE(o.error, s.error) AS error, s.serialization
FROM {schema}.workflow_status s
LEFT JOIN LATERAL (
    SELECT p.output, p.error FROM {schema}.workflow_output p WHERE p.workflow_uuid = s.workflow_uuid OFFSET 0
) o ON true
WHERE s.workflow_uuid = ANY (ARRAY(SELECT id FROM asked WHERE kind = 'result'))
  AND s.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING')
UNION ALL
SELECT 'event', e.workflow_uuid, e.key, e.value, NULL, e.serialization
FROM {schema}.workflow_events e
WHERE e.workflow_uuid = ANY (ARRAY(SELECT id FROM asked WHERE kind = 'event'))
  AND (e.workflow_uuid, e.key) IN (SELECT id, key FROM asked WHERE kind = 'event')
UNION ALL
SELECT 'message', w.id, w.key, NULL, NULL, NULL
FROM asked w
WHERE w.kind = 'message' AND (w.id, w.key) IN (
    SELECT n.destination_uuid, n.topic FROM {schema}.notifications n
    WHERE n.destination_uuid = ANY (ARRAY(SELECT id FROM asked WHERE kind = 'message')) AND NOT n.consumed)
