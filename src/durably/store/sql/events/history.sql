-- Every value that a workflow's events have had, in the order in which they were set. Index: the primary key.
SELECT key, value, serialization, function_id
FROM {schema}.workflow_events_history
WHERE workflow_uuid = %(workflow_id)s
ORDER BY function_id, key
