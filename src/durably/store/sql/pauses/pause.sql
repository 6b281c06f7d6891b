-- ENQUEUED, DELAYED, PENDING -> DELAYED until an instant that nobody reaches, which DBOS executors leave alone; what
-- they were before is noted. It keeps its queue and its deduplication id. A run that is under way loses its token; the
-- notice stops it where it stands, and its attempt does not count as one. Only those in `statuses`.
-- `creator_xid` takes the call's token: its repetition changes nothing more, also not when it goes on again since.
-- Locks: the workflows' rows, in one order. Index: primary keys. Returns every workflow that was met.
WITH locked AS MATERIALIZED (
    SELECT s.workflow_uuid, s.status, s.delay_until_epoch_ms, s.owner_xid, s.creator_xid
    FROM {schema}.workflow_status s
    WHERE s.workflow_uuid = ANY (%(workflow_ids)s::text[])
    ORDER BY s.workflow_uuid
    FOR NO KEY UPDATE OF s
), judged AS MATERIALIZED (
    SELECT l.*, CASE
        WHEN l.creator_xid = %(token)s::text THEN 'repeated'
        WHEN l.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING') THEN 'ended'
        WHEN l.status = 'DELAYED' AND l.delay_until_epoch_ms = %(until)s::bigint THEN 'paused'
        WHEN NOT l.status = ANY (%(statuses)s::text[]) THEN 'other'
        END AS refusal
    FROM locked l
), paused AS (
    UPDATE {schema}.workflow_status s
    SET status = 'DELAYED', delay_until_epoch_ms = %(until)s::bigint, owner_xid = NULL, started_at_epoch_ms = NULL,
        queue_name = COALESCE(s.queue_name, '_dbos_internal_queue'), creator_xid = %(token)s::text,
        recovery_attempts = CASE WHEN j.status = 'PENDING' THEN GREATEST(s.recovery_attempts - 1, 0)
                                 ELSE s.recovery_attempts END,
        updated_at = (EXTRACT(epoch FROM now()) * 1000)::bigint
    FROM judged j
    WHERE s.workflow_uuid = j.workflow_uuid AND j.refusal IS NULL
      AND s.workflow_uuid = ANY (ARRAY(SELECT workflow_uuid FROM judged))
    RETURNING s.workflow_uuid
), noted AS (
    INSERT INTO {extension}.paused_workflows AS t (
        workflow_uuid, paused_by, reason, status, delay_until_epoch_ms, paused_at)
    SELECT j.workflow_uuid, COALESCE(%(paused_by)s::text, session_user), %(reason)s::text, j.status,
           j.delay_until_epoch_ms, now()
    FROM judged j JOIN paused p ON p.workflow_uuid = j.workflow_uuid
    ON CONFLICT (workflow_uuid) DO UPDATE
        SET paused_by = EXCLUDED.paused_by, reason = EXCLUDED.reason, status = EXCLUDED.status,
            delay_until_epoch_ms = EXCLUDED.delay_until_epoch_ms, paused_at = EXCLUDED.paused_at
), told AS (
    SELECT count(pg_notify('durably', 'c::' || j.workflow_uuid || '::' || j.owner_xid)) AS notices
    FROM judged j JOIN paused p ON p.workflow_uuid = j.workflow_uuid
    WHERE j.owner_xid IS NOT NULL AND octet_length(j.workflow_uuid) < 7900
)
SELECT j.workflow_uuid AS workflow_id, j.status, j.refusal
FROM told, judged j
ORDER BY j.workflow_uuid
