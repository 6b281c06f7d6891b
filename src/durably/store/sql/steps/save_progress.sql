-- Saves how far steps are, of runs that still hold their owner token; or (`over`) forgets it, when the outcome is
-- recorded. Of several by one step in a batch the last one counts.
-- Locks: the workflows' status rows, as steps/record. Index: primary keys. Returns what was refused ('lost').
WITH asked AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(records)s::json) AS r(
        workflow_id text, owner text, function_id int, beat bigint, progress text, serialization text, over boolean)
), owned AS MATERIALIZED (
    SELECT s.workflow_uuid, s.owner_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM asked))
      AND s.owner_xid = ANY (ARRAY(SELECT owner FROM asked))
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), latest AS MATERIALIZED (
    SELECT DISTINCT ON (a.workflow_id, a.function_id) a.*
    FROM asked a JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
    ORDER BY a.workflow_id, a.function_id, a.beat DESC
), saved AS (
    INSERT INTO {extension}.step_progress (workflow_uuid, function_id, progress, serialization, saved_at)
    SELECT workflow_id, function_id, progress, serialization, clock_timestamp() FROM latest WHERE NOT over
    ON CONFLICT (workflow_uuid, function_id) DO UPDATE
        SET progress = EXCLUDED.progress, serialization = EXCLUDED.serialization, saved_at = EXCLUDED.saved_at
), forgotten AS (
    DELETE FROM {extension}.step_progress p USING latest l
    WHERE p.workflow_uuid = l.workflow_id AND p.function_id = l.function_id AND l.over
      AND p.workflow_uuid = ANY (ARRAY(SELECT workflow_id FROM latest))
)
SELECT a.workflow_id, a.owner, a.function_id, 'lost' AS refusal
FROM asked a
LEFT JOIN owned o ON o.workflow_uuid = a.workflow_id AND o.owner_xid = a.owner
WHERE o.workflow_uuid IS NULL
