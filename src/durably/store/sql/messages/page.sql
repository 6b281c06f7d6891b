-- A page of the messages of a workflow, the newest first, with their first characters. Index: idx_workflow_topic.
SELECT message_uuid, NULLIF(topic, '__null__topic__') AS topic, serialization, created_at_epoch_ms, consumed,
       consumed_by_function_id, left(message, %(most)s::int) AS message, octet_length(message) AS message_size
FROM {schema}.notifications
WHERE destination_uuid = %(workflow_id)s::text
  AND (%(before_ms)s::bigint IS NULL
       OR (created_at_epoch_ms, message_uuid) < (%(before_ms)s::bigint, %(before_id)s::text))
ORDER BY created_at_epoch_ms DESC, message_uuid DESC
LIMIT %(limit)s::bigint
