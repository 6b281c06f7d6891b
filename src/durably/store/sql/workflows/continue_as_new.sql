-- Ends a generation of workflows that go on anew, by runs that still hold their owner token: what was recorded so
-- far becomes a finished workflow of its own, `<id>/<n>`, a child of the one that goes on, which keeps its row,
-- events, streams and the messages that wait; it gets its new input, a new owner token (what the ended generation
-- sent and the server does late is refused), and a marker behind which the next generation counts on. n is the generation's number; the first one after a rewind takes what is free.
-- Locks: the workflows' rows, in one order. Index: primary keys, idx_workflow_status_parent_workflow_id.
-- Repeated (the answer was lost) it finds its token, and by `creator_xid` the row that it made, and changes
-- nothing more.
-- `made`: NULL when the token is lost, false when the archive's id is another's. Notices: none, nobody waits for it.
WITH asked AS MATERIALIZED (
    SELECT r.*, CASE WHEN generation > 1 THEN generation ELSE COALESCE((
        SELECT max(substr(s.workflow_uuid, length(r.workflow_id) + 2)::int) + 1 FROM {schema}.workflow_status s
        WHERE s.parent_workflow_id = r.workflow_id
          AND left(s.workflow_uuid, length(r.workflow_id) + 1) = r.workflow_id || '/'
          AND substr(s.workflow_uuid, length(r.workflow_id) + 2) ~ '^[1-9][0-9]{0,8}$'
          AND s.creator_xid IS DISTINCT FROM r.token), 1) END AS n
    FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, token text, function_id int, generation int, inputs text, output text,
        serialization text, started_at bigint, completed_at bigint)
), owned AS MATERIALIZED (
    SELECT s.*
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked UNION ALL SELECT token FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), mine AS MATERIALIZED (
    SELECT a.*, a.workflow_id || '/' || a.n AS archive_id, (EXTRACT(epoch FROM now()) * 1000)::bigint AS now_ms
    FROM asked a JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid IN (a.owner, a.token)
), archived AS (
    INSERT INTO {schema}.workflow_status (
        workflow_uuid, status, name, authenticated_user, assumed_role, authenticated_roles, executor_id,
        created_at, updated_at, application_version, application_id, class_name, config_name,
        recovery_attempts, queue_name, started_at_epoch_ms, priority, queue_partition_key,
        parent_workflow_id, serialization, completed_at, attributes, application_name, creator_xid)
    SELECT m.archive_id, 'SUCCESS', o.name, o.authenticated_user, o.assumed_role, o.authenticated_roles,
           o.executor_id, COALESCE(m.started_at, o.created_at), m.now_ms, o.application_version,
           o.application_id, o.class_name, o.config_name, o.recovery_attempts, o.queue_name,
           o.started_at_epoch_ms, o.priority, o.queue_partition_key, o.workflow_uuid, o.serialization,
           m.now_ms, o.attributes, o.application_name, m.token
    FROM mine m JOIN owned o ON o.workflow_uuid = m.workflow_id
    ON CONFLICT (workflow_uuid) DO UPDATE SET creator_xid = workflow_status.creator_xid
    RETURNING workflow_uuid, creator_xid, xmax = 0 AS is_new
), going AS MATERIALIZED (
    SELECT m.* FROM mine m JOIN archived r ON r.workflow_uuid = m.archive_id WHERE r.is_new
), kept_input AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT g.archive_id, COALESCE((
        SELECT i.inputs FROM {schema}.workflow_input i WHERE i.workflow_uuid = g.workflow_id), o.inputs)
    FROM going g JOIN owned o ON o.workflow_uuid = g.workflow_id
), new_input AS (
    INSERT INTO {schema}.workflow_input (workflow_uuid, inputs)
    SELECT workflow_id, inputs FROM going
    ON CONFLICT (workflow_uuid) DO UPDATE SET inputs = EXCLUDED.inputs
), outcome AS (
    INSERT INTO {schema}.workflow_output (workflow_uuid, output) SELECT archive_id, output FROM going
), operations AS (
    UPDATE {schema}.operation_outputs p SET workflow_uuid = g.archive_id
    FROM going g
    WHERE p.workflow_uuid = g.workflow_id AND p.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), event_history AS (
    UPDATE {schema}.workflow_events_history h SET workflow_uuid = g.archive_id
    FROM going g
    WHERE h.workflow_uuid = g.workflow_id AND h.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), messages AS (
    UPDATE {schema}.notifications n SET destination_uuid = g.archive_id
    FROM going g
    WHERE n.destination_uuid = g.workflow_id AND n.consumed
      AND n.destination_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), marker AS (
    INSERT INTO {schema}.operation_outputs (
        workflow_uuid, function_id, function_name, output, serialization, started_at_epoch_ms,
        completed_at_epoch_ms, application_name)
    SELECT workflow_id, function_id, 'durably.continueAsNew', (n + 1)::text, 'portable_json', completed_at,
           completed_at, %(application_name)s
    FROM going
), renewed AS (
    UPDATE {schema}.workflow_status s
    SET recovery_attempts = 1, owner_xid = g.token, updated_at = g.now_ms
    FROM going g
    WHERE s.workflow_uuid = g.workflow_id AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), attempts AS (
    DELETE FROM {extension}.workflow_attempts t
    WHERE t.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
)
SELECT m.workflow_id, m.owner, m.n AS generation, m.archive_id, r.creator_xid IS NOT DISTINCT FROM m.token AS made
FROM mine m JOIN archived r ON r.workflow_uuid = m.archive_id
