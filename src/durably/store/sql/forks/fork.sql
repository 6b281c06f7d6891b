-- Forks workflows: a new one each, ENQUEUED, with what its original recorded before `cut` (operations, events,
-- streams; NULL: nothing), its inputs, and the edits that were asked for, which `durably.edited` in the attributes
-- tells of. With `strict` all or none. An id that is a fork of the same original already is left as it is.
-- Locks: the originals' rows, in one order, so that nothing is recorded meanwhile. Index: primary keys.
-- Returns one row for each that was asked: what was met, and why it was refused.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, new_id text, start_step int, from_failure boolean, queue_name text,
        queue_partition_key text, app_version text, application_name text, timeout_ms bigint,
        inputs text, serialization text, outputs json, replacement_children json)
), source AS MATERIALIZED (
    SELECT s.* FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), edit AS MATERIALIZED (
    SELECT a.new_id, e.key::int AS function_id, e.value ->> 'output' AS output, e.value ->> 'error' AS error,
           e.value ->> 'serialization' AS serialization
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
        WHERE e.new_id = p.new_id AND NOT EXISTS (
            SELECT FROM {schema}.operation_outputs k
            WHERE k.workflow_uuid = p.workflow_id AND k.function_id = e.function_id AND k.function_id < p.cut
              AND (k.child_workflow_id IS NULL OR k.function_name = 'DBOS.getResult'))
        ) AS unfit
    FROM placed p
), judged AS MATERIALIZED (
    SELECT f.*, t.status AS taken_status, t.name AS taken_name, CASE
        WHEN s.workflow_uuid IS NULL THEN 'missing'
        WHEN t.forked_from = f.workflow_id THEN 'repeated'
        WHEN t.workflow_uuid IS NOT NULL THEN 'taken'
        WHEN f.start_step < COALESCE(f.first_step, 1) OR f.start_step > COALESCE(f.last_step, 0) + 1
            THEN 'no step'
        WHEN f.unfit IS NOT NULL THEN 'unfit'
        END AS refusal
    FROM fitted f
    LEFT JOIN source s ON s.workflow_uuid = f.workflow_id
    LEFT JOIN LATERAL (
        SELECT x.* FROM {schema}.workflow_status x WHERE x.workflow_uuid = f.new_id OFFSET 0
    ) t ON true
), going AS MATERIALIZED (
    SELECT j.* FROM judged j
    WHERE j.refusal IS NULL
      AND NOT (%(strict)s::boolean AND EXISTS (SELECT FROM judged WHERE refusal <> 'repeated'))
), made AS (
    INSERT INTO {schema}.workflow_status (
        workflow_uuid, status, name, class_name, config_name, application_id, authenticated_user,
        authenticated_roles, assumed_role, serialization, attributes, forked_from, application_name,
        application_version, workflow_timeout_ms, queue_name, queue_partition_key)
    SELECT g.new_id, 'ENQUEUED', s.name, s.class_name, s.config_name, s.application_id, s.authenticated_user,
           s.authenticated_roles, s.assumed_role, COALESCE(g.serialization, s.serialization),
           CASE WHEN e.edited IS NULL AND jsonb_typeof(s.attributes) = 'object'
                THEN s.attributes - 'durably.edited'
                WHEN e.edited IS NULL THEN s.attributes
                WHEN jsonb_typeof(s.attributes) = 'object'
                THEN s.attributes || jsonb_build_object('durably.edited', e.edited)
                ELSE jsonb_build_object('durably.edited', e.edited) END,
           g.workflow_id, COALESCE(s.application_name, g.application_name), g.app_version, g.timeout_ms,
           g.queue_name, g.queue_partition_key
    FROM going g JOIN source s ON s.workflow_uuid = g.workflow_id, LATERAL (
        SELECT CASE WHEN x.input OR x.outputs IS NOT NULL THEN jsonb_build_object(
            'input', x.input, 'outputs', COALESCE(x.outputs, '[]'::jsonb)) END AS edited
        FROM (
            SELECT g.inputs IS NOT NULL
                   OR COALESCE(s.attributes @> '{"durably.edited": {"input": true}}', false) AS input,
                   (SELECT jsonb_agg(DISTINCT n ORDER BY n) FROM (
                        SELECT function_id FROM edit WHERE edit.new_id = g.new_id
                        UNION ALL
                        SELECT (v #>> '{}')::int
                        FROM jsonb_path_query(s.attributes, '$."durably.edited".outputs[*] ? (@.type() == "number")') v
                        WHERE (v #>> '{}')::int < g.cut
                    ) known(n)) AS outputs
        ) x OFFSET 0
    ) e
    ON CONFLICT (workflow_uuid) DO NOTHING
    RETURNING workflow_uuid, queue_name, application_name
), begun AS MATERIALIZED (
    SELECT g.*, m.application_name AS owner_name FROM going g JOIN made m ON m.workflow_uuid = g.new_id
), given AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT b.new_id, COALESCE(b.inputs, (
        SELECT i.inputs FROM {schema}.workflow_input i WHERE i.workflow_uuid = b.workflow_id), s.inputs)
    FROM begun b JOIN source s ON s.workflow_uuid = b.workflow_id
    ON CONFLICT (workflow_uuid) DO UPDATE SET inputs = EXCLUDED.inputs
), marked AS (
    UPDATE {schema}.workflow_status s SET was_forked_from = true
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM begun))
), operations AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, output, error, child_workflow_id, started_at_epoch_ms,
        completed_at_epoch_ms, serialization, application_name)
    SELECT b.new_id, p.function_id, p.function_name,
           CASE WHEN e.new_id IS NULL THEN p.output ELSE e.output END,
           CASE WHEN e.new_id IS NULL THEN p.error ELSE e.error END,
           COALESCE(b.replacement_children ->> p.child_workflow_id, p.child_workflow_id),
           p.started_at_epoch_ms, p.completed_at_epoch_ms,
           CASE WHEN e.new_id IS NULL THEN p.serialization ELSE e.serialization END, b.owner_name
    FROM begun b
    CROSS JOIN LATERAL (
        SELECT q.* FROM {schema}.operation_outputs q
        WHERE q.workflow_uuid = b.workflow_id AND q.function_id < b.cut OFFSET 0
    ) p
    LEFT JOIN edit e ON e.new_id = b.new_id AND e.function_id = p.function_id
), past AS MATERIALIZED (
    SELECT b.new_id, h.function_id, h.key, h.value, h.serialization
    FROM begun b CROSS JOIN LATERAL (
        SELECT q.* FROM {schema}.workflow_events_history q
        WHERE q.workflow_uuid = b.workflow_id AND q.function_id < b.cut OFFSET 0
    ) h
), event_history AS (
    INSERT INTO {schema}.workflow_events_history (workflow_uuid, function_id, key, value, serialization)
    SELECT new_id, function_id, key, value, serialization FROM past
), events AS (
    INSERT INTO {schema}.workflow_events (workflow_uuid, key, value, serialization)
    SELECT DISTINCT ON (new_id, key) new_id, key, value, serialization
    FROM past ORDER BY new_id, key, function_id DESC
), stream_values AS (
    INSERT INTO {schema}.streams (workflow_uuid, key, value, "offset", function_id, serialization)
    SELECT b.new_id, v.key, v.value, v."offset", v.function_id, v.serialization
    FROM begun b CROSS JOIN LATERAL (
        SELECT q.* FROM {schema}.streams q
        WHERE q.workflow_uuid = b.workflow_id AND q.function_id < b.cut OFFSET 0
    ) v
), told AS (
    SELECT count(pg_notify('durably', 'q::' || queue_name)) AS notices
    FROM (SELECT DISTINCT queue_name FROM made WHERE octet_length(queue_name) < 7900) q
)
SELECT j.workflow_id, j.new_id, j.refusal, j.start_step, COALESCE(j.first_step, 1) AS first_step, j.last_step,
       j.cut, j.unfit, j.taken_status, j.taken_name, b.new_id IS NOT NULL AS changed
FROM told, judged j
LEFT JOIN begun b ON b.new_id = j.new_id
