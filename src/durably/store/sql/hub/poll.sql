-- The one fallback query of a process: which of its waits are over.
-- Index: primary keys of workflow_status, workflow_output, workflow_events and streams; idx_workflow_topic.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(waits)s::json) AS r(kind text, id text, key text, "offset" int)
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
UNION ALL
SELECT 'stream', w.id, w.key, w."offset"::text, NULL, NULL
FROM asked w
LEFT JOIN LATERAL (
    SELECT l.status FROM {schema}.workflow_status l WHERE l.workflow_uuid = w.id OFFSET 0
) s ON true
WHERE w.kind = 'stream' AND (
    s.status IS NULL OR s.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING')
    OR EXISTS (SELECT FROM {schema}.streams t
               WHERE t.workflow_uuid = w.id AND t.key = w.key AND t."offset" = w."offset" OFFSET 0))
