-- The messages of a workflow, in the order in which it receives those of a topic. Index: idx_workflow_topic.
SELECT message_uuid, NULLIF(topic, '__null__topic__') AS topic, message, serialization, created_at_epoch_ms,
       consumed, consumed_by_function_id
FROM {schema}.notifications
WHERE destination_uuid = %(workflow_id)s
ORDER BY created_at_epoch_ms, message_uuid
