-- Appends values to streams and (outside steps) records the operation, for owned runs only. Offsets are dense.
-- A value is there already where its operation is recorded (the answer to an earlier commit was lost). In a step
-- it is, where a former attempt, or that commit, appended the same one at the same place: the `place`-th of the
-- step's own values behind the offset `after`, which the caller knows to be its own. An attempt that goes another
-- way than the former one appends behind it; of a record sent again, the last value may be what it left before.
-- Locks: the status row, which also keeps the streams of a workflow to one writer. Index: primary keys.
-- The notice on DBOS's channel wakes readers at commit. Returns the refused ones, and the offsets in steps.
WITH asked AS MATERIALIZED (
    SELECT r.* FROM ROWS FROM (json_to_recordset(%(records)s::json) AS (
        workflow_id text, owner text, function_id int, key text, value text, serialization text,
        in_step boolean, after int, place int, resent boolean, function_name text, started_at bigint, completed_at bigint)
    ) WITH ORDINALITY AS r(workflow_id, owner, function_id, key, value, serialization,
                           in_step, after, place, resent, function_name, started_at, completed_at, line)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), mine AS MATERIALIZED (
    SELECT a.*, COALESCE(tail."offset", -1) + 1 AS free, COALESCE(own.at_place, own.at_last) AS met,
           NOT a.in_step AND p.function_id IS NOT NULL AS recorded
    FROM asked a
    JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
    LEFT JOIN LATERAL (
        SELECT t."offset" FROM {schema}.streams t WHERE t.workflow_uuid = a.workflow_id AND t.key = a.key
        ORDER BY t."offset" DESC LIMIT 1
    ) tail ON true
    LEFT JOIN LATERAL (
        SELECT q.function_id FROM {schema}.operation_outputs q
        WHERE q.workflow_uuid = a.workflow_id AND q.function_id = a.function_id OFFSET 0
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT min(f."offset") FILTER (WHERE f.place = a.place AND f.value = a.value) AS at_place,
               max(f."offset") FILTER (WHERE a.resent AND f.is_last AND f.value = a.value) AS at_last
        FROM (SELECT t."offset", t.value, row_number() OVER up - 1 AS place, lead(1) OVER up IS NULL AS is_last
              FROM {schema}.streams t
              WHERE t.workflow_uuid = a.workflow_id AND t.key = a.key AND t."offset" > a.after
                AND t.function_id = a.function_id AND a.in_step
              WINDOW up AS (ORDER BY t."offset")) f
    ) own ON true
), numbered AS MATERIALIZED (
    SELECT m.*, recorded OR met IS NOT NULL AS present,
           free + row_number() OVER (
               PARTITION BY workflow_id, key, recorded OR met IS NOT NULL ORDER BY line) - 1 AS next
    FROM mine m
), appended AS (
    INSERT INTO {schema}.streams (workflow_uuid, key, value, "offset", function_id, serialization)
    SELECT workflow_id, key, value, next, function_id, serialization FROM numbered WHERE NOT present
), recorded AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, started_at_epoch_ms, completed_at_epoch_ms,
        application_name)
    SELECT workflow_id, function_id, function_name, started_at, completed_at, %(application_name)s
    FROM mine WHERE NOT in_step
    ON CONFLICT (workflow_uuid, function_id)
        DO UPDATE SET completed_at_epoch_ms = operation_outputs.completed_at_epoch_ms
    RETURNING workflow_uuid, function_id, completed_at_epoch_ms
), told AS (
    SELECT count(pg_notify('dbos_streams_channel', workflow_id || '::' || key)) AS notices
    FROM (SELECT DISTINCT workflow_id, key FROM numbered WHERE NOT present) n
    WHERE octet_length(workflow_id || key) < 7900
)
SELECT a.line - 1 AS line,
       CASE WHEN n.line IS NULL THEN 'lost' WHEN NOT a.in_step THEN 'taken' END AS refusal,
       COALESCE(n.met, n.next)::int AS "offset"
FROM asked a
LEFT JOIN numbered n ON n.line = a.line
LEFT JOIN recorded r ON r.workflow_uuid = a.workflow_id AND r.function_id = a.function_id
WHERE n.line IS NULL OR a.in_step OR r.completed_at_epoch_ms IS DISTINCT FROM a.completed_at
UNION ALL
SELECT NULL, 'told ' || notices, NULL FROM told  -- a row of its own, so that the notices always go out
