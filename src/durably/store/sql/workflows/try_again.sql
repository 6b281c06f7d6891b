-- PENDING -> DELAYED, for runs that still hold their owner token, whose code failed, and that have a `retry`: what they
-- recorded from the failed operation on is forgotten, as by a rewind from the failure, so that finished steps are not
-- repeated; the attempt is counted. Events get the value that they had, messages are received again, streams lose the
-- mark that closed them. The workflow's deadline and deduplication id stay.
-- Locks: the workflows' rows, in one order. Index: primary keys, idx_workflow_topic.
-- Returns those whose token was lost.
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, error text, seconds float8)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid, s.creator_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked)) AND (s.status = 'PENDING') IS TRUE
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), going AS MATERIALIZED (
    SELECT a.*, o.creator_xid, COALESCE(h.cause, h.last_failure, h.last_step + 1, 0) AS cut
    FROM asked a JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner, LATERAL (
        SELECT max(p.function_id) AS last_step,
               min(p.function_id) FILTER (WHERE p.error = a.error) AS cause,
               max(p.function_id) FILTER (WHERE p.error IS NOT NULL) AS last_failure
        FROM {schema}.operation_outputs p
        WHERE p.workflow_uuid = a.workflow_id AND p.function_id <= 1000000000 OFFSET 0  -- beyond it is cleanup
    ) h
), delayed AS (
    UPDATE {schema}.workflow_status s
    SET status = 'DELAYED', owner_xid = NULL, started_at_epoch_ms = NULL, recovery_attempts = 0,
        queue_name = COALESCE(s.queue_name, '_dbos_internal_queue'),
        delay_until_epoch_ms = ceil(EXTRACT(epoch FROM clock_timestamp()) * 1000 + g.seconds * 1000)::bigint,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM going g
    WHERE s.workflow_uuid = g.workflow_id AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), counted AS (
    INSERT INTO {extension}.workflow_attempts AS t (workflow_uuid, creator_xid, failed, error, failed_at)
    SELECT workflow_id, creator_xid, 1, error, now() FROM going
    ON CONFLICT (workflow_uuid) DO UPDATE
    SET failed = CASE WHEN t.creator_xid IS NOT DISTINCT FROM EXCLUDED.creator_xid THEN t.failed ELSE 0 END + 1,
        creator_xid = EXCLUDED.creator_xid, error = EXCLUDED.error, failed_at = EXCLUDED.failed_at
), forgotten AS (
    DELETE FROM {schema}.operation_outputs p USING going g
    WHERE p.workflow_uuid = g.workflow_id AND p.function_id >= g.cut
      AND p.function_name <> 'durably.continueAsNew'  -- the generation begins again, not the first one
      AND p.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), history AS MATERIALIZED (
    SELECT h.workflow_uuid, h.function_id, h.key, h.value, h.serialization, g.cut
    FROM {schema}.workflow_events_history h JOIN going g ON g.workflow_id = h.workflow_uuid
    WHERE h.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
), undone AS MATERIALIZED (
    SELECT workflow_uuid, key FROM history GROUP BY workflow_uuid, key HAVING bool_or(function_id >= cut)
), former AS MATERIALIZED (
    SELECT DISTINCT ON (h.workflow_uuid, h.key) h.workflow_uuid, h.key, h.value, h.serialization
    FROM history h JOIN undone u ON u.workflow_uuid = h.workflow_uuid AND u.key = h.key
    WHERE h.function_id < h.cut
    ORDER BY h.workflow_uuid, h.key, h.function_id DESC
), history_cut AS (
    DELETE FROM {schema}.workflow_events_history h USING going g
    WHERE h.workflow_uuid = g.workflow_id AND h.function_id >= g.cut
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
    WHERE v.workflow_uuid = g.workflow_id AND v.function_id >= g.cut
      AND v.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
      AND v.value IN ('"__DBOS_STREAM_CLOSED__"', '__DBOS_STREAM_CLOSED__')
), messages_back AS (
    UPDATE {schema}.notifications n SET consumed = false, consumed_by_function_id = NULL
    FROM going g
    WHERE n.destination_uuid = g.workflow_id AND n.consumed AND n.consumed_by_function_id >= g.cut
      AND n.destination_uuid = ANY (ARRAY(SELECT workflow_id FROM going))
)
SELECT a.workflow_id, a.owner FROM asked a
LEFT JOIN going g ON g.workflow_id = a.workflow_id AND g.owner = a.owner
WHERE g.workflow_id IS NULL
