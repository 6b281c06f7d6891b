-- Consumes the oldest message of a topic and records it, in one transaction; with none there it starts the
-- timer (operation n + 1) or, when the wait is over, records None. An operation that is recorded already is
-- answered from its record (the answer to an earlier commit was lost).
-- Locks: the status row, then the message. Index: idx_workflow_topic (destination_uuid, topic).
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, function_id int, topic text, wait_seconds float8, give_up boolean,
        none_text text, none_serialization text, started_at bigint, completed_at bigint)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), mine AS MATERIALIZED (
    SELECT a.*, p.output AS recorded_output, p.serialization AS recorded_serialization,
           p.workflow_uuid IS NOT NULL AS recorded, n.message_uuid, n.message, n.serialization
    FROM asked a
    JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
    LEFT JOIN LATERAL (
        SELECT q.workflow_uuid, q.output, q.serialization FROM {schema}.operation_outputs q
        WHERE q.workflow_uuid = a.workflow_id AND q.function_id = a.function_id
        OFFSET 0
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT m.message_uuid, m.message, m.serialization FROM {schema}.notifications m
        WHERE m.destination_uuid = a.workflow_id AND m.topic = a.topic AND NOT m.consumed
          AND p.workflow_uuid IS NULL
        ORDER BY m.created_at_epoch_ms, m.message_uuid
        OFFSET (SELECT count(*) FROM asked b WHERE b.workflow_id = a.workflow_id
                AND b.topic = a.topic AND b.function_id < a.function_id)
        LIMIT 1
    ) n ON true
), consumed AS (
    UPDATE {schema}.notifications m SET consumed = true, consumed_by_function_id = i.function_id
    FROM mine i WHERE m.message_uuid = i.message_uuid
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, output, serialization,
        started_at_epoch_ms, completed_at_epoch_ms, application_name)
    SELECT workflow_id, function_id, 'DBOS.recv',
           CASE WHEN message_uuid IS NULL THEN none_text ELSE message END,
           CASE WHEN message_uuid IS NULL THEN none_serialization ELSE serialization END,
           started_at, completed_at, %(application_name)s
    FROM mine WHERE NOT recorded AND (message_uuid IS NOT NULL OR give_up)
), timed AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, output, serialization,
        started_at_epoch_ms, completed_at_epoch_ms, application_name)
    SELECT workflow_id, function_id + 1, 'DBOS.sleep',
           (EXTRACT(epoch FROM clock_timestamp())::float8 + wait_seconds)::text, 'portable_json',
           started_at, started_at, %(application_name)s
    FROM mine
    WHERE NOT recorded AND message_uuid IS NULL AND NOT give_up AND wait_seconds IS NOT NULL
    ON CONFLICT (workflow_uuid, function_id)
        DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms
    RETURNING workflow_uuid, function_id, output
)
SELECT i.workflow_id, i.owner, i.function_id, i.recorded OR i.message_uuid IS NOT NULL OR i.give_up AS found,
       CASE WHEN i.recorded THEN i.recorded_output
            WHEN i.message_uuid IS NOT NULL THEN i.message ELSE i.none_text END AS message,
       CASE WHEN i.recorded THEN i.recorded_serialization
            WHEN i.message_uuid IS NOT NULL THEN i.serialization ELSE i.none_serialization END
            AS serialization,
       t.output::float8 AS wake
FROM mine i
LEFT JOIN timed t ON t.workflow_uuid = i.workflow_id AND t.function_id = i.function_id + 1
