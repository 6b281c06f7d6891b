-- Who holds these deduplication ids, each on its queue.
-- Index: uq_workflow_status_dedup_id.
SELECT s.queue_name, s.deduplication_id, s.workflow_uuid AS workflow_id
FROM json_to_recordset(%(wanted)s::json) AS w(queue_name text, deduplication_id text)
JOIN {schema}.workflow_status s ON s.queue_name = w.queue_name AND s.deduplication_id = w.deduplication_id
