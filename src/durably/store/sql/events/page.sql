-- A page of the values that the events of a workflow have had, the latest first, with their first characters;
-- `is_latest` tells those that they have now. Index: the primary keys.
SELECT h.function_id, h.key, h.serialization, left(h.value, %(most)s::int) AS value,
       octet_length(h.value) AS value_size,
       NOT EXISTS (SELECT FROM {schema}.workflow_events_history later
                   WHERE later.workflow_uuid = h.workflow_uuid AND later.function_id > h.function_id
                     AND later.key = h.key) AS is_latest
FROM {schema}.workflow_events_history h
WHERE h.workflow_uuid = %(workflow_id)s::text
  AND (%(before)s::int IS NULL OR h.function_id < %(before)s::int)
ORDER BY h.function_id DESC, h.key
LIMIT %(limit)s::bigint
