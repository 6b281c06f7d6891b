-- The events of a workflow, with their latest values. Index: the primary key.
SELECT key, value, serialization
FROM {schema}.workflow_events
WHERE workflow_uuid = %(workflow_id)s
ORDER BY key
