-- Rewinds workflows that have ended: what they recorded from `cut` on (NULL: all) is forgotten, and they are
-- ENQUEUED under their own id; edits that were asked for are made, and `durably.edited` tells of them. Events get
-- the value that they had; streams lose the mark that closed them, and keep their values, as DBOS leaves them.
-- With `strict` all or none. `creator_xid` takes the call's token: its repetition changes nothing more.
-- Locks: the workflows' rows, in one order. Index: primary keys, idx_workflow_topic.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, token text, start_step int, from_failure boolean, queue_name text,
        queue_partition_key text, app_version text, inputs text, serialization text, outputs json)
), locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.status, s.creator_xid, s.attributes FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), edit AS MATERIALIZED (
    SELECT a.workflow_id, e.key::int AS function_id, e.value ->> 'output' AS output,
           e.value ->> 'error' AS error, e.value ->> 'serialization' AS serialization
    FROM asked a, json_each(a.outputs) e
), placed AS MATERIALIZED (
    SELECT a.*, h.first_step, h.last_step,
           CASE WHEN a.from_failure THEN COALESCE(h.cause, h.last_failure, h.last_step + 1) ELSE a.start_step END
               AS cut
    FROM asked a, LATERAL (
        SELECT LEAST(min(p.function_id), 1) AS first_step, max(p.function_id) AS last_step,
               min(p.function_id) FILTER (WHERE p.error = o.error) AS cause,
               max(p.function_id) FILTER (WHERE p.error IS NOT NULL) AS last_failure
        FROM {schema}.operation_outputs p
        LEFT JOIN {schema}.workflow_output o ON o.workflow_uuid = a.workflow_id
        WHERE p.workflow_uuid = a.workflow_id AND p.function_id <= 1000000000 OFFSET 0  -- beyond it is cleanup
    ) h
), fitted AS MATERIALIZED (
    SELECT p.*, (
        SELECT min(e.function_id) FROM edit e
        WHERE e.workflow_id = p.workflow_id AND NOT EXISTS (
            SELECT FROM {schema}.operation_outputs k
            WHERE k.workflow_uuid = p.workflow_id AND k.function_id = e.function_id AND k.function_id < p.cut
              AND (k.child_workflow_id IS NULL OR k.function_name = 'DBOS.getResult'))
        ) AS unfit
    FROM placed p
), judged AS MATERIALIZED (
    SELECT f.*, l.status, l.attributes, CASE
        WHEN l.workflow_uuid IS NULL THEN 'missing'
        WHEN l.creator_xid = f.token THEN 'repeated'
        WHEN l.status IN ('ENQUEUED', 'DELAYED', 'PENDING') THEN 'active'
        WHEN f.start_step < COALESCE(f.first_step, 1) OR f.start_step > COALESCE(f.last_step, 0) + 1
            THEN 'no step'
        WHEN f.unfit IS NOT NULL THEN 'unfit'
        END AS refusal
    FROM fitted f LEFT JOIN locked l ON l.workflow_uuid = f.workflow_id
), going AS MATERIALIZED (
    SELECT j.*, COALESCE(j.cut, 0) AS from_step FROM judged j
    WHERE j.refusal IS NULL
      AND NOT (%(strict)s::boolean AND EXISTS (SELECT FROM judged WHERE refusal <> 'repeated'))
), rewound AS (
    UPDATE {schema}.workflow_status s
    SET status = 'ENQUEUED', owner_xid = NULL, queue_name = g.queue_name,
        queue_partition_key = g.queue_partition_key, recovery_attempts = 0, workflow_deadline_epoch_ms = NULL,
        deduplication_id = NULL, started_at_epoch_ms = NULL, completed_at = NULL, output = NULL, error = NULL,
        application_version = COALESCE(g.app_version, s.application_version),
        serialization = COALESCE(g.serialization, s.serialization), creator_xid = g.token,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint,
        attributes = CASE
            WHEN e.edited IS NULL AND jsonb_typeof(s.attributes) = 'object' THEN s.attributes - 'durably.edited'
            WHEN e.edited IS NULL THEN s.attributes
            WHEN jsonb_typeof(s.attributes) = 'object'
            THEN s.attributes || jsonb_build_object('durably.edited', e.edited)
            ELSE jsonb_build_object('durably.edited', e.edited) END
    FROM going g, LATERAL (
        SELECT CASE WHEN x.input OR x.outputs IS NOT NULL THEN jsonb_build_object(
            'input', x.input, 'outputs', COALESCE(x.outputs, '[]'::jsonb)) END AS edited
        FROM (
            SELECT g.inputs IS NOT NULL
                   OR COALESCE(g.attributes @> '{"durably.edited": {"input": true}}', false) AS input,
                   (SELECT jsonb_agg(DISTINCT n ORDER BY n) FROM (
                        SELECT function_id FROM edit WHERE edit.workflow_id = g.workflow_id
                        UNION ALL
                        SELECT (v #>> '{}')::int
                        FROM jsonb_path_query(g.attributes, '$."durably.edited".outputs[*] ? (@.type() == "number")') v
                        WHERE (v #>> '{}')::int < g.cut
                    ) known(n)) AS outputs
        ) x OFFSET 0
    ) e
    WHERE s.workflow_uuid = g.workflow_id AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
    RETURNING s.workflow_uuid, s.queue_name
), given AS (
    UPDATE {schema}.workflow_input i SET inputs = g.inputs
    FROM going g
    WHERE i.workflow_uuid = g.workflow_id AND g.inputs IS NOT NULL
      AND i.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), forgotten AS (
    DELETE FROM {schema}.operation_outputs p USING going g
    WHERE p.workflow_uuid = g.workflow_id AND p.function_id >= g.from_step
      AND p.function_name <> 'durably.continueAsNew'  -- the generation begins again, not the first one
      AND p.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), edited AS (
    UPDATE {schema}.operation_outputs p
    SET output = e.output, error = e.error, serialization = e.serialization
    FROM going g JOIN edit e ON e.workflow_id = g.workflow_id
    WHERE p.workflow_uuid = g.workflow_id AND p.function_id = e.function_id
      AND p.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), history AS MATERIALIZED (
    SELECT h.workflow_uuid, h.function_id, h.key, h.value, h.serialization, g.from_step
    FROM {schema}.workflow_events_history h JOIN going g ON g.workflow_id = h.workflow_uuid
    WHERE h.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), undone AS MATERIALIZED (
    SELECT workflow_uuid, key FROM history GROUP BY workflow_uuid, key HAVING bool_or(function_id >= from_step)
), former AS MATERIALIZED (
    SELECT DISTINCT ON (h.workflow_uuid, h.key) h.workflow_uuid, h.key, h.value, h.serialization
    FROM history h JOIN undone u ON u.workflow_uuid = h.workflow_uuid AND u.key = h.key
    WHERE h.function_id < h.from_step
    ORDER BY h.workflow_uuid, h.key, h.function_id DESC
), history_cut AS (
    DELETE FROM {schema}.workflow_events_history h USING going g
    WHERE h.workflow_uuid = g.workflow_id AND h.function_id >= g.from_step
      AND h.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), events_gone AS (
    DELETE FROM {schema}.workflow_events e USING undone u
    LEFT JOIN former f ON f.workflow_uuid = u.workflow_uuid AND f.key = u.key
    WHERE e.workflow_uuid = u.workflow_uuid AND e.key = u.key AND f.key IS NULL
      AND e.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), events_restored AS (
    UPDATE {schema}.workflow_events e SET value = f.value, serialization = f.serialization
    FROM former f
    WHERE e.workflow_uuid = f.workflow_uuid AND e.key = f.key
      AND e.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), streams_opened AS (
    DELETE FROM {schema}.streams v USING going g
    WHERE v.workflow_uuid = g.workflow_id AND v.function_id >= g.from_step
      AND v.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
      AND v.value IN ('"__DBOS_STREAM_CLOSED__"', '__DBOS_STREAM_CLOSED__')
), messages_gone AS (
    DELETE FROM {schema}.notifications n USING going g
    WHERE n.destination_uuid = g.workflow_id
      AND (n.consumed_by_function_id >= g.from_step OR NOT n.consumed)
      AND n.destination_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), outcome_gone AS (
    DELETE FROM {schema}.workflow_output o
    WHERE o.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), told AS (
    SELECT count(pg_notify('durably', 'q::' || queue_name)) AS notices
    FROM (SELECT DISTINCT queue_name FROM rewound WHERE octet_length(queue_name) < 7900) q
)
SELECT j.workflow_id, j.refusal, j.status, j.start_step, COALESCE(j.first_step, 1) AS first_step, j.last_step,
       j.cut, j.unfit, r.workflow_uuid IS NOT NULL AS changed
FROM told, judged j
LEFT JOIN rewound r ON r.workflow_uuid = j.workflow_id
